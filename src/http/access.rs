//! Who a request comes from: the seam to client authentication.
//!
//! A token travels in `Authorization: Bearer` on HTTP and in the payload of `connection_init` on a
//! WebSocket, because a browser cannot set headers there. Both end in [`Authenticate`].

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use serde_json::Value;

use crate::auth::Requester;

/// Turns a client's token into who it is. Called for every request, so it must not wait.
pub trait Authenticate: Send + Sync + 'static {
    /// `token` is `None` when the client sent none.
    fn authenticate(&self, token: Option<&str>) -> Result<Requester, Denied>;
}

/// Why a client was turned away.
#[cfg_attr(not(test), expect(dead_code, reason = "whoever replaces AllowAll says so"))]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denied {
    /// No token, or one that proves nothing.
    Unauthenticated,
    /// A good token that does not allow this.
    Forbidden,
}

/// Client authentication is off: everyone is the same requester.
#[derive(Clone, Debug)]
pub struct AllowAll(pub Requester);

impl Authenticate for AllowAll {
    fn authenticate(&self, _token: Option<&str>) -> Result<Requester, Denied> {
        Ok(self.0.clone())
    }
}

/// The token of a request's headers.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    without_scheme(headers.get(AUTHORIZATION)?.to_str().ok()?)
}

/// The token of a `connection_init` payload: its member `authorization`, whatever the case.
pub(super) fn bearer_in_payload(payload: Option<&Value>) -> Option<&str> {
    let members = payload?.as_object()?;
    let (_, value) = members.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?;
    without_scheme(value.as_str()?)
}

fn without_scheme(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_the_token_in_a_payload() {
        let payload = json!({"Authorization": "bearer abc"});
        assert_eq!(bearer_in_payload(Some(&payload)), Some("abc"));
        assert_eq!(bearer_in_payload(Some(&json!({"authorization": "Basic abc"}))), None);
        assert_eq!(bearer_in_payload(Some(&json!(["bearer abc"]))), None);
        assert_eq!(bearer_in_payload(None), None);
    }
}

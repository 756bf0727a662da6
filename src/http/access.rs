//! Where a client's token travels: in `Authorization: Bearer` on HTTP, and in the payload of
//! `connection_init` on a WebSocket, because a browser cannot set headers there. What it proves is
//! found out by [`crate::auth`].

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::clock::Clock;

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

/// Ends when what a client showed stops to count; `None`: never.
pub(super) async fn ending(clock: &Clock, until: Option<DateTime<Utc>>) {
    match until {
        Some(until) => clock.sleep_until(until).await,
        None => std::future::pending().await,
    }
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

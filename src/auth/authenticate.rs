//! The seam between a transport and how clients are recognised.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Requester;

/// Turns a client's token into who it is.
#[async_trait]
pub trait Authenticate: Send + Sync + 'static {
    /// `token` is `None` when the client sent none. Called for every request, so it hardly ever
    /// waits: only for keys that it has never seen.
    async fn authenticate(&self, token: Option<&str>) -> Result<Admitted, Denied>;
}

/// Who was let in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Admitted {
    pub requester: Requester,
    /// When what it showed stops to count; `None`: never.
    pub until: Option<DateTime<Utc>>,
}

/// Why a client was turned away, in words that may be shown to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denied {
    /// There was no token.
    Missing,
    /// A token that proves nothing.
    Unauthenticated(&'static str),
    /// A good token that does not lead anywhere here.
    Forbidden(&'static str),
    /// Whether the token is good cannot be found out now.
    Unavailable,
}

/// Client authentication is off: everyone is the same requester.
#[derive(Clone, Debug)]
pub struct Everyone(pub Requester);

#[async_trait]
impl Authenticate for Everyone {
    async fn authenticate(&self, _token: Option<&str>) -> Result<Admitted, Denied> {
        Ok(Admitted { requester: self.0.clone(), until: None })
    }
}

//! Who asks and how: what a transport knows of a request beside the operation itself.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::auth::Requester;

/// The asker of one operation.
#[derive(Clone, Debug)]
pub struct Caller {
    pub requester: Requester,
    /// When what the requester showed stops to count; `None`: never.
    pub until: Option<DateTime<Utc>>,
    pub cache: CachePolicy,
    /// Whether the answer should carry `extensions.cost`.
    pub wants_cost: bool,
    /// Ties the answer to the log.
    pub request_id: Arc<str>,
    /// When the answer must be out.
    pub deadline: Instant,
}

impl Caller {
    /// The id of the asker's workspace.
    pub fn workspace(&self) -> &str {
        self.requester.workspace.as_str()
    }
}

/// The request's `Cache-Control`, as far as it concerns us (RFC 9111, section 5.2.1).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct CachePolicy {
    /// `no-cache`: nothing read before this request counts.
    pub no_cache: bool,
    /// `max-age=N`: nothing older counts.
    pub max_age: Option<Duration>,
    /// `only-if-cached`: no upstream call is made.
    pub only_if_cached: bool,
}

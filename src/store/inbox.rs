//! What systems sent us by themselves and nobody has looked at yet.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Error, Lease, Mark};
use crate::unified::{EventDraft, WorkspaceId};

/// The kind of work that is to look at what came in. Its key is the system that sent it.
pub const INBOX: &str = "inbox";

/// Something that came in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Arrival {
    /// The system's id of it, the same when it is sent again.
    pub id: String,
    /// What the system calls it.
    pub kind: String,
    /// As it came, for 7 days at most: it is about a person.
    pub body: String,
    /// Whether it came later than the system says it was sent.
    pub late: bool,
}

/// What came of looking at arrivals.
#[derive(Clone, Copy, Debug, Default)]
pub struct LookedAt<'a> {
    /// They wait no longer.
    pub ids: &'a [String],
    /// Those of them whose words are forgotten now and not in 7 days.
    pub forget: &'a [String],
    /// What they are about.
    pub marks: &'a [Mark],
    /// What the history says of them.
    pub events: &'a [EventDraft],
}

/// The inbox.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Stores what came in and marks the inbox's work, all of it or nothing; of each, whether it
    /// is new. An id is remembered for 31 days.
    async fn receive(
        &self,
        workspace: &WorkspaceId,
        arrivals: &[Arrival],
        now: DateTime<Utc>,
    ) -> Result<Vec<bool>, Error>;

    /// What waits, the oldest first; `after`: only what came after the arrival with this id. What has
    /// lost its words to its age waits no longer.
    async fn waiting(
        &self,
        workspace: &WorkspaceId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Arrival>, Error>;

    /// Stores what came of looking at arrivals, at once; `false`: the lease is lost and nothing was stored.
    async fn looked_at(
        &self,
        lease: &Lease,
        looked: LookedAt<'_>,
        now: DateTime<Utc>,
    ) -> Result<bool, Error>;
}

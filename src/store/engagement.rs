//! What was last seen of what people did with their mails, and how far looking for it is.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Error, Lease, Mark};
use crate::unified::{ContactId, Engagement, EventDraft, WorkspaceId};

/// The kind of work that looks for engagement. Its key is [`ROUND`], or a contact's id.
pub const ENGAGEMENT: &str = "engagement";
/// The key of the work that goes through everybody in scope.
pub const ROUND: &str = "round";

/// A person's deliveries as they were last read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reading {
    pub asked_at: DateTime<Utc>,
    pub engagements: Vec<Engagement>,
}

/// A reading that was made, and what follows from it.
#[derive(Clone, Copy, Debug)]
pub struct Engaged<'a> {
    pub contact: ContactId,
    pub engagements: &'a [Engagement],
    pub events: &'a [EventDraft],
    pub marks: &'a [Mark],
}

/// What engagement remembers.
#[async_trait]
pub trait Engagements: Send + Sync {
    /// How far the round is, as JSON; `None` before the first.
    async fn round(&self, workspace: &WorkspaceId) -> Result<Option<String>, Error>;

    /// Remembers how far the round is, which says nothing of a person but their contact's id: an erasure
    /// does not look into it. `false`: the lease is lost and nothing was stored.
    async fn put_round(&self, lease: &Lease, position: &str) -> Result<bool, Error>;

    /// What was last read of a contact; `None`: never read.
    async fn reading(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
    ) -> Result<Option<Reading>, Error>;

    /// Which of the contacts were read at or after a time, in the order given.
    async fn read_since(
        &self,
        workspace: &WorkspaceId,
        contacts: &[ContactId],
        since: DateTime<Utc>,
    ) -> Result<Vec<bool>, Error>;

    /// Remembers a reading (a merged contact's is the survivor's), its events and marks, all of it or
    /// nothing. `None`: the lease is lost. The cursor of its last event, if there is one.
    async fn engage(
        &self,
        lease: &Lease,
        engaged: Engaged<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Option<i64>>, Error>;
}

//! The history: appended only in the transaction of what it tells of, so that it is the truth.
//!
//! A cursor counts up by one in each workspace and is taken in that transaction, after everything
//! else and holding the counter until the end: the order of cursors is the order of commits, and
//! whoever has read up to one misses nothing by reading on from it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Error;
use crate::unified::{ContactId, Event, EventDraft, EventKind, System, WorkspaceId};

/// Conditions on a listing of events; all given ones must hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EventFilter {
    pub kinds: Option<Vec<EventKind>>,
    pub systems: Option<Vec<System>>,
    /// The survivor of a merge has the events of both.
    pub contact: Option<ContactId>,
    pub run: Option<Uuid>,
    pub since: Option<DateTime<Utc>>,
}

impl EventFilter {
    /// Whether an event meets it, but for the contacts that were merged into another.
    pub fn admits(&self, event: &Event) -> bool {
        let draft = &event.draft;
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&draft.kind))
            && self
                .systems
                .as_ref()
                .is_none_or(|them| draft.system.is_some_and(|s| them.contains(&s)))
            && self.contact.is_none_or(|contact| draft.contact == Some(contact))
            && self.run.is_none_or(|run| draft.run == Some(run))
            && self.since.is_none_or(|since| event.at >= since)
    }
}

/// From where, and in which direction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Span {
    /// The oldest first, those after the cursor. `None`: from the oldest that is kept.
    After(Option<i64>),
    /// The newest first, those before the cursor. `None`: from the newest.
    Before(Option<i64>),
}

/// What was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Events {
    Found {
        events: Vec<Event>,
        /// Up to where the history was searched in the direction of the span: where to go on, even
        /// when no event met the filter.
        searched: i64,
        /// Whether more may follow.
        more: bool,
    },
    /// Events after the cursor are no longer kept; those from `oldest` on are.
    Expired { oldest: i64 },
}

/// The history.
#[async_trait]
pub trait History: Send + Sync {
    /// Events that meet the filter, at most `limit`.
    async fn events(
        &self,
        workspace: &WorkspaceId,
        span: Span,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Events, Error>;

    /// The cursor of the newest event; 0 before the first.
    async fn last_cursor(&self, workspace: &WorkspaceId) -> Result<i64, Error>;

    /// Appends events that go with no other change (a run's progress); the last one's cursor.
    async fn append(
        &self,
        workspace: &WorkspaceId,
        events: &[EventDraft],
        now: DateTime<Utc>,
    ) -> Result<i64, Error>;
}

//! The append-only history: what Tandem saw, decided and did, in order.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ContactId, System};

/// One entry of the history.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// Counts up by one in each workspace, in the order of commit.
    pub cursor: i64,
    pub at: DateTime<Utc>,
    pub draft: EventDraft,
}

/// An entry to be written.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct EventDraft {
    pub kind: EventKind,
    pub contact: Option<ContactId>,
    pub system: Option<System>,
    /// The run in which it happened.
    pub run: Option<Uuid>,
    /// The mapping's field names.
    pub fields: Vec<String>,
    /// In words that a marketing person understands, without personal data.
    pub message: String,
    pub attempt: Option<u32>,
    /// The error's name in the public schema.
    pub code: Option<String>,
}

impl EventDraft {
    /// An entry about nobody in particular; the rest is set where there is something to say.
    pub fn new(kind: EventKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            contact: None,
            system: None,
            run: None,
            fields: Vec::new(),
            message: message.into(),
            attempt: None,
            code: None,
        }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventKind {
    Received,
    Planned,
    Written,
    Unchanged,
    Held,
    Failed,
    Retrying,
    Resolved,
    Linked,
    Unlinked,
    Merged,
    Created,
    Deleted,
    Erased,
    Engagement,
    RunProgress,
    UpstreamChanged,
    CredentialExpiring,
    SettingsChanged,
}

//! What could not be done yet: one entry a contact and system, with its backoff.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ActionKind, ContactId, System};

/// A system's standing refusal or silence about one contact.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Failure {
    pub contact: ContactId,
    pub system: System,
    pub action: ActionKind,
    /// The error's name in the public schema.
    pub code: String,
    /// In words for people, without the system's own text.
    pub message: String,
    pub attempts: u32,
    pub first_failed_at: DateTime<Utc>,
    /// `None` once it is dead.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// Given up: only a person starts it again.
    pub dead: bool,
}

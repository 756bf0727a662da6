//! The write-ahead record: what is about to be sent, kept until what became of it is known.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ActionKind, ContactId, EditId, System};

/// A call that changes something, recorded before it is made.
///
/// One that is found open by a later run has an unknown outcome: the system is read again, and a
/// note or task looked up by its text within the call's window, before anything is sent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PendingWrite {
    pub id: Uuid,
    pub contact: ContactId,
    pub system: System,
    pub action: ActionKind,
    /// The edit that it carries out, if one does.
    pub edit: Option<EditId>,
    /// The mapping's field names.
    pub fields: Vec<String>,
    /// What is sent, as JSON of the neutral model: what a look-up afterwards compares with.
    pub body: String,
    pub begun_at: DateTime<Utc>,
}

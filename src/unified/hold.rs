//! What waits for a person to decide.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ContactId, System};

/// A contact, a field or a run set aside, with the reason and the choices.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Hold {
    pub id: Uuid,
    pub kind: HoldKind,
    pub contact: Option<ContactId>,
    /// Everybody it is about, `contact` included.
    pub contacts: Vec<ContactId>,
    pub run: Option<Uuid>,
    pub system: Option<System>,
    /// The mapping's field name.
    pub field: Option<String>,
    pub candidates: Vec<HoldCandidate>,
    pub resolutions: Vec<HoldResolution>,
    pub reason: String,
    pub since: DateTime<Utc>,
}

/// Why something was set aside.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HoldKind {
    AmbiguousMatch,
    Conflict,
    Overflow,
    Oscillation,
    Consent,
    MassDelete,
    EmptyListing,
    RemoteFieldGone,
    InvalidValue,
}

/// One of the things to choose from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct HoldCandidate {
    /// Unique within the hold.
    pub id: String,
    pub system: Option<System>,
    pub label: String,
    pub value: Option<String>,
}

/// One way out.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct HoldResolution {
    /// What `resolveHold` takes as `choice`.
    pub choice: String,
    /// What it will do, in words for people.
    pub effect: String,
}

/// How a hold was resolved.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct HoldDecision {
    pub choice: String,
    pub candidate: Option<String>,
    /// Whether the same question is to be answered alike from now on.
    pub remember: bool,
    pub at: DateTime<Utc>,
    pub by: Option<String>,
}

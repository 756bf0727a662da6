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

/// What `resolveHold` takes as a choice, by what it does.
pub mod choice {
    /// Takes Doppler's value.
    pub const KEEP_DOPPLER: &str = "KEEP_DOPPLER";
    /// Takes HighLevel's value.
    pub const KEEP_HIGHLEVEL: &str = "KEEP_HIGHLEVEL";
    /// Takes the client's value.
    pub const KEEP_CLIENT: &str = "KEEP_CLIENT";
    /// Lets the difference be.
    pub const LEAVE: &str = "LEAVE";
    /// Puts the opt-out back where it was lifted.
    pub const OPT_OUT: &str = "OPT_OUT";
    /// Lifts HighLevel's do-not-disturb, because the person asked for mail again.
    pub const OPT_IN: &str = "OPT_IN";
    /// Tries again.
    pub const RETRY: &str = "RETRY";
    /// Lets a run go on, this once.
    pub const GO_ON: &str = "GO_ON";
    /// Makes one of two contacts.
    pub const JOIN: &str = "JOIN";
}

impl HoldKind {
    /// Whether a choice may answer like questions to come: those of the same kind about the same
    /// field and system. Never who may be mailed again, who is whom, or that something is to be
    /// tried: that is each person's own matter.
    pub fn remembers(self, choice: &str) -> bool {
        use choice::{KEEP_CLIENT, KEEP_DOPPLER, KEEP_HIGHLEVEL, LEAVE, OPT_OUT};
        match self {
            Self::Conflict => [KEEP_DOPPLER, KEEP_HIGHLEVEL, KEEP_CLIENT].contains(&choice),
            Self::Overflow | Self::InvalidValue | Self::MassDelete => choice == LEAVE,
            Self::Consent => [OPT_OUT, LEAVE].contains(&choice),
            Self::AmbiguousMatch
            | Self::Oscillation
            | Self::EmptyListing
            | Self::RemoteFieldGone => false,
        }
    }
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

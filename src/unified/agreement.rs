//! What is agreed about a contact: its canon, and what each system last held that agreed with it.
//!
//! A change is what differs from the system's own base, never what differs from the other system:
//! that is why a value that we wrote ourselves comes back as no change.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Canonical, System};

/// The name under which it is agreed whether a person may be mailed.
pub const STATUS: &str = "status";
/// The agreed word for one who may not.
pub const OPTED_OUT: &str = "UNSUBSCRIBED";

/// The agreed state of one contact, by the mapping's field names (`firstName`, `tags`, …).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Agreement {
    pub canon: BTreeMap<String, Canon>,
    pub doppler: BTreeMap<String, Base>,
    pub highlevel: BTreeMap<String, Base>,
    /// Up to when a person gave up what was to be written to a system: what was asked for or agreed
    /// by then is not written there any more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub given_up: BTreeMap<System, DateTime<Utc>>,
}

/// An agreed value and where it came from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Canon {
    pub value: Canonical,
    pub origin: Origin,
    pub changed_at: DateTime<Utc>,
    /// Whether `changed_at` is when this field changed, or only a time before which it did.
    pub certain: bool,
    /// When its winner last alternated between the systems, newest last; what is older than the
    /// breaker's window is dropped. See `sync::plan` for the breaker.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternated: Vec<DateTime<Utc>>,
}

/// Who said a value.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Origin {
    Doppler,
    #[serde(rename = "HIGHLEVEL")]
    HighLevel,
    /// A client of ours, by a mutation.
    Client,
}

/// The last value of one field in one system that agreed with the canon.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Base {
    pub value: Canonical,
    /// What we sent, where the system made something else of it (a name in title case): the same
    /// value is not sent again as long as the system holds what it made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Canonical>,
}

impl Canon {
    /// Of a status: whether it is an opt-out.
    pub fn is_out(&self) -> bool {
        self.value == Canonical::Text(OPTED_OUT.to_owned())
    }
}

impl Agreement {
    /// Whether what was asked for or agreed at a time was given up in a system.
    pub fn gave_up(&self, system: System, at: DateTime<Utc>) -> bool {
        self.given_up.get(&system).is_some_and(|until| at <= *until)
    }

    /// Whether it is agreed that the person may not be mailed.
    pub fn is_out(&self) -> bool {
        self.canon.get(STATUS).is_some_and(Canon::is_out)
    }

    /// One system's bases.
    pub fn base(&self, system: System) -> &BTreeMap<String, Base> {
        match system {
            System::Doppler => &self.doppler,
            System::HighLevel => &self.highlevel,
        }
    }

    /// The same, to be changed.
    pub fn base_mut(&mut self, system: System) -> &mut BTreeMap<String, Base> {
        match system {
            System::Doppler => &mut self.doppler,
            System::HighLevel => &mut self.highlevel,
        }
    }
}

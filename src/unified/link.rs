//! Links: the fact that a contact is this subscriber or that HighLevel contact.

use serde::{Deserialize, Serialize};

use super::{ContactId, System};

/// A person as a system shows them, reduced to what tells who it is.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Sighting {
    pub system: System,
    /// HighLevel's contact id, or Doppler's normalised e-mail address.
    pub key: String,
    /// Normalised by `unified::normalize_email`.
    pub email: Option<String>,
    /// E.164, by `unified::normalize_phone`.
    pub phone: Option<String>,
}

/// A known link: where a contact was seen, and what the system then said of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    pub system: System,
    pub key: String,
    pub contact: ContactId,
    pub email: Option<String>,
    pub phone: Option<String>,
}

/// An address or a number that is a contact's although no system has shown the person with it yet:
/// one who is about to be created.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reservation {
    pub contact: ContactId,
    pub email: Option<String>,
    pub phone: Option<String>,
}

impl Link {
    /// Whether the sighting is of this very record.
    pub fn is_of(&self, sighting: &Sighting) -> bool {
        self.system == sighting.system && self.key == sighting.key
    }

    /// Whether the sighting says nothing new about this record.
    pub fn is_current(&self, sighting: &Sighting) -> bool {
        self.is_of(sighting) && self.email == sighting.email && self.phone == sighting.phone
    }
}

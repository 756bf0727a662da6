//! Links: the fact that a contact is this subscriber or that HighLevel contact.

use serde::{Deserialize, Serialize};

use super::{
    ContactId, HighLevelContact, Mapping, Subscriber, System, normalize_email, normalize_phone,
};

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

impl Sighting {
    /// A HighLevel contact.
    pub fn of_contact(contact: &HighLevelContact) -> Self {
        Self {
            system: System::HighLevel,
            key: contact.id.as_str().to_owned(),
            email: contact.email.as_deref().and_then(normalize_email),
            phone: contact.phone.as_deref().and_then(normalize_phone),
        }
    }

    /// A Doppler subscriber.
    pub fn of_subscriber(subscriber: &Subscriber, mapping: &Mapping) -> Self {
        let email = normalize_email(&subscriber.email);
        let phone = mapping.doppler_field("phone").and_then(|name| subscriber.field(name));
        Self {
            system: System::Doppler,
            key: subscriber_key(&subscriber.email),
            email,
            phone: phone.and_then(normalize_phone),
        }
    }
}

/// The key of a subscriber: the normalised address; one that does not normalise still is a key.
pub fn subscriber_key(email: &str) -> String {
    normalize_email(email).unwrap_or_else(|| email.trim().to_lowercase())
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

/// A record that is a contact's without a link: the subscriber of an earlier address, or of a new one
/// whose link is not stored yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Former {
    pub system: System,
    pub key: String,
    pub contact: ContactId,
}

impl Former {
    /// Whether the sighting is of this very record.
    pub fn is_of(&self, sighting: &Sighting) -> bool {
        self.system == sighting.system && self.key == sighting.key
    }
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

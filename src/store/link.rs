//! Links: the fact that a contact is this subscriber or that HighLevel contact.

use crate::unified::{ContactId, System};

/// A person as a system shows them, reduced to what tells who it is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Sighting {
    pub system: System,
    /// HighLevel's contact id, or Doppler's normalised e-mail address.
    pub key: String,
    /// Normalised by `unified::normalize_email`.
    pub email: Option<String>,
    /// E.164, by `unified::normalize_phone`.
    pub phone: Option<String>,
}

/// A stored link.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    pub system: System,
    pub key: String,
    pub contact: ContactId,
    pub email: Option<String>,
    pub phone: Option<String>,
}

/// A contact and where it is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Known {
    pub id: ContactId,
    pub links: Vec<Link>,
}

impl Known {
    /// The contact's key in one system.
    pub fn key(&self, system: System) -> Option<&str> {
        self.links.iter().find(|link| link.system == system).map(|link| link.key.as_str())
    }
}

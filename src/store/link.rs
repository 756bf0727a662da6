//! A contact and where it is known.

use crate::unified::{ContactId, Link, System};

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

//! The two systems.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the two systems that each know half of a person.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum System {
    /// fromdoppler.com: e-mail marketing.
    Doppler,
    /// GoHighLevel / LeadConnector: the Contacts API.
    HighLevel,
}

impl System {
    /// Both, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::Doppler, Self::HighLevel];

    /// The one that this is not.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Doppler => Self::HighLevel,
            Self::HighLevel => Self::Doppler,
        }
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Doppler => "Doppler",
            Self::HighLevel => "HighLevel",
        }
    }

    /// The name in the store, in logs and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Doppler => "DOPPLER",
            Self::HighLevel => "HIGHLEVEL",
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

//! What a system tells us by itself: signed hints that something is not what it was.
//!
//! A notice is never believed beyond whom it is about: its order and its truth are not ours to
//! trust, so the thing is read again from its system.

use chrono::{DateTime, Utc};

use crate::unified::HighLevelId;

/// What came in, as it came.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// The header of the current signature.
    pub signature: Option<&'a str>,
    /// The header of the signature that the system used before, of which some still send.
    pub legacy_signature: Option<&'a str>,
    /// The exact bytes: a signature is over them and not over what they mean.
    pub body: &'a [u8],
}

/// Why something that came in is not the system's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unverified {
    Unsigned,
    Forged,
}

impl Unverified {
    /// The same in words that outlive it.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Unsigned => "it is not signed",
            Self::Forged => "its signature is by none of the known keys",
        }
    }
}

/// A hint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice {
    /// The same whenever the same notice is sent again.
    pub id: String,
    /// What the system calls it, if it is one that we know.
    pub kind: &'static str,
    /// The account that it is about.
    pub account: Option<String>,
    /// When the system says that it was sent.
    pub at: Option<DateTime<Utc>>,
    pub about: About,
}

/// What may have changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum About {
    /// A person's own fields, tags or do-not-disturb; they may be gone.
    Contact(HighLevelId),
    Notes(HighLevelId),
    Tasks(HighLevelId),
    /// A task whose contact is not told; its title, to search by.
    Task {
        id: String,
        title: String,
    },
    Appointments(HighLevelId),
    /// The app was installed on the account.
    Installed,
    /// The app was taken off the account: its credential is dead.
    Uninstalled,
    /// An agency took the app off: so is what it granted for its accounts. The agency's id.
    TakenBack(String),
    /// Nothing that we keep.
    Other,
}

impl About {
    /// Whether it befell the app and no person.
    pub fn is_of_an_app(&self) -> bool {
        match self {
            Self::Installed | Self::Uninstalled | Self::TakenBack(_) => true,
            Self::Contact(_)
            | Self::Notes(_)
            | Self::Tasks(_)
            | Self::Task { .. }
            | Self::Appointments(_)
            | Self::Other => false,
        }
    }
}

/// Tells what is a system's own and what it means.
pub trait Inbound: Send + Sync {
    /// Whether the system sent it.
    fn verify(&self, post: Post<'_>) -> Result<(), Unverified>;

    /// What it says; `None` if it is no notice at all.
    fn read(&self, body: &[u8]) -> Option<Notice>;
}

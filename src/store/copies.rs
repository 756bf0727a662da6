//! Last known copies: what a system said of a thing when it was last read.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Error;
use crate::unified::{System, WorkspaceId};

/// What a system said when it was last read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Copy {
    pub key: CopyKey,
    /// JSON of the neutral model; `None` when the system said that there is no such thing.
    pub body: Option<String>,
    pub fetched_at: DateTime<Utc>,
}

/// Which thing a copy is of.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CopyKey {
    pub system: System,
    /// `contact`, `subscriber`, `notes`, `tasks`, …
    pub kind: &'static str,
    /// The system's own key of it.
    pub key: String,
}

/// The kind of a copy of a whole HighLevel contact; its key there is the contact's id.
pub const CONTACT_COPY: &str = "contact";
/// The kind of a copy of a Doppler subscriber; its key there is the normalised address.
pub const SUBSCRIBER_COPY: &str = "subscriber";

/// The kind of a copy of a row of Doppler's listing of opt-outs, which tells less than the subscriber's
/// own; its key is the same.
pub const OPT_OUT_COPY: &str = "opt-out";

impl CopyKey {
    /// The key of a thing of an account: a copy of another account's is never taken for it.
    pub fn new(system: System, kind: &'static str, account: &str, id: &str) -> Self {
        Self { system, kind, key: format!("{account}/{id}") }
    }

    /// The key of a person's record in a system.
    pub fn person(system: System, account: &str, id: &str) -> Self {
        let kind = match system {
            System::Doppler => SUBSCRIBER_COPY,
            System::HighLevel => CONTACT_COPY,
        };
        Self::new(system, kind, account, id)
    }
}

/// Last known copies.
#[async_trait]
pub trait Copies: Send + Sync {
    /// Remembers copies; an older one (by `fetched_at`) never replaces a newer one.
    async fn put_copies(&self, workspace: &WorkspaceId, copies: &[Copy]) -> Result<(), Error>;

    /// The copies of those keys that are known, in no order.
    async fn copies(&self, workspace: &WorkspaceId, keys: &[CopyKey]) -> Result<Vec<Copy>, Error>;
}

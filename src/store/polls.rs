//! How far reading a system's people goes, and in which version each was last seen.

use async_trait::async_trait;

use super::{Error, Lease, Mark};
use crate::unified::{System, WorkspaceId};

/// The kind of work that looks for changes in a system. Its key is the system.
pub const POLL: &str = "poll";

/// A record of a system, and what tells its state from another: equal versions, equal records.
pub type Version = (String, String);

/// A page that was read.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    pub system: System,
    /// Remembered as seen.
    pub seen: &'a [Version],
    /// Where to go on, as JSON.
    pub position: &'a str,
    /// Who is to be reconciled by it.
    pub marks: &'a [Mark],
}

/// What polls remember.
#[async_trait]
pub trait Polls: Send + Sync {
    /// Where the last step ended; `None` before the first.
    async fn position(
        &self,
        workspace: &WorkspaceId,
        system: System,
    ) -> Result<Option<String>, Error>;

    /// Of each, in the order given, whether it was not seen in this version the last time.
    async fn unseen(
        &self,
        workspace: &WorkspaceId,
        system: System,
        versions: &[Version],
    ) -> Result<Vec<bool>, Error>;

    /// Remembers a page, all of it or nothing; `false`: the lease is lost and nothing was stored.
    async fn step(&self, lease: &Lease, step: Step<'_>) -> Result<bool, Error>;
}

//! How far reading a system's people goes, and in which version each was last seen.

use async_trait::async_trait;

use super::Error;
use crate::unified::{System, WorkspaceId};

/// The kind of work that looks for changes in a system. Its key is the system.
pub const POLL: &str = "poll";

/// A record of a system, and what tells its state from another: equal versions, equal records.
pub type Version = (String, String);

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
}

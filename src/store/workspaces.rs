//! The workspaces that there are.

use async_trait::async_trait;

use super::{Error, Workspace};
use crate::unified::WorkspaceId;

/// The rows of workspaces, which are made and never taken away.
#[async_trait]
pub trait Workspaces: Send + Sync {
    /// The one with an id.
    async fn find_workspace(&self, id: &WorkspaceId) -> Result<Option<Workspace>, Error>;

    /// Those that were made after one, or all, in the order in which they were made.
    async fn workspaces(
        &self,
        after: Option<&WorkspaceId>,
        limit: u32,
    ) -> Result<Vec<Workspace>, Error>;

    /// Makes one; `false`: another has its name or id.
    async fn create_workspace(&self, workspace: &Workspace) -> Result<bool, Error>;
}

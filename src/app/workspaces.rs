//! Workspaces of a store beside the gateways that may run on it: one that is made here is served by
//! them without a restart.

use anyhow::Context;

use crate::clock::Clock;
use crate::config::Config;
use crate::contacts::{NAME_TAKEN, Workspace, new_workspace, stored_workspaces};
use crate::unified::WorkspaceId;

use super::DEFAULT_WORKSPACE;

/// Why a workspace is not made.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    /// The name is none, or taken; why.
    #[error("{0}")]
    Name(String),
    /// The store could not be opened or used.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// Makes a workspace in the config's store.
pub async fn create_workspace(
    config: &Config,
    name: &str,
    clock: &Clock,
) -> Result<Workspace, NotMade> {
    let workspace = new_workspace(name, clock).map_err(|refusal| NotMade::Name(refusal.message))?;
    let store = super::open_store(config).await?;
    let made = async {
        // It is the first of all, also where no gateway ran yet.
        let home = WorkspaceId::from(DEFAULT_WORKSPACE);
        store.workspace(&home, DEFAULT_WORKSPACE, clock.now()).await?;
        store.create_workspace(&workspace).await
    };
    let made = made.await;
    store.close().await;
    if made.context("the workspace was not stored")? {
        Ok(workspace)
    } else {
        Err(NotMade::Name(NAME_TAKEN.to_owned()))
    }
}

/// All workspaces of the config's store, in the order in which they were made.
pub async fn list_workspaces(config: &Config) -> anyhow::Result<Vec<Workspace>> {
    let store = super::open_store(config).await?;
    let all = stored_workspaces(&*store).await;
    store.close().await;
    Ok(all?)
}

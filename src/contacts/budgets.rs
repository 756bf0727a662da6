//! A system's call budget, shared by all gateways through the store.

use std::sync::Arc;

use async_trait::async_trait;

use crate::store::Store;
use crate::unified::{System, WorkspaceId};
use crate::upstream::{Change, SharedBudget, Unshared};

/// Keeps one account's budget in the store.
pub struct StoredBudget {
    store: Arc<dyn Store>,
    workspace: WorkspaceId,
    key: String,
}

impl StoredBudget {
    /// Of an account of a system.
    pub fn new(
        store: Arc<dyn Store>,
        workspace: WorkspaceId,
        (system, account): (System, &str),
    ) -> Self {
        Self { store, workspace, key: format!("{system}/{account}") }
    }
}

#[async_trait]
impl SharedBudget for StoredBudget {
    async fn change(&self, change: Change<'_>) -> Result<(), Unshared> {
        let changed = self.store.change_budget(&self.workspace, &self.key, change).await;
        changed.map_err(|error| {
            tracing::debug!(error = &error as &dyn std::error::Error, "budget not changed");
            Unshared
        })
    }
}

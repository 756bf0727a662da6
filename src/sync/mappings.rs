//! Each workspace's mapping, at hand without a read: it is needed for every field of every answer.
//!
//! The store has the truth. What is held is refreshed when this process stores a mapping, and every
//! few seconds, because another may.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::clock::Clock;
use crate::store::{Error, Store};
use crate::tasks::Tasks;
use crate::unified::{Mapping, WorkspaceId};

/// How often the store is asked.
const POLL: Duration = Duration::from_secs(5);

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Mappings(Arc<Inner>);

struct Inner {
    held: RwLock<HashMap<WorkspaceId, Arc<Mapping>>>,
    /// Of workspaces without one of their own.
    default: Arc<Mapping>,
    store: Arc<dyn Store>,
}

impl Mappings {
    /// With the mapping of workspaces that have none of their own.
    pub fn new(default: Mapping, store: Arc<dyn Store>) -> Self {
        Self(Arc::new(Inner { held: RwLock::default(), default: Arc::new(default), store }))
    }

    /// A workspace's mapping.
    pub fn of(&self, workspace: &WorkspaceId) -> Arc<Mapping> {
        let held = self.0.held.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(held.get(workspace).unwrap_or(&self.0.default))
    }

    /// Reads a workspace's mapping anew.
    pub async fn refresh(&self, workspace: &WorkspaceId) -> Result<(), Error> {
        let stored = self.0.store.mapping(workspace).await?;
        let mapping = match stored {
            None => Arc::clone(&self.0.default),
            Some(stored) => {
                let parsed: Mapping = serde_json::from_str(&stored.body)
                    .map_err(|_| Error::Inconsistent { table: "mapping", column: "body" })?;
                Arc::new(Mapping { revision: stored.revision, ..parsed })
            }
        };
        let mut held = self.0.held.write().unwrap_or_else(PoisonError::into_inner);
        held.insert(workspace.clone(), mapping);
        Ok(())
    }

    /// Keeps a workspace's mapping fresh until the tasks stop.
    pub fn follow(&self, workspace: WorkspaceId, clock: Clock, tasks: &Tasks) {
        let (this, stop) = (self.clone(), tasks.clone());
        tasks.spawn(async move {
            loop {
                if let Err(error) = this.refresh(&workspace).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "mapping not read");
                }
                tokio::select! {
                    () = stop.stopping() => return,
                    () = clock.sleep(POLL) => {}
                }
            }
        });
    }
}

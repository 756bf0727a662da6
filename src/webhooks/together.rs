//! Storing in one transaction what comes at the same time: each is answered when it is durable, and a
//! thousand at once cost a few writes to the disk instead of a thousand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::store::{Arrival, Store};
use crate::unified::WorkspaceId;

/// How many go into one transaction.
const AT_ONCE: usize = 500;

struct Waiting {
    workspace: WorkspaceId,
    arrival: Arrival,
    told: oneshot::Sender<bool>,
}

/// See the module.
pub(super) struct Together {
    store: Arc<dyn Store>,
    clock: Clock,
    waiting: Mutex<Vec<Waiting>>,
    /// Whoever has it stores for all who wait.
    turn: tokio::sync::Mutex<()>,
}

impl Together {
    pub fn new(store: Arc<dyn Store>, clock: Clock) -> Self {
        Self { store, clock, waiting: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Stores something; whether it is new, `None` if it could not be stored. To be run to its end:
    /// others may wait for it.
    pub async fn store(&self, workspace: WorkspaceId, arrival: Arrival) -> Option<bool> {
        let (told, hear) = oneshot::channel();
        self.lock().push(Waiting { workspace, arrival, told });
        let turn = self.turn.lock().await;
        let batch: Vec<Waiting> = {
            let mut waiting = self.lock();
            let count = waiting.len().min(AT_ONCE);
            waiting.drain(..count).collect()
        };
        self.store_all(batch).await;
        drop(turn);
        hear.await.ok()
    }

    /// Whoever is not told was not stored.
    async fn store_all(&self, batch: Vec<Waiting>) {
        let mut by_workspace: BTreeMap<WorkspaceId, Vec<Waiting>> = BTreeMap::new();
        for waiting in batch {
            by_workspace.entry(waiting.workspace.clone()).or_default().push(waiting);
        }
        for (workspace, batch) in by_workspace {
            let (arrivals, told): (Vec<_>, Vec<_>) =
                batch.into_iter().map(|one| (one.arrival, one.told)).unzip();
            match self.store.receive(&workspace, &arrivals, self.clock.now()).await {
                Ok(new) => {
                    for (told, new) in told.into_iter().zip(new) {
                        // Whoever asked may have gone.
                        let _ = told.send(new);
                    }
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    let (workspace, count) = (workspace.as_str(), arrivals.len());
                    tracing::error!(error, workspace, count, "webhooks not stored");
                }
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! "These entities changed": news between tasks, and later between replicas.
//!
//! The bus is a hint and carries no data: whoever hears it reads the truth elsewhere. A listener
//! that falls behind is told so and must assume that anything may have changed.

use async_trait::async_trait;
use tokio::sync::broadcast;

use crate::unified::{ContactId, HighLevelId, WorkspaceId};

/// How much news a slow listener may have waiting before it loses the oldest.
const BACKLOG: usize = 1024;

/// What changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    pub workspace: WorkspaceId,
    pub contact: ContactId,
    pub entity: Changed,
}

/// Which part of a contact changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Changed {
    Notes(HighLevelId),
    Tasks(HighLevelId),
}

/// Carries changes.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Tells everyone. A lost message costs a delay, never data.
    async fn publish(&self, change: Change);

    /// Everything published from now on.
    fn subscribe(&self) -> broadcast::Receiver<Change>;
}

/// Inside one process.
#[derive(Debug)]
pub struct Local(broadcast::Sender<Change>);

impl Local {
    /// A bus without listeners.
    pub fn new() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }
}

#[async_trait]
impl Bus for Local {
    async fn publish(&self, change: Change) {
        // An error only says that nobody listens.
        let _ = self.0.send(change);
    }

    fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.0.subscribe()
    }
}

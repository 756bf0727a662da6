//! Hearing of changes.

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::bus::Change;
use crate::unified::{ContactId, WorkspaceId};

use super::Reader;

/// Hears of the changes in one workspace, from the moment it was made.
pub struct Watch {
    changes: Receiver<Change>,
    workspace: WorkspaceId,
}

impl Reader {
    /// Begins to listen.
    pub fn watch(&self) -> Watch {
        let workspace = self.session.requester.workspace.clone();
        Watch { changes: self.core.bus.subscribe(), workspace }
    }
}

impl Watch {
    /// Ends when the contact may have changed; `None` when nothing will change any more.
    /// Cancel-safe.
    pub async fn changed(&mut self, contact: ContactId) -> Option<()> {
        loop {
            match self.changes.recv().await {
                Ok(change) if change.workspace == self.workspace && change.contact == contact => {
                    return Some(());
                }
                Ok(_) => {}
                // What was missed may have been about this contact; to look again is harmless.
                Err(RecvError::Lagged(_)) => return Some(()),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

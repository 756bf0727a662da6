//! Hearing of changes.

use crate::bus::{Bus, Changed, Heard, Listener, What};
use crate::unified::{ContactId, WorkspaceId};

use super::Reader;

/// Hears of the changes in one workspace, from the moment it was made. What it hears of has been
/// forgotten here by then, so that whoever looks again sees the change.
pub struct Watch {
    news: Listener,
    workspace: WorkspaceId,
}

impl Reader {
    /// Begins to listen.
    pub fn watch(&self) -> Watch {
        let workspace = self.session.requester.workspace.clone();
        Watch { news: self.core.followed.listen(), workspace }
    }
}

impl Watch {
    /// Ends when the contact may have changed; `None` when nothing will change any more.
    /// Cancel-safe.
    pub async fn changed(&mut self, contact: ContactId) -> Option<()> {
        loop {
            match self.news.hear().await? {
                Heard::News { news, .. } if news.workspace == self.workspace => match news.what {
                    What::Contact { entity: Changed::HighLevel(_), .. } => {}
                    What::Contact { contact: changed, .. } if changed == contact => {
                        return Some(());
                    }
                    What::Contact { .. } | What::Events(_) | What::Work | What::Mapping => {}
                },
                Heard::News { .. } => {}
                // What was missed may have been about this contact; to look again is harmless.
                Heard::Missed => return Some(()),
            }
        }
    }
}

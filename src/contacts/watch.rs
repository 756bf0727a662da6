//! Hearing of changes.

use crate::bus::{Bus, Changed, Heard, Listener, What};
use crate::unified::{ContactId, WorkspaceId};

use super::Reader;
use super::watched::{Looking, Watched};

/// Hears of the changes in one workspace, from the moment it was made. What it hears of has been
/// forgotten here by then, so that whoever looks again sees the change.
pub struct Watch {
    news: Listener,
    workspace: WorkspaceId,
    watched: Watched,
    looking: Option<Looking>,
}

impl Reader {
    /// Begins to listen.
    pub fn watch(&self) -> Watch {
        let workspace = self.session.requester.workspace.clone();
        let watched = self.core.watched.clone();
        Watch { news: self.core.followed.listen(), workspace, watched, looking: None }
    }
}

impl Watch {
    /// Ends when the contact may have changed; `None` when nothing will change any more.
    /// Cancel-safe.
    pub async fn changed(&mut self, contact: ContactId) -> Option<()> {
        if self.looking.as_ref().is_none_or(|looking| looking.contact() != contact) {
            self.looking = Some(self.watched.look_at(&self.workspace, contact));
        }
        loop {
            match self.news.hear().await? {
                Heard::News { news, .. } if news.workspace == self.workspace => match news.what {
                    What::Contact { entity: Changed::HighLevel(_), .. } => {}
                    What::Contact { contact: changed, .. } if changed == contact => {
                        return Some(());
                    }
                    What::Erased(erased) if erased == contact => return Some(()),
                    What::Contact { .. }
                    | What::Events(_)
                    | What::Work
                    | What::Mapping
                    | What::Erased(_) => {}
                },
                Heard::News { .. } => {}
                // What was missed may have been about this contact; to look again is harmless.
                Heard::Missed => return Some(()),
            }
        }
    }
}

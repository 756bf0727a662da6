//! What other gateways changed is forgotten here too.
//!
//! The gateway that made a change has forgotten it before it tells; here nothing is forgotten that it
//! read since. When news were lost, all is forgotten: to read again is dear, to be wrong is worse.

use std::sync::Arc;

use crate::bus::{Changed, Heard, News, What};
use crate::tasks::Tasks;
use crate::unified::{
    Appointment, ContactId, HighLevelContact, HighLevelId, Note, Subscriber, System, Task,
    WorkspaceId,
};

use super::core::Core;

/// Listens until `tasks` stops.
pub(super) fn listen(core: Arc<Core>, tasks: &Tasks) {
    let stop = tasks.clone();
    let mut news = core.bus.listen();
    tasks.spawn(async move {
        loop {
            let heard = tokio::select! {
                heard = news.hear() => heard,
                () = stop.stopping() => return,
            };
            match heard {
                Some(Heard::News { ours: true, .. }) => {}
                Some(Heard::News { news: News { workspace, what }, ours: false }) => {
                    if let What::Contact { contact, entity } = what {
                        core.forget_entity(&workspace, contact, &entity).await;
                    }
                }
                Some(Heard::Missed) => {
                    core.cache.clear();
                    core.known.invalidate_all();
                }
                None => return,
            }
        }
    });
}

impl Core {
    async fn forget_entity(&self, workspace: &WorkspaceId, contact: ContactId, entity: &Changed) {
        match entity {
            Changed::Notes(id) | Changed::Tasks(id) | Changed::Appointments(id) => {
                self.forget_part(workspace, id, entity);
            }
            Changed::Sides => match self.store.contact(workspace, contact).await {
                Ok(known) => {
                    for link in known.into_iter().flat_map(|known| known.links) {
                        self.forget_side(workspace, link.system, &link.key);
                    }
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "links not read");
                    self.cache.clear();
                }
            },
        }
    }

    /// Forgets one part of a HighLevel contact.
    pub(super) fn forget_part(&self, workspace: &WorkspaceId, id: &HighLevelId, part: &Changed) {
        let id = id.as_str();
        match part {
            Changed::Notes(_) => {
                self.forget::<Option<Arc<Vec<Note>>>>(workspace, System::HighLevel, id);
            }
            Changed::Tasks(_) => {
                self.forget::<Option<Arc<Vec<Task>>>>(workspace, System::HighLevel, id);
            }
            Changed::Appointments(_) => {
                self.forget::<Option<Arc<Vec<Appointment>>>>(workspace, System::HighLevel, id);
            }
            Changed::Sides => self.forget_side(workspace, System::HighLevel, id),
        }
    }

    /// Forgets what one system says of a person.
    pub(super) fn forget_side(&self, workspace: &WorkspaceId, system: System, key: &str) {
        match system {
            System::Doppler => self.forget::<Option<Arc<Subscriber>>>(workspace, system, key),
            System::HighLevel => {
                self.forget::<Option<Arc<HighLevelContact>>>(workspace, system, key);
            }
        }
    }
}

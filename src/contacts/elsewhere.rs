//! What other gateways changed is forgotten here too.
//!
//! The gateway that made a change has forgotten it before it tells; here nothing is forgotten that it
//! read since. When news were lost, all is forgotten: to read again is dear, to be wrong is worse.
//! Only then those who follow are told: they look again at once.

use std::sync::Arc;

use crate::bus::{Changed, Heard, News, What};
use crate::tasks::Tasks;
use crate::unified::{
    Appointment, ContactId, Delivery, HighLevelContact, HighLevelId, Note, Subscriber, System,
    Task, WorkspaceId,
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
            let Some(heard) = heard else { return };
            if heard.is_elsewhere(&core.workspace.id) {
                continue;
            }
            core.hear(&heard).await;
            core.followed.tell(heard);
        }
    });
}

impl Core {
    async fn hear(&self, heard: &Heard) {
        match heard {
            Heard::News { ours: true, .. } => {}
            Heard::News { news: News { workspace, what }, ours: false } => match what {
                What::Contact { contact, entity } => {
                    self.forget_entity(workspace, *contact, entity).await;
                }
                What::Mapping => {
                    if let Err(error) = self.mappings.refresh(workspace).await {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "mapping not read"
                        );
                    }
                }
                What::Erased(_) => self.forget_everything(workspace),
                What::Events(_) | What::Work => {}
            },
            Heard::Missed => {
                self.cache.clear();
                self.known.invalidate_all();
            }
        }
    }

    async fn forget_entity(&self, workspace: &WorkspaceId, contact: ContactId, entity: &Changed) {
        match entity {
            Changed::Notes(id)
            | Changed::Tasks(id)
            | Changed::Appointments(id)
            | Changed::HighLevel(id) => {
                self.forget_part(workspace, id, entity);
            }
            Changed::Deliveries => match self.store.contact(workspace, contact).await {
                Ok(known) => {
                    let key = known.as_ref().and_then(|known| known.key(System::Doppler));
                    if let Some(key) = key {
                        self.forget::<Arc<Vec<Delivery>>>(workspace, System::Doppler, key);
                    }
                }
                Err(_) => self.cache.clear(),
            },
            Changed::Sides => {
                self.known.invalidate_all();
                match self.store.contact(workspace, contact).await {
                    Ok(known) => {
                        for link in known.into_iter().flat_map(|known| known.links) {
                            self.forget_side(workspace, link.system, &link.key);
                            let named = (link.email.as_deref(), link.phone.as_deref());
                            self.forget_matches(workspace, named);
                        }
                    }
                    Err(error) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "links not read");
                        self.cache.clear();
                    }
                }
            }
        }
    }

    /// Forgets what a run of another gateway may have written, before the news of it are here: whoever
    /// asked for it looks at once.
    pub(super) async fn catch_up(&self, workspace: &WorkspaceId, contact: ContactId) {
        if !self.bus.reaches_others() {
            return;
        }
        self.forget_entity(workspace, contact, &Changed::Sides).await;
        let known = self.store.contact(workspace, contact).await.ok().flatten();
        if let Some(id) =
            known.and_then(|known| known.key(System::HighLevel).map(HighLevelId::from))
        {
            self.forget_part(workspace, &id, &Changed::Notes(id.clone()));
            self.forget_part(workspace, &id, &Changed::Tasks(id.clone()));
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
                // The index of tasks hears of it later than we do.
                self.wrote::<Option<Arc<Vec<Task>>>>(workspace, System::HighLevel, id);
                self.forget::<Option<Arc<Vec<Task>>>>(workspace, System::HighLevel, id);
            }
            Changed::Appointments(_) => {
                self.forget::<Option<Arc<Vec<Appointment>>>>(workspace, System::HighLevel, id);
            }
            Changed::HighLevel(_) | Changed::Sides | Changed::Deliveries => {
                self.known.invalidate_all();
                self.wrote::<Option<Arc<HighLevelContact>>>(workspace, System::HighLevel, id);
                self.forget_side(workspace, System::HighLevel, id);
            }
        }
    }

    /// Forgets what one system says of a person.
    fn forget_side(&self, workspace: &WorkspaceId, system: System, key: &str) {
        match system {
            System::Doppler => self.forget::<Option<Arc<Subscriber>>>(workspace, system, key),
            System::HighLevel => {
                self.forget::<Option<Arc<HighLevelContact>>>(workspace, system, key);
            }
        }
    }
}

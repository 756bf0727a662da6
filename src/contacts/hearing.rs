//! Hearing of changes made inside HighLevel: what we held is forgotten, followers look again, and
//! who is to be reconciled is said. What a hint says of values is not looked at.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::bus::{Changed, What};
use crate::store::Sighting;
use crate::unified::{
    Appointment, ContactId, HighLevelContact, HighLevelId, Note, System, Task, WorkspaceId,
};
use crate::upstream::{self, About, Call, Kind};

use super::core::{Brought, Core};
use super::{Contacts, Error};

/// Which part of a HighLevel contact a hint is about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Part {
    Person,
    Notes,
    Tasks,
    Appointments,
}

impl Contacts {
    /// Takes hints in, whatever their order and however often; who is to be reconciled by them.
    ///
    /// A person whom nobody knows is read from HighLevel, one call each, and a task that does not say
    /// whose it is costs a search. When HighLevel cannot be asked, nothing is lost: the error says
    /// that these hints are to be handed in again.
    pub async fn hear(
        &self,
        workspace: &WorkspaceId,
        hints: &[About],
        call: &Call,
    ) -> Result<BTreeSet<ContactId>, Error> {
        self.0.hear(workspace, hints, call).await
    }
}

impl Core {
    async fn hear(
        &self,
        workspace: &WorkspaceId,
        hints: &[About],
        call: &Call,
    ) -> Result<BTreeSet<ContactId>, Error> {
        let mut parts = BTreeSet::new();
        for hint in hints {
            parts.extend(self.part(hint, call).await?);
        }
        for (id, part) in &parts {
            self.forget_what(workspace, id, *part);
        }
        let keys: BTreeSet<&HighLevelId> = parts.iter().map(|(id, _)| id).collect();
        let keys: Vec<&str> = keys.into_iter().map(HighLevelId::as_str).collect();
        let linked = self.store.linked(workspace, System::HighLevel, &keys).await?;
        let notes_show = self.mapping(workspace).notes.last_note_field.is_some();
        let mut marked = BTreeSet::new();
        for (id, part) in &parts {
            let known = keys.binary_search(&id.as_str()).ok().and_then(|place| linked[place]);
            let contact = match (known, part) {
                (Some(contact), _) => Some(contact),
                (None, Part::Person) => self.meet(workspace, id, call).await?,
                // Whoever comes to be known is read with all that hangs on them.
                (None, Part::Notes | Part::Tasks | Part::Appointments) => None,
            };
            let Some(contact) = contact else { continue };
            let entity = match part {
                Part::Notes => Changed::Notes(id.clone()),
                Part::Tasks => Changed::Tasks(id.clone()),
                Part::Appointments => Changed::Appointments(id.clone()),
                Part::Person => Changed::Sides,
            };
            self.publish(workspace, What::Contact { contact, entity });
            if *part == Part::Person || (*part == Part::Notes && notes_show) {
                marked.insert(contact);
            }
        }
        Ok(marked)
    }

    async fn part(&self, hint: &About, call: &Call) -> Result<Option<(HighLevelId, Part)>, Error> {
        Ok(match hint {
            About::Contact(id) => Some((id.clone(), Part::Person)),
            About::Notes(id) => Some((id.clone(), Part::Notes)),
            About::Tasks(id) => Some((id.clone(), Part::Tasks)),
            About::Appointments(id) => Some((id.clone(), Part::Appointments)),
            About::Task { id, title } => match self.crm.task_owner(call, id, title).await {
                Ok(owner) => owner.map(|owner| (owner, Part::Tasks)),
                // Then what is held of tasks is believed for its time, as without webhooks.
                Err(error) if is_final(&error) => None,
                Err(error) => return Err(error.into()),
            },
            About::Installed | About::Uninstalled | About::Other => None,
        })
    }

    /// Reads somebody new; `None` if they are gone again.
    async fn meet(
        &self,
        workspace: &WorkspaceId,
        id: &HighLevelId,
        call: &Call,
    ) -> Result<Option<ContactId>, Error> {
        let fetched_ms = self.clock.now_ms();
        let contact = match self.crm.contact(call, id).await {
            Ok(contact) => contact.map(Arc::new),
            Err(error) if is_final(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let key = id.as_str();
        self.replace(
            workspace,
            System::HighLevel,
            key,
            Brought { value: contact.clone(), fetched_ms },
        );
        let Some(contact) = contact else { return Ok(None) };
        let sighting = Sighting::of_contact(&contact);
        let known = self.store.recognize(workspace, &[sighting], self.clock.now()).await?;
        Ok(known.first().map(|known| known.id))
    }

    fn forget_what(&self, workspace: &WorkspaceId, id: &HighLevelId, part: Part) {
        let highlevel = System::HighLevel;
        match part {
            Part::Person => {
                // The index hears of the change later than we do.
                self.wrote::<Option<Arc<HighLevelContact>>>(workspace, highlevel, id.as_str());
                self.forget_side(workspace, highlevel, id.as_str());
                self.known.invalidate_all();
            }
            Part::Notes => {
                self.forget::<Option<Arc<Vec<Note>>>>(workspace, highlevel, id.as_str());
            }
            Part::Tasks => {
                self.wrote::<Option<Arc<Vec<Task>>>>(workspace, highlevel, id.as_str());
                self.forget::<Option<Arc<Vec<Task>>>>(workspace, highlevel, id.as_str());
            }
            Part::Appointments => {
                self.forget::<Option<Arc<Vec<Appointment>>>>(workspace, highlevel, id.as_str());
            }
        }
    }
}

/// Whether to ask again would bring the same: one hint that leads nowhere must not hold up the rest.
fn is_final(error: &upstream::Error) -> bool {
    match error.kind {
        Kind::ScopeMissing(_)
        | Kind::NotFound
        | Kind::ListGone
        | Kind::Duplicate { .. }
        | Kind::OptedOut { .. }
        | Kind::Full
        | Kind::Rejected { .. } => true,
        Kind::Unauthorized
        | Kind::RateLimited { .. }
        | Kind::Busy
        | Kind::Unavailable
        | Kind::Timeout
        | Kind::Malformed
        | Kind::NotConnected => false,
    }
}

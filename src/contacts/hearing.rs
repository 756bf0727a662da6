//! Hearing of changes made inside HighLevel: what we held is forgotten, followers look again, and
//! who is to be reconciled is said. What a hint says of values is not looked at.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::bus::{Changed, What};
use crate::store::{Sighting, Trace};
use crate::unified::{ContactId, HighLevelId, System, WorkspaceId};
use crate::upstream::{self, About, Call, Kind, Retry};

use super::core::{Brought, Core};
use super::{Contacts, Error};

/// What came of hints.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Hints {
    /// Who is to be reconciled.
    pub marked: BTreeSet<ContactId>,
    /// The places of those that are about people who were erased.
    pub of_erased: BTreeSet<usize>,
}

impl Contacts {
    /// Takes hints in, whatever their order and however often.
    ///
    /// A person whom nobody knows is read from HighLevel, one call each, and a task that does not say
    /// whose it is costs a search. When HighLevel cannot be asked, nothing is lost: the error says
    /// that these hints are to be handed in again.
    pub async fn hear(
        &self,
        workspace: &WorkspaceId,
        hints: &[About],
        call: &Call,
    ) -> Result<Hints, Error> {
        self.0.take_hints(workspace, hints, call).await
    }
}

impl Core {
    async fn take_hints(
        &self,
        workspace: &WorkspaceId,
        hints: &[About],
        call: &Call,
    ) -> Result<Hints, Error> {
        let mut parts = BTreeSet::new();
        let mut places: Vec<(HighLevelId, usize)> = Vec::new();
        for (place, hint) in hints.iter().enumerate() {
            let part = self.part(hint, call).await?;
            places.extend(part.iter().map(|(id, _)| (id.clone(), place)));
            parts.extend(part);
        }
        let erased = self.erased_among(workspace, &parts).await?;
        parts.retain(|(id, _)| !erased.contains(id));
        let of_erased = places.into_iter().filter(|(id, _)| erased.contains(id));
        let of_erased = of_erased.map(|(_, place)| place).collect();
        for (id, part) in &parts {
            self.forget_part(workspace, id, part);
        }
        let keys: BTreeSet<&HighLevelId> = parts.iter().map(|(id, _)| id).collect();
        let keys: Vec<&str> = keys.into_iter().map(HighLevelId::as_str).collect();
        let linked = self.store.linked(workspace, System::HighLevel, &keys).await?;
        let notes_show = self.mapping(workspace).notes.last_note_field.is_some();
        let mut marked = BTreeSet::new();
        for (id, part) in &parts {
            let known = keys.binary_search(&id.as_str()).ok().and_then(|place| linked[place]);
            let is_person = matches!(part, Changed::HighLevel(_) | Changed::Sides);
            let contact = match known {
                Some(contact) => Some(contact),
                None if is_person => self.meet(workspace, id, call).await?,
                // Whoever comes to be known is read with all that hangs on them.
                None => None,
            };
            let Some(contact) = contact else { continue };
            self.publish(workspace, What::Contact { contact, entity: part.clone() });
            if is_person {
                self.publish(workspace, What::Contact { contact, entity: Changed::Sides });
            }
            if is_person || (notes_show && matches!(part, Changed::Notes(_))) {
                marked.insert(contact);
            }
        }
        Ok(Hints { marked, of_erased })
    }

    /// Which of the people were erased.
    async fn erased_among(
        &self,
        workspace: &WorkspaceId,
        parts: &BTreeSet<(HighLevelId, Changed)>,
    ) -> Result<BTreeSet<HighLevelId>, Error> {
        let ids: BTreeSet<&HighLevelId> = parts.iter().map(|(id, _)| id).collect();
        let record = |id: &&HighLevelId| Trace::Record(System::HighLevel, id.as_str().to_owned());
        let traces: Vec<Trace> = ids.iter().map(record).collect();
        let erased = self.store.erased(workspace, &traces).await?;
        let out = ids.into_iter().zip(erased).filter(|(_, erased)| erased.is_some());
        Ok(out.map(|(id, _)| id.clone()).collect())
    }

    async fn part(
        &self,
        hint: &About,
        call: &Call,
    ) -> Result<Option<(HighLevelId, Changed)>, Error> {
        Ok(match hint {
            About::Contact(id) => Some((id.clone(), Changed::HighLevel(id.clone()))),
            About::Notes(id) => Some((id.clone(), Changed::Notes(id.clone()))),
            About::Tasks(id) => Some((id.clone(), Changed::Tasks(id.clone()))),
            About::Appointments(id) => Some((id.clone(), Changed::Appointments(id.clone()))),
            About::Task { id, title } => match self.crm.task_owner(call, id, title).await {
                Ok(owner) => owner.map(|owner| (owner.clone(), Changed::Tasks(owner))),
                // Then what is held of tasks is believed for its time, as without webhooks.
                Err(error) if is_final(&error) => None,
                Err(error) => return Err(error.into()),
            },
            About::Installed | About::Uninstalled | About::TakenBack(_) | About::Other => None,
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
        Ok(known.first().filter(|known| !known.erased).map(|known| known.id))
    }
}

/// Whether to ask again would bring the same: one hint that leads nowhere must not hold up the rest.
fn is_final(error: &upstream::Error) -> bool {
    // A credential that is mended asks again.
    let mended = matches!(error.kind, Kind::Unauthorized | Kind::NotConnected);
    error.retry() == Retry::Never && !mended
}

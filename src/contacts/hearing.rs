//! Hearing of changes made inside HighLevel: what we held is forgotten, followers look again, and
//! who is to be reconciled is said. What a hint says of values is not looked at.
//!
//! A hint that needs an answer of HighLevel's which it does not give now is for later, and holds up no
//! other.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::time::Instant;

use crate::bus::{Changed, What};
use crate::store::{Sighting, Trace};
use crate::unified::{ContactId, HighLevelId, System, WorkspaceId};
use crate::upstream::{self, About, Call, Kind, Retry, UpstreamState};

use super::core::{Brought, Core};
use super::{Contacts, Error};

/// What came of hints.
#[derive(Debug, Default)]
pub struct Hints {
    /// Who is to be reconciled.
    pub marked: BTreeSet<ContactId>,
    /// The places of those that are about people who were erased.
    pub of_erased: BTreeSet<usize>,
    /// The places of those that are to be handed in again, because HighLevel could not be asked.
    pub later: BTreeSet<usize>,
    /// Why it could not, if an answer said so.
    pub trouble: Option<upstream::Error>,
}

/// After how many calls in a row that failed the rest is for later: one may fail for what it asks for.
const MOST_FAILED: u32 = 3;

/// The calls that hints need.
struct Asking<'a> {
    call: &'a Call,
    /// How many failed in a row.
    failed: u32,
    trouble: Option<upstream::Error>,
}

/// What became of a call.
enum Asked<T> {
    Found(T),
    /// To make it again would bring the same refusal.
    Never,
    /// It was not made, or may succeed when it is made again.
    Later,
}

impl<'a> Asking<'a> {
    fn new(call: &'a Call) -> Self {
        Self { call, failed: 0, trouble: None }
    }

    /// Makes a call, unless it is not to be hoped that it succeeds.
    async fn ask<T>(
        &mut self,
        core: &Core,
        made: impl Future<Output = Result<T, upstream::Error>>,
    ) -> Asked<T> {
        let is_refused = || {
            core.directory(System::HighLevel).status().state == UpstreamState::NeedsReauthorization
        };
        if self.failed >= MOST_FAILED || Instant::now() >= self.call.deadline || is_refused() {
            return Asked::Later;
        }
        match made.await {
            Ok(found) => {
                self.failed = 0;
                Asked::Found(found)
            }
            Err(error) if is_final(&error) => Asked::Never,
            Err(error) => {
                self.failed += 1;
                self.trouble = Some(error);
                Asked::Later
            }
        }
    }
}

impl Contacts {
    /// Takes hints in, whatever their order and however often.
    ///
    /// A person whom nobody knows is read from HighLevel, one call each (a search for many would not
    /// find who is new), and a task that does not say whose it is costs a search. What cannot be asked
    /// now is not lost: which hints are to be handed in again is said.
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
        let mut asking = Asking::new(call);
        let (mut parts, mut later) = (BTreeSet::new(), BTreeSet::new());
        let mut places: Vec<(HighLevelId, usize)> = Vec::new();
        for (place, hint) in hints.iter().enumerate() {
            match self.part(hint, &mut asking).await {
                Asked::Found(part) => {
                    places.extend(part.iter().map(|(id, _)| (id.clone(), place)));
                    parts.extend(part);
                }
                Asked::Never => {}
                Asked::Later => {
                    later.insert(place);
                }
            }
        }
        let erased = self.erased_among(workspace, &parts).await?;
        parts.retain(|(id, _)| !erased.contains(id));
        for (id, part) in &parts {
            self.forget_part(workspace, id, part);
        }
        let (marked, unmet) = self.whom(workspace, &parts, &mut asking).await?;
        let of = |people: &BTreeSet<HighLevelId>| -> BTreeSet<usize> {
            places.iter().filter(|(id, _)| people.contains(id)).map(|(_, place)| *place).collect()
        };
        later.extend(of(&unmet));
        Ok(Hints { marked, of_erased: of(&erased), later, trouble: asking.trouble })
    }

    /// Who is to be reconciled, and which of those whom nobody knows could not be read now.
    async fn whom(
        &self,
        workspace: &WorkspaceId,
        parts: &BTreeSet<(HighLevelId, Changed)>,
        asking: &mut Asking<'_>,
    ) -> Result<(BTreeSet<ContactId>, BTreeSet<HighLevelId>), Error> {
        let keys: BTreeSet<&HighLevelId> = parts.iter().map(|(id, _)| id).collect();
        let keys: Vec<&str> = keys.into_iter().map(HighLevelId::as_str).collect();
        let linked = self.store.linked(workspace, System::HighLevel, &keys).await?;
        let notes_show = self.mapping(workspace).notes.last_note_field.is_some();
        let (mut marked, mut unmet) = (BTreeSet::new(), BTreeSet::new());
        for (id, part) in parts {
            let known = keys.binary_search(&id.as_str()).ok().and_then(|place| linked[place]);
            let is_person = matches!(part, Changed::HighLevel(_) | Changed::Sides);
            let contact = match known {
                Some(contact) => Some(contact),
                None if is_person => match self.meet(workspace, id, asking).await? {
                    Asked::Found(contact) => contact,
                    Asked::Never => None,
                    Asked::Later => {
                        unmet.insert(id.clone());
                        None
                    }
                },
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
        Ok((marked, unmet))
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

    /// Which part of whom a hint is about.
    async fn part(
        &self,
        hint: &About,
        asking: &mut Asking<'_>,
    ) -> Asked<Option<(HighLevelId, Changed)>> {
        Asked::Found(match hint {
            About::Contact(id) => Some((id.clone(), Changed::HighLevel(id.clone()))),
            About::Notes(id) => Some((id.clone(), Changed::Notes(id.clone()))),
            About::Tasks(id) => Some((id.clone(), Changed::Tasks(id.clone()))),
            About::Appointments(id) => Some((id.clone(), Changed::Appointments(id.clone()))),
            About::Task { id, title } => {
                let made = self.crm.task_owner(asking.call, id, title);
                match asking.ask(self, made).await {
                    Asked::Found(owner) => owner.map(|id| (id.clone(), Changed::Tasks(id))),
                    // Then what is held of tasks is believed for its time, as without webhooks.
                    Asked::Never => None,
                    Asked::Later => return Asked::Later,
                }
            }
            About::Installed | About::Uninstalled | About::TakenBack(_) | About::Other => None,
        })
    }

    /// Reads somebody new; nobody is found if they are gone again.
    async fn meet(
        &self,
        workspace: &WorkspaceId,
        id: &HighLevelId,
        asking: &mut Asking<'_>,
    ) -> Result<Asked<Option<ContactId>>, Error> {
        let fetched_ms = self.clock.now_ms();
        let made = self.crm.contact(asking.call, id);
        let contact = match asking.ask(self, made).await {
            Asked::Found(contact) => contact.map(Arc::new),
            Asked::Never => return Ok(Asked::Never),
            Asked::Later => return Ok(Asked::Later),
        };
        let key = id.as_str();
        self.replace(
            workspace,
            System::HighLevel,
            key,
            Brought { value: contact.clone(), fetched_ms },
        );
        let Some(contact) = contact else { return Ok(Asked::Found(None)) };
        let sighting = Sighting::of_contact(&contact);
        let known = self.store.recognize(workspace, &[sighting], self.clock.now()).await?;
        let known = known.first().filter(|known| !known.erased);
        Ok(Asked::Found(known.map(|known| known.id)))
    }
}

/// Whether to ask again would bring the same: one hint that leads nowhere must not hold up the rest.
fn is_final(error: &upstream::Error) -> bool {
    // A credential that is mended asks again.
    let mended = matches!(error.kind, Kind::Unauthorized | Kind::NotConnected);
    error.retry() == Retry::Never && !mended
}

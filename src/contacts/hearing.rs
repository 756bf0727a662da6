//! Hearing of changes made inside HighLevel: what we held is forgotten, followers look again, and
//! who is to be reconciled is said. What a hint says of values is not looked at.
//!
//! A hint that needs an answer of HighLevel's which it does not give now is for later, and holds up no
//! other.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::time::Instant;

use crate::bus::{Changed, What};
use crate::clock::{Clock, new_id};
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

/// How asking goes, from one batch of hints to the next.
#[derive(Debug, Default)]
pub struct Asking {
    /// How many people in a row could not be read.
    people: u32,
    /// The same of searches for tasks, which may fail alone.
    tasks: u32,
    trouble: Option<upstream::Error>,
}

impl Asking {
    /// Whether there is no hope left: all that has to be asked is for later.
    pub fn is_over(&self) -> bool {
        self.people >= MOST_FAILED
    }
}

/// The calls that hints may cost.
struct Calls<'a> {
    /// `None`: none.
    call: Option<&'a Call>,
    asking: &'a mut Asking,
}

/// What a call asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wanted {
    Person,
    /// Whose a task is.
    Owner,
}

/// What became of a call.
enum Asked<T> {
    Found(T),
    /// To make it again would bring the same refusal.
    Never,
    /// It was not made, or may succeed when it is made again.
    Later,
}

impl<'a> Calls<'a> {
    /// What to make a call with, unless it is not to be hoped that it succeeds.
    fn may(&mut self, core: &Core, wanted: Wanted) -> Option<&'a Call> {
        let call = self.call.filter(|call| Instant::now() < call.deadline)?;
        if core.directory(System::HighLevel).status().state == UpstreamState::NeedsReauthorization {
            self.asking.people = MOST_FAILED;
        }
        let fails = wanted == Wanted::Owner && self.asking.tasks >= MOST_FAILED;
        (!fails && !self.asking.is_over()).then_some(call)
    }

    fn came<T>(&mut self, wanted: Wanted, made: Result<T, upstream::Error>) -> Asked<T> {
        let failed = match wanted {
            Wanted::Person => &mut self.asking.people,
            Wanted::Owner => &mut self.asking.tasks,
        };
        match made {
            Ok(found) => {
                *failed = 0;
                Asked::Found(found)
            }
            Err(error) if is_final(&error) => Asked::Never,
            Err(error) => {
                *failed += 1;
                self.asking.trouble = Some(error);
                Asked::Later
            }
        }
    }
}

/// A hint by its place, and which part of whom it is about.
type Part = (usize, HighLevelId, Changed);

impl Contacts {
    /// Takes hints in, whatever their order and however often.
    ///
    /// A person whom nobody knows is read from HighLevel, one call each (a search for many would not
    /// find who is new), and a task that does not say whose it is costs a search. What cannot be asked
    /// now, or may not for want of a call, is not lost: which hints are to be handed in again is said.
    pub async fn hear(
        &self,
        workspace: &WorkspaceId,
        hints: &[About],
        (call, asking): (Option<&Call>, &mut Asking),
    ) -> Result<Hints, Error> {
        self.0.take_hints(workspace, hints, Calls { call, asking }).await
    }
}

impl Core {
    async fn take_hints(
        &self,
        workspace: &WorkspaceId,
        hints: &[About],
        mut calls: Calls<'_>,
    ) -> Result<Hints, Error> {
        let mut heard = Hints::default();
        let parts = hints.iter().enumerate().filter_map(part).collect();
        self.take_parts(workspace, parts, &mut calls, &mut heard).await?;
        // Last: a search that is slow to fail would leave no time for people.
        let parts = self.owners(hints, &mut calls, &mut heard.later).await;
        self.take_parts(workspace, parts, &mut calls, &mut heard).await?;
        heard.trouble = calls.asking.trouble.clone();
        Ok(heard)
    }

    async fn take_parts(
        &self,
        workspace: &WorkspaceId,
        told: Vec<Part>,
        calls: &mut Calls<'_>,
        heard: &mut Hints,
    ) -> Result<(), Error> {
        if told.is_empty() {
            return Ok(());
        }
        let mut parts: BTreeSet<(HighLevelId, Changed)> =
            told.iter().map(|(_, id, part)| (id.clone(), part.clone())).collect();
        let erased = self.erased_among(workspace, &parts).await?;
        parts.retain(|(id, _)| !erased.contains(id));
        for (id, part) in &parts {
            self.forget_part(workspace, id, part);
        }
        let (marked, unmet) = self.whom(workspace, &parts, calls).await?;
        let of = |people: &BTreeSet<HighLevelId>| -> Vec<usize> {
            told.iter().filter(|(_, id, _)| people.contains(id)).map(|(place, ..)| *place).collect()
        };
        heard.marked.extend(marked);
        heard.of_erased.extend(of(&erased));
        heard.later.extend(of(&unmet));
        Ok(())
    }

    /// Who is to be reconciled, and which of those whom nobody knows could not be read now.
    async fn whom(
        &self,
        workspace: &WorkspaceId,
        parts: &BTreeSet<(HighLevelId, Changed)>,
        calls: &mut Calls<'_>,
    ) -> Result<(BTreeSet<ContactId>, BTreeSet<HighLevelId>), Error> {
        let keys: BTreeSet<&HighLevelId> = parts.iter().map(|(id, _)| id).collect();
        let keys: Vec<&str> = keys.into_iter().map(HighLevelId::as_str).collect();
        let linked = self.store.linked(workspace, System::HighLevel, &keys).await?;
        let notes_show = self.mapping(workspace).notes.last_note_field.is_some();
        let (mut marked, mut unmet) = (BTreeSet::new(), BTreeSet::new());
        let parts: Vec<&(HighLevelId, Changed)> = parts.iter().collect();
        for (id, part) in turned(&self.clock, parts) {
            let known = keys.binary_search(&id.as_str()).ok().and_then(|place| linked[place]);
            let is_person = matches!(part, Changed::HighLevel(_) | Changed::Sides);
            let contact = match known {
                Some(contact) => Some(contact),
                None if is_person => match self.meet(workspace, id, calls).await? {
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

    /// Whose the tasks are of which that is not told.
    async fn owners(
        &self,
        hints: &[About],
        calls: &mut Calls<'_>,
        later: &mut BTreeSet<usize>,
    ) -> Vec<Part> {
        let tasks = hints.iter().enumerate().filter_map(|(place, hint)| {
            if let About::Task { id, title } = hint { Some((place, id, title)) } else { None }
        });
        let mut found = Vec::new();
        for (place, task, title) in turned(&self.clock, tasks.collect()) {
            let asked = match calls.may(self, Wanted::Owner) {
                Some(call) => {
                    calls.came(Wanted::Owner, self.crm.task_owner(call, task, title).await)
                }
                None => Asked::Later,
            };
            match asked {
                Asked::Found(owner) => {
                    found.extend(owner.map(|id| (place, id.clone(), Changed::Tasks(id))));
                }
                // Then what is held of tasks is believed for its time, as without webhooks.
                Asked::Never => {}
                Asked::Later => {
                    later.insert(place);
                }
            }
        }
        found
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

    /// Reads somebody new; nobody is found if they are gone again.
    async fn meet(
        &self,
        workspace: &WorkspaceId,
        id: &HighLevelId,
        calls: &mut Calls<'_>,
    ) -> Result<Asked<Option<ContactId>>, Error> {
        let Some(call) = calls.may(self, Wanted::Person) else { return Ok(Asked::Later) };
        let fetched_ms = self.clock.now_ms();
        let made = self.crm.contact(call, id).await;
        let contact = match calls.came(Wanted::Person, made) {
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

/// All of them, each time from another one on: those for whom every call fails hold up whoever comes after
/// them, and that is not always to be the same.
fn turned<T>(clock: &Clock, mut all: Vec<T>) -> Vec<T> {
    let first = new_id(clock).as_u128().checked_rem(all.len() as u128).unwrap_or_default();
    all.rotate_left(usize::try_from(first).unwrap_or_default());
    all
}

/// Which part of whom a hint is about, if it tells.
fn part((place, hint): (usize, &About)) -> Option<Part> {
    Some(match hint {
        About::Contact(id) => (place, id.clone(), Changed::HighLevel(id.clone())),
        About::Notes(id) => (place, id.clone(), Changed::Notes(id.clone())),
        About::Tasks(id) => (place, id.clone(), Changed::Tasks(id.clone())),
        About::Appointments(id) => (place, id.clone(), Changed::Appointments(id.clone())),
        About::Task { .. }
        | About::Installed
        | About::Uninstalled
        | About::TakenBack(_)
        | About::Other => return None,
    })
}

/// Whether to ask again would bring the same: one hint that leads nowhere must not hold up the rest.
fn is_final(error: &upstream::Error) -> bool {
    // A credential that is mended asks again.
    let mended = matches!(error.kind, Kind::Unauthorized | Kind::NotConnected);
    error.retry() == Retry::Never && !mended
}

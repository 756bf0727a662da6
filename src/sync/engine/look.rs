//! Reading both sides of a contact as they are now: what webhooks, pages and caches say is a hint.
//!
//! A linked record is read by its key. Where there is no link the person is looked for by every
//! address and number that is known of them, so that nobody is created twice; whoever is found is
//! recognized by the store, which alone decides who is who.

use std::sync::Arc;

use futures_util::join;

use crate::store::Sheet;
use crate::sync::plan::{Other, Side, Target};
use crate::unified::{
    ContactId, Engagement, HighLevelContact, HighLevelId, ImportState, Note, Sighting, Subscriber,
    SubscriberEdit, System, Task, WorkspaceId, doppler_forbids, highlevel_forbids,
};
use crate::upstream::{self, Call, Directory, Kind, SearchTerm, UpstreamState};

use super::perform::Importing;
use super::run::Facts;
use super::traces::Traces;
use super::{Error, Inner, Seen, Urgency};

/// Among the bases of a system, that it knew the person once: nobody who was deleted there is made
/// again by a run. It is no field's name.
pub(super) const TOMBSTONE: &str = "#gone";

/// One side as it was read.
#[derive(Clone, Debug)]
pub(super) enum Found<T> {
    Unread(&'static str),
    Absent,
    Gone,
    Present(Arc<T>),
    /// What answers to the person's address or number is another contact's.
    Taken(Box<Other>),
}

/// Both sides, and what was read beside them.
pub(super) struct Looked {
    pub subscriber: Found<Subscriber>,
    pub contact: Found<HighLevelContact>,
    /// What was last seen of the deliveries, where notes are to be written about them.
    pub engagements: Vec<Engagement>,
    /// The error's name in the public schema where they could not be read.
    pub notes: Option<Result<Vec<Note>, &'static str>>,
    /// The same.
    pub tasks: Option<Result<Vec<Task>, &'static str>>,
    /// Who has the address that a rename leads to.
    pub namesake: Option<(Found<Subscriber>, Option<ContactId>)>,
    /// Whether Doppler still works on an import of the subscriber.
    pub importing: bool,
    /// What an import was to write that has ended.
    pub imported: Option<SubscriberEdit>,
    /// Records of others that are in the way.
    pub others: Vec<Other>,
    /// What the person's own record in HighLevel, which is gone, became part of.
    pub successor: Option<Other>,
    /// When the reading began, in epoch milliseconds.
    pub fetched_ms: i64,
    /// By when both sides were read.
    pub read_ms: i64,
    /// Which sides are as a run's listing showed them, and were not read for this.
    pub staged: [bool; 2],
}

impl<T> Found<T> {
    fn side(&self) -> Side<&T> {
        match self {
            Self::Unread(code) => Side::Unread { code },
            // It has no name in the public schema: it is a hold and no failure.
            Self::Taken(_) => Side::Unread { code: "CONFLICT" },
            Self::Absent => Side::Absent,
            Self::Gone => Side::Gone,
            Self::Present(value) => Side::Present(value),
        }
    }

    pub fn present(&self) -> Option<&Arc<T>> {
        if let Self::Present(value) = self { Some(value) } else { None }
    }

    /// Whether it is as a listing can show it: there, or never there.
    fn is_listed(&self) -> bool {
        matches!(self, Self::Present(_) | Self::Absent)
    }

    pub fn is_read(&self) -> bool {
        !matches!(self, Self::Unread(_))
    }

    fn other(&self) -> Option<&Other> {
        if let Self::Taken(other) = self { Some(other) } else { None }
    }

    /// What a search found instead of what was missing. Who is gone stays gone, whoever else there
    /// is.
    fn instead_of(self, missing: Self) -> Self {
        match (&self, &missing) {
            (Self::Absent, _) | (Self::Taken(_), Self::Gone) => missing,
            _ => self,
        }
    }
}

impl Looked {
    /// Both sides as a run's listings showed them.
    pub fn from_listing(
        subscriber: Found<Subscriber>,
        contact: Found<HighLevelContact>,
        fetched_ms: i64,
    ) -> Self {
        let mut looked = Self::new(subscriber, contact, fetched_ms);
        looked.staged = [true; 2];
        looked
    }

    fn new(
        subscriber: Found<Subscriber>,
        contact: Found<HighLevelContact>,
        fetched_ms: i64,
    ) -> Self {
        let others = [subscriber.other(), contact.other()].into_iter().flatten().cloned();
        Self {
            others: others.collect(),
            subscriber,
            contact,
            notes: None,
            tasks: None,
            namesake: None,
            importing: false,
            imported: None,
            successor: None,
            engagements: Vec::new(),
            fetched_ms,
            read_ms: fetched_ms,
            staged: [false; 2],
        }
    }

    /// Takes out what Doppler shows of a subscriber whom an import has: it may be what the import wrote, which
    /// nobody changed there. Who opted out somewhere is to be opted out at once, and so is left.
    pub fn overlook_import(&mut self) {
        let doppler = self.subscriber.present().and_then(|one| doppler_forbids(one));
        let highlevel = self.contact.present().and_then(|one| highlevel_forbids(one));
        if doppler != Some(true) && highlevel != Some(true) {
            self.subscriber = Found::Unread(Kind::Busy.code());
        }
    }

    /// Whether a side is as a listing showed it.
    pub fn is_staged(&self, system: System) -> bool {
        self.staged[system as usize]
    }

    /// Whether the person is not in a system any more.
    pub fn is_gone(&self, system: System) -> bool {
        match system {
            System::Doppler => matches!(self.subscriber, Found::Gone),
            System::HighLevel => matches!(self.contact, Found::Gone),
        }
    }

    pub fn doppler(&self) -> Side<&Subscriber> {
        self.subscriber.side()
    }

    pub fn highlevel(&self) -> Side<&HighLevelContact> {
        self.contact.side()
    }

    pub fn notes(&self) -> Option<Result<&[Note], &'static str>> {
        self.notes.as_ref().map(|read| read.as_deref().map_err(|code| *code))
    }

    pub fn tasks(&self) -> Option<Result<&[Task], &'static str>> {
        self.tasks.as_ref().map(|read| read.as_deref().map_err(|code| *code))
    }

    pub fn target(&self) -> Option<Target<'_>> {
        let (found, contact) = self.namesake.as_ref()?;
        Some(Target { side: found.side(), contact: *contact })
    }
}

impl Inner {
    /// Reads both sides. The sheet comes back as it is afterwards: whom the reading recognized may
    /// have joined the contact, or shown that it is somebody else's.
    pub(super) async fn look(
        &self,
        workspace: &WorkspaceId,
        sheet: Sheet,
        call: &Call,
        urgency: Option<Urgency>,
    ) -> Result<(Looked, Option<Sheet>), Error> {
        let fetched_ms = self.parts.clock.now_ms();
        let contact = sheet.known.id;
        let backing_off = |system| self.backing_off(&sheet, system, urgency);
        // Before Doppler is read: whatever an import that has ended wrote is to be seen.
        let (importing, imported) = self.imports(&sheet, call).await;
        let (mut subscriber, mut highlevel) = join!(
            self.linked_subscriber(&sheet, call, backing_off(System::Doppler)),
            self.linked_contact(&sheet, call, backing_off(System::HighLevel))
        );
        let mut traces = Traces::of(&sheet);
        traces.add(subscriber.present().map(Arc::as_ref), highlevel.present().map(Arc::as_ref));
        let (mut joined, mut successor) = (false, None);
        if matches!(highlevel, Found::Absent | Found::Gone) {
            let mut found = self.search_contact(workspace, contact, &traces, call).await?;
            if matches!(highlevel, Found::Gone) && sheet.known.key(System::HighLevel).is_some() {
                if matches!(found, Found::Absent) {
                    found = self.by_number(workspace, contact, &traces, call).await?;
                }
                successor = found.other().cloned();
            }
            highlevel = found.instead_of(highlevel);
            joined |= highlevel.present().is_some();
            traces.add(None, highlevel.present().map(Arc::as_ref));
        }
        if matches!(subscriber, Found::Absent | Found::Gone) {
            let found = self.search_subscriber(workspace, contact, &traces, call).await?;
            subscriber = found.instead_of(subscriber);
            joined |= subscriber.present().is_some();
        }
        if importing && matches!(subscriber, Found::Absent | Found::Gone) {
            // Somebody deleted them meanwhile, and the import makes them again.
            subscriber = Found::Unread(Kind::Busy.code());
        }
        let looked = Looked {
            importing,
            imported,
            successor,
            read_ms: self.parts.clock.now_ms(),
            ..Looked::new(subscriber, highlevel, fetched_ms)
        };
        let sheet =
            if joined { self.parts.store.sheet(workspace, contact).await? } else { Some(sheet) };
        Ok((looked, sheet))
    }

    /// Reads one side that a listing showed; `false`: it turned out to be more than this contact's
    /// own matter.
    pub(super) async fn look_at(
        &self,
        workspace: &WorkspaceId,
        facts: &mut Facts,
        system: System,
        call: &Call,
    ) -> Result<bool, Error> {
        let contact = facts.sheet.known.id;
        let mut traces = Traces::of(&facts.sheet);
        let looked = &facts.looked;
        let sides = (looked.subscriber.present(), looked.contact.present());
        traces.add(sides.0.map(Arc::as_ref), sides.1.map(Arc::as_ref));
        let is_linked = facts.sheet.known.key(system).is_some();
        match system {
            System::Doppler if is_linked => {
                facts.looked.subscriber = self.linked_subscriber(&facts.sheet, call, None).await;
            }
            System::HighLevel if is_linked => {
                facts.looked.contact = self.linked_contact(&facts.sheet, call, None).await;
            }
            System::Doppler => {
                let found = self.search_subscriber(workspace, contact, &traces, call).await?;
                if !matches!(found, Found::Absent) {
                    return Ok(false);
                }
            }
            System::HighLevel => {
                // The listing is complete: what it may have missed is a person made since, whom the
                // one look before every creation finds.
                let traces = traces.foremost();
                let found = self.search_contact(workspace, contact, &traces, call).await?;
                if !matches!(found, Found::Absent) {
                    return Ok(false);
                }
            }
        }
        facts.looked.staged[system as usize] = false;
        facts.looked.read_ms = self.parts.clock.now_ms();
        let found = match system {
            System::Doppler => facts.looked.subscriber.is_listed(),
            System::HighLevel => facts.looked.contact.is_listed(),
        };
        Ok(found)
    }

    /// How far an import is that an earlier run began. One whose state cannot be read counts as
    /// under way: a second one beside it would be written in any order.
    async fn imports(&self, sheet: &Sheet, call: &Call) -> (bool, Option<SubscriberEdit>) {
        for write in &sheet.pending {
            let Some(importing) = Importing::of(write) else { continue };
            match self.parts.mailing.import_task(call, &importing.import).await {
                Ok(task) if task.state == ImportState::Running => return (true, None),
                Ok(_) => return (false, Some(importing.edit)),
                Err(error) if error.kind == Kind::NotFound => {}
                Err(_) => return (true, None),
            }
        }
        (false, None)
    }

    /// The error of a system that is left alone for now; never when somebody waits.
    fn backing_off(
        &self,
        sheet: &Sheet,
        system: System,
        urgency: Option<Urgency>,
    ) -> Option<&'static str> {
        if urgency != Some(Urgency::Background) {
            return None;
        }
        // Whoever watches the credential finds out that it works again.
        if self.state(system) == UpstreamState::NeedsReauthorization {
            return Some(Kind::Unauthorized.code());
        }
        let failure = sheet.failures.iter().find(|failure| failure.system == system)?;
        let waits = failure.next_attempt_at.is_some_and(|at| at > self.parts.clock.now());
        waits.then(|| upstream::known_code(&failure.code))
    }

    /// How a system is doing, as far as is known now.
    pub(super) fn state(&self, system: System) -> UpstreamState {
        let status = match system {
            System::Doppler => Directory::status(&*self.parts.mailing),
            System::HighLevel => Directory::status(&*self.parts.crm),
        };
        status.state
    }

    async fn linked_subscriber(
        &self,
        sheet: &Sheet,
        call: &Call,
        backing_off: Option<&'static str>,
    ) -> Found<Subscriber> {
        if let Some(code) = backing_off {
            return Found::Unread(code);
        }
        let Some(key) = sheet.known.key(System::Doppler) else {
            return missing(sheet, System::Doppler);
        };
        found(self.parts.mailing.subscriber(call, key).await, Found::Gone)
    }

    async fn linked_contact(
        &self,
        sheet: &Sheet,
        call: &Call,
        backing_off: Option<&'static str>,
    ) -> Found<HighLevelContact> {
        if let Some(code) = backing_off {
            return Found::Unread(code);
        }
        let Some(key) = sheet.known.key(System::HighLevel) else {
            return missing(sheet, System::HighLevel);
        };
        found(self.parts.crm.contact(call, &HighLevelId::from(key)).await, Found::Gone)
    }

    async fn search_subscriber(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        traces: &Traces,
        call: &Call,
    ) -> Result<Found<Subscriber>, Error> {
        for email in &traces.emails {
            let found = found(self.parts.mailing.subscriber(call, email).await, Found::Absent);
            match &found {
                Found::Present(subscriber) => {
                    let mapping = self.parts.mappings.of(workspace);
                    let sighting = Sighting::of_subscriber(subscriber, &mapping);
                    return self.ours(workspace, contact, sighting, found).await;
                }
                Found::Unread(_) => return Ok(found),
                Found::Absent | Found::Gone | Found::Taken(_) => {}
            }
        }
        Ok(Found::Absent)
    }

    async fn search_contact(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        traces: &Traces,
        call: &Call,
    ) -> Result<Found<HighLevelContact>, Error> {
        let emails = traces.emails.iter().cloned().map(SearchTerm::Email);
        let phones = traces.phones.iter().cloned().map(SearchTerm::Phone);
        for term in emails.chain(phones) {
            let row = match self.parts.crm.duplicate(call, &term).await {
                Ok(Some(row)) => row,
                Ok(None) => continue,
                Err(error) => return Ok(Found::Unread(error.kind.code())),
            };
            // A number alone does not make one of two people with different addresses.
            if matches!(term, SearchTerm::Phone(_)) && traces.contradict(&row) {
                continue;
            }
            let found = found(self.parts.crm.contact(call, &row.id).await, Found::Absent);
            let Some(present) = found.present() else { return Ok(found) };
            let sighting = Sighting::of_contact(present);
            return self.ours(workspace, contact, sighting, found).await;
        }
        Ok(Found::Absent)
    }

    /// What was found, if the store says that it is this contact's.
    async fn ours<T>(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        sighting: Sighting,
        found: Found<T>,
    ) -> Result<Found<T>, Error> {
        let other = self.somebody_elses(workspace, contact, sighting).await?;
        // Whose address is another contact's is not to be written over.
        Ok(other.map_or(found, |other| Found::Taken(Box::new(other))))
    }
}

pub(super) fn found<T>(read: Result<Option<T>, upstream::Error>, missing: Found<T>) -> Found<T> {
    match read {
        Ok(Some(value)) => Found::Present(Arc::new(value)),
        Ok(None) => missing,
        Err(error) => Found::Unread(error.kind.code()),
    }
}

/// What a system without a link is: it never knew the person, or it did and a tombstone says so.
pub(super) fn missing<T>(sheet: &Sheet, system: System) -> Found<T> {
    let tombstone = sheet.agreement.base(system).contains_key(TOMBSTONE);
    if tombstone { Found::Gone } else { Found::Absent }
}

impl Looked {
    /// Both sides for whoever keeps copies.
    pub fn seen(&self) -> (Option<Seen<Subscriber>>, Option<Seen<HighLevelContact>>) {
        let fetched_ms = self.fetched_ms;
        let [doppler, highlevel] = self.staged;
        let subscriber = (self.subscriber.is_read() && !doppler).then(|| Seen {
            value: self.subscriber.present().cloned(),
            fetched_ms,
            written: false,
        });
        let contact = (self.contact.is_read() && !highlevel).then(|| Seen {
            value: self.contact.present().cloned(),
            fetched_ms,
            written: false,
        });
        (subscriber, contact)
    }
}

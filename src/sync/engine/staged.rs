//! Planning from what a run's listings showed, without a call.
//!
//! A run reads both systems whole, so that a copy that is not older than the run counts as a read, and
//! who is on no page is not there. [`Inner::foresee`] plans so for a preview and believes all of it.
//! Before anything is written more care is taken ([`Inner::decide_staged`]): a copy decides alone only
//! about people who were never reconciled, and each side that the plan writes to is read first.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::store::{Copy, CopyKey, OPT_OUT_COPY, Sheet};
use crate::sync::plan::{Need, Other, Plan, plan};
use crate::unified::{
    Agreement, ContactId, HighLevelContact, Sighting, Subscriber, SyncRun, SyncState, System,
    WorkspaceId, doppler_forbids,
};
use crate::upstream::{Call, Directory};

use super::look::{Found, Looked, missing};
use super::perform::Importing;
use super::run::Facts;
use super::traces::Traces;
use super::whose::other;
use super::{Error, Inner, park};

/// How often a plan may turn out to write to a side that is not read yet.
const MOST_READS: usize = 3;

/// What is missing from a listing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Missing {
    /// Is not there any more: the listing is complete.
    Gone,
    /// Has to be asked for.
    Unknown,
}

impl Inner {
    /// What a run would do about a contact, by its listings alone: no call but for lists and field
    /// definitions. `None`: nobody of this id any more.
    pub(super) async fn foresee(
        &self,
        workspace: &WorkspaceId,
        run: &SyncRun,
        contact: ContactId,
        call: &Call,
    ) -> Result<Option<(Sheet, Plan)>, Error> {
        let Some(sheet) = self.parts.store.sheet(workspace, contact).await? else {
            return Ok(None);
        };
        let settled = self.settled(workspace).await?;
        let looked = self.staged(workspace, &sheet, run, Missing::Gone).await?;
        let Some(looked) = looked else { return Ok(None) };
        let mut facts = self.facts(workspace, settled, (sheet, looked), call).await?;
        let mut made = plan(&facts.input());
        for need in made.needs.clone() {
            match need {
                Need::Subscriber(email) => {
                    let namesake = self.staged_namesake(workspace, &facts, run, &email).await?;
                    facts.looked.namesake = Some(namesake);
                }
                Need::Definitions(system) => self.define(&mut facts, system, call).await,
                Need::Notes | Need::Tasks => continue,
            }
            made = plan(&facts.input());
        }
        Ok(Some((facts.sheet, made)))
    }

    /// What is to be done about a contact of a run, where its listings tell; `None`: both sides are to
    /// be read as always.
    pub(super) async fn decide_staged(
        &self,
        workspace: &WorkspaceId,
        (run, may_park): (&SyncRun, bool),
        sheet: &Sheet,
        call: &Call,
    ) -> Result<Option<(Facts, Plan)>, Error> {
        let quiet = sheet.edits.is_empty() && sheet.pending.is_empty() && sheet.failures.is_empty();
        if !quiet || !run.is_staged() {
            return Ok(None);
        }
        let settled = self.settled(workspace).await?;
        if settled.0.state != SyncState::Running {
            return Ok(None);
        }
        let looked = self.staged(workspace, sheet, run, Missing::Unknown).await?;
        let Some(looked) = looked else { return Ok(None) };
        let facts = self.facts(workspace, settled, (sheet.clone(), looked), call).await?;
        let listed_from = Some(run.fresh_from.timestamp_millis());
        let mut facts = Facts { may_park, listed_from, ..facts };
        let mut made = plan(&facts.input());
        let agreement = &sheet.agreement;
        // A copy may be older than what was agreed since: it may say that nothing is to be done, but not
        // what is. What it adds where nothing was agreed yet is put right when it turns out to be old.
        let is_known = !(agreement.canon.is_empty()
            && agreement.doppler.is_empty()
            && agreement.highlevel.is_empty()
            && agreement.given_up.is_empty());
        if is_known {
            let nothing = !writes(&made) && made.needs.is_empty() && made.holds.is_empty();
            return Ok((nothing && only_adds(agreement, &made.agreement)).then_some((facts, made)));
        }
        for _ in 0..MOST_READS {
            // Before an import everybody's page is read once more.
            let parked = park::parks(&facts, &made).is_some();
            let unread = System::ALL.into_iter().filter(|system| {
                let written =
                    made.actions.iter().any(|one| one.is_write() && one.system == *system);
                let is_read = parked && *system == System::Doppler;
                written && facts.looked.is_staged(*system) && !is_read
            });
            let unread: Vec<System> = unread.collect();
            if unread.is_empty() {
                // What else a plan needs is read where everything is.
                return Ok(made.needs.is_empty().then_some((facts, made)));
            }
            for system in unread {
                if !self.look_at(workspace, &mut facts, system, call).await? {
                    return Ok(None);
                }
            }
            made = plan(&facts.input());
        }
        Ok(None)
    }

    /// Both sides as the listings showed them; `None`: they do not tell enough.
    async fn staged(
        &self,
        workspace: &WorkspaceId,
        sheet: &Sheet,
        run: &SyncRun,
        unlisted: Missing,
    ) -> Result<Option<Looked>, Error> {
        let mut keys = Vec::new();
        for link in &sheet.known.links {
            let account = self.account(link.system);
            keys.push(CopyKey::person(link.system, &account, &link.key));
            if link.system == System::Doppler {
                keys.push(CopyKey::new(System::Doppler, OPT_OUT_COPY, &account, &link.key));
            }
        }
        let mut copies = self.parts.store.copies(workspace, &keys).await?;
        copies.retain(|copy| copy.fetched_at >= run.fresh_from && copy.body.is_some());
        copies.sort_by_key(|copy| copy.key.kind == OPT_OUT_COPY);
        // The row of an opt-out is not all of a subscriber: it says that they are to be read.
        let is_out = unlisted == Missing::Unknown
            && copies.pop_if(|copy| copy.key.kind == OPT_OUT_COPY).is_some();
        let subscriber: Option<Found<Subscriber>> = side(sheet, System::Doppler, &copies, unlisted);
        let contact: Option<Found<HighLevelContact>> =
            side(sheet, System::HighLevel, &copies, unlisted);
        let (Some(mut subscriber), Some(mut contact)) = (subscriber, contact) else {
            return Ok(None);
        };
        let shown = subscriber.present().and_then(|one| doppler_forbids(one));
        if is_out && shown != Some(true) {
            return Ok(None);
        }
        let partial = contact.present().is_some_and(|contact| !contact.complete);
        if partial && unlisted == Missing::Unknown {
            return Ok(None);
        }
        let mut traces = Traces::of(sheet);
        traces.add(subscriber.present().map(Arc::as_ref), contact.present().map(Arc::as_ref));
        if let Some(other) = self.listed_other(workspace, sheet, System::Doppler, &traces).await?
            && subscriber.present().is_none()
        {
            subscriber = Found::Taken(Box::new(other));
        }
        if let Some(other) = self.listed_other(workspace, sheet, System::HighLevel, &traces).await?
            && contact.present().is_none()
        {
            contact = Found::Taken(Box::new(other));
        }
        let now_ms = self.parts.clock.now_ms();
        let read_ms = copies.iter().map(|copy| copy.fetched_at.timestamp_millis()).max();
        Ok(Some(Looked {
            read_ms: read_ms.unwrap_or(now_ms),
            // What it writes is not in the listing yet.
            importing: sheet.pending.iter().any(|write| Importing::of(write).is_some()),
            ..Looked::from_listing(subscriber, contact, now_ms)
        }))
    }

    /// The other contact whose record in a system answers to this person's address or number, as a
    /// search there would find it.
    async fn listed_other(
        &self,
        workspace: &WorkspaceId,
        sheet: &Sheet,
        system: System,
        traces: &Traces,
    ) -> Result<Option<Other>, Error> {
        if sheet.known.key(system).is_some() {
            return Ok(None);
        }
        let store = &self.parts.store;
        let mut found: Vec<(ContactId, bool)> = Vec::new();
        for email in traces.emails() {
            let all = store.contacts_by_email(workspace, email).await?;
            found.extend(all.into_iter().map(|id| (id, true)));
        }
        if system == System::HighLevel {
            for phone in traces.phones() {
                let all = store.contacts_by_phone(workspace, phone).await?;
                found.extend(all.into_iter().map(|id| (id, false)));
            }
        }
        for (id, by_address) in found.into_iter().filter(|(id, _)| *id != sheet.known.id) {
            let Some(known) = store.contact(workspace, id).await? else { continue };
            let Some(link) = known.links.iter().find(|link| link.system == system) else {
                continue;
            };
            // A number alone does not make one of two people with different addresses.
            if !by_address && traces.contradicts(link.email.as_deref()) {
                continue;
            }
            if by_address && link.email.as_deref().is_none_or(|email| !traces.has(email)) {
                continue;
            }
            let (key, email, phone) = (link.key.clone(), link.email.clone(), link.phone.clone());
            let record = Sighting { system, key, email, phone };
            return Ok(Some(other(&known, record, &sheet.known.links)));
        }
        Ok(None)
    }

    /// The subscriber who has the address that a rename leads to, by the listing.
    async fn staged_namesake(
        &self,
        workspace: &WorkspaceId,
        facts: &Facts,
        run: &SyncRun,
        email: &str,
    ) -> Result<(Found<Subscriber>, Option<ContactId>), Error> {
        let store = &self.parts.store;
        let key = CopyKey::person(System::Doppler, &self.account(System::Doppler), email);
        let copies = store.copies(workspace, &[key]).await?;
        let fresh = copies.into_iter().find(|copy| copy.fetched_at >= run.fresh_from);
        let found = fresh.as_ref().and_then(read).map_or(Found::Absent, Found::Present);
        let known = store.contacts_by_email(workspace, email).await?;
        Ok((found, known.into_iter().find(|id| *id != facts.sheet.known.id)))
    }

    pub(super) fn account(&self, system: System) -> String {
        let status = match system {
            System::Doppler => Directory::status(&*self.parts.mailing),
            System::HighLevel => Directory::status(&*self.parts.crm),
        };
        status.account.unwrap_or_default()
    }
}

/// Whether a plan does anything that the next look would see.
fn writes(plan: &Plan) -> bool {
    plan.actions.iter().any(|action| {
        action.is_write() || matches!(action.payload, crate::sync::plan::Payload::Unlink { .. })
    })
}

/// Whether whatever was agreed stays as it was.
fn only_adds(old: &Agreement, new: &Agreement) -> bool {
    fn kept<V: PartialEq>(old: &BTreeMap<String, V>, new: &BTreeMap<String, V>) -> bool {
        old.iter().all(|(field, value)| new.get(field) == Some(value))
    }
    kept(&old.canon, &new.canon)
        && kept(&old.doppler, &new.doppler)
        && kept(&old.highlevel, &new.highlevel)
}

/// A side by its copy; `None`: the copy does not tell, and somebody has to ask.
fn side<T: DeserializeOwned>(
    sheet: &Sheet,
    system: System,
    copies: &[Copy],
    unlisted: Missing,
) -> Option<Found<T>> {
    if sheet.known.key(system).is_none() {
        return Some(missing(sheet, system));
    }
    let copy = copies.iter().find(|copy| copy.key.system == system);
    match (copy.and_then(read), unlisted) {
        (Some(record), _) => Some(Found::Present(record)),
        (None, Missing::Gone) => Some(Found::Gone),
        (None, Missing::Unknown) => None,
    }
}

fn read<T: DeserializeOwned>(copy: &Copy) -> Option<Arc<T>> {
    serde_json::from_str(copy.body.as_deref()?).ok().map(Arc::new)
}

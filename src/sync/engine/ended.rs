//! Contacts with a parked write: what may be done about them while it waits or is sent, and settling
//! it once its import is over.
//!
//! Whoever comes to a contact first takes out what no import has, and plans anew. What an import has
//! is left to it: until it is over nothing else is written to the subscriber, but an opt-out. Then
//! the write is settled as if it had been made at once, by what Doppler holds; one that was not taken
//! has failed and is tried again alone, which tells why.
//!
//! What was left out of an import, because too few would have been in it, is made alone as it was
//! planned, where nothing has happened since: only the subscriber is read again.

use std::sync::Arc;

use uuid::Uuid;

use crate::store::{CopyKey, Lease, Next, Parked, ParkedState, Priority, Record};
use crate::sync::backoff;
use crate::sync::plan::Plan;
use crate::sync::poll::version;
use crate::sync::settle::{Outcome, Reread, settle};
use crate::unified::{
    ContactId, PendingWrite, Subscriber, SyncRun, System, WorkspaceId, opt_out_hash, subscriber_key,
};
use crate::upstream::{self, Call};

use super::look::{Found, Looked};
use super::park::{Slip, took};
use super::run::{Facts, Urgency, outcome, unless_paused};
use super::{Error, Inner, fault};

/// The code of a write that an import did not make.
const NOT_TAKEN: &str = "UPSTREAM_REJECTED";
/// How many marks there are of a contact about whom nothing happened since its write was parked: the
/// one by which it waits, and the one when the import
/// is over, or did without it.
const OWN_MARKS: i64 = 2;

/// How a contact stands to bulk imports.
pub(super) enum Standing {
    /// No import has anything of it.
    Free {
        /// Whether a write may be sent with others.
        may_park: bool,
    },
    /// An import is under way.
    Sent,
    /// An import is over that had this, and perhaps others.
    Ended { row: Box<Parked>, more: bool },
    /// No import wants this, and nothing has happened since it was planned.
    LeftOut { row: Box<Parked>, slip: Box<Slip> },
}

impl Inner {
    /// How a contact stands. What waits is taken out.
    pub(super) async fn standing(
        &self,
        lease: &Lease,
        contact: ContactId,
        urgency: Urgency,
    ) -> Result<Standing, Error> {
        let mut rows = self.parts.store.parked(&lease.workspace, contact).await?;
        let is_quiet = urgency == Urgency::Background;
        if let [row] = rows.as_slice()
            && let (ParkedState::Singly, Some(slip)) = (row.state, Slip::of(row))
            && is_quiet
            && slip.is_last_but_own(lease)
        {
            return Ok(Standing::LeftOut { row: Box::new(row.clone()), slip: Box::new(slip) });
        }
        let loose = |one: &Parked| matches!(one.state, ParkedState::Waiting | ParkedState::Singly);
        let singly = rows.iter().any(|one| one.state == ParkedState::Singly);
        if rows.iter().any(loose) {
            if !self.parts.store.unpark(lease).await? {
                return Err(Error::LeaseLost);
            }
            // An import may have got some of them first.
            rows = self.parts.store.parked(&lease.workspace, contact).await?;
        }
        let is_over = |one: &Parked| matches!(one.state, ParkedState::Ended { .. });
        if let Some(at) = rows.iter().position(is_over) {
            let row = Box::new(rows.swap_remove(at));
            return Ok(Standing::Ended { row, more: !rows.is_empty() });
        }
        if !rows.is_empty() {
            return Ok(Standing::Sent);
        }
        let nobody_waits = is_quiet && lease.priority == Priority::Backfill;
        Ok(Standing::Free { may_park: nobody_waits && self.parts.settings.imports && !singly })
    }

    /// Settles a parked write whose import is over; whether another run is to follow at once.
    pub(super) async fn ended(
        &self,
        lease: &Lease,
        (row, more): (Parked, bool),
        within: Option<&SyncRun>,
        call: &Call,
    ) -> Result<bool, Error> {
        let (workspace, store) = (&lease.workspace, &self.parts.store);
        let sheet = store.sheet(workspace, row.contact).await?;
        let (Some(mut sheet), Some(slip)) = (sheet, Slip::of(&row)) else {
            // Nobody can tell any more what it was: the systems are read, as always.
            let now = self.parts.clock.now();
            let unparked = vec![row.id];
            let record = Record { unparked, next: Next::Again(now), ..Record::default() };
            store.record(lease, record, now).await?;
            return Ok(true);
        };
        let held = match self.held(workspace, &row, call).await {
            Ok(held) => held,
            Err(Held::Store(error)) => return Err(error),
            Err(Held::Upstream(error)) => {
                let now = self.parts.clock.now();
                let at = now + backoff::until_retry(&error, lease.attempt);
                let next = Next::Retry { at, error: error.kind.code().to_owned() };
                store.record(lease, Record { next, ..Record::default() }, now).await?;
                return Ok(false);
            }
        };
        let untouched = !more
            && sheet.edits.is_empty()
            && sheet.failures.is_empty()
            && slip.is_last_but_own(lease);
        // Whatever was asked for meanwhile is the next run's.
        sheet.edits.clear();
        let plan = planned_before(&sheet.agreement, sheet.known.id, slip);
        let looked = self.looked_at(held.clone());
        let settled = self.settled(workspace).await?;
        let facts = self.facts(workspace, settled, (sheet, looked), call).await?;
        let outcomes = [came_to(&plan, held.as_deref(), &facts.lists)];
        let parked = (row.id, untouched);
        self.close_parked(lease, (parked, within), (&facts, &plan), (&outcomes, &[])).await
    }

    /// Makes a write alone that was left out of an import, as it was planned; whether another run is to
    /// follow at once. `None`: it is not as it was, and all is to be planned anew.
    pub(super) async fn left_out(
        &self,
        lease: &Lease,
        (row, slip): (Parked, Slip),
        within: Option<&SyncRun>,
        call: &Call,
    ) -> Result<Option<bool>, Error> {
        let (workspace, store) = (&lease.workspace, &self.parts.store);
        let Some(sheet) = store.sheet(workspace, row.contact).await? else { return Ok(None) };
        let settled = self.settled(workspace).await?;
        let is_quiet = sheet.edits.is_empty() && sheet.pending.is_empty();
        if !is_quiet || !sheet.failures.is_empty() || slip.is_paused(&settled.0) {
            return Ok(None);
        }
        let address = opt_out_hash(workspace, &subscriber_key(&row.edit.email));
        if store.suppressed(workspace, &[address]).await? {
            return Ok(None);
        }
        // Whoever plans anew deals with what cannot be read.
        let Ok(held) = self.parts.mailing.subscriber(call, &row.edit.email).await else {
            return Ok(None);
        };
        if !slip.still_holds(held.as_ref().map(version).as_deref(), &settled.1) {
            return Ok(None);
        }
        let plan = planned_before(&sheet.agreement, sheet.known.id, slip);
        let looked = self.looked_at(held.map(Arc::new));
        let facts = self.facts(workspace, settled, (sheet, looked), call).await?;
        let (outcomes, writes) = self.act(lease, &facts, &plan, call).await?;
        fault::point("acted");
        let parked = (row.id, true);
        let done = (outcomes.as_slice(), writes.as_slice());
        self.close_parked(lease, (parked, within), (&facts, &plan), done).await.map(Some)
    }

    /// Doppler's side alone: what HighLevel has was decided about when the write was planned.
    fn looked_at(&self, held: Option<Arc<Subscriber>>) -> Looked {
        let found = held.map_or(Found::Absent, Found::Present);
        let other = Found::Unread(upstream::Kind::Busy.code());
        Looked::from_listing(found, other, self.parts.clock.now_ms())
    }

    /// Records what came of a parked write; whether another run is to follow at once.
    async fn close_parked(
        &self,
        lease: &Lease,
        ((row, untouched), within): ((Uuid, bool), Option<&SyncRun>),
        (facts, plan): (&Facts, &Plan),
        (outcomes, writes): (&[Outcome], &[PendingWrite]),
    ) -> Result<bool, Error> {
        let workspace = &lease.workspace;
        let mut settled = settle(&facts.input(), plan, outcomes);
        // Canon went on while the write waited.
        settled.agreement.canon = facts.sheet.agreement.canon.clone();
        let mut record = self.close((workspace, facts), plan, (outcomes, writes), settled);
        record.unparked.push(row);
        let now = self.parts.clock.now();
        if record.next == Next::Done {
            // What is paused goes on waiting. Where more than the write is to be seen, no poll tells.
            let is_all = untouched && record.seen.iter().any(|(of, _)| *of == System::Doppler);
            record.next = if is_all { unless_paused(facts, now) } else { Next::Again(now) };
        }
        record.outcome = outcome(facts, plan, outcomes, &record);
        let changed = self.tell(workspace, facts, plan, outcomes);
        self.finish(lease, (record, within), facts.sheet.known.id, changed).await
    }

    /// What Doppler holds after an import: as its pages showed it, else as it says now.
    async fn held(
        &self,
        workspace: &WorkspaceId,
        row: &Parked,
        call: &Call,
    ) -> Result<Option<Arc<Subscriber>>, Held> {
        let account = self.account(System::Doppler);
        let key = CopyKey::person(System::Doppler, &account, &subscriber_key(&row.edit.email));
        let copies = self.parts.store.copies(workspace, &[key]).await;
        let copies = copies.map_err(|error| Held::Store(error.into()))?;
        let fresh = copies.into_iter().find(|copy| match row.state {
            ParkedState::Ended { since } => copy.fetched_at >= since,
            ParkedState::Waiting | ParkedState::Sent | ParkedState::Singly => false,
        });
        let read = fresh.and_then(|copy| serde_json::from_str(copy.body.as_deref()?).ok());
        if let Some(held) = read {
            return Ok(Some(Arc::new(held)));
        }
        let held = self.parts.mailing.subscriber(call, &row.edit.email).await;
        Ok(held.map_err(Held::Upstream)?.map(Arc::new))
    }
}

impl Slip {
    /// Whether nothing has happened to the contact since but what the write itself brought about, and all of
    /// it was planned.
    fn is_last_but_own(&self, lease: &Lease) -> bool {
        !self.partial && lease.generation == self.generation + OWN_MARKS
    }
}

/// Why it is not known what Doppler holds.
enum Held {
    Store(Error),
    Upstream(upstream::Error),
}

/// The part of an earlier plan that was parked, with what was agreed then.
fn planned_before(now: &crate::unified::Agreement, contact: ContactId, slip: Slip) -> Plan {
    let mut agreement = now.clone();
    agreement.canon.extend(slip.canon);
    Plan::only(contact, vec![slip.action], agreement)
}

fn came_to(plan: &Plan, held: Option<&Subscriber>, lists: &[crate::unified::List]) -> Outcome {
    let is_taken = plan.actions.iter().all(|action| took(action, held, lists));
    if !is_taken {
        let message = "Doppler's import ended and did not take the person".to_owned();
        return Outcome::Failed { code: NOT_TAKEN.to_owned(), message };
    }
    Outcome::Done { side: Some(Reread::Doppler(held.cloned())), result: None }
}

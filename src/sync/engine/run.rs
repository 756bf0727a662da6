//! One run: from a lease to its record.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::store::{self, Lease, Next, Record, Recorded, Sheet};
use crate::sync::imports;
use crate::sync::plan::{
    Action, Defined, Deleted, Deletion, Extra, Input, OpenHold, Payload, Plan, Scope, plan,
};
use crate::sync::preview::{Preview, preview};
use crate::sync::settle::{Outcome, settle};
use crate::unified::{
    ActionKind, ContactId, Definitions, Edit, EditChange, HighLevelId, List, Mapping, RunOutcome,
    SyncRun, SyncSettings, SyncState, System, WorkspaceId,
};
use crate::upstream::{Call, Meter, Priority};

use super::catalog::Known;
use super::ended::Standing;
use super::look::Looked;
use super::suppression::Past;
use super::unfinished::{self, Tried};
use super::{Error, Inner, fault};

/// How long a run's calls may take together. Shorter than a lease without prolongation.
const PATIENCE: Duration = Duration::from_secs(40);
/// When a contact is looked at again whose import nobody has said the end of by then. Longer than imports
/// are gathered and waited for.
const IMPORTED_BY: TimeDelta = TimeDelta::hours(2);
/// How often a plan may ask for more before it has to do with what it has.
const MOST_ROUNDS: usize = 3;

/// Who waits for a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Urgency {
    /// A client: backoff does not count.
    Client,
    /// Nobody.
    Background,
}

/// How a run came about.
struct How<'a> {
    urgency: Urgency,
    /// The run of everybody that it is part of.
    within: Option<&'a SyncRun>,
    standing: Standing,
}

/// What is set up in a workspace, and when that was so.
pub(super) type Settled = (SyncSettings, Arc<Mapping>, DateTime<Utc>);

/// All that a plan is made from, owned.
pub(super) struct Facts {
    pub sheet: Sheet,
    pub looked: Looked,
    pub mapping: Arc<Mapping>,
    pub settings: SyncSettings,
    pub holds: Vec<OpenHold>,
    pub lists: Arc<Vec<List>>,
    pub definitions: Arc<Definitions>,
    /// How old they are beside what was read of the person.
    pub defined: [Defined; 2],
    pub scope: Scope,
    pub deletion: Deletion,
    /// What is remembered of the person's addresses beside the sheet.
    pub past: Past,
    /// How many others were deleted lately where the person is gone.
    pub deleted: Deleted,
    /// Whether a write to Doppler may be sent with others.
    pub may_park: bool,
    /// Whether an import has an earlier write.
    pub in_import: bool,
    /// When the listing that shows Doppler's side began, in epoch milliseconds.
    pub listed_from: Option<i64>,
    pub now: DateTime<Utc>,
}

impl Facts {
    /// HighLevel's id of the person, as it was read or linked.
    pub fn highlevel_id(&self) -> Option<HighLevelId> {
        let read = self.looked.contact.present().map(|contact| contact.id.clone());
        read.or_else(|| self.sheet.known.key(System::HighLevel).map(HighLevelId::from))
    }

    /// Whether an import that is under way would undo an action.
    pub fn is_overtaken(&self, action: &Action) -> bool {
        let opts_out = matches!(action.payload, Payload::OptOut { .. });
        self.in_import && action.system == System::Doppler && action.is_write() && !opts_out
    }

    pub fn input(&self) -> Input<'_> {
        Input {
            contact: self.sheet.known.id,
            links: &self.sheet.known.links,
            doppler: self.looked.doppler(),
            highlevel: self.looked.highlevel(),
            agreement: &self.sheet.agreement,
            mapping: &self.mapping,
            edits: &self.sheet.edits,
            holds: &self.holds,
            scope: self.scope,
            deletion: self.deletion,
            settings: &self.settings,
            lists: &self.lists,
            definitions: &self.definitions,
            extra: Extra {
                pending: &self.sheet.pending,
                engagements: &self.looked.engagements,
                notes: self.looked.notes(),
                tasks: self.looked.tasks(),
                target: self.looked.target(),
                importing: self.looked.importing,
                others: &self.looked.others,
                successor: self.looked.successor.as_ref(),
                suppressed: self.past.suppressed,
                erased: self.past.erased,
                deleted: self.deleted,
                defined: self.defined,
            },
            now: self.now,
        }
    }
}

impl Inner {
    /// Carries out a lease's work and records it; whether another run is to follow at once.
    pub(super) async fn run(
        &self,
        lease: &Lease,
        urgency: Urgency,
        meter: Arc<Meter>,
    ) -> Result<bool, Error> {
        fault::point("claimed");
        let contact: ContactId = lease.key.parse().map_err(|_| Error::Key)?;
        if self.put_off(lease).await? {
            return Ok(false);
        }
        let priority = match urgency {
            Urgency::Client => Priority::Interactive,
            Urgency::Background => Priority::Background,
        };
        let call = Call { deadline: Instant::now() + PATIENCE, priority, meter };
        let within = self.within(lease, urgency).await?;
        let standing = match self.standing(lease, contact, urgency).await? {
            Standing::Ended { row, more } => {
                return self.ended(lease, (*row, more), within.as_ref(), &call).await;
            }
            Standing::LeftOut { row, slip } => {
                let made = self.left_out(lease, (*row, *slip), within.as_ref(), &call).await?;
                if let Some(again) = made {
                    return Ok(again);
                }
                if !self.parts.store.unpark(lease).await? {
                    return Err(Error::LeaseLost);
                }
                Standing::Free { may_park: false }
            }
            standing @ (Standing::Free { .. } | Standing::Sent) => standing,
        };
        let how = How { urgency, within: within.as_ref(), standing };
        let Some((facts, plan)) = self.decide_leased(lease, contact, &call, how).await? else {
            // Nobody of this id any more: there is nothing to record but the end.
            let record = Record { outcome: Some(RunOutcome::Unchanged), ..Record::default() };
            self.parts.store.record(lease, record, self.parts.clock.now()).await?;
            return Ok(false);
        };
        fault::point("planned");
        let (outcomes, writes) = self.act(lease, &facts, &plan, &call).await?;
        let settled = settle(&facts.input(), &plan, &outcomes);
        fault::point("acted");
        let mut record =
            self.close((&lease.workspace, &facts), &plan, (&outcomes, &writes), settled);
        let changed = self.tell(&lease.workspace, &facts, &plan, &outcomes);
        let now = self.parts.clock.now();
        let again = matches!(record.next, Next::Again(at) if at <= now);
        if !outcomes.contains(&Outcome::Parked) {
            let most = self.parts.settings.most_attempts;
            let tried = Tried { attempt: lease.attempt, most, now };
            unfinished::look_again(&facts, &plan, &mut record, tried);
        }
        if record.next == Next::Done {
            record.next = unless_paused(&facts, now);
        }
        if let Some(index) = outcomes.iter().position(|one| *one == Outcome::Parked) {
            let parked = self.park(lease, &facts, (&plan, &plan.actions[index]))?;
            record.parked.extend(parked);
            record.marks.push(imports::schedule(now));
        }
        if record.next == Next::Done && (facts.in_import || !record.parked.is_empty()) {
            // Whoever sends imports marks it when this one is over.
            record.next = Next::Again(now + IMPORTED_BY);
        }
        if !again {
            record.outcome = outcome(&facts, &plan, &outcomes, &record);
        }
        self.finish(lease, (record, within.as_ref()), facts.sheet.known.id, changed).await
    }

    /// Stores what a run came to and tells of it; whether another one is to follow at once.
    pub(super) async fn finish(
        &self,
        lease: &Lease,
        (mut record, within): (Record, Option<&SyncRun>),
        contact: ContactId,
        changed: bool,
    ) -> Result<bool, Error> {
        let now = self.parts.clock.now();
        let again = matches!(record.next, Next::Again(at) if at <= now);
        if let Some(run) = within {
            record.events.iter_mut().for_each(|event| event.run = Some(run.id));
        }
        let recorded = self.parts.store.record(lease, record, now).await;
        fault::point("recorded");
        if changed {
            // Not before: whoever looks again goes by the links in the store.
            self.parts.mirror.changed(&lease.workspace, contact);
        }
        if let Recorded::Stored { last_cursor, .. } = recorded? {
            self.announce(&lease.workspace, last_cursor);
            self.parts.wake.now();
        }
        Ok(again)
    }

    /// What a reconcile would do now; writes nothing.
    pub(super) async fn preview(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        call: &Call,
    ) -> Result<Option<Plan>, Error> {
        let decided = self.decide(workspace, contact, call, (None, false)).await?;
        Ok(decided.map(|(_, plan)| plan))
    }

    /// What another mapping would do; writes nothing.
    pub(super) async fn try_mapping(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        mapping: Arc<Mapping>,
        call: &Call,
    ) -> Result<Option<Preview>, Error> {
        let decided = self.decide(workspace, contact, call, (None, false)).await?;
        Ok(decided.map(|(facts, _)| preview(&Input { mapping: &mapping, ..facts.input() })))
    }

    /// The run that a lease's work belongs to.
    async fn within(&self, lease: &Lease, urgency: Urgency) -> Result<Option<SyncRun>, Error> {
        if urgency == Urgency::Client || lease.priority != store::Priority::Backfill {
            return Ok(None);
        }
        let open = self.parts.store.open_run(&lease.workspace).await?;
        Ok(open.map(|open| open.run).filter(SyncRun::is_staged))
    }

    /// Plans what a lease is about: by a run's listings where they tell, else by reading both sides.
    async fn decide_leased(
        &self,
        lease: &Lease,
        contact: ContactId,
        call: &Call,
        How { urgency, within, standing }: How<'_>,
    ) -> Result<Option<(Facts, Plan)>, Error> {
        let workspace = &lease.workspace;
        let in_import = matches!(standing, Standing::Sent);
        let may_park = matches!(standing, Standing::Free { may_park: true });
        if let Some(run) = within.filter(|_| !in_import)
            && let Some(sheet) = self.parts.store.sheet(workspace, contact).await?
            && let Some(decided) =
                self.decide_staged(workspace, (run, may_park), &sheet, call).await?
        {
            return Ok(Some(decided));
        }
        let how = (Some(urgency), in_import);
        let decided = self.decide(workspace, contact, call, how).await?;
        Ok(decided.map(|(facts, plan)| (Facts { may_park, in_import, ..facts }, plan)))
    }

    /// What is set up, as of now.
    pub(super) async fn settled(&self, workspace: &WorkspaceId) -> Result<Settled, Error> {
        // What is asked for from now on is later than whatever this run decides.
        let now = self.parts.clock.now();
        let settings = self.parts.store.sync_settings(workspace).await?;
        Ok((settings, self.parts.mappings.of(workspace), now))
    }

    /// All that a plan about everything is made from.
    pub(super) async fn facts(
        &self,
        workspace: &WorkspaceId,
        (settings, mapping, now): Settled,
        (sheet, mut looked): (Sheet, Looked),
        call: &Call,
    ) -> Result<Facts, Error> {
        if mapping.notes.engagement_notes {
            let reading = self.parts.store.reading(workspace, sheet.known.id).await?;
            looked.engagements = reading.map(|reading| reading.engagements).unwrap_or_default();
        }
        let past = self.past(workspace, &sheet, &looked).await?;
        let deleted = self.deleted(workspace, &sheet, (&looked, now)).await?;
        let named = sheet.edits.iter().flat_map(|edit| edit.change.lists());
        let Known { lists, definitions, defined } =
            self.catalog.get(call, looked.read_ms, named).await;
        let holds = open_holds(&sheet);
        let scope = Scope::Everything;
        let deletion = self.parts.settings.deletion;
        Ok(Facts {
            sheet,
            looked,
            mapping,
            settings,
            holds,
            lists,
            definitions,
            defined,
            scope,
            deletion,
            past,
            deleted,
            may_park: false,
            in_import: false,
            listed_from: None,
            now,
        })
    }

    /// Sees to it that a system's definitions are no older than what was read of the person, if they can be
    /// read.
    pub(super) async fn define(&self, facts: &mut Facts, system: System, call: &Call) {
        let known = self.catalog.define(call, facts.looked.read_ms, system).await;
        (facts.definitions, facts.defined) = (known.definitions, known.defined);
    }

    /// Reads what is needed and plans. `urgency` is `None` for a preview, which is about everything.
    async fn decide(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        call: &Call,
        (urgency, in_import): (Option<Urgency>, bool),
    ) -> Result<Option<(Facts, Plan)>, Error> {
        let settled = self.settled(workspace).await?;
        let Some(sheet) = self.parts.store.sheet(workspace, contact).await? else {
            return Ok(None);
        };
        let (mut looked, sheet) = self.look(workspace, sheet, call, urgency).await?;
        let Some(sheet) = sheet else { return Ok(None) };
        let opts_out = |edit: &Edit| matches!(edit.change, EditChange::Unsubscribe { .. });
        if in_import && !sheet.edits.iter().any(opts_out) {
            looked.overlook_import();
        }
        fault::point("read");
        let scope = match (urgency, settled.0.state) {
            (None, _) | (Some(_), SyncState::Running) => Scope::Everything,
            (Some(_), SyncState::NotSetUp | SyncState::Preview | SyncState::Paused) => Scope::Edits,
        };
        let facts = self.facts(workspace, settled, (sheet, looked), call).await?;
        let mut facts = Facts { scope, ..facts };
        let mut made = plan(&facts.input());
        for _ in 0..MOST_ROUNDS {
            if made.needs.is_empty() {
                break;
            }
            let needs = made.needs.clone();
            self.look_further(workspace, &mut facts, &needs, call).await?;
            made = plan(&facts.input());
        }
        Ok(Some((facts, made)))
    }
}

/// What became of a contact, for the run that it is part of; `None`: less than all was tried.
pub(super) fn outcome(
    facts: &Facts,
    plan: &Plan,
    outcomes: &[Outcome],
    record: &Record,
) -> Option<RunOutcome> {
    if facts.scope != Scope::Everything {
        return None;
    }
    let mut kinds = plan.actions.iter().zip(outcomes).filter_map(|(action, outcome)| {
        let done = matches!(outcome, Outcome::Done { .. } | Outcome::Accepted);
        (done && action.is_write()).then_some(action.kind)
    });
    let first = kinds.next();
    let created = first == Some(ActionKind::Create) || kinds.any(|kind| kind == ActionKind::Create);
    let held = facts.sheet.holds.iter().any(|hold| !record.dropped.contains(&hold.id));
    if !record.parked.is_empty() && record.failures.is_empty() {
        return None;
    }
    // It may yet turn out well.
    Some(if !record.failures.is_empty() || matches!(record.next, Next::Retry { .. }) {
        RunOutcome::Failed
    } else if held || !record.holds.is_empty() {
        RunOutcome::Held
    } else if created {
        RunOutcome::Created
    } else if first.is_some() {
        RunOutcome::Updated
    } else {
        RunOutcome::Unchanged
    })
}

/// What becomes of a contact about which nothing more can be done now. Where sync or part of it is paused,
/// what changed meanwhile stays marked; whoever resumes brings it forward.
pub(super) fn unless_paused(facts: &Facts, now: DateTime<Utc>) -> Next {
    const A_DAY: TimeDelta = TimeDelta::days(1);
    let settings = &facts.settings;
    match settings.state {
        // Such work is not claimed until sync runs again.
        SyncState::Paused => Next::Again(now),
        SyncState::Running if settings.pauses_part() => {
            Next::Paused { until: now + A_DAY, by: settings.clone() }
        }
        // The first run sees everybody.
        SyncState::NotSetUp | SyncState::Preview | SyncState::Running => Next::Done,
    }
}

fn open_holds(sheet: &Sheet) -> Vec<OpenHold> {
    let open = sheet.holds.iter().map(|hold| OpenHold {
        hold: hold.clone(),
        decision: None,
        remembered: false,
    });
    let decided = sheet.decisions.iter().map(|decided| OpenHold {
        hold: decided.hold.clone(),
        decision: Some(decided.decision.clone()),
        remembered: decided.remembered,
    });
    open.chain(decided).collect()
}

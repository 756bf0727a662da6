//! One run: from a lease to its record.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::store::{Lease, Next, Record, Recorded, Sheet};
use crate::sync::plan::{Extra, Input, OpenHold, Plan, Scope, plan};
use crate::sync::preview::{Preview, preview};
use crate::sync::settle::settle;
use crate::unified::{
    ContactId, Definitions, HighLevelId, List, Mapping, SyncSettings, SyncState, System,
    WorkspaceId,
};
use crate::upstream::{Call, Meter, Priority};

use super::look::Looked;
use super::{Error, Inner, fault};

/// How long a run's calls may take together. Shorter than a lease without prolongation.
const PATIENCE: Duration = Duration::from_secs(40);
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

/// All that a plan is made from, owned.
pub(super) struct Facts {
    pub sheet: Sheet,
    pub looked: Looked,
    pub mapping: Arc<Mapping>,
    pub settings: SyncSettings,
    pub holds: Vec<OpenHold>,
    pub lists: Arc<Vec<List>>,
    pub definitions: Arc<Definitions>,
    pub scope: Scope,
    pub now: DateTime<Utc>,
}

impl Facts {
    /// HighLevel's id of the person, as it was read or linked.
    pub fn highlevel_id(&self) -> Option<HighLevelId> {
        let read = self.looked.contact.present().map(|contact| contact.id.clone());
        read.or_else(|| self.sheet.known.key(System::HighLevel).map(HighLevelId::from))
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
            settings: &self.settings,
            lists: &self.lists,
            definitions: &self.definitions,
            extra: Extra {
                pending: &self.sheet.pending,
                notes: self.looked.notes.as_deref(),
                tasks: self.looked.tasks.as_deref(),
                target: self.looked.target(),
                importing: self.looked.importing,
                others: &self.looked.others,
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
        let priority = match urgency {
            Urgency::Client => Priority::Interactive,
            Urgency::Background => Priority::Background,
        };
        let call = Call { deadline: Instant::now() + PATIENCE, priority, meter };
        let Some((facts, plan)) =
            self.decide(&lease.workspace, contact, &call, Some(urgency)).await?
        else {
            // Nobody of this id any more: there is nothing to record but the end.
            self.parts.store.record(lease, Record::default(), self.parts.clock.now()).await?;
            return Ok(false);
        };
        fault::point("planned");
        let (outcomes, writes) = self.act(lease, &facts, &plan, &call).await?;
        let settled = settle(&facts.input(), &plan, &outcomes);
        fault::point("acted");
        let mut record = self.close(&facts, &plan, (&outcomes, &writes), settled);
        let changed = self.tell(&lease.workspace, &facts, &plan, &outcomes);
        let now = self.parts.clock.now();
        let again = matches!(record.next, Next::Again(at) if at <= now);
        if let (Next::Done, Some(at)) = (&record.next, waits_until(&facts, now)) {
            record.next = Next::Again(at);
        }
        let recorded = self.parts.store.record(lease, record, now).await;
        fault::point("recorded");
        if changed {
            // Not before: whoever looks again goes by the links in the store.
            self.parts.mirror.changed(&lease.workspace, facts.sheet.known.id);
        }
        if let Recorded::Stored { last_cursor, .. } = recorded? {
            self.announce(&lease.workspace, last_cursor);
            self.wake.now();
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
        let decided = self.decide(workspace, contact, call, None).await?;
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
        let decided = self.decide(workspace, contact, call, None).await?;
        Ok(decided.map(|(facts, _)| preview(&Input { mapping: &mapping, ..facts.input() })))
    }

    /// Reads what is needed and plans. `urgency` is `None` for a preview, which is about everything.
    async fn decide(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        call: &Call,
        urgency: Option<Urgency>,
    ) -> Result<Option<(Facts, Plan)>, Error> {
        // What is asked for from now on is later than whatever this run decides.
        let now = self.parts.clock.now();
        let Some(sheet) = self.parts.store.sheet(workspace, contact).await? else {
            return Ok(None);
        };
        let settings = self.parts.store.sync_settings(workspace).await?;
        let mapping = self.parts.mappings.of(workspace);
        let (looked, sheet) = self.look(workspace, sheet, call, urgency).await?;
        let Some(sheet) = sheet else { return Ok(None) };
        fault::point("read");
        let named = sheet.edits.iter().flat_map(|edit| edit.change.lists());
        let (lists, definitions) = self.catalog.get(call, named).await;
        let scope = match (urgency, settings.state) {
            (None, _) | (Some(_), SyncState::Running) => Scope::Everything,
            (Some(_), SyncState::NotSetUp | SyncState::Preview | SyncState::Paused) => Scope::Edits,
        };
        let holds = open_holds(&sheet);
        let mut facts =
            Facts { sheet, looked, mapping, settings, holds, lists, definitions, scope, now };
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

/// Until when a contact waits about which nothing more can be done now, because sync or part of it is
/// paused: what changed meanwhile stays marked. Whoever resumes brings it forward.
fn waits_until(facts: &Facts, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    const A_DAY: TimeDelta = TimeDelta::days(1);
    let settings = &facts.settings;
    match settings.state {
        // Such work is not claimed until sync runs again.
        SyncState::Paused => Some(now),
        SyncState::Running if settings.pauses_part() => Some(now + A_DAY),
        // The first run sees everybody.
        SyncState::NotSetUp | SyncState::Preview | SyncState::Running => None,
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

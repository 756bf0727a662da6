//! The turns after the listings: foreseeing, marking, and waiting until all is done.

use crate::store::{Lease, Next, Revised, RunStep};
use crate::sync::engine::fault;
use crate::sync::plan::{Payload, Plan};
use crate::telemetry::names;
use crate::unified::{
    ContactId, EventDraft, RunKind, RunState, Stage, SyncRun, System, WorkspaceId,
};

use super::bulk::Bulk;
use super::list::progress;
use super::{Failure, LOOK_AGAIN, POLL_WAITS, RunPreview, Runner, Turn, decide};

/// How many people one step plans or marks.
const AT_ONCE: u32 = 100;

/// What a step of foreseeing found.
#[derive(Default)]
struct Found {
    /// Those about whom something is to be done, or to be remembered.
    members: Vec<ContactId>,
    differing: u64,
    matched: u64,
    foreseen: u64,
    last: Option<ContactId>,
}

impl Runner {
    /// Plans a hundred people from the listings.
    pub(super) async fn foresee(
        &self,
        lease: &Lease,
        held: &Revised,
        (after, counted): (Option<ContactId>, &mut Option<RunPreview>),
    ) -> Result<Turn, Failure> {
        let workspace = &lease.workspace;
        let mut preview = match (counted.take(), after) {
            (Some(preview), _) => preview,
            (None, None) => RunPreview::default(),
            (None, Some(_)) => self.counted(workspace, held).await?,
        };
        let ids = self.store.everybody(workspace, after, AT_ONCE).await?;
        let is_last = ids.len() < AT_ONCE as usize;
        let compares = held.run.kind == RunKind::FullCompare;
        let mut found = Found { last: after, ..Found::default() };
        for id in ids {
            found.last = Some(id);
            let seen = self.engine.foresee(workspace, &held.run, id, &Self::call()).await?;
            let Some((sheet, plan)) = seen else { continue };
            found.foreseen += 1;
            found.matched += u64::from(sheet.known.links.len() == System::ALL.len());
            let differs = differs(&plan);
            found.differing += u64::from(differs);
            if differs || plan.agreement != sheet.agreement {
                found.members.push(id);
            }
            let quiet = sheet.edits.is_empty() && sheet.pending.is_empty();
            let quiet = quiet && sheet.failures.is_empty() && self.import_from > 0;
            preview.add(&plan, compares, quiet);
        }
        let run = SyncRun {
            matched: held.run.matched + found.matched,
            foreseen: held.run.foreseen + found.foreseen,
            differing: held.run.differing + found.differing,
            stage: Stage::Foreseeing { after: found.last },
            ..held.run.clone()
        };
        let text = serde_json::to_string(&preview).map_err(|_| crate::sync::Error::Encoding)?;
        let joins = compares && !run.dry;
        let members: &[ContactId] = if joins { &found.members } else { &[] };
        let stored = if is_last {
            self.foreseen(lease, (held, run), (&text, &preview), members).await?
        } else {
            let (run, events) = tell(run, "people are planned");
            let now = self.clock.now();
            let step = RunStep {
                preview: Some(&text),
                members,
                events: &events,
                ..RunStep::new(&run, held.revision, now)
            };
            self.step(lease, step).await?
        };
        fault::point("foreseen");
        if !stored {
            return Ok(Turn::Stale);
        }
        *counted = Some(preview);
        Ok(Turn::More)
    }

    async fn counted(&self, of: &WorkspaceId, held: &Revised) -> Result<RunPreview, Failure> {
        let text = self.store.run_preview(of, held.run.id).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Everybody is planned: what follows.
    async fn foreseen(
        &self,
        lease: &Lease,
        (held, run): (&Revised, SyncRun),
        (text, preview): (&str, &RunPreview),
        members: &[ContactId],
    ) -> Result<bool, Failure> {
        let now = self.clock.now();
        let total = run.foreseen;
        let bulk = Bulk { least: self.import_from, pages: run.pages };
        let estimate = Some(preview.estimate(self.rates, bulk));
        let run = SyncRun { total, estimate, told: 0, ..run };
        let settings = self.store.sync_settings(&lease.workspace).await?;
        let mut change = decide::foreseen(run, settings, now);
        if change.run.kind == RunKind::FullCompare {
            let drift = change.run.differing;
            let workspace = lease.workspace.to_string();
            metrics::gauge!(names::SYNC_DRIFT, names::WORKSPACE => workspace)
                .set(u32::try_from(drift).map_or(f64::MAX, f64::from));
            let told = format!("{drift} of {total} people differ between the two systems");
            change.events.insert(0, progress(&change.run, told));
        }
        let step = RunStep { preview: Some(text), members, ..change.step(held.revision, now) };
        self.step(lease, step).await
    }

    /// Marks a hundred people.
    pub(super) async fn mark(
        &self,
        lease: &Lease,
        held: &Revised,
        (after, rest): (Option<ContactId>, bool),
    ) -> Result<Turn, Failure> {
        // Who is yet to be made in HighLevel comes last: that is work for HighLevel alone, which goes on
        // while Doppler is busy with the last import.
        let linked = (!rest).then_some(System::HighLevel);
        let run = held.run.id;
        let members =
            self.store.not_in_run(&lease.workspace, run, (linked, after), AT_ONCE).await?;
        let is_last = members.len() < AT_ONCE as usize;
        let stage = match (is_last, rest) {
            (false, _) => Stage::Marking { after: members.last().copied().or(after), rest },
            (true, false) => Stage::Marking { after: None, rest: true },
            (true, true) => Stage::Draining,
        };
        let run = SyncRun { stage, ..held.run.clone() };
        let step =
            RunStep { members: &members, ..RunStep::new(&run, held.revision, self.clock.now()) };
        self.advance(lease, step).await
    }

    /// Looks how far the work is.
    pub(super) async fn drain(&self, lease: &Lease, held: &Revised) -> Result<Turn, Failure> {
        let workspace = &lease.workspace;
        let now = self.clock.now();
        let people = self.store.run_people(workspace, held.run.id).await?;
        let total = people.open + people.tally.done();
        let run = SyncRun { tally: people.tally, total, ..held.run.clone() };
        let waited = run.read_at.is_some_and(|read| now >= read + POLL_WAITS);
        if people.open == 0 || waited {
            let change = decide::finished(run, now);
            return self.advance(lease, change.step(held.revision, now)).await;
        }
        let (run, events) = tell(run, "people are done");
        if run.told != held.run.told {
            let step = RunStep { events: &events, ..RunStep::new(&run, held.revision, now) };
            if !self.step(lease, step).await? {
                return Ok(Turn::Stale);
            }
        }
        Ok(Turn::Rest(Next::Again(now + LOOK_AGAIN)))
    }
}

/// Whether anything is to be done about a person.
fn differs(plan: &Plan) -> bool {
    let acts = |payload: &Payload| !matches!(payload, Payload::Nothing | Payload::Link(_));
    plan.actions.iter().any(|action| acts(&action.payload)) || !plan.holds.is_empty()
}

/// Tells how far a run is, every tenth.
fn tell(run: SyncRun, what: &str) -> (SyncRun, Vec<EventDraft>) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "of ten tenths")]
    let tenth = (run.progress().unwrap_or(0.0) * 10.0) as u8;
    if tenth <= run.told || run.state.is_over() {
        return (run, Vec::new());
    }
    let run = SyncRun { told: tenth, ..run };
    let done = match run.state {
        RunState::Running => run.tally.done(),
        RunState::Previewing
        | RunState::AwaitingApproval
        | RunState::Paused
        | RunState::Finished
        | RunState::Cancelled
        | RunState::Failed => run.foreseen,
    };
    let message = format!("{done} of {} {what}", run.total);
    let event = progress(&run, message);
    (run, vec![event])
}

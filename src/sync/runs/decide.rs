//! What becomes of a run when something is decided about it. Pure: a change is made here and stored by
//! whoever decided.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::{Mark, Priority, RUN, RunStep};
use crate::unified::{
    Begin, EventDraft, EventKind, RunKind, RunState, Stage, SyncRun, SyncSettings, SyncState,
    System,
};

use super::list::progress;

/// A run as it becomes, with what is stored together with it.
#[derive(Clone, Debug)]
pub struct Change {
    pub run: SyncRun,
    pub settings: Option<SyncSettings>,
    pub events: Vec<EventDraft>,
    pub marks: Vec<Mark>,
    /// The hold whose question is over with it.
    pub over: Option<Uuid>,
}

impl Change {
    fn of(run: SyncRun) -> Self {
        Self { run, settings: None, events: Vec::new(), marks: Vec::new(), over: None }
    }

    /// As the store takes it.
    pub fn step(&self, revision: i64, at: DateTime<Utc>) -> RunStep<'_> {
        RunStep {
            settings: self.settings.as_ref(),
            events: &self.events,
            marks: &self.marks,
            over: self.over,
            ..RunStep::new(&self.run, revision, at)
        }
    }

    /// Somebody agrees to what a run would do; `None`: it does not wait for that.
    pub fn approve(run: SyncRun, settings: SyncSettings, at: DateTime<Utc>) -> Option<Self> {
        if run.state != RunState::AwaitingApproval {
            return None;
        }
        let mut change = Self::of(SyncRun { approved: true, error: None, ..run });
        change.go(settings, at);
        // Sync runs from now on, so the run gives way to what is more urgent.
        change.marks.push(mark(&change.run, Priority::Backfill, at));
        Some(change)
    }

    /// Everybody is to be brought into agreement.
    fn go(&mut self, mut settings: SyncSettings, at: DateTime<Utc>) {
        self.run.state = RunState::Running;
        self.run.stage = match self.run.kind {
            // Who differs is marked by then.
            RunKind::FullCompare => Stage::Draining,
            RunKind::Backfill | RunKind::Poll => Stage::Refreshing { position: None },
        };
        let told =
            format!("The run is approved: {} people are brought into agreement", self.run.total);
        self.events.push(progress(&self.run, told));
        if matches!(settings.state, SyncState::NotSetUp | SyncState::Preview) {
            settings.state = SyncState::Running;
            settings.changed_at = Some(at);
            let message = "Sync was switched on by the approval of its first run";
            self.events.push(EventDraft {
                run: Some(self.run.id),
                ..EventDraft::new(EventKind::SettingsChanged, message)
            });
            self.settings = Some(settings);
        }
    }

    /// A run is stopped, and with it what it asked; `None`: it is over. What was written stays.
    pub fn cancel(run: SyncRun, settings: SyncSettings, at: DateTime<Utc>) -> Option<Self> {
        if run.state.is_over() {
            return None;
        }
        let asked = run.hold;
        let mut change = Self::of(SyncRun { error: None, ..run.ended(RunState::Cancelled, at) });
        let told = "The run was stopped; what it had written stays".to_owned();
        change.events.push(progress(&change.run, told));
        if asked.is_some() {
            let message = "The run that it was about was stopped";
            let event = EventDraft::new(EventKind::Resolved, message);
            change.events.push(EventDraft { run: Some(change.run.id), ..event });
        }
        change.over = asked;
        change.forget_preview(settings, at);
        Some(change)
    }

    /// A run that ends without having been approved leaves sync as it was before.
    fn forget_preview(&mut self, mut settings: SyncSettings, at: DateTime<Utc>) {
        if settings.state == SyncState::Preview {
            settings.state = SyncState::NotSetUp;
            settings.changed_at = Some(at);
            self.settings = Some(settings);
        }
    }

    /// A person saw what stopped a run, of one system's listing if it was that, and lets it go on; `None`:
    /// nothing stopped it.
    pub fn waive(
        mut run: SyncRun,
        system: Option<System>,
        priority: Priority,
        at: DateTime<Utc>,
    ) -> Option<Self> {
        if run.state != RunState::Paused || run.hold.is_none() {
            return None;
        }
        run.believed.extend(system);
        let state = RunState::Previewing;
        let mut change = Self::of(SyncRun { state, hold: None, error: None, ..run });
        let told = "The run goes on, as somebody decided".to_owned();
        change.events.push(progress(&change.run, told));
        change.marks.push(mark(&change.run, priority, at));
        Some(change)
    }
}

/// A run that begins, the mark of its work, and what people are told.
pub fn begin(begin: Begin, settings: &SyncSettings) -> (SyncRun, Mark, EventDraft) {
    let run = SyncRun::begin(begin);
    // Where sync does not run only what is a client's is worked on.
    let priority = match settings.state {
        SyncState::NotSetUp | SyncState::Preview => Priority::Client,
        SyncState::Running | SyncState::Paused if run.is_poll() => Priority::Live,
        SyncState::Running | SyncState::Paused => Priority::Backfill,
    };
    let what = match (run.kind, run.dry) {
        (RunKind::Poll, _) => "A poll began: what changed in both systems is looked for",
        (RunKind::FullCompare, _) => "A full comparison began: both systems are read through",
        (RunKind::Backfill, true) => {
            "A dry run began: both systems are read through, and nothing will be written"
        }
        (RunKind::Backfill, false) => {
            "A run began: both systems are read through, and nothing is written yet"
        }
    };
    let event = progress(&run, what.to_owned());
    let mark = mark(&run, priority, run.began_at);
    (run, mark, event)
}

/// The work that takes a run on.
pub fn mark(run: &SyncRun, priority: Priority, due: DateTime<Utc>) -> Mark {
    Mark { kind: RUN, key: run.id.simple().to_string(), priority, due }
}

/// A poll goes on reading.
pub(super) fn reading(run: SyncRun, (system, position): (System, Option<String>)) -> Change {
    let stage = Stage::Listing { system, position };
    Change::of(SyncRun { stage, ..run })
}

/// A poll has read everything. Most find nothing and are over with it.
pub(super) fn read(run: SyncRun, at: DateTime<Utc>) -> Change {
    let run = SyncRun { read_at: Some(at), stage: Stage::Draining, ..run };
    if run.differing == 0 {
        return finished(run, at);
    }
    let told = format!("A poll found {} people who changed in {}", run.differing, whose(&run));
    let mut change = Change::of(run);
    change.events.push(progress(&change.run, told));
    change
}

/// What a poll looked into.
fn whose(run: &SyncRun) -> &'static str {
    run.system.map_or("both systems", System::name)
}

/// Everybody is planned.
pub(super) fn foreseen(run: SyncRun, mut settings: SyncSettings, at: DateTime<Utc>) -> Change {
    if run.dry {
        let mut change = Change::of(run.ended(RunState::Finished, at));
        let told = "The preview is ready; nothing was written".to_owned();
        change.events.push(progress(&change.run, told));
        return change;
    }
    if run.approved {
        let mut change = Change::of(run);
        change.go(settings, at);
        return change;
    }
    let run = SyncRun { state: RunState::AwaitingApproval, stage: Stage::Waiting, ..run };
    let mut change = Change::of(run);
    let told = "The preview is ready; the run waits for approval".to_owned();
    change.events.push(progress(&change.run, told));
    if settings.state == SyncState::NotSetUp {
        settings.state = SyncState::Preview;
        settings.changed_at = Some(at);
        change.settings = Some(settings);
    }
    change
}

/// All is done.
pub(super) fn finished(run: SyncRun, at: DateTime<Utc>) -> Change {
    let mut change = Change::of(run.ended(RunState::Finished, at));
    if change.run.is_scheduled() && change.run.differing == 0 {
        // Hundreds a day, of which there is nothing to tell.
        return change;
    }
    let tally = change.run.tally;
    let told = format!(
        "The run is finished: {} people created, {} updated, {} unchanged, {} wait for a decision, \
         {} failed",
        tally.created, tally.updated, tally.unchanged, tally.held, tally.failed
    );
    change.events.push(progress(&change.run, told));
    change
}

/// It cannot go on for now.
pub(super) fn waits(run: SyncRun, why: String) -> Change {
    let told = format!("The run waits: {why}");
    let mut change = Change::of(SyncRun { error: Some(why), ..run });
    // Polls come by themselves, and there are many.
    if !change.run.is_scheduled() {
        change.events.push(progress(&change.run, told));
    }
    change
}

/// A full comparison is due, and a run that waits for a person keeps it from beginning; `None`: that is
/// told, or the run goes on.
pub(super) fn in_the_way(run: SyncRun) -> Option<Change> {
    let what = match run.state {
        RunState::AwaitingApproval => "approval",
        RunState::Paused => "a decision about its hold",
        RunState::Previewing
        | RunState::Running
        | RunState::Finished
        | RunState::Cancelled
        | RunState::Failed => return None,
    };
    let why = format!("it needs {what}, and no full comparison begins before it is over");
    (run.error.as_ref() != Some(&why)).then(|| waits(run, why))
}

/// It cannot go on.
pub(super) fn failed(run: &SyncRun, error: String, at: DateTime<Utc>) -> Change {
    let told = format!("The run was given up: {error}");
    let run = SyncRun { error: Some(error), ..run.clone() }.ended(RunState::Failed, at);
    let mut change = Change::of(run);
    change.events.push(progress(&change.run, told));
    change
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap()
    }

    fn run(kind: RunKind, dry: bool, approved: bool) -> SyncRun {
        let (at, id) = (at(), Uuid::from_u128(7));
        let system = None;
        SyncRun::begin(Begin { id, kind, system, dry, approved, at, fresh_from: at, by: None })
    }

    fn states(change: &Change) -> (RunState, Option<SyncState>) {
        (change.run.state, change.settings.as_ref().map(|settings| settings.state))
    }

    #[test]
    fn a_first_run_waits_for_approval_and_then_switches_sync_on() {
        let settings = SyncSettings::default();
        let waits = foreseen(run(RunKind::Backfill, false, false), settings.clone(), at());
        assert_eq!(states(&waits), (RunState::AwaitingApproval, Some(SyncState::Preview)));
        let settings = waits.settings.unwrap();
        let goes = Change::approve(waits.run, settings.clone(), at()).unwrap();
        assert_eq!(states(&goes), (RunState::Running, Some(SyncState::Running)));
        assert_eq!(goes.marks[0].priority, Priority::Backfill);
        assert!(Change::approve(goes.run.clone(), settings.clone(), at()).is_none());
        let stopped = Change::cancel(goes.run, goes.settings.unwrap(), at()).unwrap();
        assert_eq!(states(&stopped), (RunState::Cancelled, None));
        assert!(Change::cancel(stopped.run, settings, at()).is_none());
    }

    #[test]
    fn a_preview_that_is_stopped_leaves_sync_as_it_was() {
        let waits = foreseen(run(RunKind::Backfill, false, false), SyncSettings::default(), at());
        let settings = waits.settings.unwrap();
        let stopped = Change::cancel(waits.run, settings, at()).unwrap();
        assert_eq!(states(&stopped), (RunState::Cancelled, Some(SyncState::NotSetUp)));
    }

    #[test]
    fn a_dry_run_ends_with_its_preview_whoever_agreed() {
        let done = foreseen(run(RunKind::Backfill, true, true), SyncSettings::default(), at());
        assert_eq!(states(&done), (RunState::Finished, None));
    }

    #[test]
    fn a_poll_that_found_nothing_is_over_and_is_not_told_of() {
        let of = |system| SyncRun { system, ..run(RunKind::Poll, false, true) };
        let silent = read(of(Some(System::Doppler)), at());
        assert_eq!((states(&silent).0, silent.events.len()), (RunState::Finished, 0));
        let asked_for = read(of(None), at());
        assert_eq!((states(&asked_for).0, asked_for.events.len()), (RunState::Finished, 1));
        let found = read(SyncRun { differing: 3, ..of(Some(System::Doppler)) }, at());
        assert_eq!(
            (states(&found).0, found.run.stage.clone()),
            (RunState::Running, Stage::Draining)
        );
        assert_eq!(found.events[0].message, "A poll found 3 people who changed in Doppler");
        assert_eq!(finished(found.run, at()).events.len(), 1);
    }

    #[test]
    fn a_run_that_is_stopped_ends_what_it_asked() {
        let hold = Some(Uuid::nil());
        let going = run(RunKind::FullCompare, false, true);
        let asks = SyncRun { state: RunState::Paused, hold, ..going };
        let stopped = Change::cancel(asks.clone(), SyncSettings::default(), at()).unwrap();
        assert_eq!((stopped.over, stopped.run.hold), (hold, None));
        assert_eq!(stopped.step(1, at()).over, hold);
        assert_eq!(stopped.events[1].kind, EventKind::Resolved);
        let asks_nothing = SyncRun { hold: None, ..asks };
        let stopped = Change::cancel(asks_nothing, SyncSettings::default(), at()).unwrap();
        assert_eq!((stopped.over, stopped.events.len()), (None, 1));
    }

    #[test]
    fn who_keeps_a_comparison_from_beginning_says_so_once() {
        let going = run(RunKind::Backfill, false, false);
        assert!(in_the_way(going.clone()).is_none(), "it looks at everybody itself");
        let waits = SyncRun { state: RunState::AwaitingApproval, ..going.clone() };
        let told = in_the_way(waits).unwrap();
        assert!(told.events[0].message.contains("no full comparison"), "{:?}", told.events);
        assert!(in_the_way(told.run.clone()).is_none(), "it is told");
        let approved = Change::approve(told.run.clone(), SyncSettings::default(), at()).unwrap();
        let stopped = Change::cancel(told.run, SyncSettings::default(), at()).unwrap();
        assert_eq!((approved.run.error, stopped.run.error), (None, None));
        let held = SyncRun { state: RunState::Paused, hold: Some(Uuid::nil()), ..going };
        let told = in_the_way(held).unwrap();
        assert!(told.run.error.is_some_and(|why| why.contains("a decision")));
    }

    #[test]
    fn only_what_a_hold_stopped_is_let_go_on() {
        let going = run(RunKind::FullCompare, false, true);
        let doppler = Some(System::Doppler);
        assert!(Change::waive(going.clone(), doppler, Priority::Backfill, at()).is_none());
        let held = SyncRun { state: RunState::Paused, hold: Some(Uuid::nil()), ..going };
        let goes = Change::waive(held, doppler, Priority::Backfill, at()).unwrap();
        assert_eq!((goes.run.believed.as_slice(), goes.run.hold), (&[System::Doppler][..], None));
        assert_eq!(states(&goes), (RunState::Previewing, None));
    }
}

//! Runs: everybody at once. Both systems are listed whole, everybody is planned from the listings, and
//! what would be done is counted; when somebody agrees, everybody is marked and done by the engine as
//! always.
//!
//! A run is a row of work. Each turn does one page or one step of it and stores where it is, in one
//! transaction, so that a program that dies goes on where it was, and of several gateways one is at it.
//! [`judge`] says whether a listing can be believed, [`preview`] counts, [`decide`] says what becomes
//! of a run when somebody agrees, stops it or lets it go on, [`wait`] how long it waits for a system; all
//! four are pure.
//!
//! To add a stage: its variant in `unified::Stage` and its turn here.

mod bulk;
mod compare;
mod decide;
mod judge;
mod list;
mod poll;
mod preview;
mod turn;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use tokio::time::Instant;
use uuid::Uuid;

use crate::bus::{Bus, News, What};
use crate::clock::Clock;
use crate::store::{Lease, Next, Record, Revised, RunStep, Stepped, Store};
use crate::tasks::Tasks;
use crate::unified::{RunState, Stage, SyncRun};
use crate::upstream::{self, Call, Priority as Urgency};

use super::Error;
use super::engine::{Engine, LEASE};
use super::error::Failure;
use super::poll::Pages;
use super::work::Handler;
use wait::Wait;

pub use compare::{COMPARE, Compare, schedule_compare};
pub use decide::{Change, begin};
pub use poll::{Poll, PollSettings};
pub use preview::{PreviewCount, PreviewHold, Rates, RunPreview, RunSample};

/// How long one page's calls may take. Shorter than a lease.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often a run that waits for its people looks at them.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How often it is looked whether a run that may write nothing may.
const UNTIL_GRANTED: Duration = Duration::from_secs(10);
/// How long a poll waits for the people that it found. What takes longer is done without it, and the next
/// one is not held up.
const POLL_WAITS: TimeDelta = TimeDelta::minutes(1);

/// Takes runs on.
pub struct Runner {
    pub engine: Engine,
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub pages: Pages,
    pub clock: Clock,
    pub tasks: Tasks,
    pub rates: Rates,
    /// How many people are worth an import; 0: there are none.
    pub import_from: usize,
}

/// What a turn came to.
enum Turn {
    /// There is more to be done at once.
    More,
    /// Nothing to be done until then, or until somebody says so.
    Rest(Next),
    /// Somebody changed the run meanwhile: look again.
    Stale,
}

#[async_trait]
impl Handler for Runner {
    async fn handle(&self, lease: Lease) -> Result<(), Error> {
        let id: Uuid = lease.key.parse().map_err(|_| Error::Key)?;
        self.take_on(&lease, id, None).await
    }
}

impl Runner {
    /// Takes a run on as far as it goes now, and records the end of the lease: where nothing more is to
    /// be done, with another turn after `again`, if that is given.
    async fn take_on(&self, lease: &Lease, id: Uuid, again: Option<Duration>) -> Result<(), Error> {
        let (mut preview, mut went_on) = (None, false);
        let next = loop {
            if self.tasks.is_stopping() {
                self.store.give_back(lease).await?;
                return Ok(());
            }
            if !self.store.extend(lease, self.clock.now() + LEASE).await? {
                return Ok(());
            }
            let Some(held) = self.store.run(&lease.workspace, id).await? else {
                break Next::Done;
            };
            // Whatever it waited for: a step that is stored is one that was made.
            let goes_on = SyncRun { error: None, ..held.run.clone() };
            let going = Revised { run: goes_on, revision: held.revision };
            let going = if held.run.state.is_over() { &held } else { &going };
            match self.turn(lease, going, &mut preview).await {
                Ok(Turn::More) => went_on = true,
                // What was counted may be of a step that was not stored.
                Ok(Turn::Stale) => preview = None,
                Ok(Turn::Rest(next)) => break next,
                Err(Failure::Stop) => return Ok(()),
                Err(Failure::Sync(error)) => return Err(error),
                Err(Failure::Upstream(error)) => {
                    match self.wait(lease, (held, went_on), &error).await? {
                        Some(next) => break next,
                        None => return Ok(()),
                    }
                }
            }
        };
        let now = self.clock.now();
        let next = match (next, again) {
            (Next::Done, Some(again)) => Next::Again(now + again),
            (next, _) => next,
        };
        self.store.record(lease, Record { next, ..Record::default() }, now).await?;
        Ok(())
    }

    async fn turn(
        &self,
        lease: &Lease,
        held: &Revised,
        preview: &mut Option<RunPreview>,
    ) -> Result<Turn, Failure> {
        let waits = matches!(held.run.state, RunState::Paused | RunState::AwaitingApproval);
        if waits || held.run.state.is_over() {
            return Ok(Turn::Rest(Next::Done));
        }
        match &held.run.stage {
            Stage::Listing { system, position } if held.run.is_poll() => {
                self.look(lease, held, (*system, position.as_deref())).await
            }
            Stage::Listing { system, position } => {
                self.list(lease, held, (*system, position.as_deref())).await
            }
            Stage::Judging => self.judge(lease, held).await,
            Stage::Foreseeing { after } => self.foresee(lease, held, (*after, preview)).await,
            Stage::Waiting | Stage::Over => Ok(Turn::Rest(Next::Done)),
            // What was listed is looked at anew when it may be written.
            Stage::Refreshing { .. } | Stage::Marking { .. } if self.pages.is_read_only() => {
                Ok(Turn::Rest(Next::Again(self.clock.now() + UNTIL_GRANTED)))
            }
            Stage::Refreshing { position } => self.refresh(lease, held, position.as_deref()).await,
            Stage::Marking { after, rest } => self.mark(lease, held, (*after, *rest)).await,
            Stage::Draining => self.drain(lease, held).await,
        }
    }

    /// Stores a step that ends a turn.
    async fn advance(&self, lease: &Lease, step: RunStep<'_>) -> Result<Turn, Failure> {
        Ok(if self.step(lease, step).await? { Turn::More } else { Turn::Stale })
    }

    /// Stores a step and tells of it.
    async fn step(&self, lease: &Lease, step: RunStep<'_>) -> Result<bool, Failure> {
        let workspace = &lease.workspace;
        let step = RunStep { lease: Some(lease), ..step };
        match self.store.step_run(workspace, step).await? {
            Stepped::Stale => Ok(false),
            Stepped::Stored { last_cursor, .. } => {
                if let Some(cursor) = last_cursor {
                    let what = What::Events(cursor);
                    self.bus.publish(News { workspace: workspace.clone(), what });
                }
                if !step.members.is_empty() {
                    self.engine.wake();
                }
                Ok(true)
            }
        }
    }

    /// What becomes of a run whose system does not answer; `None`: the run is not as it was.
    async fn wait(
        &self,
        lease: &Lease,
        (held, went_on): (Revised, bool),
        error: &upstream::Error,
    ) -> Result<Option<Next>, Error> {
        let now = self.clock.now();
        let Revised { run, revision } = held;
        let (change, next) = match wait::after(error, (lease.attempt, went_on), run.is_poll(), now)
        {
            Wait::ForTheSystem(next) => return Ok(Some(next)),
            Wait::ForSomebody(next) => {
                let why = error.in_words();
                if run.error.as_ref() == Some(&why) {
                    return Ok(Some(next));
                }
                (decide::waits(run, why), next)
            }
            Wait::NoLonger => {
                let why = format!("a system did not answer for long: {}", error.kind.code());
                (decide::failed(&run, why, now), Next::Done)
            }
        };
        match self.step(lease, change.step(revision, now)).await {
            Ok(true) => Ok(Some(next)),
            Ok(false) | Err(Failure::Upstream(_) | Failure::Stop) => Ok(None),
            Err(Failure::Sync(error)) => Err(error),
        }
    }

    /// A call that nobody waits for.
    fn call() -> Call {
        let deadline = Instant::now() + PATIENCE;
        Call { deadline, priority: Urgency::Background, meter: Arc::default() }
    }
}

//! Runs: beginning, approving, stopping and watching them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use uuid::Uuid;

use crate::bus::What;
use crate::clock::new_id;
use crate::store::{Page, Priority, Revised, RunStep, Stepped};
use crate::sync::{self, Change, RunPreview, RunSample};
use crate::unified::{
    ActionKind, Begin, Hold, RunKind, RunState, SyncRun, SyncSettings, SyncState, UserErrorCode,
    WorkspaceId, choice,
};
use crate::upstream::{self, UpstreamState};

use super::admin::{Admin, Managed, refused};
use super::core::Core;
use super::observer::Observer;
use super::status::FRESH;
use super::{Error, Person};

/// How often who follows a run looks at it when the history tells of nothing.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How often a change of a run is tried when the run is not as it was.
pub(super) const TRIES: usize = 10;

impl Admin {
    /// Begins a run.
    pub async fn start_run(&self, kind: RunKind, dry: bool) -> Result<Managed<SyncRun>, Error> {
        let workspace = &self.session.requester.workspace;
        let settings = self.core.store.sync_settings(workspace).await?;
        let never = matches!(settings.state, SyncState::NotSetUp | SyncState::Preview);
        let refusal = match kind {
            RunKind::Poll if dry => Some("a poll has no preview: leave dryRun out"),
            RunKind::Poll if never => Some(
                "no first sync was approved, so there is nothing that could have changed since",
            ),
            RunKind::FullCompare if never && !dry => {
                Some("no first sync was approved: begin with a BACKFILL, or set dryRun")
            }
            RunKind::Backfill | RunKind::FullCompare | RunKind::Poll
                if settings.state == SyncState::Paused =>
            {
                Some("sync is paused: resume it first")
            }
            RunKind::Backfill | RunKind::FullCompare | RunKind::Poll => None,
        };
        if let Some(refusal) = refusal {
            return Ok(Err(vec![refused(UserErrorCode::NotSupported, refusal, "kind")]));
        }
        let approved = kind != RunKind::Backfill;
        self.core.reread_credentials().await?;
        let upstreams = self.core.upstreams();
        let missing = upstreams.iter().find(|(_, up)| up.state == UpstreamState::NotConnected);
        if let Some((system, _)) = missing {
            let kind = upstream::Kind::NotConnected;
            return Err(upstream::Error::new(*system, "startSync", kind).into());
        }
        if approved && !dry && self.core.is_read_only() {
            return Err(Error::ReadOnly);
        }
        let by = self.session.requester.subject.clone();
        let begun = self.core.begin_run((kind, dry, approved), by, &settings).await?;
        let message = "another run is not over yet; cancel it or wait for it";
        Ok(begun.ok_or_else(|| vec![refused(UserErrorCode::Duplicate, message, "kind")]))
    }

    /// Agrees to what a run would do.
    pub async fn approve_run(&self, id: Uuid) -> Result<Managed<SyncRun>, Error> {
        self.core.reread_credentials().await?;
        if self.core.is_read_only() {
            return Err(Error::ReadOnly);
        }
        let message = "the run does not wait for approval";
        self.change_run(id, message, Change::approve).await
    }

    /// Stops a run. What it has written stays.
    pub async fn cancel_run(&self, id: Uuid) -> Result<Managed<SyncRun>, Error> {
        let message = "the run is over";
        self.change_run(id, message, Change::cancel).await
    }

    /// What becomes of the run that a hold stopped, by what is decided about it, and as of which revision;
    /// `None`: it stopped none, or none any more.
    pub(super) async fn obeying(
        &self,
        hold: &Hold,
        decided: &str,
    ) -> Result<Option<(Change, i64)>, Error> {
        let (core, workspace) = (&self.core, &self.session.requester.workspace);
        let Some(id) = hold.run else { return Ok(None) };
        let Some(Revised { mut run, revision }) = core.store.run(workspace, id).await? else {
            return Ok(None);
        };
        let settings = core.store.sync_settings(workspace).await?;
        let now = core.clock.now();
        let change = if decided == choice::GO_ON {
            let priority = match settings.state {
                SyncState::NotSetUp | SyncState::Preview => Priority::Client,
                SyncState::Running | SyncState::Paused => Priority::Backfill,
            };
            Change::waive(run, hold.system, priority, now)
        } else {
            run.tally = core.store.run_people(workspace, id).await?.tally;
            // The decision itself ends the hold.
            Change::cancel(SyncRun { hold: None, ..run }, settings, now)
        };
        if change.is_none() {
            tracing::info!(run = %id, "a hold is resolved whose run was not stopped any more");
        }
        Ok(change.map(|change| (change, revision)))
    }

    async fn change_run(
        &self,
        id: Uuid,
        refusal: &str,
        decide: impl Fn(SyncRun, SyncSettings, chrono::DateTime<chrono::Utc>) -> Option<Change>,
    ) -> Result<Managed<SyncRun>, Error> {
        let core = &self.core;
        let workspace = &self.session.requester.workspace;
        for _ in 0..TRIES {
            let Some(held) = core.store.run(workspace, id).await? else {
                return Ok(Err(vec![refused(UserErrorCode::NotFound, "no such run", "run")]));
            };
            let settings = core.store.sync_settings(workspace).await?;
            let now = core.clock.now();
            let mut run = held.run;
            if !run.state.is_over() {
                run.tally = core.store.run_people(workspace, id).await?.tally;
            }
            let stopped = run.hold.is_some();
            let Some(change) = decide(run, settings, now) else {
                return Ok(Err(vec![refused(UserErrorCode::Stale, refusal, "run")]));
            };
            let step: RunStep<'_> = change.step(held.revision, now);
            if let Stepped::Stored { last_cursor, .. } =
                core.store.step_run(workspace, step).await?
            {
                if let Some(cursor) = last_cursor {
                    core.publish(workspace, What::Events(cursor));
                }
                core.recent.invalidate(workspace);
                core.engine.wake();
                tracing::info!(run = %id, run.stopped = stopped, "run changed by a client");
                return Ok(Ok(change.run));
            }
        }
        let message = "the run changes all the time; try again";
        Ok(Err(vec![refused(UserErrorCode::Stale, message, "run")]))
    }
}

impl Core {
    /// Begins a run unless another one goes on.
    pub(super) async fn begin_run(
        &self,
        (kind, dry, approved): (RunKind, bool, bool),
        by: Option<Arc<str>>,
        settings: &SyncSettings,
    ) -> Result<Option<SyncRun>, Error> {
        let workspace = &self.workspace.id;
        let at = self.clock.now();
        let fresh_from = at - self.settings.index_delay;
        let id = new_id(&self.clock);
        let beginning = Begin { id, kind, system: None, dry, approved, at, fresh_from, by };
        let (run, mark, event) = sync::begin(beginning, settings);
        if !self.store.begin_run(workspace, &run, &[mark], &[event]).await? {
            return Ok(None);
        }
        let cursor = self.store.last_cursor(workspace).await?;
        self.publish(workspace, What::Events(cursor));
        self.engine.wake();
        Ok(Some(run))
    }

    /// A run as it is now, with what the store knows of its people.
    pub(super) async fn run(
        &self,
        workspace: &WorkspaceId,
        id: Uuid,
    ) -> Result<Option<SyncRun>, Error> {
        let Some(held) = self.store.run(workspace, id).await? else { return Ok(None) };
        self.as_it_is(workspace, held.run).await.map(Some)
    }

    /// The run that goes on.
    pub(super) async fn current_run(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<Option<SyncRun>, Error> {
        let Some(held) = self.store.open_run(workspace).await? else { return Ok(None) };
        self.as_it_is(workspace, held.run).await.map(Some)
    }

    async fn as_it_is(&self, workspace: &WorkspaceId, mut run: SyncRun) -> Result<SyncRun, Error> {
        if run.state.is_over() {
            return Ok(run);
        }
        if run.is_staged() || run.is_poll() {
            run.tally = self.store.run_people(workspace, run.id).await?.tally;
        }
        let settings = self.store.sync_settings(workspace).await?;
        if settings.state == SyncState::Paused && run.state == RunState::Running {
            run.state = RunState::Paused;
        }
        Ok(run)
    }
}

/// An example of what a run would do, with the person it is about.
#[derive(Clone, Debug)]
pub struct Sample {
    pub person: Option<Arc<Person>>,
    pub sample: RunSample,
}

impl Observer {
    /// A run. No call.
    pub async fn run(&self, id: Uuid) -> Result<Option<SyncRun>, Error> {
        self.core.run(&self.session.requester.workspace, id).await
    }

    /// The run that goes on. No call.
    pub async fn current_run(&self) -> Result<Option<SyncRun>, Error> {
        self.core.current_run(&self.session.requester.workspace).await
    }

    /// Runs, the newest first, of some kinds if they are given. No call.
    pub async fn runs(
        &self,
        before: Option<Uuid>,
        first: u32,
        kinds: Option<&[RunKind]>,
    ) -> Result<Page<SyncRun>, Error> {
        let workspace = &self.session.requester.workspace;
        let mut page = self.core.store.runs(workspace, before, first, kinds).await?;
        for run in &mut page.rows {
            *run = self.core.as_it_is(workspace, run.clone()).await?;
        }
        Ok(page)
    }

    /// What a run would do, once that is known. No call.
    pub async fn run_preview(&self, id: Uuid) -> Result<Option<RunPreview>, Error> {
        let text = self.core.store.run_preview(&self.session.requester.workspace, id).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Examples of what a run would do, of a kind of action if one is given. No call.
    pub async fn run_samples(
        &self,
        preview: &RunPreview,
        kind: Option<ActionKind>,
        first: u32,
    ) -> Result<Vec<Sample>, Error> {
        let reader = self.reader()?;
        let mut samples = Vec::new();
        for sample in preview.samples(kind).take(first as usize) {
            let person = reader.person(sample.contact).await?;
            samples.push(Sample { person, sample: sample.clone() });
        }
        Ok(samples)
    }

    /// A run, now and after each change, until it is over; `None`: there is no such run.
    pub async fn follow_run(
        &self,
        id: Uuid,
    ) -> Result<Option<impl Stream<Item = Result<SyncRun, Error>> + Send + use<>>, Error> {
        let workspace = self.session.requester.workspace.clone();
        let tail = self.core.tails.of(&workspace).await?;
        if self.core.run(&workspace, id).await?.is_none() {
            return Ok(None);
        }
        let core = Arc::clone(&self.core);
        let start = (core, tail, workspace, None::<(i64, SyncRun)>);
        Ok(Some(stream::unfold(Some(start), move |state| async move {
            let (core, tail, workspace, mut before) = state?;
            loop {
                if let Some((seen, run)) = &before {
                    if run.state.is_over() {
                        return None;
                    }
                    tokio::select! {
                        grown = tail.grown(*seen) => if !grown { return None },
                        // Not every step is an event.
                        () = core.clock.sleep(LOOK_AGAIN) => {}
                    }
                    // A burst of events is one look.
                    core.clock.sleep(FRESH).await;
                }
                let seen = tail.last();
                let run = match core.run(&workspace, id).await {
                    Ok(Some(run)) => run,
                    Ok(None) => return None,
                    Err(error) => return Some((Err(error), None)),
                };
                if before.as_ref().is_some_and(|(_, told)| *told == run) {
                    before = Some((seen, run));
                    continue;
                }
                let next = (core, tail, workspace, Some((seen, run.clone())));
                return Some((Ok(run), Some(next)));
            }
        })))
    }
}

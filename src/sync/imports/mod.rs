//! Bulk imports into Doppler: what many reconciles parked is sent together.
//!
//! One row of work a workspace. While writes come in it waits until they are all there ([`pace`]); then
//! it looks at Doppler's pages once more, leaves out who is not as planned or opted out, and sends one
//! import for each list and set of fields ([`group`]), because a column that a row lacks is cleared
//! ([`send`]). It asks for the tasks ever more seldom; what Doppler posts to the callback only makes it
//! ask sooner. When they are over it reads the pages again ([`survey`]), because no row's errors are
//! told, and marks the contacts, whose own reconciles see what came of their writes.
//!
//! Every step is stored before the next: an import and its writes before it is sent, its task when the
//! answer is there. What is found without a task is sent again, which writes the same values.

mod group;
mod pace;
mod rows;
mod send;
mod survey;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use url::Url;

use crate::clock::Clock;
use crate::store::{
    BulkImport, IMPORT, IMPORTS, Lease, Mark, Next, Priority, Record, Store, Version,
};
use crate::tasks::Tasks;
use crate::unified::{ImportState, RunState, Stage, SyncState, WorkspaceId};
use crate::upstream::{self, Call, Crm, Directory, Kind, Mailing, Priority as Urgency};

use super::engine::{LEASE, fault};
use super::error::Failure;
use super::mappings::Mappings;
use super::work::{Handler, Wake};
use super::{Error, backoff};
pub(super) use group::{columns, of_their_own};
use pace::Filling;
pub(super) use pace::{LONGEST, MOST_ROWS};

/// How long one call may take. Shorter than a lease.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often it is looked whether all is there that will be sent together.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(1);

/// How long it is waited at most for a list that is busy.
const SELDOM: Duration = Duration::from_secs(60);
/// How often it is looked whether all is there while an import takes long.
const LOOK_WHILE_SLOW: TimeDelta = TimeDelta::seconds(10);
/// How often it is looked whether sync goes on, or may write.
const LOOK_WHILE_PAUSED: TimeDelta = TimeDelta::seconds(10);

/// Sends imports and sees to their end.
pub struct Imports {
    pub store: Arc<dyn Store>,
    pub mailing: Arc<dyn Mailing>,
    /// Whose credential decides whether anything is written.
    pub crm: Arc<dyn Crm>,
    pub mappings: Mappings,
    pub wake: Wake,
    pub clock: Clock,
    pub tasks: Tasks,
    pub settings: ImportSettings,
}

/// What can be set about it.
#[derive(Clone, Debug)]
pub struct ImportSettings {
    /// How many people in one list and set of fields are worth an import.
    pub least: usize,
    /// How long nothing has to come in before what waits is sent.
    pub quiet: Duration,
    /// Where Doppler is to say that an import is over; the token comes after it.
    pub callback: Option<Url>,
}

/// The work that sends what is parked at a time.
pub(super) fn schedule(now: DateTime<Utc>) -> Mark {
    let (kind, key) = (IMPORT, IMPORTS.to_owned());
    // Also where sync is paused: somebody's edit may wait for the end of an import that was sent before.
    Mark { kind, key, priority: Priority::Client, due: now + LOOK_AGAIN }
}

/// The same work, for whoever heard that an import is over.
pub fn hint(now: DateTime<Utc>) -> Mark {
    Mark { due: now, ..schedule(now) }
}

/// Keeps what an upstream refused for later; anything else ends the turn.
fn later(done: Result<(), Failure>) -> Result<Option<upstream::Error>, Failure> {
    match done {
        Ok(()) => Ok(None),
        Err(Failure::Upstream(error)) => Ok(Some(error)),
        Err(failure @ (Failure::Sync(_) | Failure::Stop)) => Err(failure),
    }
}

#[async_trait]
impl Handler for Imports {
    async fn handle(&self, lease: Lease) -> Result<(), Error> {
        let next = match self.turn(&lease).await {
            Ok(next) => next,
            Err(Failure::Stop) => {
                self.store.give_back(&lease).await?;
                return Ok(());
            }
            Err(Failure::Sync(error)) => return Err(error),
            Err(Failure::Upstream(error)) => {
                // A list may be busy for long, and each look at it reads people again.
                let ever_longer = backoff::after(lease.attempt).min(SELDOM);
                let wait = backoff::until_retry(&error, lease.attempt).max(ever_longer);
                let code = error.kind.code();
                tracing::warn!(error = &error as &dyn std::error::Error, "imports wait");
                Next::Retry { at: self.clock.now() + wait, error: code.to_owned() }
            }
        };
        self.store.record(&lease, Record { next, ..Record::default() }, self.clock.now()).await?;
        Ok(())
    }
}

impl Imports {
    async fn turn(&self, lease: &Lease) -> Result<Next, Failure> {
        let workspace = &lease.workspace;
        let open = self.store.open_imports(workspace).await?;
        if open.is_empty() {
            return self.begin_others(lease, &[]).await;
        }
        let (next, running) = self.follow(lease, open).await?;
        let now = self.clock.now();
        if running.is_empty() || running.iter().any(|one| !pace::is_slow(now - one.begun_at)) {
            return Ok(next);
        }
        // Nobody waits for long for an import of another list.
        match self.begin_others(lease, &running).await? {
            Next::Again(_) => Ok(Next::Again(now + LOOK_WHILE_SLOW)),
            Next::Done | Next::Paused { .. } | Next::Retry { .. } | Next::Dead { .. } => Ok(next),
        }
    }

    /// Sends what waits for lists that no import has which is under way, once it is time.
    async fn begin_others(&self, lease: &Lease, running: &[BulkImport]) -> Result<Next, Failure> {
        let workspace = &lease.workspace;
        let mut waiting = self.store.gathered(workspace).await?;
        let busy: Vec<Option<&str>> = running.iter().map(|one| one.list.as_deref()).collect();
        waiting.retain(|one| !busy.contains(&one.list.as_deref()));
        if waiting.is_empty() {
            return Ok(Next::Done);
        }
        let settings = self.store.sync_settings(workspace).await?;
        if settings.state != SyncState::Running || self.is_read_only() {
            return Ok(Next::Again(self.clock.now() + LOOK_WHILE_PAUSED));
        }
        let mut open_people = self.open_people(workspace).await?;
        for import in running {
            let sent = self.store.in_import(workspace, import.id).await?.len() as u64;
            open_people = open_people.map(|open| open.saturating_sub(sent));
        }
        let now = self.clock.now();
        let filling = Filling { waiting: &waiting, open_people, now, least: self.settings.least };
        if !settings.paused_to_doppler && !filling.is_ripe(self.settings.quiet) {
            return Ok(Next::Again(now + LOOK_AGAIN));
        }
        self.send(lease, (&settings, &busy), filling.is_all()).await
    }

    /// Whether nothing may be written, because HighLevel's credential is known to only read.
    fn is_read_only(&self) -> bool {
        Directory::status(&*self.crm).writing.is_read_only()
    }

    /// How many people of a run that marks nobody any more are not done; `None`: nobody knows.
    async fn open_people(&self, workspace: &WorkspaceId) -> Result<Option<u64>, Failure> {
        let Some(held) = self.store.open_run(workspace).await? else { return Ok(None) };
        if held.run.state != RunState::Running || held.run.stage != Stage::Draining {
            return Ok(None);
        }
        Ok(Some(self.store.run_people(workspace, held.run.id).await?.open))
    }

    /// Sees how far imports are that were sent; with those that are still under way.
    async fn follow(
        &self,
        lease: &Lease,
        mut open: Vec<BulkImport>,
    ) -> Result<(Next, Vec<BulkImport>), Failure> {
        let mut failed = None;
        for import in open.iter_mut().filter(|import| !import.over) {
            let looked = if import.task.is_none() {
                self.send_again(lease, import).await
            } else {
                self.ask(lease, import).await
            };
            // One that cannot be asked for holds up no other.
            failed = failed.or(later(looked)?);
        }
        let now = self.clock.now();
        let running: Vec<DateTime<Utc>> =
            open.iter().filter(|one| !one.over).map(|one| one.begun_at).collect();
        let is_any_over = running.len() < open.len();
        if is_any_over && running.iter().all(|begun| pace::is_slow(now - *begun)) {
            let over: Vec<&BulkImport> = open.iter().filter(|one| one.over).collect();
            self.end(lease, &over).await?;
        }
        if let Some(error) = failed {
            return Err(error.into());
        }
        let latest = running.into_iter().max();
        let next = latest.map_or(now, |begun| now + pace::ask_after(now - begun));
        open.retain(|one| !one.over);
        Ok((Next::Again(next), open))
    }

    /// Asks Doppler how far an import is.
    async fn ask(&self, lease: &Lease, import: &mut BulkImport) -> Result<(), Failure> {
        let Some(task) = import.task.as_deref() else { return Ok(()) };
        fault::point("asked");
        let call = self.call(lease).await?;
        let is_lost = pace::is_lost(self.clock.now() - import.begun_at);
        import.over = match self.mailing.import_task(&call, task).await {
            Ok(task) => task.state != ImportState::Running,
            // What it wrote before it was forgotten is seen all the same.
            Err(error) if error.kind == Kind::NotFound => true,
            Err(error) if !is_lost => return Err(error.into()),
            Err(_) => false,
        };
        if !import.over && is_lost {
            tracing::error!("an import never ended; its people are written one by one");
            import.over = true;
        }
        if import.over && !self.store.put_import(lease, import).await? {
            return Err(Failure::Stop);
        }
        Ok(())
    }

    /// Lets imports end: reads what came of them and marks everybody who was in them.
    async fn end(&self, lease: &Lease, over: &[&BulkImport]) -> Result<(), Failure> {
        let mut people = Vec::new();
        for import in over {
            people.push(self.people(&lease.workspace, import.id).await?);
        }
        let since = self.clock.now();
        let mut versions = self.look_over(lease, &people.concat().into_iter().collect()).await?;
        for (import, keys) in over.iter().zip(people) {
            let times = (since, self.clock.now());
            let seen: Vec<Version> =
                keys.into_iter().filter_map(|key| versions.remove_entry(&key)).collect();
            if !self.store.end_import(lease, import.id, times, &seen).await? {
                return Err(Failure::Stop);
            }
        }
        self.wake.now();
        Ok(())
    }

    /// A call that nobody waits for, once the lease is prolonged.
    async fn call(&self, lease: &Lease) -> Result<Call, Failure> {
        if self.tasks.is_stopping() {
            return Err(Failure::Stop);
        }
        if !self.store.extend(lease, self.clock.now() + LEASE).await? {
            return Err(Failure::Stop);
        }
        let deadline = Instant::now() + PATIENCE;
        Ok(Call { deadline, priority: Urgency::Background, meter: Arc::default() })
    }
}

//! Runs: everybody at once, resumable at every step.
//!
//! A run's row has a revision that every change moves on, so that of two who change it at once, two
//! clients or two gateways, one finds that it is not as it was. Its people are rows of their own, with
//! what became of each.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Copy, Error, Lease, Mark, Page, Priority, Version};
use crate::unified::{
    ContactId, EventDraft, Hold, RunKind, RunOutcome, RunTally, SyncRun, SyncSettings, System,
    WorkspaceId,
};

/// The kind of work that takes a run on. Its key is the run's id.
pub const RUN: &str = "run";

/// How many polls that found somebody are kept, of each system and of those that people began.
pub const POLLS_KEPT: u32 = 50;

/// A run and how often it was changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Revised {
    pub run: SyncRun,
    pub revision: i64,
}

/// A change of a run with all that is stored together with it.
#[derive(Clone, Copy, Debug)]
pub struct RunStep<'a> {
    /// As it is then.
    pub run: &'a SyncRun,
    /// As it was read.
    pub revision: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// The worker's, if a worker makes it.
    pub lease: Option<&'a Lease>,
    pub staged: Option<Staged<'a>>,
    /// Where the poll of a system goes on: of a poll always, of another run if none ever was anywhere.
    pub poll: Option<(System, &'a str)>,
    /// What it would do, as JSON that the store does not look into.
    pub preview: Option<&'a str>,
    pub settings: Option<&'a SyncSettings>,
    /// People who become part of it and are marked.
    pub members: &'a [ContactId],
    /// How urgent they are.
    pub urgency: Priority,
    pub marks: &'a [Mark],
    pub hold: Option<&'a Hold>,
    /// The hold whose question is over with it.
    pub over: Option<Uuid>,
    pub events: &'a [EventDraft],
}

/// A page that a run read.
#[derive(Clone, Copy, Debug)]
pub struct Staged<'a> {
    pub system: System,
    pub seen: &'a [Version],
    pub copies: &'a [Copy],
    /// Hashes of addresses on it that opted out, where nothing else would remember it.
    pub opted_out: &'a [String],
}

/// What became of a change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stepped {
    Stored {
        revision: i64,
        last_cursor: Option<i64>,
    },
    /// It is not as it was, or the lease is lost: nothing was stored.
    Stale,
}

/// How a run's people stand.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RunPeople {
    pub tally: RunTally,
    /// Those without an outcome who have work that goes on.
    pub open: u64,
}

/// How complete a listing was.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Presence {
    /// Links into the system that there were before the run.
    pub links: u64,
    /// Those of them whose record the run did not see.
    pub absent: u64,
    /// Records that the run saw.
    pub seen: u64,
}

impl<'a> RunStep<'a> {
    /// A change of the run itself and of nothing else.
    pub fn new(run: &'a SyncRun, revision: i64, at: DateTime<Utc>) -> Self {
        Self {
            run,
            revision,
            at,
            lease: None,
            staged: None,
            poll: None,
            preview: None,
            settings: None,
            members: &[],
            urgency: Priority::Backfill,
            marks: &[],
            hold: None,
            over: None,
            events: &[],
        }
    }
}

/// Runs.
#[async_trait]
pub trait Runs: Send + Sync {
    /// Begins a run and marks its work; `false`: another one is not over, and nothing was stored. A
    /// poll that came by itself is in the way of those of its own system only.
    async fn begin_run(
        &self,
        workspace: &WorkspaceId,
        run: &SyncRun,
        marks: &[Mark],
        events: &[EventDraft],
    ) -> Result<bool, Error>;

    /// A run.
    async fn run(&self, workspace: &WorkspaceId, id: Uuid) -> Result<Option<Revised>, Error>;

    /// The one that is not over and did not come by itself.
    async fn open_run(&self, workspace: &WorkspaceId) -> Result<Option<Revised>, Error>;

    /// The poll of a system that came by itself and is not over.
    async fn open_poll(
        &self,
        workspace: &WorkspaceId,
        system: System,
    ) -> Result<Option<Revised>, Error>;

    /// Runs, the newest first, older than the one with this id; of some kinds if they are given.
    async fn runs(
        &self,
        workspace: &WorkspaceId,
        before: Option<Uuid>,
        first: u32,
        kinds: Option<&[RunKind]>,
    ) -> Result<Page<SyncRun>, Error>;

    /// What a run would do, as it was stored.
    async fn run_preview(&self, workspace: &WorkspaceId, id: Uuid)
    -> Result<Option<String>, Error>;

    /// Changes a run, all of it or nothing. One that is over then forgets who was part of it. A poll that
    /// is over takes with it those before it that found nobody, and of the others all but [`POLLS_KEPT`].
    async fn step_run(&self, workspace: &WorkspaceId, step: RunStep<'_>) -> Result<Stepped, Error>;

    /// How a run's people stand; where counting takes long, as they stood up to ten seconds ago.
    async fn run_people(&self, workspace: &WorkspaceId, id: Uuid) -> Result<RunPeople, Error>;

    /// Whether a run's listing of a system showed a record.
    async fn was_listed(
        &self,
        workspace: &WorkspaceId,
        run: Uuid,
        record: (System, &str),
    ) -> Result<bool, Error>;

    /// How much of what is linked the run's listing of a system showed.
    async fn presence(
        &self,
        workspace: &WorkspaceId,
        run: &SyncRun,
        system: System,
    ) -> Result<Presence, Error>;

    /// People of the workspace in the order of their ids, after one.
    async fn everybody(
        &self,
        workspace: &WorkspaceId,
        after: Option<ContactId>,
        limit: u32,
    ) -> Result<Vec<ContactId>, Error>;

    /// People of the workspace who are no part of a run, in the order of their ids after one; those with a
    /// record in a system if one is named.
    async fn not_in_run(
        &self,
        workspace: &WorkspaceId,
        run: Uuid,
        from: (Option<System>, Option<ContactId>),
        limit: u32,
    ) -> Result<Vec<ContactId>, Error>;
}

/// The word of an outcome in the store.
pub(super) const fn word(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Created => "CREATED",
        RunOutcome::Updated => "UPDATED",
        RunOutcome::Unchanged => "UNCHANGED",
        RunOutcome::Held => "HELD",
        RunOutcome::Failed => "FAILED",
    }
}

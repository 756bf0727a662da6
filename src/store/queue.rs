//! Work: keys that are not yet reconciled. Level-triggered: marks coalesce, and what was marked
//! while it was worked on is worked on again.
//!
//! Each row counts its marks (`gen`) and up to which of them it is done. A worker holds a row by a
//! lease with a token of its own; whoever comes back after the lease went to somebody else finds
//! its token gone, and whatever it wants to store is refused. Schedules are rows that are marked
//! again for later when they are done ([`Next::Again`]).
//!
//! Time is the caller's: leases of different processes are compared by their own clocks, so these
//! may differ by less than a lease is longer than the longest call.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Error;
use crate::unified::{ContactId, SyncSettings, WorkspaceId};

/// The kind of work whose key is a contact's id: it is moved by merges.
pub const CONTACT: &str = "contact";

/// Which work comes first. Within one priority, workspaces take turns.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Priority {
    /// It carries out a client's edit, or keeps the gateway going (tokens): also where the
    /// workspace's sync is not running.
    Client,
    /// Something changed.
    #[default]
    Live,
    /// A first run or a full comparison.
    Backfill,
}

/// Work to be done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mark {
    pub kind: &'static str,
    pub key: String,
    pub priority: Priority,
    /// Not before.
    pub due: DateTime<Utc>,
}

impl Mark {
    /// A contact is to be reconciled.
    pub fn contact(id: ContactId, priority: Priority, due: DateTime<Utc>) -> Self {
        Self { kind: CONTACT, key: id.to_string(), priority, due }
    }
}

/// How many claims count at most of a row whose workers said when to try again: fewer than
/// [`Claim::most_attempts`], so that a system which is away for long leaves nobody given up. Who is to be
/// given up after so many failures is whose work it is to say ([`Next::Dead`]).
pub const MOST_RETRIES: u32 = 20;

/// The right to work on a key until somebody else takes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    pub workspace: WorkspaceId,
    pub kind: &'static str,
    pub key: String,
    pub token: Uuid,
    /// Up to which mark this run covers, if it reads everything from now on.
    pub generation: i64,
    /// Counts from 1; raised by each claim until a run succeeds.
    pub attempt: u32,
    pub priority: Priority,
}

/// What a worker asks for.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    pub kinds: &'a [&'static str],
    /// New for every claim.
    pub token: Uuid,
    pub now: DateTime<Utc>,
    /// Until when the leases are valid.
    pub until: DateTime<Utc>,
    pub limit: u32,
    /// Which workspaces may get work, and how much of it; `None`: all of them, as much as there is.
    pub rooms: Option<&'a HashMap<WorkspaceId, u32>>,
    /// A row that was claimed more often without a word from its worker is dead: it may be what kills
    /// the workers.
    pub most_attempts: u32,
}

/// What a client that waits asks for.
#[derive(Clone, Copy, Debug)]
pub struct ClaimKey<'a> {
    pub kind: &'static str,
    pub key: &'a str,
    /// New for every claim.
    pub token: Uuid,
    pub now: DateTime<Utc>,
    /// Until when the lease is valid.
    pub until: DateTime<Utc>,
}

/// What a worker got.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Claimed {
    pub leases: Vec<Lease>,
    /// Keys that were given up, as (workspace, kind, key); the history of contacts says so.
    pub dead: Vec<(WorkspaceId, &'static str, String)>,
}

/// What became of claiming one key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ClaimOne {
    Claimed(Lease),
    /// Somebody works on it, at the latest until then.
    Busy {
        until: DateTime<Utc>,
    },
    /// It is not marked.
    Idle,
}

/// What becomes of work after a run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Next {
    /// Done up to the mark that was read; later marks stay.
    #[default]
    Done,
    /// Done, and marked again for then.
    Again(DateTime<Utc>),
    /// Done, and marked again for then, because something is paused by these settings. At once where they
    /// have changed since: whoever resumed could not see the work wait.
    Paused { until: DateTime<Utc>, by: SyncSettings },
    /// Not done: not before then. The error is for operators: no personal data.
    Retry { at: DateTime<Utc>, error: String },
    /// Not done and given up: only a person or a new mark starts it again.
    Dead { error: String },
}

/// How much work a workspace has.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Backlog {
    /// Marked and not done, those in `leased` included, those in `dead` not.
    pub open: u64,
    pub leased: u64,
    pub dead: u64,
    /// When the longest-waiting of the open ones was due.
    pub oldest_due: Option<DateTime<Utc>>,
}

/// The work table.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Marks work. A backoff that runs is not cut short; dead work lives again.
    async fn mark(&self, workspace: &WorkspaceId, marks: &[Mark]) -> Result<(), Error>;

    /// Brings forward what was put off without having failed; how many.
    async fn hasten(
        &self,
        workspace: &WorkspaceId,
        kind: &'static str,
        now: DateTime<Utc>,
    ) -> Result<u64, Error>;

    /// Puts off until `until` what is due at `now`, has not failed and nobody works on; how many. Whoever
    /// waits for the same reason as the others need not be looked at one by one.
    async fn put_off(
        &self,
        workspace: &WorkspaceId,
        kind: &'static str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<u64, Error>;

    /// Leases due work of all workspaces, the most urgent priority first, workspaces in turns.
    async fn claim(&self, claim: &Claim<'_>) -> Result<Claimed, Error>;

    /// Leases one key, due or not, for a client that waits.
    async fn claim_one(
        &self,
        workspace: &WorkspaceId,
        wanted: ClaimKey<'_>,
    ) -> Result<ClaimOne, Error>;

    /// Prolongs a lease; `false`: it is lost.
    async fn extend(&self, lease: &Lease, until: DateTime<Utc>) -> Result<bool, Error>;

    /// Ends a lease as if it had never been claimed; `false`: it is lost.
    async fn give_back(&self, lease: &Lease) -> Result<bool, Error>;

    /// When the next work of these kinds can be claimed; may be past.
    async fn next_due(&self, kinds: &[&'static str]) -> Result<Option<DateTime<Utc>>, Error>;

    /// How much work of a kind a workspace has.
    async fn backlog(&self, workspace: &WorkspaceId, kind: &str) -> Result<Backlog, Error>;
}

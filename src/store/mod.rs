//! What Tandem remembers: which workspaces there are ([`Workspaces`]), who is who ([`People`]), last known copies ([`Copies`]), the index
//! of contacts that is made of both ([`Index`]), what clients asked
//! for and what is agreed ([`Ledger`], [`Idempotency`]), work to be done ([`Queue`]), what systems sent
//! ([`Inbox`]) and how far they were looked through ([`Polls`], [`Runs`]),
//! what people did with their mails ([`Engagements`]), what is sent to Doppler together ([`Imports`]),
//! what waits for somebody ([`Problems`]), what happened ([`History`]), how it is set up ([`Settings`]),
//! sealed credentials ([`Secrets`]), who was erased ([`Erasures`]), and the call budgets that several gateways share ([`Budgets`]).
//!
//! [`Store`] is the contract, one trait a topic. `sql` implements it once, in SQL that SQLite and
//! PostgreSQL both understand; `sqlite` and `postgres` open their databases and hold their
//! migrations. Both pass the same conformance suite.
//!
//! To add something to remember: a migration in both folders (applied ones are never edited), a
//! method in its topic's trait with its promise, its statements in `sql`, a case in `conformance`; where it
//! says anything of a person, what an erasure does about it (`sql::erase`).

mod budgets;
#[cfg(test)]
pub(crate) mod conformance;
mod copies;
mod engagement;
mod erasures;
mod error;
mod history;
mod idempotency;
mod imports;
mod inbox;
mod index;
mod ledger;
mod open;
mod people;
mod polls;
#[cfg(feature = "postgres")]
pub mod postgres;
mod problems;
mod queue;
mod runs;
mod secrets;
mod settings;
mod sql;
pub mod sqlite;
mod workspaces;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use budgets::Budgets;
pub use copies::{CONTACT_COPY, Copies, Copy, CopyKey, OPT_OUT_COPY, SUBSCRIBER_COPY};
pub use engagement::{ENGAGEMENT, Engaged, Engagements, ROUND, Reading};
pub use erasures::{ERASURE_KEY_BYTES, Erasure, ErasureKey, Erasures, Trace};
pub use error::Error;
pub use history::{EventFilter, Events, History, Span};
pub use idempotency::{Attempt, Begun, Idempotency};
pub use imports::{BulkImport, IMPORT, IMPORTS, Imports, Parked, ParkedState, Waiting};
pub use inbox::{Arrival, INBOX, Inbox, LookedAt};
pub use index::{Index, Place, Search};
pub use ledger::{
    Accept, Accepted, AgreementChange, EditOutcome, Intended, Ledger, Record, Recorded, Sheet,
};
pub use open::open;
pub use people::{Known, People, Reserved, Workspace};
pub use polls::{POLL, Polls, Version};
pub use problems::{
    Decided, FailureFilter, FailureKey, Failures, HoldFilter, Page, Problems, Resolution, Resolved,
};
pub use queue::{
    Backlog, CONTACT, Claim, ClaimKey, ClaimOne, Claimed, Lease, MOST_RETRIES, Mark, Next,
    Priority, Queue,
};
pub use runs::{POLLS_KEPT, Presence, RUN, Revised, RunPeople, RunStep, Runs, Staged, Stepped};
pub use secrets::{Kept, Owner, Placed, Sealed, Secrets, StoredInstall, StoredSecret, Turn};
pub use settings::{Counts, Put, Settings, StoredMapping};
use sql::SqlStore;
pub use workspaces::Workspaces;

pub use crate::unified::{Link, Sighting};

/// How long things are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retention {
    /// Events older than this are forgotten.
    pub events_before: DateTime<Utc>,
    /// Edits done before this are forgotten with what they said; never younger than a day.
    pub bodies_before: DateTime<Utc>,
}

/// The store. Every method is one transaction, durable when it returns, and touches rows of the
/// given workspace only; [`Queue::claim`] and [`Store::prune`] go through all of them.
#[async_trait]
pub trait Store:
    People
    + Copies
    + Engagements
    + Erasures
    + Idempotency
    + Imports
    + Inbox
    + Index
    + Ledger
    + Polls
    + Queue
    + Runs
    + Problems
    + History
    + Settings
    + Secrets
    + Budgets
    + Workspaces
{
    /// Forgets idempotency rows older than 24 hours, arrivals that were looked at (their words after 7
    /// days, their ids after 31) and what the retention says; how many rows.
    async fn prune(&self, now: DateTime<Utc>, retention: Retention) -> Result<u64, Error>;

    /// Ends when the store answers a trivial query.
    async fn ping(&self) -> Result<(), Error>;

    /// Writes everything out and closes the files or connections.
    async fn close(&self);
}

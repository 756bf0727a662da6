//! What Tandem remembers: workspaces, who is who ([`Link`]), last known copies, and the outcomes
//! of idempotent mutations.
//!
//! [`Store`] is the contract; each database implements it in a module of its own and passes the
//! same conformance suite. To add something to remember: a migration in every implementation's
//! folder, a method here with its promise, and a case in the suite.

#[cfg(test)]
mod conformance;
mod error;
mod idempotency;
mod link;
pub mod sqlite;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use error::Error;
pub use idempotency::{Attempt, Begun};
pub use link::Known;

use crate::unified::{ContactId, System, WorkspaceId};
pub use crate::unified::{Link, Sighting};

/// A workspace's row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub name: String,
    pub created_at: DateTime<Utc>,
}

/// What a system said when it was last read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Copy {
    pub key: CopyKey,
    /// JSON of the neutral model; `None` when the system said that there is no such thing.
    pub body: Option<String>,
    pub fetched_at: DateTime<Utc>,
}

/// Which thing a copy is of.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CopyKey {
    pub system: System,
    /// `contact`, `subscriber`, `notes`, `tasks`, …
    pub kind: &'static str,
    /// The system's own key of it.
    pub key: String,
}

/// The store. Every method is one transaction, durable when it returns, and touches rows of the
/// given workspace only.
#[async_trait]
pub trait Store: Send + Sync {
    /// The workspace with this id, made if it does not exist yet.
    async fn workspace(
        &self,
        id: &WorkspaceId,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<Workspace, Error>;

    /// Who people are whom a system shows, in the order given, with all their links: found by
    /// link, else joined to a known person by the identity ladder (`unified::identity`), else
    /// newly minted from `now`. Also refreshes the stored e-mail address and phone number of each
    /// link.
    ///
    /// When a sighting proves that two known contacts are one person, the older survives and the
    /// other id answers it from then on.
    async fn recognize(
        &self,
        workspace: &WorkspaceId,
        sightings: &[Sighting],
        now: DateTime<Utc>,
    ) -> Result<Vec<Known>, Error>;

    /// The contact behind an id (the survivor after a merge) and its links.
    async fn contact(&self, workspace: &WorkspaceId, id: ContactId)
    -> Result<Option<Known>, Error>;

    /// Every contact known under a normalised e-mail address, oldest first.
    async fn contacts_by_email(
        &self,
        workspace: &WorkspaceId,
        email: &str,
    ) -> Result<Vec<ContactId>, Error>;

    /// Every contact known under an E.164 phone number, oldest first.
    async fn contacts_by_phone(
        &self,
        workspace: &WorkspaceId,
        phone: &str,
    ) -> Result<Vec<ContactId>, Error>;

    /// Remembers copies; an older one (by `fetched_at`) never replaces a newer one.
    async fn put_copies(&self, workspace: &WorkspaceId, copies: &[Copy]) -> Result<(), Error>;

    /// The copies of those keys that are known, in no order.
    async fn copies(&self, workspace: &WorkspaceId, keys: &[CopyKey]) -> Result<Vec<Copy>, Error>;

    /// When each campaign's delivery to a contact was first seen, in the order given; those never
    /// seen before are remembered as seen `now`.
    async fn deliveries_seen(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        campaigns: &[String],
        now: DateTime<Utc>,
    ) -> Result<Vec<DateTime<Utc>>, Error>;

    /// Claims an idempotency key for 24 hours, or says what became of its first use. A claim left
    /// open longer than `lease_seconds` (its process died) can be claimed again:
    /// [`Begun::Unfinished`].
    async fn begin(
        &self,
        workspace: &WorkspaceId,
        attempt: &Attempt,
        now: DateTime<Utc>,
        lease_seconds: u32,
    ) -> Result<Begun, Error>;

    /// Stores the outcome of a claimed attempt.
    async fn finish(
        &self,
        workspace: &WorkspaceId,
        attempt: &Attempt,
        outcome: &str,
    ) -> Result<(), Error>;

    /// Gives a claim back: the attempt had no effect (bad input, or the system refused it).
    async fn abandon(&self, workspace: &WorkspaceId, attempt: &Attempt) -> Result<(), Error>;

    /// Ends a claim without an outcome: whether the attempt took effect is unknown. The next claim
    /// of the key gets [`Begun::Unfinished`] at once.
    async fn doubt(&self, workspace: &WorkspaceId, attempt: &Attempt) -> Result<(), Error>;

    /// Forgets idempotency rows older than 24 hours; how many.
    async fn prune(&self, now: DateTime<Utc>) -> Result<u64, Error>;

    /// Ends when the store answers a trivial query.
    async fn ping(&self) -> Result<(), Error>;

    /// Writes everything out and closes the files.
    async fn close(&self);
}

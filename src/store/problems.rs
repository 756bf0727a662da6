//! What waits for a person or for a system: holds and failures.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Error, RunStep};
use crate::unified::{
    ContactId, EventDraft, Failure, Hold, HoldDecision, HoldKind, System, WorkspaceId,
};

/// A resolved hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decided {
    pub hold: Hold,
    pub decision: HoldDecision,
    /// Whether it was carried out, or is about another contact, so that it stands only for like
    /// questions to come.
    pub remembered: bool,
}

/// A decision about a hold, and what is stored together with it.
#[derive(Clone, Copy, Debug)]
pub struct Resolution<'a> {
    pub decision: &'a HoldDecision,
    pub event: &'a EventDraft,
    /// What becomes of the run that it stopped.
    pub run: Option<RunStep<'a>>,
}

/// What became of resolving a hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Resolved {
    /// It is closed and everybody it is about is marked.
    Now(Hold),
    /// Somebody resolved it before, or its question is gone.
    Before(Hold),
    /// The run is not as it was: nothing was stored.
    Stale,
    Unknown,
}

/// Conditions on a listing of holds; all given ones must hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HoldFilter {
    pub kinds: Option<Vec<HoldKind>>,
    pub contact: Option<ContactId>,
}

/// Conditions on a listing of failures; all given ones must hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FailureFilter {
    pub systems: Option<Vec<System>>,
    pub codes: Option<Vec<String>>,
    pub contact: Option<ContactId>,
    pub dead: Option<bool>,
}

/// Which failure: there is at most one a contact and system.
pub type FailureKey = (ContactId, System);

/// Which failures.
#[derive(Clone, Debug)]
pub enum Failures<'a> {
    These(&'a [FailureKey]),
    All(&'a FailureFilter),
}

/// A part of a listing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// Whether more follow.
    pub more: bool,
}

/// Holds and failures.
#[async_trait]
pub trait Problems: Send + Sync {
    /// Open holds, the oldest first, after the one with this id.
    async fn holds(
        &self,
        workspace: &WorkspaceId,
        filter: &HoldFilter,
        after: Option<Uuid>,
        first: u32,
    ) -> Result<Page<Hold>, Error>;

    /// A hold, open or not.
    async fn hold(&self, workspace: &WorkspaceId, id: Uuid) -> Result<Option<Hold>, Error>;

    /// Opens a hold that is not about one contact (a run's), or changes it.
    async fn open_hold(
        &self,
        workspace: &WorkspaceId,
        hold: &Hold,
        event: &EventDraft,
    ) -> Result<(), Error>;

    /// Closes a hold with a decision, marks everybody it is about and appends the event. One that is
    /// to be remembered is on everybody's sheet from then on. The run that it stopped goes on or ends in
    /// the same transaction.
    async fn resolve(
        &self,
        workspace: &WorkspaceId,
        id: Uuid,
        resolution: Resolution<'_>,
    ) -> Result<Resolved, Error>;

    /// Failures in the order of their contacts' ids, after the one with this key.
    async fn failures(
        &self,
        workspace: &WorkspaceId,
        filter: &FailureFilter,
        after: Option<FailureKey>,
        first: u32,
    ) -> Result<Page<Failure>, Error>;

    /// One contact's failure in one system.
    async fn failure(
        &self,
        workspace: &WorkspaceId,
        key: FailureKey,
    ) -> Result<Option<Failure>, Error>;

    /// Ends the backoff of failures and marks their contacts; those that there were.
    async fn retry(
        &self,
        workspace: &WorkspaceId,
        which: Failures<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<FailureKey>, Error>;

    /// Forgets a failure, gives up what was to be written to its system and appends the event; what
    /// it was, if there was one. The contact is due at once unless another failure holds it up: what
    /// changed meanwhile waited for the same backoff. A run that is under way makes no call any more that it planned
    /// before; one that it is making is finished.
    async fn discard(
        &self,
        workspace: &WorkspaceId,
        key: FailureKey,
        event: &EventDraft,
        now: DateTime<Utc>,
    ) -> Result<Option<Failure>, Error>;
}

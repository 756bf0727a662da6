//! Bulk imports: writes that wait to be sent together, and what was sent.
//!
//! A reconcile parks a write in its record ([`super::Record::parked`]); whoever sends imports gathers
//! what waits, binds it to an import before that is sent, and lets it end when it is known that
//! whatever came of it can be read. The contact's own reconcile takes it from there.
//!
//! A write that waits can be taken out as long as no import has it: both are one statement on its row,
//! so one of the two gets it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Error, Lease, Version};
use crate::unified::{ContactId, SubscriberEdit, WorkspaceId};

/// The kind of work that sends imports and sees to their end. Its only key is [`IMPORTS`].
pub const IMPORT: &str = "import";
/// See [`IMPORT`].
pub const IMPORTS: &str = "doppler";

/// A write that is sent with others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parked {
    /// Made when it was parked.
    pub id: Uuid,
    pub contact: ContactId,
    /// The list through which it is written; `None`: the account.
    pub list: Option<String>,
    pub edit: SubscriberEdit,
    pub state: ParkedState,
    /// What its reconcile has to know again, as JSON that the store does not look into.
    pub body: String,
}

/// How far a parked write is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ParkedState {
    /// No import has it.
    Waiting,
    /// An import has it that is not over, or of which nobody knows whether it was sent.
    Sent,
    /// Its import is over: who was read at or after that time shows what came of it.
    Ended { since: DateTime<Utc> },
    /// It was left out of an import: it is better written alone.
    Singly,
}

/// An import that was sent, or is about to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BulkImport {
    pub id: Uuid,
    /// `None`: the account.
    pub list: Option<String>,
    /// What names it to whoever says that it is over. Nobody can guess it.
    pub token: String,
    /// Doppler's id of it, once it is known.
    pub task: Option<String>,
    /// Whether Doppler is done with it.
    pub over: bool,
    pub begun_at: DateTime<Utc>,
}

/// How much waits for one list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Waiting {
    /// `None`: the account.
    pub list: Option<String>,
    pub count: u64,
    /// When the first of them was parked.
    pub oldest: DateTime<Utc>,
    /// When the last of them was.
    pub newest: DateTime<Utc>,
}

/// Imports. What a worker changes is fenced by its lease; `false` or `None`: the lease is lost, and
/// nothing was changed.
#[async_trait]
pub trait Imports: Send + Sync {
    /// A contact's parked writes, the oldest first.
    async fn parked(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
    ) -> Result<Vec<Parked>, Error>;

    /// Takes out those of the lease's contact that no import has.
    async fn unpark(&self, lease: &Lease) -> Result<bool, Error>;

    /// How many no import has, each list by itself.
    async fn gathered(&self, workspace: &WorkspaceId) -> Result<Vec<Waiting>, Error>;

    /// Those that no import has, the oldest first.
    async fn waiting_for_import(
        &self,
        workspace: &WorkspaceId,
        limit: u32,
    ) -> Result<Vec<Uuid>, Error>;

    /// Writes by their ids, the oldest first; who is not there any more is left out.
    async fn parked_writes(
        &self,
        workspace: &WorkspaceId,
        ids: &[Uuid],
    ) -> Result<Vec<Parked>, Error>;

    /// Imports that did not end, the oldest first.
    async fn open_imports(&self, workspace: &WorkspaceId) -> Result<Vec<BulkImport>, Error>;

    /// What an import has, in the order of their ids.
    async fn in_import(&self, workspace: &WorkspaceId, import: Uuid) -> Result<Vec<Uuid>, Error>;

    /// Stores a new import and binds writes to it; which of them were still waiting, in order.
    async fn begin_import(
        &self,
        lease: &Lease,
        import: &BulkImport,
        rows: &[Uuid],
    ) -> Result<Option<Vec<Uuid>>, Error>;

    /// Remembers the task of an import, when it was sent and whether it is over.
    async fn put_import(&self, lease: &Lease, import: &BulkImport) -> Result<bool, Error>;

    /// Takes back an import that Doppler certainly does not have: its writes wait again.
    async fn take_back_import(&self, lease: &Lease, import: Uuid) -> Result<bool, Error>;

    /// Leaves writes out of any import and marks their contacts.
    async fn release(
        &self,
        lease: &Lease,
        rows: &[Uuid],
        now: DateTime<Utc>,
    ) -> Result<bool, Error>;

    /// Forgets an import that is over; its writes are ended and their contacts marked. `seen` are the
    /// versions of their subscribers that were read since: whoever settles the writes looks at them, so a
    /// poll need not show them again.
    async fn end_import(
        &self,
        lease: &Lease,
        import: Uuid,
        (since, now): (DateTime<Utc>, DateTime<Utc>),
        seen: &[Version],
    ) -> Result<bool, Error>;

    /// Which of these contacts have a write in an import that did not end.
    async fn being_imported(
        &self,
        workspace: &WorkspaceId,
        contacts: &[ContactId],
    ) -> Result<BTreeSet<ContactId>, Error>;

    /// Whose an import is that did not end, by its token.
    async fn import_named(&self, token: &str) -> Result<Option<WorkspaceId>, Error>;
}

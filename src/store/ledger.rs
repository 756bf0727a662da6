//! The ledger of a contact: what was asked for, what is agreed, what is being sent.
//!
//! A reconcile is [`Ledger::sheet`], calls with [`Ledger::intend`] before each that changes
//! something, and one [`Ledger::record`]. The last two are fenced by the lease: a worker that lost
//! its lease changes nothing any more.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Attempt, Decided, Error, Known, Lease, Mark, Next, Parked, Version};
use crate::unified::{
    Agreement, Base, Canon, ContactId, Edit, EditId, EventDraft, Failure, Hold, PendingWrite,
    RunOutcome, Sighting, System, SystemWrite, UserError, WorkspaceId,
};

/// All that is stored about one contact's sync, as of one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    pub known: Known,
    /// Keys of subscribers whom the contact was before a rename or a merge.
    pub former: Vec<String>,
    pub agreement: Agreement,
    /// Edits that are not done, the oldest first.
    pub edits: Vec<Edit>,
    /// Writes whose outcome is unknown, the oldest first.
    pub pending: Vec<PendingWrite>,
    /// Open holds that are about the contact, the oldest first.
    pub holds: Vec<Hold>,
    /// Decisions that were not carried out yet, and those to be remembered, the oldest first.
    pub decisions: Vec<Decided>,
    /// At most one a system.
    pub failures: Vec<Failure>,
}

/// An edit to be accepted.
#[derive(Clone, Copy, Debug)]
pub struct Accept<'a> {
    pub edit: &'a Edit,
    /// What the history says of it.
    pub events: &'a [EventDraft],
    /// The claimed idempotency key, if the client gave one.
    pub attempt: Option<&'a Attempt>,
}

/// What became of accepting an edit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Accepted {
    /// It is stored and its contact is marked: the one it was made for, or who survived a merge.
    Stored { contact: ContactId, last_cursor: Option<i64> },
    /// The claim of the key had lapsed and another use of it came first; nothing was stored.
    Before(EditId),
    /// The contact was erased by then; nothing was stored.
    Erased,
}

/// Fields of an agreement that change; `None` takes the field away.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgreementChange {
    pub canon: BTreeMap<String, Option<Canon>>,
    pub doppler: BTreeMap<String, Option<Base>>,
    pub highlevel: BTreeMap<String, Option<Base>>,
}

impl AgreementChange {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.canon.is_empty() && self.doppler.is_empty() && self.highlevel.is_empty()
    }

    /// Makes the changes.
    pub fn apply(self, agreement: &mut Agreement) {
        fn apply<V>(changes: BTreeMap<String, Option<V>>, to: &mut BTreeMap<String, V>) {
            for (field, value) in changes {
                match value {
                    Some(value) => to.insert(field, value),
                    None => to.remove(&field),
                };
            }
        }
        apply(self.canon, &mut agreement.canon);
        apply(self.doppler, &mut agreement.doppler);
        apply(self.highlevel, &mut agreement.highlevel);
    }
}

/// What became of an edit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EditOutcome {
    pub edit: EditId,
    /// One entry a system it concerns; it is done when none is queued.
    pub writes: Vec<SystemWrite>,
    /// The id of the note or task that it wrote, once there is one.
    pub result: Option<String>,
    /// What is wrong with what it asked for, as it turned out.
    pub errors: Vec<UserError>,
}

/// What a run found out and did. Those parts that are about a contact are about the lease's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    pub agreement: AgreementChange,
    /// Links that are no more, as (system, key). Taken away before `links` are added.
    pub unlinked: Vec<(System, String)>,
    /// Links that are new or whose address or number is: what the system showed.
    pub links: Vec<Sighting>,
    /// Pending writes whose outcome is known.
    pub closed: Vec<Uuid>,
    /// Writes that wait for an import from now on.
    pub parked: Vec<Parked>,
    /// Parked writes of which nothing is left to be seen to.
    pub unparked: Vec<Uuid>,
    pub edits: Vec<EditOutcome>,
    /// Opened, or changed if their id is known.
    pub holds: Vec<Hold>,
    /// Holds whose question is gone.
    pub dropped: Vec<Uuid>,
    /// Resolved holds whose decision was carried out.
    pub obeyed: Vec<Uuid>,
    /// Replaces what is said of each one's system.
    pub failures: Vec<Failure>,
    /// Systems in which nothing stands against the contact any more.
    pub cleared: Vec<System>,
    /// What the run knew of writes that were given up: a failure in a system in which more was given
    /// up since is not kept.
    pub given_up: BTreeMap<System, DateTime<Utc>>,
    /// Hashes of addresses, and whether whoever has them opted out.
    pub suppression: Option<(Vec<String>, bool)>,
    /// In which versions polls need not show records again, because the run left them so.
    pub seen: Vec<(System, Version)>,
    /// Other work that the run found.
    pub marks: Vec<Mark>,
    pub events: Vec<EventDraft>,
    /// What became of the contact, for the run that it is part of; `None`: not known yet.
    pub outcome: Option<RunOutcome>,
    /// What becomes of the work.
    pub next: Next,
}

/// What became of remembering a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Intended {
    Stored,
    /// The lease is somebody else's by now: do not make it.
    Lost,
    /// It was given up since the sheet was read: do not make it.
    GivenUp,
}

/// What became of a record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Recorded {
    Stored {
        /// The cursor of its last event.
        last_cursor: Option<i64>,
        /// Links that were not made because the record is somebody else's, and the two are not
        /// one person. Their contact.
        refused: Vec<(Sighting, ContactId)>,
    },
    /// The lease was somebody else's by then: nothing was stored.
    Lost,
}

/// The ledger.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// All that is stored about the contact behind an id (the survivor after a merge).
    async fn sheet(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
    ) -> Result<Option<Sheet>, Error>;

    /// Stores an edit, marks its contact with the priority of a client's edit, appends the events
    /// and ties the idempotency key to the edit.
    ///
    /// The contact must exist. Events without a cursor of their own get one here.
    async fn accept(
        &self,
        workspace: &WorkspaceId,
        accept: Accept<'_>,
        now: DateTime<Utc>,
    ) -> Result<Accepted, Error>;

    /// An edit and what became of it so far, kept for at least a day after it was done.
    async fn edit(&self, workspace: &WorkspaceId, id: EditId) -> Result<Option<Edit>, Error>;

    /// Remembers a call that is about to be made, unless it is not to be. `given_up`: what the sheet
    /// said of the write's system.
    async fn intend(
        &self,
        lease: &Lease,
        write: &PendingWrite,
        given_up: Option<DateTime<Utc>>,
    ) -> Result<Intended, Error>;

    /// Whether one of these hashes of addresses is remembered as opted out.
    async fn suppressed(&self, workspace: &WorkspaceId, hashes: &[String]) -> Result<bool, Error>;

    /// Stores what a run found out, all of it or nothing. What became final of an edit meanwhile is
    /// not queued again.
    async fn record(
        &self,
        lease: &Lease,
        record: Record,
        now: DateTime<Utc>,
    ) -> Result<Recorded, Error>;
}

//! Parked writes as whoever sends them needs them. They are read a few at a time, and what only their own
//! reconciles have to know again is left in the store: an import's worth of them takes little memory.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::Parked;
use crate::sync::engine::Slip;
use crate::unified::{SubscriberEdit, SyncSettings, WorkspaceId, subscriber_key};

use super::{Failure, Imports};

/// How many are read at a time.
const AT_ONCE: usize = 200;

/// A write that waits for its import.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub id: Uuid,
    /// `None`: the account.
    pub list: Option<String>,
    pub edit: SubscriberEdit,
    /// `None`: another version of the program parked it.
    pub planned: Option<Planned>,
}

/// By what a write was planned.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Planned {
    /// What the subscriber looked like; `None`: there was none.
    pub before: Option<String>,
    /// When that was so.
    pub read_at: DateTime<Utc>,
    /// By which mapping: see [`rules`](crate::sync::engine::rules).
    pub rules: String,
    /// Whether something of it is not to go to Doppler now.
    pub is_paused: bool,
}

impl Row {
    fn of(parked: Parked, settings: &SyncSettings) -> Self {
        let planned = Slip::of(&parked).map(|slip| Planned {
            is_paused: slip.is_paused(settings),
            before: slip.before,
            rules: slip.rules,
            read_at: slip.read_at,
        });
        let Parked { id, list, edit, .. } = parked;
        Self { id, list, edit, planned }
    }

    pub fn is_paused(&self) -> bool {
        self.planned.as_ref().is_some_and(|planned| planned.is_paused)
    }
}

impl Imports {
    /// Parked writes in the order of their ids.
    pub(super) async fn rows(
        &self,
        workspace: &WorkspaceId,
        ids: &[Uuid],
        settings: &SyncSettings,
    ) -> Result<Vec<Row>, Failure> {
        let mut rows = Vec::with_capacity(ids.len());
        for ids in ids.chunks(AT_ONCE) {
            let read = self.store.parked_writes(workspace, ids).await?;
            rows.extend(read.into_iter().map(|parked| Row::of(parked, settings)));
        }
        Ok(rows)
    }

    /// The keys of an import's subscribers.
    pub(super) async fn people(
        &self,
        workspace: &WorkspaceId,
        import: Uuid,
    ) -> Result<Vec<String>, Failure> {
        let ids = self.store.in_import(workspace, import).await?;
        let mut people = Vec::with_capacity(ids.len());
        for ids in ids.chunks(AT_ONCE) {
            let read = self.store.parked_writes(workspace, ids).await?;
            people.extend(read.iter().map(|parked| subscriber_key(&parked.edit.email)));
        }
        Ok(people)
    }
}

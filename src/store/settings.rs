//! A workspace's mapping and sync settings, and how its contacts stand.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Error;
use crate::unified::{EventDraft, SyncSettings, WorkspaceId};

/// A stored mapping.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredMapping {
    /// Counts up by one with every change, from 1.
    pub revision: i64,
    /// JSON.
    pub body: String,
}

/// What became of storing a mapping.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Put {
    /// The new revision.
    Stored(i64),
    /// It was changed since; the revision that stands.
    Stale(i64),
}

/// How many contacts stand how. Each is counted once, in the first of failed, held, pending that it
/// is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    pub in_sync: u64,
    pub pending: u64,
    pub held: u64,
    pub failed: u64,
    pub total: u64,
}

/// Settings of a workspace.
#[async_trait]
pub trait Settings: Send + Sync {
    /// The mapping, if the workspace has one of its own.
    async fn mapping(&self, workspace: &WorkspaceId) -> Result<Option<StoredMapping>, Error>;

    /// Stores a mapping over the revision that it was made from (0: none was stored) and appends
    /// the event.
    async fn put_mapping(
        &self,
        workspace: &WorkspaceId,
        mapping: &StoredMapping,
        event: &EventDraft,
        now: DateTime<Utc>,
    ) -> Result<Put, Error>;

    /// The sync settings; the defaults before any were stored.
    async fn sync_settings(&self, workspace: &WorkspaceId) -> Result<SyncSettings, Error>;

    /// Stores the sync settings and appends the event.
    async fn put_sync_settings(
        &self,
        workspace: &WorkspaceId,
        settings: &SyncSettings,
        event: &EventDraft,
        now: DateTime<Utc>,
    ) -> Result<(), Error>;

    /// How many contacts stand how. Costs a count of what is not in step, not of all.
    async fn counts(&self, workspace: &WorkspaceId) -> Result<Counts, Error>;
}

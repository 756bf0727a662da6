//! How sync stands in a workspace, in numbers.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::store::{CONTACT, Counts};
use crate::unified::{SyncState, System, WorkspaceId};
use crate::upstream::{Directory, UpstreamStatus};

use super::Error;
use super::core::Core;

/// How long one answer serves all who follow: a burst of events is one count.
pub(super) const FRESH: Duration = Duration::from_millis(250);

/// How sync stands.
#[derive(Clone, Debug)]
pub struct Status {
    pub state: SyncState,
    /// HighLevel's credential does not allow writes.
    pub read_only: bool,
    pub counts: Counts,
    /// How long the oldest change has waited.
    pub lag: Option<Duration>,
    pub upstreams: Vec<(System, UpstreamStatus)>,
    pub at: DateTime<Utc>,
}

impl Core {
    /// How sync stands now. No call.
    pub async fn status(&self, workspace: &WorkspaceId) -> Result<Status, Error> {
        let settings = self.store.sync_settings(workspace).await?;
        let counts = self.store.counts(workspace).await?;
        let backlog = self.store.backlog(workspace, CONTACT).await?;
        let at = self.clock.now();
        let upstreams = self.upstreams();
        let read_only = self.is_read_only();
        let counts = match settings.state {
            // Known, from pages; nobody has compared them.
            SyncState::NotSetUp | SyncState::Preview => Counts { in_sync: 0, ..counts },
            SyncState::Running | SyncState::Paused => counts,
        };
        let lag = backlog.oldest_due.and_then(|due| (at - due).to_std().ok());
        Ok(Status { state: settings.state, read_only, counts, lag, upstreams, at })
    }

    /// The same, shared by all who ask within a moment.
    pub async fn recent_status(&self, workspace: &WorkspaceId) -> Result<Arc<Status>, Error> {
        let at_ms = self.clock.now_ms();
        let fresh_ms = i64::try_from(FRESH.as_millis()).unwrap_or(i64::MAX);
        let held = self.recent.get(workspace);
        if let Some(status) = held.filter(|held| held.at.timestamp_millis() + fresh_ms > at_ms) {
            return Ok(status);
        }
        let status = Arc::new(self.status(workspace).await?);
        self.recent.insert(workspace.clone(), Arc::clone(&status));
        Ok(status)
    }

    /// Takes over what another gateway stored a moment ago, for a decision that must not rest on what was.
    pub(super) async fn reread_credentials(&self) -> Result<(), Error> {
        for system in System::ALL {
            self.access.vault.reread(system).await?;
        }
        Ok(())
    }

    /// Whether HighLevel's credential is known to only read, so that nothing is written to either system.
    pub(super) fn is_read_only(&self) -> bool {
        Directory::status(&*self.crm).writing.is_read_only()
    }

    /// How the connections are doing; no call.
    pub fn upstreams(&self) -> Vec<(System, UpstreamStatus)> {
        vec![
            (self.mailing.system(), Directory::status(&*self.mailing)),
            (self.crm.system(), Directory::status(&*self.crm)),
        ]
    }
}

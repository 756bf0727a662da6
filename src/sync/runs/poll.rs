//! Polls that come by themselves: a row of work a system that begins one run after the other and takes
//! each on. Of a system one goes on at a time, beside whatever people began.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::clock::new_id;
use crate::store::Lease;
use crate::sync::Error;
use crate::sync::work::Handler;
use crate::unified::{Begin, RunKind, SyncRun, System, WorkspaceId};

use super::Runner;

/// Looks for changes in both systems.
pub struct Poll {
    pub runner: Arc<Runner>,
    pub settings: PollSettings,
}

/// What can be set about polls.
#[derive(Clone, Copy, Debug)]
pub struct PollSettings {
    /// From the end of one poll of Doppler to the next.
    pub doppler_every: Duration,
    /// The same of HighLevel.
    pub highlevel_every: Duration,
}

#[async_trait]
impl Handler for Poll {
    async fn handle(&self, lease: Lease) -> Result<(), Error> {
        let system = System::ALL.into_iter().find(|system| system.as_str() == lease.key);
        let system = system.ok_or(Error::Key)?;
        let workspace = &lease.workspace;
        let open = self.runner.store.open_poll(workspace, system).await?;
        let id = match open {
            Some(open) => open.run.id,
            None => self.begin(workspace, system).await?,
        };
        self.runner.take_on(&lease, id, Some(self.every(system))).await
    }
}

impl Poll {
    fn every(&self, system: System) -> Duration {
        match system {
            System::Doppler => self.settings.doppler_every,
            System::HighLevel => self.settings.highlevel_every,
        }
    }

    async fn begin(&self, workspace: &WorkspaceId, system: System) -> Result<Uuid, Error> {
        let at = self.runner.clock.now();
        let run = SyncRun::begin(Begin {
            id: new_id(&self.runner.clock),
            kind: RunKind::Poll,
            system: Some(system),
            dry: false,
            approved: true,
            at,
            fresh_from: at,
            by: None,
        });
        // Most find nothing, and the history tells of those that do. Whoever holds the lease is the only
        // one who begins it, or it is taken up at the next turn.
        self.runner.store.begin_run(workspace, &run, &[], &[]).await?;
        Ok(run.id)
    }
}

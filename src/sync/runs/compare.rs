//! The full comparison that begins by itself, now and then: a row of work that marks itself again.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::clock::{Clock, new_id};
use crate::store::{Lease, Mark, Next, Priority, Record, Revised, Store};
use crate::sync::Error;
use crate::sync::work::{Handler, Wake};
use crate::unified::{Begin, RunKind};

use super::begin;
use super::decide::in_the_way;

/// The kind of work that begins a full comparison.
pub const COMPARE: &str = "compare";

/// See the module.
pub struct Compare {
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub wake: Wake,
    /// `sync.compare_every`.
    pub every: Duration,
    /// How late HighLevel's search may hear of a change.
    pub index_delay: Duration,
}

/// The row of work that begins full comparisons, for whoever sets a workspace up.
pub fn schedule_compare(now: DateTime<Utc>, every: Duration) -> Mark {
    let key = "full".to_owned();
    Mark { kind: COMPARE, key, priority: Priority::Live, due: now + every }
}

#[async_trait]
impl Handler for Compare {
    async fn handle(&self, lease: Lease) -> Result<(), Error> {
        let workspace = &lease.workspace;
        let now = self.clock.now();
        let settings = self.store.sync_settings(workspace).await?;
        let comparison = Begin {
            id: new_id(&self.clock),
            kind: RunKind::FullCompare,
            system: None,
            dry: false,
            approved: true,
            at: now,
            fresh_from: now - self.index_delay,
            by: None,
        };
        let (run, mark, event) = begin(comparison, &settings);
        // Where another run goes on, that one looks at everybody, too.
        if self.store.begin_run(workspace, &run, &[mark], &[event]).await? {
            self.wake.now();
        } else if let Some(Revised { run, revision }) = self.store.open_run(workspace).await?
            && let Some(change) = in_the_way(run)
        {
            let run = change.run.id;
            tracing::warn!(%run, "no full comparison begins while a run waits for a person");
            // Where it changed meanwhile, the next comparison tells if there is something to tell.
            self.store.step_run(workspace, change.step(revision, now)).await?;
        }
        let next = Next::Again(now + self.every);
        self.store.record(&lease, Record { next, ..Record::default() }, now).await?;
        Ok(())
    }
}

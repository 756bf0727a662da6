//! Last known copies: what a system said of a thing when it was last read, for when it cannot be
//! asked.
//!
//! Copies are written behind the reads that bring them, in batches: losing one costs an older
//! answer in an outage, never somebody's data, so no read waits for the disk.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::store::{Copy, CopyKey, Store};
use crate::tasks::Tasks;
use crate::telemetry::names;
use crate::unified::WorkspaceId;

use super::entity::{Entity, Kept};

/// How many copies may wait; more than a rate-limited upstream brings in minutes.
const BACKLOG: usize = 4096;
/// How long copies are gathered before they are written.
const GATHER: Duration = Duration::from_millis(200);
/// How many are written at once, at most.
const BATCH: usize = 500;

/// Where reads leave what they brought.
#[derive(Clone)]
pub(super) struct Copies(mpsc::Sender<Waiting>);

struct Waiting {
    workspace: WorkspaceId,
    key: CopyKey,
    body: fn(Entity) -> Option<String>,
    entity: Entity,
    fetched_at: DateTime<Utc>,
}

impl Copies {
    /// Starts the writer. It ends after writing what is left when `tasks` stops.
    pub fn start(store: Arc<dyn Store>, clock: Clock, tasks: &Tasks) -> Self {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        let stop = tasks.clone();
        tasks.spawn(write_behind(receiver, store, clock, stop));
        Self(sender)
    }

    /// Leaves a copy to be written. When the backlog is full the copy is lost, and the older one
    /// stays.
    pub fn leave<T: Kept>(
        &self,
        workspace: &WorkspaceId,
        key: CopyKey,
        value: T,
        fetched_at: DateTime<Utc>,
    ) {
        let entity = value.wrap();
        let waiting =
            Waiting { workspace: workspace.clone(), key, body: body::<T>, entity, fetched_at };
        if self.0.try_send(waiting).is_err() {
            let whose = workspace.as_str().to_owned();
            metrics::counter!(names::COPIES_LOST, names::WORKSPACE => whose).increment(1);
        }
    }
}

fn body<T: Kept>(entity: Entity) -> Option<String> {
    serde_json::to_string(&T::unwrap(entity)?).ok()
}

async fn write_behind(
    mut receiver: mpsc::Receiver<Waiting>,
    store: Arc<dyn Store>,
    clock: Clock,
    tasks: Tasks,
) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            biased;
            count = receiver.recv_many(&mut batch, BATCH) => if count == 0 { return },
            () = tasks.stopping() => {
                while let Ok(waiting) = receiver.try_recv() {
                    batch.push(waiting);
                }
                write(&*store, std::mem::take(&mut batch)).await;
                return;
            }
        }
        let more = batch.len() == BATCH;
        write(&*store, std::mem::take(&mut batch)).await;
        // Where a batch is full there is more: it waits in memory.
        if more {
            continue;
        }
        tokio::select! {
            () = clock.sleep(GATHER) => {}
            () = tasks.stopping() => {}
        }
    }
}

/// Writes the newest of each key; failures are logged, the copies are lost.
async fn write(store: &dyn Store, batch: Vec<Waiting>) {
    let mut newest: HashMap<WorkspaceId, HashMap<CopyKey, Copy>> = HashMap::new();
    for waiting in batch {
        let body = (waiting.body)(waiting.entity);
        let copy = Copy { key: waiting.key, body, fetched_at: waiting.fetched_at };
        newest.entry(waiting.workspace).or_default().insert(copy.key.clone(), copy);
    }
    for (workspace, copies) in newest {
        let copies: Vec<Copy> = copies.into_values().collect();
        if let Err(error) = store.put_copies(&workspace, &copies).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "last known copies not written"
            );
        }
    }
}

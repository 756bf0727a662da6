//! How sync stands.

use async_graphql::{ComplexObject, Context, Result, SimpleObject};

use super::SyncRun;
use super::enums::SyncState;
use crate::contacts;
use crate::graphql::context::ContextExt;
use crate::graphql::scalars::DateTime;
use crate::graphql::types::Upstream;

/// How sync stands in the workspace.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct SyncStatus {
    /// Whether both systems are kept in step.
    state: SyncState,
    /// People about whom both systems agree, as far as is known; 0 before a first run is approved.
    in_sync: u32,
    /// People with changes that are not in both systems yet.
    pending: u32,
    /// People set aside for a decision.
    held: u32,
    /// People with a write that failed.
    failed: u32,
    /// People that Tandem has reconciled at least once or has work for.
    total: u32,
    /// How long the oldest change has waited, in seconds; null when none waits.
    lag_seconds: Option<f64>,
    /// The connections to both systems.
    upstreams: Vec<Upstream>,
    /// When this was so.
    updated_at: DateTime,
}

#[ComplexObject]
impl SyncStatus {
    /// The run that goes on or waits for approval; null when there is none.
    async fn current_run(&self, context: &Context<'_>) -> Result<Option<SyncRun>> {
        Ok(context.observer()?.current_run().await?.map(Into::into))
    }
}

impl From<contacts::Status> for SyncStatus {
    fn from(status: contacts::Status) -> Self {
        let counts = status.counts;
        let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            state: if status.read_only { SyncState::ReadOnly } else { status.state.into() },
            in_sync: number(counts.in_sync),
            pending: number(counts.pending),
            held: number(counts.held),
            failed: number(counts.failed),
            total: number(counts.total),
            lag_seconds: status.lag.map(|lag| lag.as_secs_f64()),
            upstreams: status.upstreams.into_iter().map(Into::into).collect(),
            updated_at: DateTime(status.at),
        }
    }
}

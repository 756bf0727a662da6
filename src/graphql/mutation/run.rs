//! Runs: beginning, approving and stopping them.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::payload::{UserError, split};
use crate::graphql::context::ContextExt;
use crate::graphql::ids::GlobalId;
use crate::graphql::types::{SyncRun, SyncRunKind};

/// The mutations of runs.
#[derive(Default)]
pub struct RunWrites;

/// A run to begin.
#[derive(InputObject)]
pub struct StartSyncInput {
    /// What kind.
    kind: SyncRunKind,
    /// Whether it ends with its preview and never writes; false if not given. Not for a `POLL`.
    dry_run: Option<bool>,
}

/// A run to be approved.
#[derive(InputObject)]
pub struct ApproveSyncInput {
    /// Which.
    run: ID,
}

/// A run to be stopped.
#[derive(InputObject)]
pub struct CancelSyncInput {
    /// Which.
    run: ID,
}

/// The run that began.
#[derive(SimpleObject)]
pub struct StartSyncPayload {
    /// The run.
    run: Option<SyncRun>,
    /// Why the input was not taken; empty when it was.
    user_errors: Vec<UserError>,
}

/// The run that goes on.
#[derive(SimpleObject)]
pub struct ApproveSyncPayload {
    /// The run.
    run: Option<SyncRun>,
    /// Why the input was not taken; empty when it was.
    user_errors: Vec<UserError>,
}

/// The run that was stopped.
#[derive(SimpleObject)]
pub struct CancelSyncPayload {
    /// The run.
    run: Option<SyncRun>,
    /// Why the input was not taken; empty when it was.
    user_errors: Vec<UserError>,
}

#[Object]
impl RunWrites {
    /// Begins a run: both systems are read through, and what would be done is counted. A `BACKFILL`
    /// then waits for `approveSync`; a `FULL_COMPARE`, which needs sync to be running, goes on by
    /// itself. A `POLL` reads only what changed since the last look, and does it. Only one run goes on at
    /// a time, beside the polls that come by themselves. `NOT_CONNECTED` if a system is not connected;
    /// `READ_ONLY` where it would write and HighLevel's credential may not. Needs `sync.manage`.
    async fn start_sync(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What kind, and whether only to look.")] input: StartSyncInput,
    ) -> Result<StartSyncPayload> {
        let dry = input.dry_run.unwrap_or(false);
        let (run, user_errors) = split(context.admin()?.start_run(input.kind.into(), dry).await?);
        Ok(StartSyncPayload { run, user_errors })
    }

    /// Lets a run do what its preview shows, and switches sync on. `READ_ONLY` while HighLevel's
    /// credential may not write. Needs `sync.manage`.
    async fn approve_sync(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which run.")] input: ApproveSyncInput,
    ) -> Result<ApproveSyncPayload> {
        let admin = context.admin()?;
        let id = GlobalId::run(&input.run)?;
        let (run, user_errors) = split(admin.approve_run(id).await?);
        Ok(ApproveSyncPayload { run, user_errors })
    }

    /// Stops a run. What it has written stays, and whoever is marked by then is still done where sync
    /// is running. Needs `sync.manage`.
    async fn cancel_sync(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which run.")] input: CancelSyncInput,
    ) -> Result<CancelSyncPayload> {
        let admin = context.admin()?;
        let id = GlobalId::run(&input.run)?;
        let (run, user_errors) = split(admin.cancel_run(id).await?);
        Ok(CancelSyncPayload { run, user_errors })
    }
}

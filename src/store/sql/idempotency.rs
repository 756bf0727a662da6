//! Idempotency keys.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::arg::{Arg, args};
use super::db::Tx;
use super::{SqlStore, row};
use crate::store::{Attempt, Begun, Error, Idempotency};
use crate::unified::{EditId, WorkspaceId};

/// How long a key is remembered from its first use.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

#[derive(sqlx::FromRow)]
struct Row {
    input_hash: String,
    begun_at: i64,
    claimed_at: Option<i64>,
    edit: Option<String>,
}

#[async_trait]
impl Idempotency for SqlStore {
    async fn begin(
        &self,
        workspace: &WorkspaceId,
        attempt: &Attempt,
        now: DateTime<Utc>,
        lease_seconds: u32,
    ) -> Result<Begun, Error> {
        let mut tx = self.db.write().await?;
        let begun = begin(&mut tx, workspace, attempt, (now, lease_seconds)).await?;
        tx.commit().await?;
        Ok(begun)
    }

    async fn abandon(&self, workspace: &WorkspaceId, attempt: &Attempt) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        tx.run(
            "DELETE FROM idempotency
             WHERE workspace = $1 AND client = $2 AND mutation = $3 AND key = $4
               AND input_hash = $5 AND edit IS NULL",
            use_of(workspace, attempt),
        )
        .await?;
        tx.commit().await
    }
}

/// `$1` to `$5` of most statements here.
fn use_of(workspace: &WorkspaceId, attempt: &Attempt) -> Vec<Arg> {
    let Attempt { client, mutation, key, input_hash } = attempt;
    args![workspace, client, *mutation, key, input_hash]
}

async fn begin(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    attempt: &Attempt,
    (now, lease_seconds): (DateTime<Utc>, u32),
) -> Result<Begun, Error> {
    let oldest = now - REMEMBERED;
    let Attempt { client, mutation, key, input_hash } = attempt;
    // The first of many who begin at once puts the row in, and it alone finds it fresh.
    let fresh = tx
        .run(
            "INSERT INTO idempotency
               (workspace, client, mutation, key, input_hash, begun_at, claimed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $6)
             ON CONFLICT (key, client, mutation, workspace) DO UPDATE SET
               input_hash = excluded.input_hash, claimed_at = excluded.claimed_at,
               begun_at = excluded.begun_at, edit = NULL
             WHERE idempotency.begun_at <= $7",
            args![workspace, client, *mutation, key, input_hash, now, oldest],
        )
        .await?;
    if fresh == 1 {
        return Ok(Begun::Fresh);
    }
    let row: Option<Row> = tx
        .one(
            "SELECT input_hash, begun_at, claimed_at, edit FROM idempotency
             WHERE workspace = $1 AND client = $2 AND mutation = $3 AND key = $4
             /*pg FOR UPDATE */",
            args![workspace, client, *mutation, key],
        )
        .await?;
    // Given up in this moment by the one who had it.
    let Some(row) = row else { return Ok(Begun::InFlight { left: Duration::ZERO }) };
    if row.input_hash != *input_hash {
        return Ok(Begun::Reused);
    }
    if let Some(edit) = row.edit {
        return Ok(Begun::Accepted(EditId(row::uuid(&edit, "idempotency", "edit")?)));
    }
    let lease = i64::from(lease_seconds) * 1000;
    let lapses = row.claimed_at.map(|at| at.saturating_add(lease).saturating_add(1));
    let left = lapses.map_or(0, |at| at.saturating_sub(now.timestamp_millis()));
    if let Ok(left @ 1..) = u64::try_from(left) {
        return Ok(Begun::InFlight { left: Duration::from_millis(left) });
    }
    // Taken up after a lapsed lease; the time of the first use stays.
    tx.run(
        "UPDATE idempotency SET claimed_at = $5
         WHERE workspace = $1 AND client = $2 AND mutation = $3 AND key = $4",
        args![workspace, client, *mutation, key, now],
    )
    .await?;
    Ok(Begun::Unfinished { since: row::time(row.begun_at, "idempotency", "begun_at")? })
}

/// Ties a claimed key to the edit that it was accepted as; the edit that it was accepted as before,
/// if it was.
pub(super) async fn tie(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    attempt: &Attempt,
    edit: EditId,
) -> Result<Option<EditId>, Error> {
    let mut args = use_of(workspace, attempt);
    args.push(edit.into());
    let tied = tx
        .run(
            "UPDATE idempotency SET edit = $6, claimed_at = NULL
             WHERE workspace = $1 AND client = $2 AND mutation = $3 AND key = $4
               AND input_hash = $5 AND edit IS NULL",
            args,
        )
        .await?;
    if tied == 1 {
        return Ok(None);
    }
    let row: Option<(Option<String>,)> = tx
        .one(
            "SELECT edit FROM idempotency
             WHERE workspace = $1 AND client = $2 AND mutation = $3 AND key = $4
               AND input_hash = $5",
            use_of(workspace, attempt),
        )
        .await?;
    let edit = row.and_then(|(edit,)| edit);
    edit.map(|edit| row::uuid(&edit, "idempotency", "edit").map(EditId)).transpose()
}

pub(super) async fn prune(tx: &mut Tx, now: DateTime<Utc>) -> Result<u64, Error> {
    tx.run("DELETE FROM idempotency WHERE begun_at <= $1", args![now - REMEMBERED]).await
}

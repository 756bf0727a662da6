//! Idempotency keys.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use super::row;
use crate::store::{Attempt, Begun, Error};
use crate::unified::WorkspaceId;

/// How long a key is remembered from its first use.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

/// `input_hash, begun_at, claimed_at, outcome`.
type Row = (String, i64, Option<i64>, Option<String>);

pub(super) async fn begin(
    writer: &SqlitePool,
    workspace: &WorkspaceId,
    attempt: &Attempt,
    now: DateTime<Utc>,
    lease_seconds: u32,
) -> Result<Begun, Error> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    let begun = match find(&mut transaction, workspace, attempt, now).await? {
        None => {
            claim(&mut transaction, workspace, attempt, now).await?;
            Begun::Fresh
        }
        Some((input_hash, ..)) if input_hash != attempt.input_hash => Begun::Reused,
        Some((.., Some(outcome))) => Begun::Done(outcome),
        Some((_, begun_at, claimed_at, None)) => {
            let lease = i64::from(lease_seconds) * 1000;
            let lapses = claimed_at.map(|at| at.saturating_add(lease).saturating_add(1));
            let left = lapses.map_or(0, |at| at.saturating_sub(now.timestamp_millis()));
            if let Ok(left @ 1..) = u64::try_from(left) {
                Begun::InFlight { left: Duration::from_millis(left) }
            } else {
                claim(&mut transaction, workspace, attempt, now).await?;
                Begun::Unfinished { since: row::time(begun_at, "idempotency", "begun_at")? }
            }
        }
    };
    transaction.commit().await?;
    Ok(begun)
}

/// The key's row, unless it is too old to count.
async fn find(
    connection: &mut SqliteConnection,
    workspace: &WorkspaceId,
    attempt: &Attempt,
    now: DateTime<Utc>,
) -> Result<Option<Row>, Error> {
    let row = sqlx::query_as(
        "SELECT input_hash, begun_at, claimed_at, outcome FROM idempotency
         WHERE workspace = $1 AND client = $2 AND mutation = $3 AND key = $4 AND begun_at > $5",
    )
    .bind(workspace.as_str())
    .bind(&attempt.client)
    .bind(attempt.mutation)
    .bind(&attempt.key)
    .bind((now - REMEMBERED).timestamp_millis())
    .fetch_optional(connection)
    .await?;
    Ok(row)
}

/// Takes the key: anew, in the place of a row that is too old, or after a lapsed lease, which keeps
/// the time of the first use.
async fn claim(
    connection: &mut SqliteConnection,
    workspace: &WorkspaceId,
    attempt: &Attempt,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO idempotency
           (workspace, client, mutation, key, input_hash, begun_at, claimed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)
         ON CONFLICT (key, client, mutation, workspace) DO UPDATE SET
           input_hash = excluded.input_hash, claimed_at = excluded.claimed_at, outcome = NULL,
           begun_at = CASE WHEN begun_at > $7 THEN begun_at ELSE excluded.begun_at END",
    )
    .bind(workspace.as_str())
    .bind(&attempt.client)
    .bind(attempt.mutation)
    .bind(&attempt.key)
    .bind(&attempt.input_hash)
    .bind(now.timestamp_millis())
    .bind((now - REMEMBERED).timestamp_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends a claim, with its outcome or without one.
///
/// The first outcome stands: who finishes after its lease has lapsed does not change what others
/// were told.
pub(super) async fn end(
    writer: &SqlitePool,
    workspace: &WorkspaceId,
    attempt: &Attempt,
    outcome: Option<&str>,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE idempotency SET outcome = $6, claimed_at = NULL
         WHERE workspace = $1 AND client = $2 AND mutation = $3 AND key = $4 AND input_hash = $5
           AND outcome IS NULL",
    )
    .bind(workspace.as_str())
    .bind(&attempt.client)
    .bind(attempt.mutation)
    .bind(&attempt.key)
    .bind(&attempt.input_hash)
    .bind(outcome)
    .execute(writer)
    .await?;
    Ok(())
}

pub(super) async fn abandon(
    writer: &SqlitePool,
    workspace: &WorkspaceId,
    attempt: &Attempt,
) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM idempotency
         WHERE workspace = $1 AND client = $2 AND mutation = $3 AND key = $4 AND input_hash = $5
           AND outcome IS NULL",
    )
    .bind(workspace.as_str())
    .bind(&attempt.client)
    .bind(attempt.mutation)
    .bind(&attempt.key)
    .bind(&attempt.input_hash)
    .execute(writer)
    .await?;
    Ok(())
}

pub(super) async fn prune(writer: &SqlitePool, now: DateTime<Utc>) -> Result<u64, Error> {
    let done = sqlx::query("DELETE FROM idempotency WHERE begun_at <= $1")
        .bind((now - REMEMBERED).timestamp_millis())
        .execute(writer)
        .await?;
    Ok(done.rows_affected())
}

//! Rows of the work table: marking, leases and what ends them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::arg::args;
use super::db::Tx;
use super::{row, settings};
use crate::store::{CONTACT, Error, Lease, MOST_RETRIES, Mark, Next, Priority};
use crate::unified::{ContactId, WorkspaceId};

/// The number in the table.
pub(super) const fn number(priority: Priority) -> i64 {
    match priority {
        Priority::Client => 0,
        Priority::Live => 1,
        Priority::Backfill => 2,
    }
}

pub(super) fn priority(number: i64) -> Result<Priority, Error> {
    match number {
        0 => Ok(Priority::Client),
        1 => Ok(Priority::Live),
        2 => Ok(Priority::Backfill),
        _ => Err(Error::Inconsistent { table: "work", column: "priority" }),
    }
}

/// Marks work, in the order of its keys so that two who mark the same rows never wait for each
/// other.
///
/// What is not done keeps the more urgent priority and the earlier time; a backoff that runs
/// (`attempt > 0`) is not cut short, and who was given up starts anew.
pub(super) async fn mark(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    marks: &[Mark],
) -> Result<(), Error> {
    if marks.is_empty() {
        return Ok(());
    }
    let mut rows: BTreeMap<(&str, &str), (i64, i64)> = BTreeMap::new();
    for Mark { kind, key, priority, due } in marks {
        let (number, due) = (number(*priority), due.timestamp_millis());
        let row = rows.entry((key, kind)).or_insert((number, due));
        *row = (row.0.min(number), row.1.min(due));
    }
    let rows: Vec<_> =
        rows.into_iter().map(|((key, kind), (p, due))| (kind, key, p, due)).collect();
    tx.run(
        "INSERT INTO work (workspace, kind, key, priority, gen, due_at)
         SELECT $1, value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT), 1,
           CAST(value ->> 3 AS BIGINT)
         FROM json_each($2) WHERE true
         ON CONFLICT (key, kind, workspace) DO UPDATE SET
           gen = work.gen + 1,
           priority = CASE WHEN work.gen > work.done_gen AND work.priority < excluded.priority
             THEN work.priority ELSE excluded.priority END,
           due_at = CASE
             WHEN work.gen = work.done_gen OR work.dead = 1 THEN excluded.due_at
             WHEN work.attempt > 0 OR work.due_at < excluded.due_at THEN work.due_at
             ELSE excluded.due_at END,
           attempt = CASE WHEN work.dead = 1 THEN 0 ELSE work.attempt END,
           first_failed_at = CASE WHEN work.dead = 1 THEN NULL ELSE work.first_failed_at END,
           dead = 0",
        args![workspace, row::json(rows)?],
    )
    .await?;
    Ok(())
}

/// Waits for the rows of these keys, in the order of [`mark`]: two transactions that need several
/// rows each never wait for each other.
pub(super) async fn lock(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    keys: &[(&str, &str)],
) -> Result<(), Error> {
    tx.all::<(String,)>(
        "SELECT key FROM work WHERE workspace = $1
           AND (kind, key) IN (SELECT value ->> 0, value ->> 1 FROM json_each($2))
         ORDER BY key, kind /*pg FOR UPDATE */",
        args![workspace, row::json(keys)?],
    )
    .await?;
    Ok(())
}

/// Takes a contact's work away, and with it the lease of whoever is at it; the priority of what was
/// left to be done.
pub(super) async fn forget(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    contact: ContactId,
) -> Result<Option<Priority>, Error> {
    let gone: Option<(i64, i64, i64)> = tx
        .one(
            "DELETE FROM work WHERE workspace = $1 AND kind = $2 AND key = $3
             RETURNING priority, gen, done_gen",
            args![workspace, CONTACT, contact],
        )
        .await?;
    match gone {
        Some((number, gen_, done)) if gen_ > done => priority(number).map(Some),
        Some(_) | None => Ok(None),
    }
}

/// As [`fence`], for who marks work too: all rows are waited for in one order.
pub(super) async fn fence_with(tx: &mut Tx, lease: &Lease, marks: &[Mark]) -> Result<bool, Error> {
    if !marks.is_empty() {
        let marked = marks.iter().map(|mark| (mark.kind, mark.key.as_str()));
        let keys: Vec<_> = marked.chain([(lease.kind, lease.key.as_str())]).collect();
        lock(tx, &lease.workspace, &keys).await?;
    }
    fence(tx, lease).await
}

/// Whether the lease holds; nobody can take it until the transaction ends.
pub(super) async fn fence(tx: &mut Tx, lease: &Lease) -> Result<bool, Error> {
    let held: Option<(i64,)> = tx
        .one(
            "SELECT gen FROM work WHERE workspace = $1 AND kind = $2 AND key = $3 AND lease = $4
             /*pg FOR UPDATE */",
            args![&lease.workspace, lease.kind, &lease.key, lease.token],
        )
        .await?;
    Ok(held.is_some())
}

/// Ends a lease that holds.
///
/// A contact without open edits has nothing more of a client's: it waits its turn again.
pub(super) async fn settle(
    tx: &mut Tx,
    lease: &Lease,
    next: &Next,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let Lease { workspace, kind, key, token, generation, .. } = lease;
    let again_at = match next {
        Next::Again(at) => *at,
        Next::Paused { until, by } if settings::still(tx, workspace, by).await? => *until,
        Next::Paused { .. } | Next::Done | Next::Retry { .. } | Next::Dead { .. } => now,
    };
    let row = args![workspace, *kind, key, *token];
    let (sql, more) = match next {
        Next::Done => (
            "UPDATE work SET done_gen = $5, attempt = 0, lease = NULL, lease_until = 0,
               last_error = NULL, first_failed_at = NULL
             WHERE workspace = $1 AND kind = $2 AND key = $3 AND lease = $4",
            args![*generation],
        ),
        Next::Again(_) | Next::Paused { .. } => (
            "UPDATE work SET due_at = CASE WHEN gen > $5 AND due_at < $6 THEN due_at ELSE $6 END,
               gen = gen + 1, done_gen = $5, attempt = 0, lease = NULL, lease_until = 0,
               last_error = NULL, first_failed_at = NULL
             WHERE workspace = $1 AND kind = $2 AND key = $3 AND lease = $4",
            args![*generation, again_at],
        ),
        // Whoever says when to try again is no worker that dies of it.
        Next::Retry { at, error } => (
            "UPDATE work SET due_at = $5, lease = NULL, lease_until = 0, last_error = $6,
               first_failed_at = coalesce(first_failed_at, $7),
               attempt = CASE WHEN attempt > $8 THEN $8 ELSE attempt END
             WHERE workspace = $1 AND kind = $2 AND key = $3 AND lease = $4",
            args![*at, error, now, i64::from(MOST_RETRIES)],
        ),
        // A mark that came during the run is as good as one that comes after it.
        Next::Dead { error } => (
            "UPDATE work SET dead = CASE WHEN gen > $5 THEN 0 ELSE 1 END,
               attempt = CASE WHEN gen > $5 THEN 0 ELSE attempt END,
               lease = NULL, lease_until = 0, last_error = $6,
               first_failed_at = coalesce(first_failed_at, $7)
             WHERE workspace = $1 AND kind = $2 AND key = $3 AND lease = $4",
            args![*generation, error, now],
        ),
    };
    tx.run(sql, row.into_iter().chain(more).collect()).await?;
    if lease.kind == CONTACT && lease.priority == Priority::Client {
        tx.run(
            "UPDATE work SET priority = 1
             WHERE workspace = $1 AND kind = $2 AND key = $3 AND priority = 0 AND NOT EXISTS
               (SELECT 1 FROM edit WHERE workspace = $1 AND contact = $3 AND done_at IS NULL)",
            args![workspace, *kind, key],
        )
        .await?;
    }
    Ok(())
}

//! Last known copies.

use sqlx::sqlite::SqlitePool;

use super::row;
use crate::store::{Copy, CopyKey, Error};
use crate::unified::WorkspaceId;

/// How many copies one statement takes, so that its one parameter stays some hundred kilobytes.
const CHUNK: usize = 200;

pub(super) async fn put(
    writer: &SqlitePool,
    workspace: &WorkspaceId,
    copies: &[Copy],
) -> Result<(), Error> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    for chunk in copies.chunks(CHUNK) {
        let rows: Vec<_> = chunk
            .iter()
            .map(|Copy { key, body, fetched_at }| {
                (key.system.as_str(), key.kind, &key.key, body, fetched_at.timestamp_millis())
            })
            .collect();
        sqlx::query(
            "INSERT INTO copy (workspace, system, kind, key, body, fetched_at)
             SELECT $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4
             FROM json_each($2) WHERE true
             ON CONFLICT (key, kind, system, workspace)
             DO UPDATE SET body = excluded.body, fetched_at = excluded.fetched_at
             WHERE excluded.fetched_at >= copy.fetched_at",
        )
        .bind(workspace.as_str())
        .bind(row::json(rows)?)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn get(
    reader: &SqlitePool,
    workspace: &WorkspaceId,
    keys: &[CopyKey],
) -> Result<Vec<Copy>, Error> {
    let wanted: Vec<_> = keys.iter().map(|key| (key.system.as_str(), key.kind, &key.key)).collect();
    let rows: Vec<(i64, Option<String>, i64)> = sqlx::query_as(
        "SELECT k.key, c.body, c.fetched_at FROM json_each($2) AS k CROSS JOIN copy AS c
           ON c.workspace = $1 AND c.system = k.value ->> 0 AND c.kind = k.value ->> 1
             AND c.key = k.value ->> 2",
    )
    .bind(workspace.as_str())
    .bind(row::json(wanted)?)
    .fetch_all(reader)
    .await?;
    rows.into_iter()
        .filter_map(|(at, body, fetched_at)| {
            let key = keys.get(usize::try_from(at).ok()?)?.clone();
            let fetched_at = row::time(fetched_at, "copy", "fetched_at");
            Some(fetched_at.map(|fetched_at| Copy { key, body, fetched_at }))
        })
        .collect()
}

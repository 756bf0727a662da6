//! Last known copies.

use async_trait::async_trait;

use super::arg::args;
use super::db::Tx;
use super::erasure::Guard;
use super::{SqlStore, index, row};
use crate::store::{Copies, Copy, CopyKey, Error};
use crate::unified::WorkspaceId;

/// How many copies one statement takes, so that its one parameter stays some hundred kilobytes.
const CHUNK: usize = 200;

/// Stores copies; an older one never replaces a newer one, and of erased people none is stored. The index
/// follows. In a transaction that keeps erasures out, or has taken no lock yet.
pub(super) async fn put_copies(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    copies: &[Copy],
) -> Result<(), Error> {
    // The newest of each key, because one statement may touch a row once only, and in one order,
    // so that two who write the same ones never wait for each other.
    let mut sorted: Vec<&Copy> = copies.iter().collect();
    sorted.sort_by(|a, b| (&a.key, b.fetched_at).cmp(&(&b.key, a.fetched_at)));
    sorted.dedup_by(|later, first| later.key == first.key);
    let guard = Guard::enter(tx, workspace).await?;
    let sorted = guard.without(tx, workspace, sorted).await?;
    for chunk in sorted.chunks(CHUNK) {
        let rows: Vec<_> = chunk
            .iter()
            .map(|Copy { key, body, fetched_at }| {
                (key.system.as_str(), key.kind, &key.key, body, fetched_at.timestamp_millis())
            })
            .collect();
        tx.run(
            "INSERT INTO copy (workspace, system, kind, key, body, fetched_at)
             SELECT $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3,
               CAST(value ->> 4 AS BIGINT)
             FROM json_each($2) WHERE true
             ON CONFLICT (key, kind, system, workspace)
             DO UPDATE SET body = excluded.body, fetched_at = excluded.fetched_at
             WHERE excluded.fetched_at >= copy.fetched_at",
            args![workspace, row::json(rows)?],
        )
        .await?;
    }
    index::copied(tx, workspace, &sorted).await
}

#[async_trait]
impl Copies for SqlStore {
    async fn put_copies(&self, workspace: &WorkspaceId, copies: &[Copy]) -> Result<(), Error> {
        if copies.is_empty() {
            return Ok(());
        }
        let mut tx = self.db.write().await?;
        put_copies(&mut tx, workspace, copies).await?;
        tx.commit().await
    }

    async fn copies(&self, workspace: &WorkspaceId, keys: &[CopyKey]) -> Result<Vec<Copy>, Error> {
        let wanted: Vec<_> =
            keys.iter().map(|key| (key.system.as_str(), key.kind, &key.key)).collect();
        let rows: Vec<(i64, Option<String>, i64)> = self
            .db
            .all(
                "SELECT k.key, c.body, c.fetched_at FROM json_each($2) AS k CROSS JOIN copy AS c
                 WHERE c.workspace = $1 AND c.system = k.value ->> 0 AND c.kind = k.value ->> 1
                   AND c.key = k.value ->> 2",
                args![workspace, row::json(wanted)?],
            )
            .await?;
        rows.into_iter()
            .filter_map(|(at, body, fetched_at)| {
                let key = keys.get(usize::try_from(at).ok()?)?.clone();
                let fetched_at = row::time(fetched_at, "copy", "fetched_at");
                Some(fetched_at.map(|fetched_at| Copy { key, body, fetched_at }))
            })
            .collect()
    }
}

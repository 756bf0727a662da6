//! What polls remember.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;

use super::arg::args;
use super::{SqlStore, row, work};
use crate::store::{Error, Lease, Polls, Step, Version};
use crate::unified::{System, WorkspaceId};

#[async_trait]
impl Polls for SqlStore {
    async fn position(
        &self,
        workspace: &WorkspaceId,
        system: System,
    ) -> Result<Option<String>, Error> {
        let sql = "SELECT position FROM poll WHERE workspace = $1 AND system = $2";
        let row: Option<(String,)> = self.db.one(sql, args![workspace, system]).await?;
        Ok(row.map(|(position,)| position))
    }

    async fn unseen(
        &self,
        workspace: &WorkspaceId,
        system: System,
        versions: &[Version],
    ) -> Result<Vec<bool>, Error> {
        let rows: Vec<(i64,)> = self
            .db
            .all(
                "SELECT k.key FROM json_each($3) AS k CROSS JOIN seen AS s
                 WHERE s.workspace = $1 AND s.system = $2 AND s.key = k.value ->> 0
                   AND s.version = k.value ->> 1",
                args![workspace, system, row::json(versions)?],
            )
            .await?;
        let seen: HashSet<i64> = rows.into_iter().map(|(place,)| place).collect();
        Ok((0..).zip(versions).map(|(place, _)| !seen.contains(&place)).collect())
    }

    async fn step(&self, lease: &Lease, step: Step<'_>) -> Result<bool, Error> {
        let workspace = &lease.workspace;
        let Step { system, seen, position, marks } = step;
        let mut tx = self.db.write().await?;
        if !work::fence_with(&mut tx, lease, marks).await? {
            return Ok(false);
        }
        // The last of each key, because one statement may touch a row once only.
        let seen: BTreeMap<&str, &str> =
            seen.iter().map(|(key, version)| (key.as_str(), version.as_str())).collect();
        let rows: Vec<_> = seen.into_iter().collect();
        tx.run(
            "INSERT INTO seen (workspace, system, key, version)
             SELECT $1, $2, value ->> 0, value ->> 1 FROM json_each($3) WHERE true
             ON CONFLICT (key, system, workspace) DO UPDATE SET version = excluded.version
             WHERE seen.version <> excluded.version",
            args![workspace, system, row::json(rows)?],
        )
        .await?;
        tx.run(
            "INSERT INTO poll (workspace, system, position) VALUES ($1, $2, $3)
             ON CONFLICT (workspace, system) DO UPDATE SET position = excluded.position",
            args![workspace, system, position],
        )
        .await?;
        work::mark(&mut tx, workspace, marks).await?;
        tx.commit().await?;
        Ok(true)
    }
}

//! What polls remember.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use uuid::Uuid;

use super::arg::args;
use super::db::Tx;
use super::erasure::Guard;
use super::{SqlStore, row};
use crate::store::{Error, Polls, Trace, Version};
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
}

/// How the key of a row of Doppler's opt-outs begins.
const OPT_OUT: &str = "opt-out ";

/// Remembers who was seen, by a run if one is named.
pub(super) async fn saw(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (system, run): (System, Option<Uuid>),
    seen: &[Version],
) -> Result<(), Error> {
    // The last of each key, because one statement may touch a row once only.
    let seen: BTreeMap<&str, &str> =
        seen.iter().map(|(key, version)| (key.as_str(), version.as_str())).collect();
    let seen: Vec<_> = seen.into_iter().collect();
    // Of erased people no key is kept, so that they are new each time.
    let record = |key: &str| Trace::Record(system, key.trim_start_matches(OPT_OUT).to_owned());
    let records: Vec<Trace> = seen.iter().map(|(key, _)| record(key)).collect();
    let email = |key: &str| Trace::Email(key.trim_start_matches(OPT_OUT).to_owned());
    let emails: Vec<Trace> = seen.iter().map(|(key, _)| email(key)).collect();
    let guard = Guard::enter(tx, workspace).await?;
    let records = guard.whose(tx, workspace, &records).await?;
    let emails = guard.whose(tx, workspace, &emails).await?;
    let out = records.into_iter().zip(emails).map(|(record, email)| record.or(email).is_some());
    let seen: Vec<_> =
        seen.into_iter().zip(out).filter_map(|(one, out)| (!out).then_some(one)).collect();
    tx.run(
        "INSERT INTO seen (workspace, system, key, version, run)
         SELECT $1, $2, value ->> 0, value ->> 1, $4 FROM json_each($3) WHERE true
         ON CONFLICT (key, system, workspace)
         DO UPDATE SET version = excluded.version, run = coalesce(excluded.run, seen.run)
         WHERE seen.version <> excluded.version OR excluded.run IS NOT NULL",
        args![workspace, system, row::json(seen)?, run],
    )
    .await?;
    Ok(())
}

/// Remembers in which versions records were left.
pub(super) async fn saw_each(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    seen: Vec<(System, Version)>,
) -> Result<(), Error> {
    for (system, version) in seen {
        saw(tx, workspace, (system, None), &[version]).await?;
    }
    Ok(())
}

/// Lets a system's polls go on from a position; unless `always`, only if they never were anywhere.
pub(super) async fn go_on(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (system, position): (System, &str),
    always: bool,
) -> Result<(), Error> {
    tx.run(
        "INSERT INTO poll (workspace, system, position) VALUES ($1, $2, $3)
         ON CONFLICT (workspace, system) DO UPDATE SET position = excluded.position WHERE $4 <> 0",
        args![workspace, system, position, always],
    )
    .await?;
    Ok(())
}

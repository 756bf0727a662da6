//! Who opted out, by the hash of the address.

use super::arg::args;
use super::db::{Db, Tx};
use super::row;
use crate::store::Error;
use crate::unified::WorkspaceId;

/// Whether one of the hashes is remembered.
pub(super) async fn holds(
    db: &Db,
    workspace: &WorkspaceId,
    hashes: &[String],
) -> Result<bool, Error> {
    let found: Option<(i64,)> = db
        .one(
            "SELECT k.key FROM json_each($2) AS k CROSS JOIN suppression AS s
             WHERE s.workspace = $1 AND s.hash = k.value ->> 0 LIMIT 1",
            args![workspace, row::list(hashes)?],
        )
        .await?;
    Ok(found.is_some())
}

/// Remembers hashes, or forgets them.
pub(super) async fn put(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (hashes, out): (&[String], bool),
) -> Result<(), Error> {
    let sql = if out {
        "INSERT INTO suppression (workspace, hash) SELECT $1, value ->> 0 FROM json_each($2)
         WHERE true ON CONFLICT (hash, workspace) DO NOTHING"
    } else {
        "DELETE FROM suppression
         WHERE workspace = $1 AND hash IN (SELECT value ->> 0 FROM json_each($2))"
    };
    tx.run(sql, args![workspace, row::list(hashes)?]).await?;
    Ok(())
}

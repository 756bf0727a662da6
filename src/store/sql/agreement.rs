//! What is agreed about a contact: one row, because all of it is read and written together.

use super::arg::args;
use super::db::Tx;
use super::row;
use crate::store::Error;
use crate::unified::{Agreement, ContactId, WorkspaceId};

pub(super) async fn get(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    contact: ContactId,
) -> Result<Option<Agreement>, Error> {
    let sql = "SELECT body FROM agreement WHERE workspace = $1 AND contact = $2";
    let row: Option<(String,)> = tx.one(sql, args![workspace, contact]).await?;
    row.map(|(body,)| row::model(&body, "agreement")).transpose()
}

pub(super) async fn put(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    contact: ContactId,
    agreement: &Agreement,
) -> Result<(), Error> {
    tx.run(
        "INSERT INTO agreement (workspace, contact, body) VALUES ($1, $2, $3)
         ON CONFLICT (contact, workspace) DO UPDATE SET body = excluded.body",
        args![workspace, contact, row::body(agreement)?],
    )
    .await?;
    Ok(())
}

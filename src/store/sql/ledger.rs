//! The ledger: sheets, edits, write-ahead. Recording is in `record`.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::arg::args;
use super::db::Tx;
use super::{
    SqlStore, agreement, history, idempotency, identity, people, problem, record, row, suppression,
    work,
};
use crate::store::{
    Accept, Accepted, Error, Intended, Lease, Ledger, Mark, Priority, Record, Recorded, Sheet,
};
use crate::unified::{ContactId, Edit, EditId, PendingWrite, WorkspaceId};

#[async_trait]
impl Ledger for SqlStore {
    async fn sheet(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
    ) -> Result<Option<Sheet>, Error> {
        let mut tx = self.db.read().await?;
        let Some(known) = people::by_id(&mut tx, workspace, contact).await? else {
            return Ok(None);
        };
        let id = known.id;
        let former = identity::former_subscribers(&mut tx, workspace, id).await?;
        let agreement = agreement::get(&mut tx, workspace, id).await?.unwrap_or_default();
        let edits = open_edits(&mut tx, workspace, id).await?;
        let pending = pending(&mut tx, workspace, id).await?;
        let (holds, decisions) = problem::about(&mut tx, workspace, id).await?;
        let failures = problem::failures_of(&mut tx, workspace, id).await?;
        Ok(Some(Sheet { known, former, agreement, edits, pending, holds, decisions, failures }))
    }

    async fn accept(
        &self,
        workspace: &WorkspaceId,
        Accept { edit, events, attempt }: Accept<'_>,
        now: DateTime<Utc>,
    ) -> Result<Accepted, Error> {
        let mut tx = self.db.write().await?;
        tx.lock_erasures(workspace, false).await?;
        if let Some(attempt) = attempt
            && let Some(before) = idempotency::tie(&mut tx, workspace, attempt, edit.id).await?
        {
            return Ok(Accepted::Before(before));
        }
        // A merge waits for us, or we see what it made of the contact.
        let row: Option<(String, i32)> = tx
            .one(
                "SELECT coalesce(survivor, id), CASE WHEN erased_at IS NULL THEN 0 ELSE 1 END
                 FROM contact WHERE workspace = $1 AND id = $2
                 /*pg FOR SHARE */",
                args![workspace, edit.contact],
            )
            .await?;
        let (id, erased) = row.ok_or(Error::Inconsistent { table: "contact", column: "id" })?;
        if erased != 0 {
            return Ok(Accepted::Erased);
        }
        let contact = row::contact_id(&id)?;
        let mark = Mark::contact(contact, Priority::Client, now);
        work::mark(&mut tx, workspace, &[mark]).await?;
        let done_at = edit.is_done().then_some(now);
        tx.run(
            "INSERT INTO edit (workspace, id, contact, done_at, body) VALUES ($1, $2, $3, $4, $5)",
            args![workspace, edit.id, contact, done_at, row::body(edit)?],
        )
        .await?;
        let last_cursor = history::append(&mut tx, workspace, events, now).await?;
        tx.commit().await?;
        Ok(Accepted::Stored { contact, last_cursor })
    }

    async fn suppressed(&self, workspace: &WorkspaceId, hashes: &[String]) -> Result<bool, Error> {
        suppression::holds(&self.db, workspace, hashes).await
    }

    async fn edit(&self, workspace: &WorkspaceId, id: EditId) -> Result<Option<Edit>, Error> {
        let sql = "SELECT contact, body FROM edit WHERE workspace = $1 AND id = $2";
        let row: Option<(String, String)> = self.db.one(sql, args![workspace, id]).await?;
        row.map(edit).transpose()
    }

    async fn intend(
        &self,
        lease: &Lease,
        write: &PendingWrite,
        given_up: Option<DateTime<Utc>>,
    ) -> Result<Intended, Error> {
        let mut tx = self.db.write().await?;
        if !work::fence(&mut tx, lease).await? {
            return Ok(Intended::Lost);
        }
        let agreement = agreement::get(&mut tx, &lease.workspace, write.contact).await?;
        let stands = agreement.and_then(|agreed| agreed.given_up.get(&write.system).copied());
        if stands != given_up {
            return Ok(Intended::GivenUp);
        }
        tx.run(
            "INSERT INTO pending_write (workspace, id, contact, body) VALUES ($1, $2, $3, $4)",
            args![&lease.workspace, write.id, write.contact, row::body(write)?],
        )
        .await?;
        tx.commit().await?;
        Ok(Intended::Stored)
    }

    async fn record(
        &self,
        lease: &Lease,
        record: Record,
        now: DateTime<Utc>,
    ) -> Result<Recorded, Error> {
        record::record(&self.db, lease, record, now).await
    }
}

/// The contact's column counts: after a merge it is not the one in the body.
pub(super) fn edit((contact, body): (String, String)) -> Result<Edit, Error> {
    Ok(Edit { contact: row::contact_id(&contact)?, ..row::model(&body, "edit")? })
}

/// A contact's edits that are not done, the oldest first.
pub(super) async fn open_edits(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    contact: ContactId,
) -> Result<Vec<Edit>, Error> {
    let rows = tx
        .all(
            "SELECT contact, body FROM edit
             WHERE workspace = $1 AND contact = $2 AND done_at IS NULL ORDER BY id",
            args![workspace, contact],
        )
        .await?;
    rows.into_iter().map(edit).collect()
}

async fn pending(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    contact: ContactId,
) -> Result<Vec<PendingWrite>, Error> {
    let rows: Vec<(String,)> = tx
        .all(
            "SELECT body FROM pending_write WHERE workspace = $1 AND contact = $2 ORDER BY id",
            args![workspace, contact],
        )
        .await?;
    rows.iter()
        .map(|(body,)| Ok(PendingWrite { contact, ..row::model(body, "pending_write")? }))
        .collect()
}

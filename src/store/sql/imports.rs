//! Bulk imports.
//!
//! Work is locked before parked rows, here and in `record`, so that two never wait for each other.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::arg::args;
use super::db::Tx;
use super::erasure::Guard;
use super::{SqlStore, polls, row, work};
use crate::store::{
    BulkImport, CONTACT, Error, Imports, Lease, Mark, Parked, ParkedState, Priority, Version,
    Waiting,
};
use crate::unified::{ContactId, System, WorkspaceId};

/// Rows of `parked` of the workspace `$1`.
macro_rules! parked_where {
    ($condition:literal) => {
        concat!(
            "SELECT id, contact, list, state, since, edit, body FROM parked
             WHERE workspace = $1 AND ",
            $condition
        )
    };
}

/// A row of `parked`.
#[derive(sqlx::FromRow)]
struct ParkedRow {
    id: String,
    contact: String,
    list: Option<String>,
    state: String,
    since: Option<i64>,
    edit: String,
    body: String,
}

/// A row of `bulk_import`.
#[derive(sqlx::FromRow)]
struct ImportRow {
    id: String,
    list: Option<String>,
    token: String,
    task: Option<String>,
    over: i64,
    begun_at: i64,
}

#[async_trait]
impl Imports for SqlStore {
    async fn parked(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
    ) -> Result<Vec<Parked>, Error> {
        let sql = parked_where!("contact = $2 ORDER BY id");
        let rows: Vec<ParkedRow> = self.db.all(sql, args![workspace, contact]).await?;
        rows.into_iter().map(parked).collect()
    }

    async fn unpark(&self, lease: &Lease) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        if !work::fence(&mut tx, lease).await? {
            return Ok(false);
        }
        tx.run(
            "DELETE FROM parked
             WHERE workspace = $1 AND contact = $2 AND state IN ('WAITING', 'SINGLY')",
            args![&lease.workspace, &lease.key],
        )
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn gathered(&self, workspace: &WorkspaceId) -> Result<Vec<Waiting>, Error> {
        let rows: Vec<(Option<String>, i64, String, String)> = self
            .db
            .all(
                "SELECT list, count(*), min(id), max(id) FROM parked
                 WHERE workspace = $1 AND state = 'WAITING' GROUP BY list ORDER BY min(id)",
                args![workspace],
            )
            .await?;
        let waiting = rows.into_iter().map(|(list, count, oldest, newest)| {
            let (oldest, newest) = (made_at(&oldest)?, made_at(&newest)?);
            Ok(Waiting { list, count: row::count(count), oldest, newest })
        });
        waiting.collect()
    }

    async fn waiting_for_import(
        &self,
        workspace: &WorkspaceId,
        limit: u32,
    ) -> Result<Vec<Uuid>, Error> {
        let sql = "SELECT id FROM parked
             WHERE workspace = $1 AND state = 'WAITING' ORDER BY id LIMIT $2";
        uuids(&self.db.all::<(String,)>(sql, args![workspace, limit]).await?)
    }

    async fn parked_writes(
        &self,
        workspace: &WorkspaceId,
        wanted: &[Uuid],
    ) -> Result<Vec<Parked>, Error> {
        let sql = parked_where!("id IN (SELECT value ->> 0 FROM json_each($2)) ORDER BY id");
        let rows: Vec<ParkedRow> = self.db.all(sql, args![workspace, ids(wanted)?]).await?;
        rows.into_iter().map(parked).collect()
    }

    async fn open_imports(&self, workspace: &WorkspaceId) -> Result<Vec<BulkImport>, Error> {
        let sql = "SELECT id, list, token, task, over, begun_at FROM bulk_import
             WHERE workspace = $1 ORDER BY id";
        let rows: Vec<ImportRow> = self.db.all(sql, args![workspace]).await?;
        rows.into_iter().map(import).collect()
    }

    async fn in_import(&self, workspace: &WorkspaceId, import: Uuid) -> Result<Vec<Uuid>, Error> {
        let sql = "SELECT id FROM parked WHERE workspace = $1 AND import = $2 ORDER BY id";
        uuids(&self.db.all::<(String,)>(sql, args![workspace, import]).await?)
    }

    async fn begin_import(
        &self,
        lease: &Lease,
        import: &BulkImport,
        rows: &[Uuid],
    ) -> Result<Option<Vec<Uuid>>, Error> {
        let workspace = &lease.workspace;
        let mut tx = self.db.write().await?;
        if !work::fence(&mut tx, lease).await? {
            return Ok(None);
        }
        tx.run(
            "INSERT INTO bulk_import (workspace, id, list, token, task, over, begun_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            args![
                workspace,
                import.id,
                import.list.as_deref(),
                &import.token,
                import.task.as_deref(),
                import.over,
                import.begun_at
            ],
        )
        .await?;
        let bound: Vec<(String,)> = tx
            .all(
                "UPDATE parked SET state = 'SENT', import = $2
                 WHERE workspace = $1 AND state = 'WAITING'
                   AND id IN (SELECT value ->> 0 FROM json_each($3))
                 RETURNING id",
                args![workspace, import.id, ids(rows)?],
            )
            .await?;
        tx.commit().await?;
        let mut bound = uuids(&bound)?;
        bound.sort_unstable();
        Ok(Some(bound))
    }

    async fn put_import(&self, lease: &Lease, import: &BulkImport) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        if !work::fence(&mut tx, lease).await? {
            return Ok(false);
        }
        tx.run(
            "UPDATE bulk_import SET task = $3, over = $4, begun_at = $5
             WHERE workspace = $1 AND id = $2",
            args![
                &lease.workspace,
                import.id,
                import.task.as_deref(),
                import.over,
                import.begun_at
            ],
        )
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn take_back_import(&self, lease: &Lease, import: Uuid) -> Result<bool, Error> {
        let workspace = &lease.workspace;
        let mut tx = self.db.write().await?;
        if !work::fence(&mut tx, lease).await? {
            return Ok(false);
        }
        tx.run(
            "UPDATE parked SET state = 'WAITING', import = NULL
             WHERE workspace = $1 AND import = $2",
            args![workspace, import],
        )
        .await?;
        forget(&mut tx, workspace, import).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn release(
        &self,
        lease: &Lease,
        rows: &[Uuid],
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let (workspace, rows) = (&lease.workspace, ids(rows)?);
        let mut tx = self.db.write().await?;
        let contacts: Vec<(String,)> = tx
            .all(
                "SELECT contact FROM parked WHERE workspace = $1
                   AND id IN (SELECT value ->> 0 FROM json_each($2))",
                args![workspace, rows.clone()],
            )
            .await?;
        if !mark(&mut tx, lease, contacts, now).await? {
            return Ok(false);
        }
        tx.run(
            "UPDATE parked SET state = 'SINGLY', import = NULL
             WHERE workspace = $1 AND state IN ('WAITING', 'SENT')
               AND id IN (SELECT value ->> 0 FROM json_each($2))",
            args![workspace, rows],
        )
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn end_import(
        &self,
        lease: &Lease,
        import: Uuid,
        (since, now): (DateTime<Utc>, DateTime<Utc>),
        seen: &[Version],
    ) -> Result<bool, Error> {
        let workspace = &lease.workspace;
        let mut tx = self.db.write().await?;
        // Before any lock is taken, because it is needed for who was seen.
        Guard::enter(&mut tx, workspace).await?;
        let sql = "SELECT contact FROM parked WHERE workspace = $1 AND import = $2";
        let contacts: Vec<(String,)> = tx.all(sql, args![workspace, import]).await?;
        if !mark(&mut tx, lease, contacts, now).await? {
            return Ok(false);
        }
        tx.run(
            "UPDATE parked SET state = 'ENDED', since = $3, import = NULL
             WHERE workspace = $1 AND import = $2",
            args![workspace, import, since],
        )
        .await?;
        polls::saw(&mut tx, workspace, (System::Doppler, None), seen).await?;
        forget(&mut tx, workspace, import).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn being_imported(
        &self,
        workspace: &WorkspaceId,
        contacts: &[ContactId],
    ) -> Result<BTreeSet<ContactId>, Error> {
        let contacts = row::list(contacts.iter().map(ToString::to_string))?;
        let rows: Vec<(String,)> = self
            .db
            .all(
                "SELECT DISTINCT contact FROM parked WHERE workspace = $1 AND state = 'SENT'
                   AND contact IN (SELECT value ->> 0 FROM json_each($2))",
                args![workspace, contacts],
            )
            .await?;
        Ok(row::contact_ids(&rows)?.into_iter().collect())
    }

    async fn import_named(&self, token: &str) -> Result<Option<WorkspaceId>, Error> {
        let sql = "SELECT workspace FROM bulk_import WHERE token = $1";
        let row: Option<(String,)> = self.db.one(sql, args![token]).await?;
        Ok(row.map(|(workspace,)| workspace.as_str().into()))
    }
}

/// Stores what a run parked, and forgets what it is done with. The contact's rows are the
/// survivor's.
pub(super) async fn put_parked(
    tx: &mut Tx,
    (workspace, contact): (&WorkspaceId, ContactId),
    (parked, done): (&[Parked], &[Uuid]),
) -> Result<(), Error> {
    for Parked { id, list, edit, state, body, .. } in parked {
        let since = match state {
            ParkedState::Ended { since } => Some(*since),
            ParkedState::Waiting | ParkedState::Sent | ParkedState::Singly => None,
        };
        tx.run(
            "INSERT INTO parked (workspace, id, contact, list, state, since, edit, body)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            args![
                workspace,
                *id,
                contact,
                list.as_deref(),
                word(*state),
                since,
                row::body(edit)?,
                body
            ],
        )
        .await?;
    }
    if !done.is_empty() {
        tx.run(
            "DELETE FROM parked WHERE workspace = $1
               AND id IN (SELECT value ->> 0 FROM json_each($2))",
            args![workspace, ids(done)?],
        )
        .await?;
    }
    Ok(())
}

/// Marks contacts for a worker that holds its lease, before all others of a backfill: their writes are
/// made, and settling them takes no call.
async fn mark(
    tx: &mut Tx,
    lease: &Lease,
    contacts: Vec<(String,)>,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let priority = Priority::Backfill;
    let next: Option<(i64,)> = tx
        .one(
            "SELECT due_at FROM work WHERE workspace = $1 AND priority = $2 AND gen > done_gen
               AND dead = 0 AND lease IS NULL ORDER BY due_at LIMIT 1",
            args![&lease.workspace, work::number(priority)],
        )
        .await?;
    let next = next.map(|(due,)| row::time(due, "work", "due_at")).transpose()?;
    let due = next.map_or(now, |next| now.min(next - TimeDelta::milliseconds(1)));
    let mark = |(key,): (String,)| Mark { kind: CONTACT, key, priority, due };
    let marks: Vec<Mark> = contacts.into_iter().map(mark).collect();
    if !work::fence_with(tx, lease, &marks).await? {
        return Ok(false);
    }
    work::mark(tx, &lease.workspace, &marks).await?;
    Ok(true)
}

async fn forget(tx: &mut Tx, workspace: &WorkspaceId, import: Uuid) -> Result<(), Error> {
    let sql = "DELETE FROM bulk_import WHERE workspace = $1 AND id = $2";
    tx.run(sql, args![workspace, import]).await?;
    Ok(())
}

/// When an id was made.
fn made_at(id: &str) -> Result<DateTime<Utc>, Error> {
    let wrong = || Error::Inconsistent { table: "parked", column: "id" };
    let made = row::uuid(id, "parked", "id")?.get_timestamp().ok_or_else(wrong)?;
    let (seconds, nanos) = made.to_unix();
    let seconds = i64::try_from(seconds).map_err(|_| wrong())?;
    DateTime::from_timestamp(seconds, nanos).ok_or_else(wrong)
}

fn ids(rows: &[Uuid]) -> Result<String, Error> {
    row::list(rows.iter().map(|id| id.simple().to_string()))
}

fn uuids(rows: &[(String,)]) -> Result<Vec<Uuid>, Error> {
    rows.iter().map(|(id,)| row::uuid(id, "parked", "id")).collect()
}

const fn word(state: ParkedState) -> &'static str {
    match state {
        ParkedState::Waiting => "WAITING",
        ParkedState::Sent => "SENT",
        ParkedState::Ended { .. } => "ENDED",
        ParkedState::Singly => "SINGLY",
    }
}

fn parked(row: ParkedRow) -> Result<Parked, Error> {
    let wrong = |column| Error::Inconsistent { table: "parked", column };
    let state = match (row.state.as_str(), row.since) {
        ("WAITING", _) => ParkedState::Waiting,
        ("SENT", _) => ParkedState::Sent,
        ("SINGLY", _) => ParkedState::Singly,
        ("ENDED", Some(since)) => {
            ParkedState::Ended { since: row::time(since, "parked", "since")? }
        }
        _ => return Err(wrong("state")),
    };
    Ok(Parked {
        id: row::uuid(&row.id, "parked", "id")?,
        contact: row::contact_id(&row.contact)?,
        list: row.list,
        edit: row::model(&row.edit, "parked")?,
        state,
        body: row.body,
    })
}

fn import(row: ImportRow) -> Result<BulkImport, Error> {
    let ImportRow { id, list, token, task, over, begun_at } = row;
    Ok(BulkImport {
        id: row::uuid(&id, "bulk_import", "id")?,
        list,
        token,
        task,
        over: over != 0,
        begun_at: row::time(begun_at, "bulk_import", "begun_at")?,
    })
}

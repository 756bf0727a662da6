//! The store on SQLite: one file, no service.
//!
//! One connection writes, by `BEGIN IMMEDIATE`, so that a transaction never finds out half-way that
//! it cannot; four read beside it (WAL). A commit is on the disk when it returns
//! (`synchronous = FULL`).
//!
//! Lists of values travel as one JSON parameter, so that the text of a statement never depends on
//! how many there are and it stays prepared. To add a table: a new file in `migrations/` (applied
//! ones are never edited), a module here, a case in `store::conformance`.

mod contact;
mod copies;
mod idempotency;
mod open;
mod recognize;
mod row;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqlitePool;

use super::{Attempt, Begun, Copy, CopyKey, Error, Known, Sighting, Store, Workspace};
use crate::unified::{ContactId, WorkspaceId};

/// The store in a SQLite file. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Sqlite {
    writer: SqlitePool,
    reader: SqlitePool,
}

impl Sqlite {
    /// Opens `sqlite://FILE`, making the file (for its owner's eyes only) and bringing its schema
    /// up to date. `sqlite::memory:` is gone when closed.
    pub async fn open(url: &str) -> Result<Self, Error> {
        let (writer, reader) = open::open(url).await?;
        Ok(Self { writer, reader })
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn workspace(
        &self,
        id: &WorkspaceId,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<Workspace, Error> {
        let (name, created_at) = sqlx::query_as(
            "INSERT INTO workspace (id, name, created_at) VALUES ($1, $2, $3)
             ON CONFLICT (id) DO UPDATE SET id = excluded.id
             RETURNING name, created_at",
        )
        .bind(id.as_str())
        .bind(name)
        .bind(now.timestamp_millis())
        .fetch_one(&self.writer)
        .await?;
        let created_at = row::time(created_at, "workspace", "created_at")?;
        Ok(Workspace { id: id.clone(), name, created_at })
    }

    async fn recognize(
        &self,
        workspace: &WorkspaceId,
        sightings: &[Sighting],
        now: DateTime<Utc>,
    ) -> Result<Vec<Known>, Error> {
        if let Some(known) = recognize::known(&self.reader, workspace, sightings).await? {
            return Ok(known);
        }
        recognize::recognize(&self.writer, workspace, sightings, now).await
    }

    async fn contact(
        &self,
        workspace: &WorkspaceId,
        id: ContactId,
    ) -> Result<Option<Known>, Error> {
        contact::by_id(&self.reader, workspace, id).await
    }

    async fn contacts_by_email(
        &self,
        workspace: &WorkspaceId,
        email: &str,
    ) -> Result<Vec<ContactId>, Error> {
        contact::by_email(&self.reader, workspace, email).await
    }

    async fn contacts_by_phone(
        &self,
        workspace: &WorkspaceId,
        phone: &str,
    ) -> Result<Vec<ContactId>, Error> {
        contact::by_phone(&self.reader, workspace, phone).await
    }

    async fn put_copies(&self, workspace: &WorkspaceId, copies: &[Copy]) -> Result<(), Error> {
        if copies.is_empty() {
            return Ok(());
        }
        copies::put(&self.writer, workspace, copies).await
    }

    async fn copies(&self, workspace: &WorkspaceId, keys: &[CopyKey]) -> Result<Vec<Copy>, Error> {
        copies::get(&self.reader, workspace, keys).await
    }

    async fn deliveries_seen(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        campaigns: &[String],
        now: DateTime<Utc>,
    ) -> Result<Vec<DateTime<Utc>>, Error> {
        let seen = contact::deliveries_seen(&self.reader, workspace, contact, campaigns).await?;
        match seen {
            Some(seen) => Ok(seen),
            None => contact::see_deliveries(&self.writer, workspace, contact, campaigns, now).await,
        }
    }

    async fn begin(
        &self,
        workspace: &WorkspaceId,
        attempt: &Attempt,
        now: DateTime<Utc>,
        lease_seconds: u32,
    ) -> Result<Begun, Error> {
        idempotency::begin(&self.writer, workspace, attempt, now, lease_seconds).await
    }

    async fn finish(
        &self,
        workspace: &WorkspaceId,
        attempt: &Attempt,
        outcome: &str,
    ) -> Result<(), Error> {
        idempotency::end(&self.writer, workspace, attempt, Some(outcome)).await
    }

    async fn abandon(&self, workspace: &WorkspaceId, attempt: &Attempt) -> Result<(), Error> {
        idempotency::abandon(&self.writer, workspace, attempt).await
    }

    async fn doubt(&self, workspace: &WorkspaceId, attempt: &Attempt) -> Result<(), Error> {
        idempotency::end(&self.writer, workspace, attempt, None).await
    }

    async fn prune(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        idempotency::prune(&self.writer, now).await
    }

    async fn ping(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(&self.reader).await?;
        Ok(())
    }

    async fn close(&self) {
        if !self.reader.is_closed() && self.reader.size() > 0 {
            self.reader.close().await;
        }
        // The last connection to close writes the log into the file and removes it.
        self.writer.close().await;
    }
}

//! What engagement remembers.

use std::collections::HashSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::arg::args;
use super::{SqlStore, history, row, work};
use crate::store::{Engaged, Engagements, Error, Lease, Reading};
use crate::unified::{ContactId, WorkspaceId};

#[async_trait]
impl Engagements for SqlStore {
    async fn round(&self, workspace: &WorkspaceId) -> Result<Option<String>, Error> {
        let sql = "SELECT position FROM engagement_round WHERE workspace = $1";
        let row: Option<(String,)> = self.db.one(sql, args![workspace]).await?;
        Ok(row.map(|(position,)| position))
    }

    async fn put_round(&self, lease: &Lease, position: &str) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        if !work::fence(&mut tx, lease).await? {
            return Ok(false);
        }
        tx.run(
            "INSERT INTO engagement_round (workspace, position) VALUES ($1, $2)
             ON CONFLICT (workspace) DO UPDATE SET position = excluded.position",
            args![&lease.workspace, position],
        )
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn reading(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
    ) -> Result<Option<Reading>, Error> {
        let sql = "SELECT asked_at, body FROM engagement WHERE workspace = $1 AND contact = $2";
        let row: Option<(i64, String)> = self.db.one(sql, args![workspace, contact]).await?;
        row.map(|(asked_at, body)| {
            Ok(Reading {
                asked_at: row::time(asked_at, "engagement", "asked_at")?,
                engagements: row::model(&body, "engagement")?,
            })
        })
        .transpose()
    }

    async fn read_since(
        &self,
        workspace: &WorkspaceId,
        contacts: &[ContactId],
        since: DateTime<Utc>,
    ) -> Result<Vec<bool>, Error> {
        let wanted = row::list(contacts.iter().map(ToString::to_string))?;
        let rows: Vec<(i64,)> = self
            .db
            .all(
                "SELECT k.key FROM json_each($3) AS k CROSS JOIN engagement AS e
                 WHERE e.workspace = $1 AND e.contact = k.value ->> 0 AND e.asked_at >= $2",
                args![workspace, since, wanted],
            )
            .await?;
        let read: HashSet<i64> = rows.into_iter().map(|(place,)| place).collect();
        Ok((0..).zip(contacts).map(|(place, _)| read.contains(&place)).collect())
    }

    async fn engage(
        &self,
        lease: &Lease,
        engaged: Engaged<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Option<i64>>, Error> {
        let workspace = &lease.workspace;
        let Engaged { contact, engagements, events, marks } = engaged;
        let mut tx = self.db.write().await?;
        tx.lock_erasures(workspace, false).await?;
        if !work::fence_with(&mut tx, lease, marks).await? {
            return Ok(None);
        }
        tx.run(
            "INSERT INTO engagement (workspace, contact, asked_at, body)
             SELECT $1, coalesce(survivor, id), $3, $4 FROM contact
             WHERE workspace = $1 AND id = $2 AND erased_at IS NULL
             ON CONFLICT (contact, workspace)
             DO UPDATE SET asked_at = excluded.asked_at, body = excluded.body",
            args![workspace, contact, now, row::body(&engagements)?],
        )
        .await?;
        work::mark(&mut tx, workspace, marks).await?;
        let cursor = history::append(&mut tx, workspace, events, now).await?;
        tx.commit().await?;
        Ok(Some(cursor))
    }
}

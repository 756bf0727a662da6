//! Mapping, sync settings, and how contacts stand.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::arg::args;
use super::db::Tx;
use super::{SqlStore, history, row};
use crate::store::{CONTACT, Counts, Error, Put, Settings, StoredMapping};
use crate::unified::{EventDraft, SyncSettings, WorkspaceId};

#[async_trait]
impl Settings for SqlStore {
    async fn mapping(&self, workspace: &WorkspaceId) -> Result<Option<StoredMapping>, Error> {
        let sql = "SELECT revision, body FROM mapping WHERE workspace = $1";
        let row: Option<(i64, String)> = self.db.one(sql, args![workspace]).await?;
        Ok(row.map(|(revision, body)| StoredMapping { revision, body }))
    }

    async fn put_mapping(
        &self,
        workspace: &WorkspaceId,
        StoredMapping { revision, body }: &StoredMapping,
        event: &EventDraft,
        now: DateTime<Utc>,
    ) -> Result<Put, Error> {
        let mut tx = self.db.write().await?;
        let stored = if *revision == 0 {
            tx.run(
                "INSERT INTO mapping (workspace, revision, body) VALUES ($1, 1, $2)
                 ON CONFLICT (workspace) DO NOTHING",
                args![workspace, body],
            )
            .await?
        } else {
            tx.run(
                "UPDATE mapping SET revision = revision + 1, body = $2
                 WHERE workspace = $1 AND revision = $3",
                args![workspace, body, *revision],
            )
            .await?
        };
        if stored == 0 {
            let sql = "SELECT revision FROM mapping WHERE workspace = $1";
            let stands: Option<(i64,)> = tx.one(sql, args![workspace]).await?;
            return Ok(Put::Stale(stands.map_or(0, |(revision,)| revision)));
        }
        history::append(&mut tx, workspace, std::slice::from_ref(event), now).await?;
        tx.commit().await?;
        Ok(Put::Stored(revision + 1))
    }

    async fn sync_settings(&self, workspace: &WorkspaceId) -> Result<SyncSettings, Error> {
        let sql = "SELECT body FROM sync_settings WHERE workspace = $1";
        let row: Option<(String,)> = self.db.one(sql, args![workspace]).await?;
        Ok(row.map(|(body,)| row::model(&body, "sync_settings")).transpose()?.unwrap_or_default())
    }

    async fn put_sync_settings(
        &self,
        workspace: &WorkspaceId,
        settings: &SyncSettings,
        event: &EventDraft,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        put(&mut tx, workspace, settings).await?;
        history::append(&mut tx, workspace, std::slice::from_ref(event), now).await?;
        tx.commit().await
    }

    async fn counts(&self, workspace: &WorkspaceId) -> Result<Counts, Error> {
        let row: Option<(i64, i64, i64, i64)> =
            self.db.one(COUNTS, args![workspace, CONTACT]).await?;
        let Some((total, failed, held, pending)) = row else { return Ok(Counts::default()) };
        Ok(Counts {
            in_sync: row::count(total - failed - held - pending),
            pending: row::count(pending),
            held: row::count(held),
            failed: row::count(failed),
            total: row::count(total),
        })
    }
}

/// Whether sync settings are as they were read; nobody can change them until the transaction ends.
pub(super) async fn still(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    settings: &SyncSettings,
) -> Result<bool, Error> {
    let sql = "SELECT body FROM sync_settings WHERE workspace = $1 /*pg FOR SHARE */";
    let row: Option<(String,)> = tx.one(sql, args![workspace]).await?;
    let stored: SyncSettings =
        row.map(|(body,)| row::model(&body, "sync_settings")).transpose()?.unwrap_or_default();
    Ok(stored == *settings)
}

/// Stores sync settings.
pub(super) async fn put(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    settings: &SyncSettings,
) -> Result<(), Error> {
    tx.run(
        "INSERT INTO sync_settings (workspace, state, body) VALUES ($1, $2, $3)
         ON CONFLICT (workspace) DO UPDATE SET state = excluded.state, body = excluded.body",
        args![workspace, row::word(&settings.state)?, row::body(settings)?],
    )
    .await?;
    Ok(())
}

/// Each contact that is not in step once. Work that was given up counts as failed.
pub(in crate::store) const COUNTS: &str = "
    WITH failed (contact) AS (
      SELECT contact FROM failure WHERE workspace = $1
      UNION
      SELECT key FROM work WHERE workspace = $1 AND kind = $2 AND dead = 1
    ), held (contact) AS (
      SELECT c.contact FROM hold AS h CROSS JOIN hold_contact AS c
      WHERE h.workspace = $1 AND h.closed_at IS NULL AND c.workspace = $1 AND c.hold = h.id
        AND c.contact <> ''
      EXCEPT SELECT contact FROM failed
    ), besides (contact) AS (
      SELECT contact FROM failed UNION ALL SELECT contact FROM held
    )
    SELECT contacts, (SELECT count(*) FROM failed), (SELECT count(*) FROM held),
      (SELECT count(*) FROM work
        WHERE workspace = $1 AND kind = $2 AND gen > done_gen AND dead = 0)
      - (SELECT count(*) FROM besides CROSS JOIN work AS w
        WHERE w.key = besides.contact AND w.workspace = $1 AND w.kind = $2
          AND w.gen > w.done_gen AND w.dead = 0)
    FROM counter WHERE workspace = $1";

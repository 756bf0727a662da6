//! Sealed credentials, leases on their renewal, and installations that wait.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::arg::args;
use super::db::{Db, Tx, is_taken};
use super::{SqlStore, history, row};
use crate::store::{
    Error, Kept, Owner, Placed, Sealed, Secrets, StoredInstall, StoredSecret, Turn,
};
use crate::unified::{EventDraft, System, WorkspaceId};

#[async_trait]
impl Secrets for SqlStore {
    async fn secret(
        &self,
        workspace: &WorkspaceId,
        system: System,
    ) -> Result<Option<StoredSecret>, Error> {
        let sql = "SELECT version, sealed, account FROM credential
             WHERE workspace = $1 AND system = $2";
        let row: Option<(i64, Option<String>, Option<String>)> =
            self.db.one(sql, args![workspace, system]).await?;
        Ok(row.map(|(version, sealed, account)| StoredSecret { version, sealed, account }))
    }

    async fn put_secret(
        &self,
        workspace: &WorkspaceId,
        system: System,
        sealed: Option<(&str, &str)>,
        told: (&EventDraft, DateTime<Utc>),
    ) -> Result<Placed, Error> {
        put(self.db.write().await?, (workspace, system), sealed, told).await
    }

    async fn bind_account(
        &self,
        workspace: &WorkspaceId,
        system: System,
        account: &str,
    ) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        match tx.run(BIND, args![workspace, system, account]).await {
            Err(error) if is_taken(&error) => return Ok(false),
            bound => bound?,
        };
        tx.commit().await?;
        Ok(true)
    }

    async fn whose_account(&self, system: System, account: &str) -> Result<Option<Owner>, Error> {
        let rows: Vec<(String, i64)> = self.db.all(WHOSE, args![system, account]).await?;
        let connected = rows.iter().find(|(_, connected)| *connected == 1);
        let only = rows.first().filter(|_| rows.len() == 1);
        Ok(connected.or(only).map(|(workspace, connected)| Owner {
            workspace: WorkspaceId::from(workspace.as_str()),
            is_connected: *connected == 1,
        }))
    }

    async fn versions(&self) -> Result<Vec<(WorkspaceId, System, i64)>, Error> {
        let sql = "SELECT workspace, system, version FROM credential";
        let rows: Vec<(String, String, i64)> = self.db.all(sql, args![]).await?;
        rows.into_iter()
            .map(|(workspace, system, version)| {
                Ok((WorkspaceId::from(workspace.as_str()), row::system(&system)?, version))
            })
            .collect()
    }

    async fn lease_secret(
        &self,
        workspace: &WorkspaceId,
        system: System,
        Turn { lease, version }: Turn,
        (now, until): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        let taken = tx.run(LEASE, args![workspace, system, version, lease, until, now]).await?;
        tx.commit().await?;
        Ok(taken > 0)
    }

    async fn renew_secret(
        &self,
        workspace: &WorkspaceId,
        system: System,
        Turn { lease, version }: Turn,
        sealed: &str,
    ) -> Result<Option<i64>, Error> {
        let mut tx = self.db.write().await?;
        let renewed = tx.run(RENEW, args![workspace, system, version, lease, sealed]).await?;
        tx.commit().await?;
        Ok((renewed > 0).then_some(version + 1))
    }

    async fn unlease_secret(
        &self,
        workspace: &WorkspaceId,
        system: System,
        lease: Uuid,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        tx.run(UNLEASE, args![workspace, system, lease]).await?;
        tx.commit().await
    }

    async fn hold_install(
        &self,
        workspace: &WorkspaceId,
        StoredInstall { id, account, sealed, expires_at }: &StoredInstall,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        tx.run(HOLD, args![workspace, *id, sealed, *expires_at, account]).await?;
        tx.run(GIVE_UP, args![workspace, MOST_HELD]).await?;
        tx.commit().await
    }

    async fn held_installs(
        &self,
        workspace: &WorkspaceId,
        now: DateTime<Utc>,
    ) -> Result<Vec<StoredInstall>, Error> {
        let sql = "SELECT id, account, sealed, expires_at FROM held_install
             WHERE workspace = $1 AND expires_at > $2 ORDER BY expires_at, id";
        let rows: Vec<(String, String, String, i64)> =
            self.db.all(sql, args![workspace, now]).await?;
        rows.into_iter()
            .map(|(id, account, sealed, expires_at)| {
                let id = row::uuid(&id, "held_install", "id")?;
                let expires_at = row::time(expires_at, "held_install", "expires_at")?;
                Ok(StoredInstall { id, account, sealed, expires_at })
            })
            .collect()
    }

    async fn use_install(
        &self,
        workspace: &WorkspaceId,
        sealed: (&str, &str),
        (waits_in, id): (&WorkspaceId, Uuid),
        told: (&EventDraft, DateTime<Utc>),
    ) -> Result<Option<Placed>, Error> {
        let mut tx = self.db.write().await?;
        // First: of two who use it at once, one gets it.
        if tx.run(DROP, args![waits_in, id]).await? == 0 {
            return Ok(None);
        }
        put(tx, (workspace, System::HighLevel), Some(sealed), told).await.map(Some)
    }

    async fn drop_install(&self, workspace: &WorkspaceId, id: Uuid) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        let gone = tx.run(DROP, args![workspace, id]).await?;
        tx.commit().await?;
        Ok(gone > 0)
    }

    async fn announce(
        &self,
        workspace: &WorkspaceId,
        system: System,
        (ends_at, days): (DateTime<Utc>, u32),
        (event, now): (&EventDraft, DateTime<Utc>),
    ) -> Result<Option<i64>, Error> {
        let mut tx = self.db.write().await?;
        let told = tx.run(ANNOUNCE, args![workspace, system, ends_at, days]).await?;
        if told == 0 {
            return Ok(None);
        }
        let cursor = history::append(&mut tx, workspace, std::slice::from_ref(event), now).await?;
        tx.commit().await?;
        Ok(cursor)
    }

    async fn all_sealed(&self) -> Result<Vec<Sealed>, Error> {
        let rows: Vec<(String, Option<String>, String)> = self.db.all(ALL, args![]).await?;
        rows.into_iter()
            .map(|(workspace, system, text)| {
                let kept = match system.as_deref() {
                    Some(ERASURE) => Kept::ErasureKey,
                    Some(system) => Kept::Credential(row::system(system)?),
                    None => Kept::Install,
                };
                Ok(Sealed { workspace: WorkspaceId::from(workspace.as_str()), kept, text })
            })
            .collect()
    }

    async fn reseal(&self, old: &Sealed, text: &str) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        let changed = match old.kept {
            Kept::Credential(system) => {
                let args = args![&old.workspace, &old.text, text, system];
                tx.run(RESEAL_CREDENTIAL, args).await?
            }
            Kept::Install => tx.run(RESEAL_INSTALL, args![&old.workspace, &old.text, text]).await?,
            Kept::ErasureKey => tx.run(RESEAL_ERASURE_KEY, args![&old.text, text]).await?,
        };
        tx.commit().await?;
        Ok(changed > 0)
    }
}

/// Ends a transaction with a credential and its account, or without one; of one that is not kept nothing is.
async fn put(
    mut tx: Tx,
    (workspace, system): (&WorkspaceId, System),
    sealed: Option<(&str, &str)>,
    (event, now): (&EventDraft, DateTime<Utc>),
) -> Result<Placed, Error> {
    let (sealed, account) = sealed.unzip();
    let put = tx.one(PUT, args![workspace, system, sealed, account]).await;
    let row: Option<(i64,)> = match put {
        Err(error) if is_taken(&error) => return Ok(Placed::Taken),
        put => put?,
    };
    let Some((version,)) = row else { return Ok(Placed::Bound) };
    history::append(&mut tx, workspace, std::slice::from_ref(event), now).await?;
    tx.commit().await?;
    Ok(Placed::Stored(version))
}

/// The key of erased people as it is kept; `new` where there is none yet.
pub(super) async fn erasure_key(db: &Db, new: Option<&str>) -> Result<Option<String>, Error> {
    const KEY: &str = "SELECT sealed FROM erasure_key WHERE one = 1";
    let kept: Option<(String,)> = db.one(KEY, args![]).await?;
    let (None, Some(new)) = (&kept, new) else { return Ok(kept.map(|(sealed,)| sealed)) };
    let mut tx = db.write().await?;
    // Of several who make one at once the first one's counts.
    let sql = "INSERT INTO erasure_key (one, sealed) VALUES (1, $1) ON CONFLICT (one) DO NOTHING";
    tx.run(sql, args![new]).await?;
    let kept: Option<(String,)> = tx.one(KEY, args![]).await?;
    tx.commit().await?;
    Ok(kept.map(|(sealed,)| sealed))
}

/// Forgets installations that nobody confirmed in time.
pub(super) async fn prune(db: &Db, now: DateTime<Utc>) -> Result<u64, Error> {
    let mut tx = db.write().await?;
    let gone = tx.run("DELETE FROM held_install WHERE expires_at <= $1", args![now]).await?;
    tx.commit().await?;
    Ok(gone)
}

const ANNOUNCE: &str = "
    INSERT INTO announced (workspace, system, ends_at, days) VALUES ($1, $2, $3, $4)
    ON CONFLICT (system, workspace) DO UPDATE SET ends_at = excluded.ends_at, days = excluded.days
    WHERE announced.ends_at <> excluded.ends_at OR announced.days > excluded.days";

/// Stands for the key of erased people where a system stands otherwise.
const ERASURE: &str = "erasure";

const RESEAL_ERASURE_KEY: &str = "UPDATE erasure_key SET sealed = $2 WHERE sealed = $1";

const PUT: &str = "
    INSERT INTO credential (workspace, system, version, sealed, account)
    VALUES ($1, $2, 1, $3, $4)
    ON CONFLICT (system, workspace) DO UPDATE SET version = credential.version + 1,
      sealed = excluded.sealed, account = coalesce(excluded.account, credential.account),
      lease = NULL, leased_until = NULL
    WHERE credential.account IS NULL OR excluded.account IS NULL
      OR credential.account = excluded.account
    RETURNING version";

/// Version 0: nothing was kept yet, and the settings count.
const BIND: &str = "
    INSERT INTO credential (workspace, system, version, account) VALUES ($1, $2, 0, $3)
    ON CONFLICT (system, workspace) DO UPDATE SET account = excluded.account";

const WHOSE: &str = "
    SELECT workspace, CAST(CASE WHEN sealed IS NOT NULL OR version = 0 THEN 1 ELSE 0 END AS BIGINT)
    FROM credential WHERE system = $1 AND account = $2";

/// How many installations wait in one workspace: anybody may begin one at the marketplace.
const MOST_HELD: u32 = 100;

const GIVE_UP: &str = "
    DELETE FROM held_install WHERE workspace = $1 AND id NOT IN
      (SELECT id FROM held_install WHERE workspace = $1 ORDER BY expires_at DESC, id DESC LIMIT $2)";

const LEASE: &str = "
    UPDATE credential SET lease = $4, leased_until = $5
    WHERE workspace = $1 AND system = $2 AND version = $3
      AND (leased_until IS NULL OR leased_until <= $6)";

const RENEW: &str = "
    UPDATE credential SET version = version + 1, sealed = $5
    WHERE workspace = $1 AND system = $2 AND version = $3 AND lease = $4";

const UNLEASE: &str = "
    UPDATE credential SET lease = NULL, leased_until = NULL
    WHERE workspace = $1 AND system = $2 AND lease = $3";

const DROP: &str = "DELETE FROM held_install WHERE workspace = $1 AND id = $2";

const HOLD: &str = "
    INSERT INTO held_install (workspace, id, sealed, expires_at, account)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (workspace, account) DO UPDATE SET id = excluded.id, sealed = excluded.sealed,
      expires_at = excluded.expires_at";

const ALL: &str = "
    SELECT workspace, system, sealed FROM credential WHERE sealed IS NOT NULL
    UNION ALL
    SELECT workspace, NULL, sealed FROM held_install
    UNION ALL
    SELECT '', 'erasure', sealed FROM erasure_key";

const RESEAL_CREDENTIAL: &str = "
    UPDATE credential SET sealed = $3 WHERE workspace = $1 AND sealed = $2 AND system = $4";

const RESEAL_INSTALL: &str = "
    UPDATE held_install SET sealed = $3 WHERE workspace = $1 AND sealed = $2";

//! The store in SQL, once for both databases: see [`db`] for how one text does for both.
//!
//! One file a topic. Statements that several topics need are functions on a transaction (`work`,
//! `history`, `problem`, …); the topics' traits are implemented beside them and own the
//! transactions. Locks are taken in the order that `identity` states.

mod agreement;
pub(super) mod arg;
mod budgets;
mod copies;
mod counted;
pub(super) mod db;
mod engagement;
mod erase;
mod erasure;
pub(super) mod history;
mod idempotency;
pub(super) mod identity;
mod imports;
mod inbox;
pub(super) mod index;
mod ledger;
pub(super) mod lines;
pub(super) mod merge;
mod people;
mod polls;
mod problem;
mod problems;
pub(super) mod queue;
mod record;
mod row;
mod runs;
pub(super) mod search;
mod secrets;
pub(super) mod settings;
mod suppression;
pub(super) mod texts;
mod traces;
pub(super) mod walk;
mod words;
mod work;
mod workspaces;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use arg::args;
use counted::Counted;
use db::Db;

use super::{Erasure, ErasureKey, Erasures, Error, Retention, Store, Trace};
use crate::unified::{ContactId, WorkspaceId};

/// The store in a SQL database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct SqlStore {
    pub(super) db: Db,
    counted: Counted,
}

impl SqlStore {
    pub(super) fn new(db: Db) -> Self {
        Self { db, counted: Counted::default() }
    }
}

/// How many rows of one table one transaction forgets, so that others can write in between.
const AT_ONCE: u32 = 2_000;

#[async_trait]
impl Store for SqlStore {
    async fn prune(&self, now: DateTime<Utc>, retention: Retention) -> Result<u64, Error> {
        let mut tx = self.db.write().await?;
        let mut pruned = idempotency::prune(&mut tx, now).await?;
        tx.commit().await?;
        pruned += secrets::prune(&self.db, now).await?;
        pruned += inbox::prune(&self.db, now).await?;
        pruned += history::prune(&self.db, retention.events_before).await?;
        pruned += runs::prune(&self.db, retention.events_before).await?;
        // An idempotency key may answer with an edit for a day.
        let before = retention.bodies_before.min(now - TimeDelta::hours(24));
        for sql in [FORGET_EDITS, FORGET_HOLDS] {
            pruned += forget(&self.db, sql, before).await?;
        }
        if pruned > 0 {
            self.db.empty_log().await?;
        }
        Ok(pruned)
    }

    async fn ping(&self) -> Result<(), Error> {
        self.db.one::<(i64,)>("SELECT CAST(1 AS BIGINT)", args![]).await?;
        Ok(())
    }

    async fn close(&self) {
        self.db.close().await;
    }
}

#[async_trait]
impl Erasures for SqlStore {
    fn unlock(&self, key: ErasureKey) {
        self.db.pepper.put(&key);
    }

    fn is_unlocked(&self) -> bool {
        self.db.pepper.is_there()
    }

    async fn sealed_key(&self, new: Option<&str>) -> Result<Option<String>, Error> {
        secrets::erasure_key(&self.db, new).await
    }

    async fn erase(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        now: DateTime<Utc>,
    ) -> Result<Erasure, Error> {
        let erased = erase::erase(&self.db, workspace, contact, now).await?;
        // Also where it was done before: perhaps by a process that died here.
        if !matches!(erased, Erasure::Unknown) && !self.db.empty_log().await? {
            tracing::warn!(
                "the database's log is emptied later: somebody was reading all the time"
            );
        }
        Ok(erased)
    }

    async fn erased(
        &self,
        workspace: &WorkspaceId,
        traces: &[Trace],
    ) -> Result<Vec<Option<ContactId>>, Error> {
        erasure::erased(&self.db, workspace, traces).await
    }
}

/// Runs a statement that forgets what is from before `$1`, `$2` rows at most, until none is left; how
/// many rows.
async fn forget(db: &Db, sql: &'static str, before: DateTime<Utc>) -> Result<u64, Error> {
    let mut forgotten = 0;
    loop {
        let mut tx = db.write().await?;
        let gone = tx.run(sql, args![before, AT_ONCE]).await?;
        tx.commit().await?;
        forgotten += gone;
        if gone < u64::from(AT_ONCE) {
            return Ok(forgotten);
        }
    }
}

const FORGET_EDITS: &str = "
    DELETE FROM edit WHERE (id, workspace) IN
      (SELECT id, workspace FROM edit WHERE done_at IS NOT NULL AND done_at < $1 LIMIT $2)";

/// Those whose decision is remembered, or still to be carried out, stay.
const FORGET_HOLDS: &str = "
    DELETE FROM hold WHERE (id, workspace) IN
      (SELECT id, workspace FROM hold
       WHERE closed_at IS NOT NULL AND closed_at < $1 AND remember = 0
         AND (decision IS NULL OR obeyed = 1) LIMIT $2)";

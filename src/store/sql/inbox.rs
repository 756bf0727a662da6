//! What came in and waits.

use std::collections::HashSet;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::arg::args;
use super::db::Db;
use super::{SqlStore, forget, history, row, work};
use crate::store::{Arrival, Error, INBOX, Inbox, Lease, LookedAt, Mark, Priority};
use crate::unified::{System, WorkspaceId};

/// How long the words are kept.
const BODIES: TimeDelta = TimeDelta::days(7);
/// How long ids are: HighLevel sends again for up to 30 days.
const IDS: TimeDelta = TimeDelta::days(31);

#[async_trait]
impl Inbox for SqlStore {
    async fn receive(
        &self,
        workspace: &WorkspaceId,
        arrivals: &[Arrival],
        now: DateTime<Utc>,
    ) -> Result<Vec<bool>, Error> {
        if arrivals.is_empty() {
            return Ok(Vec::new());
        }
        // In one order, so that two who store the same ones never wait for each other.
        let mut rows: Vec<_> = arrivals
            .iter()
            .map(|one| (&one.id, &one.kind, &one.body, u8::from(one.late)))
            .collect();
        rows.sort_unstable();
        let mut tx = self.db.write().await?;
        let new: Vec<(String,)> = tx
            .all(
                "INSERT INTO webhook (workspace, id, kind, body, late, received_at, waits)
                 SELECT $1, value ->> 0, value ->> 1, value ->> 2, CAST(value ->> 3 AS BIGINT), $3, 1
                 FROM json_each($2) WHERE true
                 ON CONFLICT (id, workspace) DO NOTHING RETURNING id",
                args![workspace, row::json(rows)?, now],
            )
            .await?;
        if !new.is_empty() {
            let key = System::HighLevel.as_str().to_owned();
            let mark = Mark { kind: INBOX, key, priority: Priority::Client, due: now };
            work::mark(&mut tx, workspace, &[mark]).await?;
        }
        tx.commit().await?;
        let mut new: HashSet<String> = new.into_iter().map(|(id,)| id).collect();
        Ok(arrivals.iter().map(|arrival| new.remove(&arrival.id)).collect())
    }

    async fn waiting(
        &self,
        workspace: &WorkspaceId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Arrival>, Error> {
        let rows: Vec<(String, String, Option<String>, i64)> = match after {
            None => self.db.all(WAITING, args![workspace, limit]).await?,
            Some(after) => self.db.all(WAITING_AFTER, args![workspace, limit, after]).await?,
        };
        let arrival = |(id, kind, body, late): (String, String, Option<String>, i64)| Arrival {
            id,
            kind,
            body: body.unwrap_or_default(),
            late: late != 0,
        };
        Ok(rows.into_iter().map(arrival).collect())
    }

    async fn looked_at(
        &self,
        lease: &Lease,
        LookedAt { ids, forget, marks, events }: LookedAt<'_>,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let workspace = &lease.workspace;
        let mut tx = self.db.write().await?;
        if !work::fence_with(&mut tx, lease, marks).await? {
            return Ok(false);
        }
        tx.run(
            "UPDATE webhook SET waits = 0, body = CASE
               WHEN id IN (SELECT value ->> 0 FROM json_each($3)) THEN NULL ELSE body END
             WHERE workspace = $1 AND id IN (SELECT value ->> 0 FROM json_each($2))",
            args![workspace, row::list(ids)?, row::list(forget)?],
        )
        .await?;
        work::mark(&mut tx, workspace, marks).await?;
        history::append(&mut tx, workspace, events, now).await?;
        tx.commit().await?;
        if !forget.is_empty() {
            self.db.empty_log().await?;
        }
        Ok(true)
    }
}

/// Forgets what nobody needs any more; how many rows.
pub(super) async fn prune(db: &Db, now: DateTime<Utc>) -> Result<u64, Error> {
    Ok(forget(db, FORGET_BODIES, now - BODIES).await? + forget(db, FORGET_IDS, now - IDS).await?)
}

macro_rules! waiting {
    ($more:literal) => {
        concat!(
            "SELECT id, kind, body, late FROM webhook WHERE workspace = $1 AND waits = 1",
            $more,
            " ORDER BY received_at, id LIMIT $2"
        )
    };
}

const WAITING: &str = waiting!("");
const WAITING_AFTER: &str = waiting!(
    " AND (received_at, id) > (SELECT a.received_at, a.id FROM webhook AS a
        WHERE a.workspace = $1 AND a.id = $3)"
);

/// What nobody could follow in this time waits no longer either: polls have seen what it told.
const FORGET_BODIES: &str = "
    UPDATE webhook SET body = NULL, waits = 0 WHERE (id, workspace) IN
      (SELECT id, workspace FROM webhook
       WHERE body IS NOT NULL AND received_at < $1 LIMIT $2)";

const FORGET_IDS: &str = "
    DELETE FROM webhook WHERE (id, workspace) IN
      (SELECT id, workspace FROM webhook WHERE received_at < $1 LIMIT $2)";

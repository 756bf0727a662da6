//! The work table: who gets which work.
//!
//! A claim goes priority by priority, and within one gives each workspace that has due work an
//! equal share before any gets more, and none more than it has room for. Which workspace is first depends on the token, so that none is
//! always the last. Each share is one statement over an index that begins with workspace and
//! priority: a claim costs what it takes, however much waits.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::arg::args;
use super::db::Tx;
use super::{SqlStore, history, row, work};
use crate::store::{
    Backlog, CONTACT, Claim, ClaimKey, ClaimOne, Claimed, Error, Lease, Mark, Priority, Queue,
};
use crate::unified::{EventDraft, EventKind, WorkspaceId};

/// Where a workspace has due work of a priority. `$1` priority, `$2` now, `$3` kinds.
///
/// Kinds are a filter by text and the first row is asked for, because what could be joined would be:
/// PostgreSQL then reads all that waits.
pub(in crate::store) const DUE: &str = "
    SELECT c.workspace FROM counter AS c
    WHERE ($1 = 0 OR EXISTS
        (SELECT 1 FROM sync_settings AS s WHERE s.workspace = c.workspace AND s.state = 'RUNNING'))
      AND (SELECT w.key FROM work AS w
        WHERE w.workspace = c.workspace AND w.priority = $1 AND w.due_at <= $2
          AND w.gen > w.done_gen AND w.dead = 0 AND w.lease_until < $2
          AND $3 LIKE '%|' || w.kind || '|%'
        ORDER BY w.due_at LIMIT 1) IS NOT NULL
    ORDER BY c.workspace";

/// Finds due work that nobody is about to lease. `$1` workspace, `$2` priority, `$3` now, `$4`
/// kinds, `$5` how many.
pub(in crate::store) const FIND: &str = "
    SELECT kind, key, gen, attempt, due_at FROM work
    WHERE workspace = $1 AND priority = $2 AND due_at <= $3 AND gen > done_gen AND dead = 0
      AND lease_until < $3 AND $4 LIKE '%|' || kind || '|%'
    ORDER BY due_at LIMIT $5 /*pg FOR UPDATE SKIP LOCKED */";

/// Leases what was found. `$1` workspace, `$2` `[[kind, key], …]`, `$3` token, `$4` until.
const TAKE: &str = "
    UPDATE work SET lease = $3, lease_until = $4, attempt = attempt + 1
    WHERE workspace = $1
      AND (kind, key) IN (SELECT value ->> 0, value ->> 1 FROM json_each($2))";

/// What somebody is about to mark or to lease is passed over, so that nobody waits for this. `$1` workspace,
/// `$2` kind, `$3` now, `$4` until.
const PUT_OFF: &str = "
    UPDATE work SET due_at = $4 WHERE workspace = $1 AND kind = $2 AND key IN
      (SELECT key FROM work WHERE workspace = $1 AND kind = $2 AND due_at <= $3
         AND gen > done_gen AND dead = 0 AND attempt = 0 AND lease IS NULL
       /*pg FOR UPDATE SKIP LOCKED */)";

/// `kind, key, gen, attempt, due_at`, as it was before.
type Found = (String, String, i64, i64, i64);

/// Kinds as the statements here take them.
fn among(kinds: &[&'static str]) -> String {
    format!("|{}|", kinds.join("|"))
}

#[async_trait]
impl Queue for SqlStore {
    async fn mark(&self, workspace: &WorkspaceId, marks: &[Mark]) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        work::mark(&mut tx, workspace, marks).await?;
        tx.commit().await
    }

    async fn hasten(
        &self,
        workspace: &WorkspaceId,
        kind: &'static str,
        now: DateTime<Utc>,
    ) -> Result<u64, Error> {
        let mut tx = self.db.write().await?;
        let hastened = tx
            .run(
                "UPDATE work SET due_at = $3 WHERE workspace = $1 AND kind = $2 AND due_at > $3
                   AND gen > done_gen AND dead = 0 AND attempt = 0",
                args![workspace, kind, now],
            )
            .await?;
        tx.commit().await?;
        Ok(hastened)
    }

    async fn put_off(
        &self,
        workspace: &WorkspaceId,
        kind: &'static str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<u64, Error> {
        let mut tx = self.db.write().await?;
        let put_off = tx.run(PUT_OFF, args![workspace, kind, now, until]).await?;
        tx.commit().await?;
        Ok(put_off)
    }

    async fn claim(&self, claim: &Claim<'_>) -> Result<Claimed, Error> {
        // Most calls find nothing to do, and then nobody who writes is made to wait.
        let mut due = Vec::new();
        let mut claimed = Claimed::default();
        let kinds = among(claim.kinds);
        for priority in [Priority::Client, Priority::Live, Priority::Backfill] {
            let args = args![work::number(priority), claim.now, kinds.clone()];
            let rows: Vec<(String,)> = self.db.all(DUE, args).await?;
            let workspaces = rows.into_iter().map(|(id,)| WorkspaceId::from(id.as_str()));
            let mut workspaces: Vec<WorkspaceId> =
                workspaces.filter(|workspace| room(claim, &claimed, workspace) > 0).collect();
            if !workspaces.is_empty() {
                let first = claim.token.as_u128() % (workspaces.len() as u128);
                workspaces.rotate_left(usize::try_from(first).unwrap_or_default());
                due.push((priority, workspaces));
            }
        }
        if due.is_empty() {
            return Ok(claimed);
        }
        let mut tx = self.db.write().await?;
        let mut left = claim.limit;
        for (priority, mut workspaces) in due {
            while left > 0 && !workspaces.is_empty() {
                let count = u32::try_from(workspaces.len()).unwrap_or(u32::MAX);
                let share = left.div_ceil(count);
                let mut more = Vec::new();
                for workspace in workspaces {
                    let ask = share.min(left).min(room(claim, &claimed, &workspace));
                    if ask == 0 {
                        continue;
                    }
                    let turn = Turn { workspace: workspace.clone(), priority, ask };
                    let taken = take(&mut tx, claim, &kinds, turn, &mut claimed).await?;
                    left = left.saturating_sub(taken);
                    if taken == ask {
                        more.push(workspace);
                    }
                }
                workspaces = more;
            }
        }
        give_up(&mut tx, &claimed, claim).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    async fn claim_one(
        &self,
        workspace: &WorkspaceId,
        ClaimKey { kind, key, token, now, until }: ClaimKey<'_>,
    ) -> Result<ClaimOne, Error> {
        let mut tx = self.db.write().await?;
        let row: Option<(i64, i64, i64, i64, i64)> = tx
            .one(
                "SELECT gen, done_gen, attempt, lease_until, priority FROM work
                 WHERE workspace = $1 AND kind = $2 AND key = $3 /*pg FOR UPDATE */",
                args![workspace, kind, key],
            )
            .await?;
        let Some((generation, done, attempt, lease_until, number)) = row else {
            return Ok(ClaimOne::Idle);
        };
        if lease_until >= now.timestamp_millis() {
            let until = row::time(lease_until, "work", "lease_until")?;
            return Ok(ClaimOne::Busy { until });
        }
        if generation <= done {
            return Ok(ClaimOne::Idle);
        }
        tx.run(
            "UPDATE work SET lease = $4, lease_until = $5, attempt = attempt + 1, dead = 0
             WHERE workspace = $1 AND kind = $2 AND key = $3",
            args![workspace, kind, key, token, until],
        )
        .await?;
        tx.commit().await?;
        Ok(ClaimOne::Claimed(Lease {
            workspace: workspace.clone(),
            kind,
            key: key.to_owned(),
            token,
            generation,
            attempt: attempts(attempt.saturating_add(1)),
            priority: work::priority(number)?,
        }))
    }

    async fn extend(&self, lease: &Lease, until: DateTime<Utc>) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        let extended = tx
            .run(
                "UPDATE work SET lease_until = $5
                 WHERE workspace = $1 AND kind = $2 AND key = $3 AND lease = $4",
                args![&lease.workspace, lease.kind, &lease.key, lease.token, until],
            )
            .await?;
        tx.commit().await?;
        Ok(extended == 1)
    }

    async fn give_back(&self, lease: &Lease) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        let given = tx
            .run(
                "UPDATE work SET lease = NULL, lease_until = 0, attempt = attempt - 1
                 WHERE workspace = $1 AND kind = $2 AND key = $3 AND lease = $4",
                args![&lease.workspace, lease.kind, &lease.key, lease.token],
            )
            .await?;
        tx.commit().await?;
        Ok(given == 1)
    }

    async fn next_due(&self, kinds: &[&'static str]) -> Result<Option<DateTime<Utc>>, Error> {
        let mut tx = self.db.read().await?;
        let mut soonest: Option<i64> = None;
        for priority in [Priority::Client, Priority::Live, Priority::Backfill] {
            let args = args![work::number(priority), among(kinds)];
            let row: Option<(Option<i64>,)> = tx.one(SOONEST, args).await?;
            let due = row.and_then(|(due,)| due);
            soonest = [soonest, due].into_iter().flatten().min();
        }
        soonest.map(|due| row::time(due, "work", "due_at")).transpose()
    }

    async fn backlog(&self, workspace: &WorkspaceId, kind: &str) -> Result<Backlog, Error> {
        let row: Option<(i64, i64, i64, Option<i64>)> =
            self.db.one(BACKLOG, args![workspace, kind]).await?;
        let Some((open, leased, dead, oldest)) = row else { return Ok(Backlog::default()) };
        Ok(Backlog {
            open: row::count(open),
            leased: row::count(leased),
            dead: row::count(dead),
            oldest_due: oldest.map(|due| row::time(due, "work", "due_at")).transpose()?,
        })
    }
}

/// The next time at which something of a priority can be claimed: what nobody works on by its own
/// time, the rest when its lease ends. `$1` priority, `$2` kinds.
pub(in crate::store) const SOONEST: &str = "
    SELECT min(due) FROM (
      SELECT (SELECT w.due_at FROM work AS w
        WHERE w.workspace = c.workspace AND w.priority = $1 AND w.gen > w.done_gen AND w.dead = 0
          AND w.lease IS NULL AND $2 LIKE '%|' || w.kind || '|%'
        ORDER BY w.due_at LIMIT 1) AS due
      FROM counter AS c
      WHERE $1 = 0 OR EXISTS
        (SELECT 1 FROM sync_settings AS s WHERE s.workspace = c.workspace AND s.state = 'RUNNING')
      UNION ALL
      SELECT CASE WHEN w.lease_until > w.due_at THEN w.lease_until + 1 ELSE w.due_at END
      FROM work AS w
      WHERE w.lease IS NOT NULL AND w.priority = $1 AND w.gen > w.done_gen AND w.dead = 0
        AND $2 LIKE '%|' || w.kind || '|%'
        AND ($1 = 0 OR EXISTS (SELECT 1 FROM sync_settings AS s
          WHERE s.workspace = w.workspace AND s.state = 'RUNNING'))
    ) AS soonest";

const BACKLOG: &str = "
    SELECT count(*), count(lease),
      (SELECT count(*) FROM work WHERE workspace = $1 AND kind = $2 AND dead = 1), min(due_at)
    FROM work WHERE workspace = $1 AND kind = $2 AND gen > done_gen AND dead = 0";

/// How much more a workspace may get by a claim.
fn room(claim: &Claim<'_>, claimed: &Claimed, workspace: &WorkspaceId) -> u32 {
    let Some(rooms) = claim.rooms else { return u32::MAX };
    let got = claimed.leases.iter().filter(|lease| lease.workspace == *workspace).count();
    let room = rooms.get(workspace).copied().unwrap_or_default();
    room.saturating_sub(u32::try_from(got).unwrap_or(u32::MAX))
}

/// A workspace's turn in a claim.
struct Turn {
    workspace: WorkspaceId,
    priority: Priority,
    ask: u32,
}

/// Takes one share; how many rows it took, those that are given up included.
async fn take(
    tx: &mut Tx,
    claim: &Claim<'_>,
    kinds: &str,
    turn: Turn,
    claimed: &mut Claimed,
) -> Result<u32, Error> {
    let Turn { workspace, priority, ask } = turn;
    let found = args![&workspace, work::number(priority), claim.now, kinds, ask];
    let rows: Vec<Found> = tx.all(FIND, found).await?;
    let keys: Vec<_> = rows.iter().map(|(kind, key, ..)| (kind, key)).collect();
    let leased = args![&workspace, row::json(keys)?, claim.token, claim.until];
    tx.run(TAKE, leased).await?;
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    for (kind, key, generation, attempt, _) in rows {
        let kind = claim.kinds.iter().find(|known| **known == kind);
        let kind = *kind.ok_or(Error::Inconsistent { table: "work", column: "kind" })?;
        let attempt = attempts(attempt.saturating_add(1));
        if attempt > claim.most_attempts {
            claimed.dead.push((workspace.clone(), kind, key));
        } else {
            let (workspace, token) = (workspace.clone(), claim.token);
            claimed.leases.push(Lease {
                workspace,
                kind,
                key,
                token,
                generation,
                attempt,
                priority,
            });
        }
    }
    Ok(count)
}

/// Ends the leases of those that were claimed too often, and says so in the history.
async fn give_up(tx: &mut Tx, claimed: &Claimed, claim: &Claim<'_>) -> Result<(), Error> {
    let mut dead: Vec<_> = claimed.dead.iter().collect();
    dead.sort_unstable();
    let mut rest = dead.as_slice();
    while let Some((workspace, ..)) = rest.first() {
        let count = rest.iter().take_while(|(other, ..)| other == workspace).count();
        let (of_one, others) = rest.split_at(count);
        rest = others;
        let mut events = Vec::new();
        for (_, kind, key) in of_one {
            tx.run(
                "UPDATE work SET dead = 1, lease = NULL, lease_until = 0, attempt = attempt - 1,
                   last_error = 'given up: claimed too often without success'
                 WHERE workspace = $1 AND kind = $2 AND key = $3 AND lease = $4",
                args![workspace, *kind, key, claim.token],
            )
            .await?;
            if *kind == CONTACT {
                let message =
                    "Given up after too many attempts; a retry or a change starts it again";
                events.push(EventDraft {
                    contact: Some(row::contact_id(key)?),
                    attempt: Some(claim.most_attempts),
                    ..EventDraft::new(EventKind::Failed, message)
                });
            }
        }
        history::append(tx, workspace, &events, claim.now).await?;
    }
    Ok(())
}

fn attempts(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

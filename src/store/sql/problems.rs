//! Holds and failures: listing, resolving, retrying.
//!
//! Work is marked before holds and failures are touched, as a run does: see `identity` for the
//! order of locks.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::arg::args;
use super::db::Tx;
use super::problem::{self, failure};
use super::{SqlStore, agreement, history, ledger, people, record, row, runs, work};
use crate::store::{
    CONTACT, Error, FailureFilter, FailureKey, Failures, HoldFilter, Mark, Page, Priority,
    Problems, Resolution, Resolved, Stepped,
};
use crate::unified::{ContactId, EventDraft, Failure, Hold, System, WorkspaceId, WriteOutcome};

#[async_trait]
impl Problems for SqlStore {
    async fn holds(
        &self,
        workspace: &WorkspaceId,
        filter: &HoldFilter,
        after: Option<Uuid>,
        first: u32,
    ) -> Result<Page<Hold>, Error> {
        let mut tx = self.db.read().await?;
        let contact = match filter.contact {
            Some(id) => Some(people::survivor(&mut tx, workspace, id).await?.unwrap_or(id)),
            None => None,
        };
        let kinds = filter
            .kinds
            .as_ref()
            .map(|kinds| row::list(kinds.iter().map(row::word).collect::<Result<Vec<_>, _>>()?));
        let after = after.map_or_else(String::new, |id| id.simple().to_string());
        let asked = first.saturating_add(1);
        let args = args![workspace, after, kinds.transpose()?, contact, asked];
        let rows: Vec<(String,)> = tx.all(HOLDS, args).await?;
        let rows = rows.iter().map(|(body,)| row::model(body, "hold"));
        Ok(page(rows.collect::<Result<Vec<_>, _>>()?, first))
    }

    async fn hold(&self, workspace: &WorkspaceId, id: Uuid) -> Result<Option<Hold>, Error> {
        let sql = "SELECT body FROM hold WHERE workspace = $1 AND id = $2";
        let row: Option<(String,)> = self.db.one(sql, args![workspace, id]).await?;
        row.map(|(body,)| row::model(&body, "hold")).transpose()
    }

    async fn open_hold(
        &self,
        workspace: &WorkspaceId,
        hold: &Hold,
        event: &EventDraft,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        problem::put_hold(&mut tx, workspace, hold).await?;
        history::append(&mut tx, workspace, std::slice::from_ref(event), hold.since).await?;
        tx.commit().await
    }

    async fn resolve(
        &self,
        workspace: &WorkspaceId,
        id: Uuid,
        Resolution { decision, event, run }: Resolution<'_>,
    ) -> Result<Resolved, Error> {
        let mut tx = self.db.write().await?;
        let sql =
            "SELECT contact FROM hold_contact WHERE workspace = $1 AND hold = $2 AND contact <> $3";
        let about = tx.all(sql, args![workspace, id, problem::EVERYBODY]).await?;
        let about = row::contact_ids(&about)?;
        mark(&mut tx, workspace, about, decision.at).await?;
        let mut is_stale = false;
        if let Some(step) = run {
            is_stale = runs::take_step(&mut tx, workspace, step).await? == Stepped::Stale;
        }
        let closed = tx
            .run(
                "UPDATE hold SET closed_at = $3, decision = $4, remember = $5
                 WHERE workspace = $1 AND id = $2 AND closed_at IS NULL",
                args![workspace, id, decision.at, row::body(decision)?, decision.remember],
            )
            .await?;
        let sql = "SELECT body FROM hold WHERE workspace = $1 AND id = $2";
        let row: Option<(String,)> = tx.one(sql, args![workspace, id]).await?;
        let Some((body,)) = row else { return Ok(Resolved::Unknown) };
        let hold = row::model(&body, "hold")?;
        if closed == 0 {
            return Ok(Resolved::Before(hold));
        }
        if is_stale {
            return Ok(Resolved::Stale);
        }
        if decision.remember {
            problem::remember(&mut tx, workspace, id).await?;
        }
        history::append(&mut tx, workspace, std::slice::from_ref(event), decision.at).await?;
        tx.commit().await?;
        Ok(Resolved::Now(hold))
    }

    async fn failures(
        &self,
        workspace: &WorkspaceId,
        filter: &FailureFilter,
        after: Option<FailureKey>,
        first: u32,
    ) -> Result<Page<Failure>, Error> {
        let mut tx = self.db.read().await?;
        let rows = find(&mut tx, workspace, filter, (after, first.saturating_add(1))).await?;
        Ok(page(rows, first))
    }

    async fn failure(
        &self,
        workspace: &WorkspaceId,
        (contact, system): FailureKey,
    ) -> Result<Option<Failure>, Error> {
        let mut tx = self.db.read().await?;
        let id = people::survivor(&mut tx, workspace, contact).await?.unwrap_or(contact);
        let all = problem::failures_of(&mut tx, workspace, id).await?;
        Ok(all.into_iter().find(|failure| failure.system == system))
    }

    async fn retry(
        &self,
        workspace: &WorkspaceId,
        which: Failures<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<FailureKey>, Error> {
        let mut retried = Vec::new();
        match which {
            Failures::These(keys) => {
                for chunk in keys.chunks(AT_ONCE) {
                    retried.extend(self.retry_these(workspace, chunk, now).await?);
                }
            }
            Failures::All(filter) => {
                let mut after = None;
                loop {
                    let first = u32::try_from(AT_ONCE).unwrap_or(u32::MAX);
                    let page = self.failures(workspace, filter, after, first).await?;
                    let keys: Vec<FailureKey> =
                        page.rows.iter().map(|row| (row.contact, row.system)).collect();
                    after = keys.last().copied();
                    retried.extend(self.retry_these(workspace, &keys, now).await?);
                    if !page.more {
                        break;
                    }
                }
            }
        }
        Ok(retried)
    }

    async fn discard(
        &self,
        workspace: &WorkspaceId,
        (contact, system): FailureKey,
        event: &EventDraft,
        now: DateTime<Utc>,
    ) -> Result<Option<Failure>, Error> {
        let mut tx = self.db.write().await?;
        let contact = people::survivor(&mut tx, workspace, contact).await?.unwrap_or(contact);
        // Waits for a run that is recording, or about to make a call.
        let sql = "SELECT gen FROM work WHERE workspace = $1 AND kind = $2 AND key = $3
                   /*pg FOR UPDATE */";
        tx.one::<(i64,)>(sql, args![workspace, CONTACT, contact]).await?;
        let all = problem::failures_of(&mut tx, workspace, contact).await?;
        let others = all.iter().any(|failure| failure.system != system);
        let found = all.into_iter().find(|failure| failure.system == system);
        let Some(failure) = found else { return Ok(None) };
        problem::clear(&mut tx, workspace, (contact, system)).await?;
        give_up_edits(&mut tx, workspace, (contact, system), now).await?;
        let mut agreed = agreement::get(&mut tx, workspace, contact).await?.unwrap_or_default();
        agreed.given_up.insert(system, now);
        agreement::put(&mut tx, workspace, contact, &agreed).await?;
        if !others {
            // What else changed while the write waited is not known here: the person is looked at.
            tx.run(
                "UPDATE work SET due_at = $4, attempt = 0, dead = 0, first_failed_at = NULL
                 WHERE workspace = $1 AND kind = $2 AND key = $3 AND lease IS NULL",
                args![workspace, CONTACT, contact, now],
            )
            .await?;
        }
        history::append(&mut tx, workspace, std::slice::from_ref(event), now).await?;
        tx.commit().await?;
        Ok(Some(failure))
    }
}

/// How many failures one transaction starts again.
const AT_ONCE: usize = 200;

const HOLDS: &str = "
    SELECT body FROM hold WHERE workspace = $1 AND closed_at IS NULL AND id > $2
      AND ($3 IS NULL OR kind IN (SELECT value ->> 0 FROM json_each($3)))
      AND ($4 IS NULL OR EXISTS (SELECT 1 FROM hold_contact AS c
        WHERE c.workspace = $1 AND c.hold = hold.id AND c.contact = $4))
    ORDER BY id LIMIT $5";

const FAILURES: &str = "
    SELECT contact, body FROM failure WHERE workspace = $1 AND (contact, system) > ($2, $3)
      AND ($4 IS NULL OR system IN (SELECT value ->> 0 FROM json_each($4)))
      AND ($5 IS NULL OR code IN (SELECT value ->> 0 FROM json_each($5)))
      AND ($6 IS NULL OR contact = $6) AND ($7 IS NULL OR dead = $7)
    ORDER BY contact, system LIMIT $8";

async fn find(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    filter: &FailureFilter,
    (after, limit): (Option<FailureKey>, u32),
) -> Result<Vec<Failure>, Error> {
    let contact = match filter.contact {
        Some(id) => Some(people::survivor(tx, workspace, id).await?.unwrap_or(id)),
        None => None,
    };
    let systems = filter.systems.as_ref();
    let systems = systems.map(|all| row::list(all.iter().map(|system| system.as_str())));
    let codes = filter.codes.as_ref().map(row::list);
    let (id, system) = match after {
        Some((id, system)) => (id.to_string(), system.as_str()),
        None => (String::new(), ""),
    };
    let args = args![
        workspace,
        id,
        system,
        systems.transpose()?,
        codes.transpose()?,
        contact,
        filter.dead.map(i64::from),
        limit
    ];
    let rows: Vec<(String, String)> = tx.all(FAILURES, args).await?;
    rows.into_iter().map(failure).collect()
}

fn page<T>(mut rows: Vec<T>, first: u32) -> Page<T> {
    let first = usize::try_from(first).unwrap_or(usize::MAX);
    let more = rows.len() > first;
    rows.truncate(first);
    Page { rows, more }
}

/// Marks contacts and ends their backoff: somebody waits for what comes of it. Where a client's edit
/// waits, it is the client's work: it is done whether or not sync is running.
async fn mark(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    contacts: impl IntoIterator<Item = ContactId>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let marks: Vec<Mark> =
        contacts.into_iter().map(|id| Mark::contact(id, Priority::Live, now)).collect();
    work::mark(tx, workspace, &marks).await?;
    let keys = row::list(marks.iter().map(|mark| &mark.key))?;
    tx.run(
        "UPDATE work SET due_at = $4, attempt = CASE WHEN lease IS NULL THEN 0 ELSE attempt END,
           priority = CASE WHEN EXISTS (SELECT 1 FROM edit AS e
             WHERE e.workspace = $1 AND e.contact = work.key AND e.done_at IS NULL)
             THEN 0 ELSE priority END
         WHERE workspace = $1 AND kind = $2 AND key IN (SELECT value ->> 0 FROM json_each($3))",
        args![workspace, CONTACT, keys, now],
    )
    .await?;
    Ok(())
}

/// Closes what a contact's edits still want of a system.
async fn give_up_edits(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (contact, system): (ContactId, System),
    now: DateTime<Utc>,
) -> Result<(), Error> {
    for mut edit in ledger::open_edits(tx, workspace, contact).await? {
        let queued = edit
            .writes
            .iter_mut()
            .filter(|write| write.system == system && write.outcome == WriteOutcome::Queued);
        let mut changed = false;
        for write in queued {
            write.outcome = WriteOutcome::Skipped;
            write.reason = Some("Discarded by a person".to_owned());
            write.code = None;
            changed = true;
        }
        if changed {
            record::put_edit(tx, workspace, &edit, now).await?;
        }
    }
    Ok(())
}

impl SqlStore {
    async fn retry_these(
        &self,
        workspace: &WorkspaceId,
        keys: &[FailureKey],
        now: DateTime<Utc>,
    ) -> Result<Vec<FailureKey>, Error> {
        let mut tx = self.db.write().await?;
        let mut found = Vec::new();
        for (contact, system) in keys {
            let id = people::survivor(&mut tx, workspace, *contact).await?.unwrap_or(*contact);
            let all = problem::failures_of(&mut tx, workspace, id).await?;
            found.extend(all.into_iter().filter(|failure| failure.system == *system));
        }
        mark(&mut tx, workspace, found.iter().map(|failure| failure.contact), now).await?;
        let mut retried = Vec::with_capacity(found.len());
        for failure in found {
            let key = (failure.contact, failure.system);
            let ready = Failure { next_attempt_at: Some(now), dead: false, ..failure };
            if problem::touch(&mut tx, workspace, &ready).await? {
                retried.push(key);
            }
        }
        tx.commit().await?;
        Ok(retried)
    }
}

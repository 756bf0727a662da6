//! Runs and their people.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::time::Instant;
use uuid::Uuid;

use super::arg::args;
use super::db::{Db, Tx};
use super::{SqlStore, copies, forget, history, polls, problem, row, settings, suppression, work};
use crate::store::runs::word;
use crate::store::{
    CONTACT, Error, Mark, POLLS_KEPT, Page, Presence, Priority, Revised, RunPeople, RunStep, Runs,
    Staged, Stepped,
};
use crate::unified::{ContactId, EventDraft, RunKind, RunOutcome, SyncRun, System, WorkspaceId};

#[async_trait]
impl Runs for SqlStore {
    async fn begin_run(
        &self,
        workspace: &WorkspaceId,
        run: &SyncRun,
        marks: &[Mark],
        events: &[EventDraft],
    ) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        let begun = tx
            .run(
                "INSERT INTO sync_run (workspace, id, revision, over, body, kind, slot)
                 VALUES ($1, $2, 1, 0, $3, $4, $5) ON CONFLICT DO NOTHING",
                args![workspace, run.id, row::body(run)?, row::word(&run.kind)?, slot(run)],
            )
            .await?;
        if begun == 0 {
            return Ok(false);
        }
        work::mark(&mut tx, workspace, marks).await?;
        history::append(&mut tx, workspace, events, run.began_at).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn run(&self, workspace: &WorkspaceId, id: Uuid) -> Result<Option<Revised>, Error> {
        let sql = "SELECT revision, body FROM sync_run WHERE workspace = $1 AND id = $2";
        self.db.one(sql, args![workspace, id]).await?.map(revised).transpose()
    }

    async fn open_run(&self, workspace: &WorkspaceId) -> Result<Option<Revised>, Error> {
        self.db.one(OPEN, args![workspace, PEOPLES]).await?.map(revised).transpose()
    }

    async fn open_poll(
        &self,
        workspace: &WorkspaceId,
        system: System,
    ) -> Result<Option<Revised>, Error> {
        self.db.one(OPEN, args![workspace, system]).await?.map(revised).transpose()
    }

    async fn runs(
        &self,
        workspace: &WorkspaceId,
        before: Option<Uuid>,
        first: u32,
        kinds: Option<&[RunKind]>,
    ) -> Result<Page<SyncRun>, Error> {
        let kinds = kinds
            .map(|kinds| row::list(kinds.iter().map(row::word).collect::<Result<Vec<_>, _>>()?));
        let before = before.map_or_else(|| "~".to_owned(), |id| id.simple().to_string());
        let rows: Vec<(i64, String)> = self
            .db
            .all(
                "SELECT revision, body FROM sync_run WHERE workspace = $1 AND id < $2
                   AND ($4 IS NULL OR kind IN (SELECT value ->> 0 FROM json_each($4)))
                 ORDER BY id DESC LIMIT $3",
                args![workspace, before, first.saturating_add(1), kinds.transpose()?],
            )
            .await?;
        let more = rows.len() > first as usize;
        let rows = rows.into_iter().take(first as usize);
        let rows = rows.map(|row| Ok(revised(row)?.run)).collect::<Result<_, Error>>()?;
        Ok(Page { rows, more })
    }

    async fn run_preview(
        &self,
        workspace: &WorkspaceId,
        id: Uuid,
    ) -> Result<Option<String>, Error> {
        let sql = "SELECT preview FROM sync_run WHERE workspace = $1 AND id = $2";
        let row: Option<(Option<String>,)> = self.db.one(sql, args![workspace, id]).await?;
        Ok(row.and_then(|(preview,)| preview))
    }

    async fn step_run(&self, workspace: &WorkspaceId, step: RunStep<'_>) -> Result<Stepped, Error> {
        let mut tx = self.db.write().await?;
        tx.lock_erasures(workspace, false).await?;
        let stepped = take_step(&mut tx, workspace, step).await?;
        if stepped != Stepped::Stale {
            tx.commit().await?;
        }
        Ok(stepped)
    }

    async fn run_people(&self, workspace: &WorkspaceId, id: Uuid) -> Result<RunPeople, Error> {
        let begun = Instant::now();
        if let Some(people) = self.counted.of(id, begun) {
            return Ok(people);
        }
        let rows: Vec<(Option<String>, i64, i64, i64)> =
            self.db.all(PEOPLE, args![workspace, id, CONTACT]).await?;
        let mut people = RunPeople::default();
        for (outcome, count, open, dead) in rows {
            if let Some(text) = outcome {
                people.tally.add(outcome_of(&text)?, row::count(count));
                continue;
            }
            // Who was given up failed; who has nothing left to be done is as they should be.
            people.open = row::count(open);
            people.tally.add(RunOutcome::Failed, row::count(dead));
            people.tally.add(RunOutcome::Unchanged, row::count(count - open - dead));
        }
        self.counted.keep(id, people, (begun.elapsed(), Instant::now()));
        Ok(people)
    }

    async fn was_listed(
        &self,
        workspace: &WorkspaceId,
        run: Uuid,
        (system, key): (System, &str),
    ) -> Result<bool, Error> {
        let sql = "SELECT key FROM seen
                   WHERE workspace = $1 AND system = $2 AND key = $3 AND run = $4";
        let row: Option<(String,)> = self.db.one(sql, args![workspace, system, key, run]).await?;
        Ok(row.is_some())
    }

    async fn presence(
        &self,
        workspace: &WorkspaceId,
        run: &SyncRun,
        system: System,
    ) -> Result<Presence, Error> {
        let row: Option<(i64, i64, i64)> =
            self.db.one(PRESENCE, args![workspace, system, run.id, run.began_at]).await?;
        let (links, absent, seen) = row.unwrap_or_default();
        let (links, absent) = (row::count(links), row::count(absent));
        Ok(Presence { links, absent, seen: row::count(seen) })
    }

    async fn everybody(
        &self,
        workspace: &WorkspaceId,
        after: Option<ContactId>,
        limit: u32,
    ) -> Result<Vec<ContactId>, Error> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let rows: Vec<(String,)> = self
            .db
            .all(
                "SELECT id FROM contact WHERE workspace = $1 AND id > $2 AND survivor IS NULL
                   AND erased_at IS NULL ORDER BY id LIMIT $3",
                args![workspace, after, limit],
            )
            .await?;
        row::contact_ids(&rows)
    }

    async fn not_in_run(
        &self,
        workspace: &WorkspaceId,
        run: Uuid,
        (linked, after): (Option<System>, Option<ContactId>),
        limit: u32,
    ) -> Result<Vec<ContactId>, Error> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let linked = linked.map_or("", System::as_str);
        let rows: Vec<(String,)> =
            self.db.all(NOT_IN_RUN, args![workspace, after, limit, linked, run]).await?;
        row::contact_ids(&rows)
    }
}

/// `$1` workspace, `$2` after, `$3` limit, `$4` a system or nothing, `$5` run.
const NOT_IN_RUN: &str = "
    SELECT c.id FROM contact AS c
    WHERE c.workspace = $1 AND c.id > $2 AND c.survivor IS NULL AND c.erased_at IS NULL
      AND ($4 = '' OR EXISTS (SELECT 1 FROM link AS l
             WHERE l.contact = c.id AND l.workspace = c.workspace AND l.system = $4))
      AND NOT EXISTS (SELECT 1 FROM run_contact AS r
             WHERE r.contact = c.id AND r.run = $5 AND r.workspace = c.workspace)
    ORDER BY c.id LIMIT $3";

/// How a run's people stand: by outcome, how many, and of them whose work goes on or was given up.
const PEOPLE: &str = "
    SELECT r.outcome, count(*),
      coalesce(sum(CASE WHEN w.gen > w.done_gen AND w.dead = 0 THEN 1 ELSE 0 END), 0),
      coalesce(sum(CASE WHEN w.dead = 1 THEN 1 ELSE 0 END), 0)
    FROM run_contact AS r LEFT JOIN work AS w
      ON w.key = r.contact AND w.kind = $3 AND w.workspace = r.workspace
    WHERE r.workspace = $1 AND r.run = $2
    GROUP BY r.outcome";

/// Links from before a run, those whose record it did not see, and the records that it saw. A row of
/// Doppler's listing of opt-outs is a record too.
const PRESENCE: &str = "
    SELECT
      (SELECT count(*) FROM link WHERE workspace = $1 AND system = $2 AND seen_at < $4),
      (SELECT count(*) FROM link AS l WHERE l.workspace = $1 AND l.system = $2 AND l.seen_at < $4
         AND NOT EXISTS (SELECT 1 FROM seen AS s WHERE s.key = l.key AND s.system = l.system
           AND s.workspace = l.workspace AND s.run = $3)
         AND NOT EXISTS (SELECT 1 FROM seen AS s WHERE s.key = 'opt-out ' || l.key
           AND s.system = l.system AND s.workspace = l.workspace AND s.run = $3)),
      (SELECT count(*) FROM seen WHERE workspace = $1 AND system = $2 AND run = $3
         AND key NOT LIKE 'opt-out %')";

/// The slot of runs that people began, and of full comparisons.
const PEOPLES: &str = "";

/// Of the runs of one slot at most one is not over: see the index `sync_run_open`.
fn slot(run: &SyncRun) -> &'static str {
    run.system.filter(|_| run.is_scheduled()).map_or(PEOPLES, System::as_str)
}

/// `$2` slot.
const OPEN: &str =
    "SELECT revision, body FROM sync_run WHERE workspace = $1 AND slot = $2 AND over = 0";

/// A change of a run inside a transaction, which is to be dropped where it is stale.
pub(super) async fn take_step(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    step: RunStep<'_>,
) -> Result<Stepped, Error> {
    let RunStep { run, revision, .. } = step;
    let now = step.at;
    let members = members(step.members, (step.urgency, now));
    let marks: Vec<Mark> = step.marks.iter().chain(&members).cloned().collect();
    if let Some(lease) = step.lease
        && !work::fence_with(tx, lease, &marks).await?
    {
        return Ok(Stepped::Stale);
    }
    work::mark(tx, workspace, &marks).await?;
    let moved = tx
        .run(
            "UPDATE sync_run SET revision = revision + 1, over = $4, finished_at = $5, body = $6,
               preview = coalesce($7, preview), idle = $8
             WHERE workspace = $1 AND id = $2 AND revision = $3 AND over = 0",
            args![
                workspace,
                run.id,
                revision,
                run.state.is_over(),
                run.finished_at,
                row::body(run)?,
                step.preview,
                run.is_poll() && run.differing == 0 && run.error.is_none()
            ],
        )
        .await?;
    if moved == 0 {
        return Ok(Stepped::Stale);
    }
    if let Some(staged) = step.staged {
        stage(tx, workspace, run, staged).await?;
    }
    if let Some(reached) = step.poll {
        polls::go_on(tx, workspace, reached, run.is_poll()).await?;
    }
    join(tx, workspace, run.id, step.members).await?;
    if run.state.is_over() {
        let sql = "DELETE FROM run_contact WHERE workspace = $1 AND run = $2";
        tx.run(sql, args![workspace, run.id]).await?;
        if run.is_poll() {
            forget_polls(tx, workspace, run).await?;
        }
    }
    if let Some(hold) = step.hold {
        problem::put_hold(tx, workspace, hold).await?;
    }
    problem::drop_holds(tx, workspace, step.over.as_slice(), now).await?;
    if let Some(changed) = step.settings {
        settings::put(tx, workspace, changed).await?;
    }
    let last_cursor = history::append(tx, workspace, step.events, now).await?;
    Ok(Stepped::Stored { revision: revision + 1, last_cursor })
}

/// Forgets polls of a slot before the one that is over now: see [`Runs::step_run`].
async fn forget_polls(tx: &mut Tx, workspace: &WorkspaceId, over: &SyncRun) -> Result<(), Error> {
    let kind = row::word(&RunKind::Poll)?;
    tx.run(
        "DELETE FROM sync_run WHERE workspace = $1 AND slot = $2 AND kind = $3 AND over = 1
           AND idle = 1 AND id <> $4",
        args![workspace, slot(over), kind.clone(), over.id],
    )
    .await?;
    tx.run(
        "DELETE FROM sync_run WHERE workspace = $1 AND slot = $2 AND kind = $3 AND over = 1
           AND id NOT IN (SELECT id FROM sync_run WHERE workspace = $1 AND slot = $2 AND kind = $3
             ORDER BY id DESC LIMIT $4)",
        args![workspace, slot(over), kind, POLLS_KEPT],
    )
    .await?;
    Ok(())
}

fn revised((revision, body): (i64, String)) -> Result<Revised, Error> {
    Ok(Revised { run: row::model(&body, "sync_run")?, revision })
}

fn members(ids: &[ContactId], (urgency, due): (Priority, DateTime<Utc>)) -> Vec<Mark> {
    ids.iter().map(|id| Mark::contact(*id, urgency, due)).collect()
}

fn outcome_of(text: &str) -> Result<RunOutcome, Error> {
    [
        RunOutcome::Created,
        RunOutcome::Updated,
        RunOutcome::Unchanged,
        RunOutcome::Held,
        RunOutcome::Failed,
    ]
    .into_iter()
    .find(|outcome| word(*outcome) == text)
    .ok_or(Error::Inconsistent { table: "run_contact", column: "outcome" })
}

async fn stage(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    run: &SyncRun,
    Staged { system, seen, copies, opted_out }: Staged<'_>,
) -> Result<(), Error> {
    // A poll does not see everybody, so that it saw somebody says nothing of the others.
    let by = (!run.is_poll()).then_some(run.id);
    polls::saw(tx, workspace, (system, by), seen).await?;
    if !opted_out.is_empty() {
        suppression::put(tx, workspace, (opted_out, true)).await?;
    }
    copies::put_copies(tx, workspace, copies).await
}

async fn join(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    run: Uuid,
    members: &[ContactId],
) -> Result<(), Error> {
    if members.is_empty() {
        return Ok(());
    }
    let members = row::list(members.iter().map(ToString::to_string))?;
    tx.run(
        "INSERT INTO run_contact (workspace, run, contact)
         SELECT $1, $2, value ->> 0 FROM json_each($3) WHERE true
         ON CONFLICT (contact, run, workspace) DO NOTHING",
        args![workspace, run, members],
    )
    .await?;
    Ok(())
}

/// Remembers what became of a person, for the run that they are part of. A failure may yet turn out
/// well.
pub(super) async fn tally(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    contact: ContactId,
    outcome: RunOutcome,
) -> Result<(), Error> {
    tx.run(
        "UPDATE run_contact SET outcome = $3
         WHERE workspace = $1 AND contact = $2 AND (outcome IS NULL OR outcome = 'FAILED')",
        args![workspace, contact, word(outcome)],
    )
    .await?;
    Ok(())
}

/// Forgets runs that were over before; how many.
pub(super) async fn prune(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    forget(db, FORGET, before).await
}

const FORGET: &str = "
    DELETE FROM sync_run WHERE (id, workspace) IN
      (SELECT id, workspace FROM sync_run WHERE over = 1 AND finished_at < $1 LIMIT $2)";

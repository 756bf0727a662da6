//! Sending what waits.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use uuid::Uuid;

use crate::clock::{new_id, unguessable};
use crate::store::{BulkImport, Lease, Next};
use crate::sync::engine::{fault, rules};
use crate::unified::{
    SubscriberEdit, SyncSettings, SyncState, WorkspaceId, opt_out_hash, subscriber_key,
};
use crate::upstream::{self, Retry};

use super::group::Held;
use super::rows::{Planned, Row};
use super::survey::Seen;
use super::{Failure, Imports, group, later, pace};

impl Imports {
    /// Sends what waits for lists that are not busy, unless it is not to be written any more. Unless nobody
    /// else comes, those who are too few for an import go on waiting.
    pub(super) async fn send(
        &self,
        lease: &Lease,
        (settings, busy): (&SyncSettings, &[Option<&str>]),
        is_all: bool,
    ) -> Result<Next, Failure> {
        let workspace = &lease.workspace;
        let ids = self.store.waiting_for_import(workspace, pace::MOST_ROWS).await?;
        let mut rows = self.rows(workspace, &ids, settings).await?;
        rows.retain(|row| !busy.contains(&row.list.as_deref()));
        if rows.is_empty() {
            return Ok(Next::Done);
        }
        // Or they would be all that is looked at.
        let is_full = rows.len() >= pace::MOST_ROWS as usize;
        let (rows, paused): (Vec<Row>, Vec<Row>) =
            rows.into_iter().partition(|row| !row.is_paused());
        // Before anybody is looked at: few are not worth it.
        let (rows, mut few) = group::worth(rows, self.settings.least);
        let mut singly = paused;
        let mut ready = Vec::new();
        if !rows.is_empty() {
            let (rows, left_out, held) = self.still_so(lease, rows).await?;
            singly.extend(left_out);
            let sorted = group::sort(rows, self.settings.least, &held);
            few.extend(sorted.singly);
            ready = sorted.imports;
        }
        if is_all || is_full {
            singly.extend(few);
        }
        self.leave_out(lease, &ids_of(&singly)).await?;
        let mut failed = None;
        for rows in ready {
            // A list that is busy holds up no other.
            failed = failed.or(later(self.begin(lease, rows).await)?);
        }
        if let Some(error) = failed {
            return Err(error.into());
        }
        Ok(Next::Again(self.clock.now() + pace::ask_after(TimeDelta::zero())))
    }

    /// Parts those who are as they were when they were planned from those who are not; with what they
    /// hold.
    async fn still_so(
        &self,
        lease: &Lease,
        rows: Vec<Row>,
    ) -> Result<(Vec<Row>, Vec<Row>, Held), Failure> {
        let read_at = rows.iter().filter_map(|row| Some(row.planned.as_ref()?.read_at)).min();
        let read_at = read_at.unwrap_or_else(|| self.clock.now());
        let mut seen = self.survey(lease, &rows, read_at).await?;
        seen.out.extend(self.suppressed(&lease.workspace, &rows).await?);
        let rules = rules(&self.mappings.of(&lease.workspace));
        let (fine, others) = rows.into_iter().partition(|row| is_as_planned(row, (&seen, &rules)));
        Ok((fine, others, seen.held))
    }

    /// Addresses among those of the writes that are remembered as opted out.
    async fn suppressed(
        &self,
        workspace: &WorkspaceId,
        rows: &[Row],
    ) -> Result<BTreeSet<String>, Failure> {
        let of = |row: &Row| opt_out_hash(workspace, &subscriber_key(&row.edit.email));
        let all: Vec<String> = rows.iter().map(of).collect();
        let mut out = BTreeSet::new();
        if !self.store.suppressed(workspace, &all).await? {
            return Ok(out);
        }
        for (row, hash) in rows.iter().zip(all) {
            if self.store.suppressed(workspace, &[hash]).await? {
                out.insert(subscriber_key(&row.edit.email));
            }
        }
        Ok(out)
    }

    /// Binds writes to a new import and sends it.
    async fn begin(&self, lease: &Lease, rows: Vec<Row>) -> Result<(), Failure> {
        let mut import = BulkImport {
            id: new_id(&self.clock),
            list: rows.first().and_then(|row| row.list.clone()),
            token: unguessable(),
            task: None,
            over: false,
            begun_at: self.clock.now(),
        };
        let bound = self.store.begin_import(lease, &import, &ids_of(&rows)).await?;
        let Some(bound) = bound else { return Err(Failure::Stop) };
        fault::point("bound");
        let rows = rows.into_iter().filter(|row| bound.binary_search(&row.id).is_ok()).collect();
        match self.post(lease, &mut import, rows).await {
            Err(Failure::Upstream(error)) if !error.in_doubt() => {
                self.refused(lease, (import.id, &bound), error).await
            }
            done => done,
        }
    }

    /// Sends an import again of which nobody knows whether it was sent: the same values once more, for
    /// those who are still as they were. Who is not was written by it, or by somebody else; which it was
    /// is seen at its end.
    pub(super) async fn send_again(
        &self,
        lease: &Lease,
        import: &mut BulkImport,
    ) -> Result<(), Failure> {
        let workspace = &lease.workspace;
        let ids = self.store.in_import(workspace, import.id).await?;
        let settings = self.store.sync_settings(workspace).await?;
        let rows = self.rows(workspace, &ids, &settings).await?;
        let stopped = settings.state != SyncState::Running
            || self.is_read_only()
            || pace::is_lost(self.clock.now() - import.begun_at);
        let suppressed = self.suppressed(workspace, &rows).await?;
        let may_go = |row: &Row| {
            let is_out = suppressed.contains(&subscriber_key(&row.edit.email));
            !stopped && !is_out && !row.is_paused()
        };
        let (mut rows, out): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(may_go);
        self.leave_out(lease, &ids_of(&out)).await?;
        if !rows.is_empty() {
            let (fine, _, held) = self.still_so(lease, rows).await?;
            rows = group::alike(fine, &held);
        }
        let ids = ids_of(&rows);
        match self.post(lease, import, rows).await {
            Err(Failure::Upstream(error)) if error.retry() == Retry::Never && !error.in_doubt() => {
                self.refused(lease, (import.id, &ids), error).await?;
                import.over = true;
                Ok(())
            }
            // That list may be busy with the one of which nobody knows.
            done => done,
        }
    }

    async fn post(
        &self,
        lease: &Lease,
        import: &mut BulkImport,
        rows: Vec<Row>,
    ) -> Result<(), Failure> {
        if rows.is_empty() {
            import.over = true;
        } else {
            let edits: Vec<SubscriberEdit> = rows.into_iter().map(|row| row.edit).collect();
            let callback = self
                .settings
                .callback
                .as_ref()
                .and_then(|url| url.join(&import.token).ok().map(|url| url.to_string()));
            let call = self.call(lease).await?;
            let (list, callback) = (import.list.as_deref(), callback.as_deref());
            let task = self.mailing.import(&call, list, &edits, callback).await?;
            fault::point("sent");
            tracing::info!(people = edits.len(), "import sent");
            (import.task, import.begun_at) = (Some(task.id), self.clock.now());
        }
        if self.store.put_import(lease, import).await? { Ok(()) } else { Err(Failure::Stop) }
    }

    /// What becomes of an import that Doppler certainly did not take: one that it will never take is
    /// written person by person, which tells what is wrong with whom.
    async fn refused(
        &self,
        lease: &Lease,
        (import, rows): (Uuid, &[Uuid]),
        error: upstream::Error,
    ) -> Result<(), Failure> {
        let is_final = matches!(
            error.kind,
            upstream::Kind::Rejected { .. } | upstream::Kind::ListGone | upstream::Kind::NotFound
        );
        if is_final {
            tracing::warn!(error = &error as &dyn std::error::Error, "import refused");
            self.leave_out(lease, rows).await?;
        }
        if !self.store.take_back_import(lease, import).await? {
            return Err(Failure::Stop);
        }
        if is_final { Ok(()) } else { Err(error.into()) }
    }

    /// Has writes made alone.
    async fn leave_out(&self, lease: &Lease, rows: &[Uuid]) -> Result<(), Failure> {
        if rows.is_empty() {
            return Ok(());
        }
        if !self.store.release(lease, rows, self.clock.now()).await? {
            return Err(Failure::Stop);
        }
        self.wake.now();
        Ok(())
    }
}

fn ids_of(rows: &[Row]) -> Vec<Uuid> {
    rows.iter().map(|row| row.id).collect()
}

/// Whether somebody is as they were when their write was planned, by the mapping of now, and may be
/// written to.
fn is_as_planned(row: &Row, (seen, rules): (&Seen, &str)) -> bool {
    let key = subscriber_key(&row.edit.email);
    let version = seen.held.get(&key).map(|kept| kept.version.as_str());
    let is_same =
        |planned: &Planned| planned.before.as_deref() == version && planned.rules == rules;
    row.planned.as_ref().is_some_and(is_same) && !seen.out.contains(&key)
}

//! Listing a system whole, page by page.

use std::collections::BTreeSet;

use crate::clock::new_id;
use crate::store::{Known, Lease, Priority, Revised, RunStep, Staged, Version};
use crate::sync::engine::fault;
use crate::telemetry::names;
use crate::unified::{
    ContactId, EventDraft, EventKind, Hold, RunState, Sighting, Stage, SyncRun, System,
    WorkspaceId, opt_out_hash,
};

use super::{Failure, Runner, Turn, decide, judge};

impl Runner {
    /// Reads a page, remembers it, and finds out who is on it.
    pub(super) async fn list(
        &self,
        lease: &Lease,
        held: &Revised,
        (system, position): (System, Option<&str>),
    ) -> Result<Turn, Failure> {
        let workspace = &lease.workspace;
        let page = self.pages.next(workspace, system, position, &Self::call()).await?;
        let (sightings, seen): (Vec<Sighting>, Vec<Version>) = page.people.into_iter().unzip();
        let now = self.clock.now();
        let known = self.store.recognize(workspace, &sightings, now).await?;
        pass_over(workspace, system, &known);
        let mut former = former(&page.opted_out, &sightings, &known);
        if !former.is_empty() {
            // What was seen before may have been changed by a decision since.
            let unseen = self.store.unseen(workspace, system, &seen).await?;
            let new = sightings.iter().zip(unseen).filter(|(_, new)| *new);
            let new: BTreeSet<&str> = new.map(|(one, _)| one.key.as_str()).collect();
            former.retain(|key| new.contains(key));
        }
        let opted_out = hashes(workspace, &former);
        let next = match (page.is_last, system) {
            (false, _) => Stage::Listing { system, position: Some(page.position.clone()) },
            (true, System::Doppler) => Stage::Listing { system: System::HighLevel, position: None },
            (true, System::HighLevel) => Stage::Judging,
        };
        let run = SyncRun {
            seen: held.run.seen + sightings.len() as u64,
            pages: held.run.pages + u64::from(page.is_of_account),
            stage: next,
            ..held.run.clone()
        };
        let told = format!("{} is read: {} records so far", system.name(), run.seen);
        let events = progress(&run, told);
        let step = RunStep {
            staged: Some(Staged {
                system,
                seen: &seen,
                copies: &page.copies,
                opted_out: &opted_out,
            }),
            poll: page.is_last.then_some((system, page.position.as_str())),
            events: if page.is_last { std::slice::from_ref(&events) } else { &[] },
            ..RunStep::new(&run, held.revision, now)
        };
        let turn = self.advance(lease, step).await?;
        fault::point("listed");
        Ok(turn)
    }

    /// Reads a page of a poll and remembers it; who is on it in a new version becomes part of the run.
    pub(super) async fn look(
        &self,
        lease: &Lease,
        held: &Revised,
        (system, position): (System, Option<&str>),
    ) -> Result<Turn, Failure> {
        let workspace = &lease.workspace;
        let before = match position {
            Some(position) => Some(position.to_owned()),
            None => self.store.position(workspace, system).await?,
        };
        let page = self.pages.next(workspace, system, before.as_deref(), &Self::call()).await?;
        let read = page.people.len() as u64;
        let (sightings, mut seen): (Vec<Sighting>, Vec<Version>) = page.people.into_iter().unzip();
        let unseen = self.store.unseen(workspace, system, &seen).await?;
        let new: Vec<Sighting> =
            sightings.into_iter().zip(unseen).filter_map(|(one, new)| new.then_some(one)).collect();
        let now = self.clock.now();
        let known = self.store.recognize(workspace, &new, now).await?;
        pass_over(workspace, system, &known);
        let opted_out = hashes(workspace, &former(&page.opted_out, &new, &known));
        let living = known.iter().filter(|known| !known.erased);
        let mut members: Vec<ContactId> = living.map(|known| known.id).collect();
        if page.is_of_account && !members.is_empty() {
            // Whoever sends imports reads them again when theirs is over. They do not count as seen here,
            // so that the next poll looks at them if that was just before.
            let busy = self.store.being_imported(workspace, &members).await?;
            members.retain(|id| !busy.contains(id));
            let left = new.iter().zip(&known).filter(|(_, known)| busy.contains(&known.id));
            let left: BTreeSet<&str> = left.map(|(one, _)| one.key.as_str()).collect();
            seen.retain(|(key, _)| !left.contains(key.as_str()));
        }
        let run = SyncRun {
            seen: held.run.seen + read,
            differing: held.run.differing + members.len() as u64,
            total: held.run.total + members.len() as u64,
            ..held.run.clone()
        };
        let change = match (page.is_last, system) {
            (false, _) => decide::reading(run, (system, Some(page.position.clone()))),
            (true, System::Doppler) if run.system.is_none() => {
                decide::reading(run, (System::HighLevel, None))
            }
            (true, _) => decide::read(run, now),
        };
        let step = RunStep {
            staged: Some(Staged {
                system,
                seen: &seen,
                copies: &page.copies,
                opted_out: &opted_out,
            }),
            poll: Some((system, page.position.as_str())),
            members: &members,
            urgency: if page.is_first_run { Priority::Backfill } else { Priority::Live },
            ..change.step(held.revision, now)
        };
        self.advance(lease, step).await
    }

    /// Reads a page of what changed in HighLevel since the listing, and at the end who opted out in Doppler
    /// since: nobody who opted out meanwhile is put on a list, or made, by what the listing showed.
    pub(super) async fn refresh(
        &self,
        lease: &Lease,
        held: &Revised,
        position: Option<&str>,
    ) -> Result<Turn, Failure> {
        let (workspace, system) = (&lease.workspace, System::HighLevel);
        let before = match position {
            Some(position) => Some(position.to_owned()),
            None => self.store.position(workspace, system).await?,
        };
        let page = self.pages.next(workspace, system, before.as_deref(), &Self::call()).await?;
        let mut copies = page.copies;
        if page.is_last {
            let since = held.run.fresh_from;
            copies.extend(self.pages.opt_outs(workspace, since, &Self::call()).await?);
        }
        let sightings: Vec<Sighting> = page.people.into_iter().map(|(one, _)| one).collect();
        let now = self.clock.now();
        self.store.recognize(workspace, &sightings, now).await?;
        let stage = if page.is_last {
            Stage::Marking { after: None, rest: false }
        } else {
            Stage::Refreshing { position: Some(page.position) }
        };
        let run = SyncRun { stage, ..held.run.clone() };
        // Polls have not seen them: to them they are news.
        let staged = Some(Staged { system, seen: &[], copies: &copies, opted_out: &[] });
        let step = RunStep { staged, ..RunStep::new(&run, held.revision, now) };
        self.advance(lease, step).await
    }

    /// Looks whether the listings can be believed; a person decides where they cannot.
    pub(super) async fn judge(&self, lease: &Lease, held: &Revised) -> Result<Turn, Failure> {
        let workspace = &lease.workspace;
        let now = self.clock.now();
        let mut doubt = None;
        // Whoever believed one system's listing was not asked about the other's.
        for system in System::ALL.into_iter().filter(|one| !held.run.believed.contains(one)) {
            let presence = self.store.presence(workspace, &held.run, system).await?;
            doubt = doubt.or_else(|| judge::doubt(system, presence));
        }
        let Some(doubt) = doubt else {
            let total = self.store.counts(workspace).await?.total;
            let run = SyncRun {
                total,
                hold: None,
                stage: Stage::Foreseeing { after: None },
                ..held.run.clone()
            };
            let step = RunStep::new(&run, held.revision, now);
            return self.advance(lease, step).await;
        };
        let question = Hold {
            id: new_id(&self.clock),
            kind: doubt.kind,
            contact: None,
            contacts: Vec::new(),
            run: Some(held.run.id),
            system: Some(doubt.system),
            field: None,
            candidates: Vec::new(),
            resolutions: judge::resolutions(),
            reason: doubt.reason.clone(),
            since: now,
        };
        let run = SyncRun { state: RunState::Paused, hold: Some(question.id), ..held.run.clone() };
        let event = EventDraft {
            run: Some(run.id),
            system: Some(doubt.system),
            ..EventDraft::new(EventKind::Held, doubt.reason)
        };
        let step = RunStep {
            hold: Some(&question),
            events: std::slice::from_ref(&event),
            ..RunStep::new(&run, held.revision, now)
        };
        // Whoever resolves it marks the run.
        self.advance(lease, step).await
    }
}

/// Subscribers on a page who opted out and whom somebody is no more, after a rename or a merge: nothing that
/// is read of that person shows it.
fn former<'a>(
    opted_out: &BTreeSet<String>,
    sightings: &'a [Sighting],
    known: &[Known],
) -> Vec<&'a str> {
    let people = sightings.iter().zip(known).filter(|(_, known)| !known.erased);
    let keys = people.map(|(one, known)| (one.key.as_str(), known.key(System::Doppler)));
    keys.filter(|(key, now)| opted_out.contains(*key) && now.is_some_and(|now| now != *key))
        .map(|(key, _)| key)
        .collect()
}

fn hashes(workspace: &WorkspaceId, keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| opt_out_hash(workspace, key)).collect()
}

/// Says that records are left out because their people were erased.
fn pass_over(workspace: &WorkspaceId, system: System, known: &[Known]) {
    let count = known.iter().filter(|known| known.erased).count();
    if count > 0 {
        let (system, why) = (system.as_str(), "the person was erased");
        let whose = workspace.as_str().to_owned();
        metrics::counter!(names::ERASED_SKIPPED, names::SYSTEM => system, names::WORKSPACE => whose)
            .increment(count as u64);
        tracing::info!(system, count, why, "records of a listing are passed over");
    }
}

/// What people are told of a run.
pub(super) fn progress(run: &SyncRun, message: String) -> EventDraft {
    EventDraft { run: Some(run.id), ..EventDraft::new(EventKind::RunProgress, message) }
}

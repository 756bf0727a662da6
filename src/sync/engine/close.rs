//! Putting what happened in a run into one record, and telling those who keep copies.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each function here is about some of the actions"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::bus::{News, What};
use crate::store::{AgreementChange, EditOutcome, Next, Record};
use crate::sync::backoff;
use crate::sync::plan::{HoldDraft, Payload, Plan};
use crate::sync::settle::{
    Course, EditSettled, FailureDraft, LinkChange, Outcome, Reread, Settled, damp,
};
use crate::unified::{
    ActionKind, Agreement, Base, Canonical, Failure, Hold, PendingWrite, Sighting, System,
    WorkspaceId,
};

use crate::upstream::{Kind, UpstreamState};

use super::look::TOMBSTONE;
use super::perform::Importing;
use super::run::Facts;
use super::{Attached, Inner, Seen, id, suppression};

/// When to look again after Doppler accepted an import.
const IMPORT_TAKES: TimeDelta = TimeDelta::seconds(10);

/// The code of what a refused credential holds up.
const REFUSED: &str = Kind::Unauthorized.code();
/// The code of what waits for a scope.
const UNGRANTED: &str = Kind::ScopeMissing("").code();
/// When to look again without having heard that it was mended.
pub(super) const UNTIL_MENDED: Duration = Duration::from_mins(10);
/// When to look again where it was mended meanwhile.
const ONCE_MENDED: Duration = Duration::from_mins(1);

impl Inner {
    /// What is to be stored of a run.
    pub(super) fn close(
        &self,
        (workspace, facts): (&WorkspaceId, &Facts),
        plan: &Plan,
        (outcomes, writes): (&[Outcome], &[PendingWrite]),
        settled: Settled,
    ) -> Record {
        let now = self.parts.clock.now();
        let mut record = Record {
            agreement: difference(&facts.sheet.agreement, &settled.agreement),
            closed: closed(facts, plan, outcomes, writes),
            given_up: facts.sheet.agreement.given_up.clone(),
            seen: settled.seen,
            edits: settled.edits.into_iter().map(outcome_of).collect(),
            holds: plan.holds.iter().chain(&settled.holds).map(|one| self.hold(one, now)).collect(),
            ..Record::default()
        };
        let (failures, given_up) = self.failures(facts, settled.failures, now);
        record.failures = failures;
        for link in settled.links {
            match link {
                LinkChange::Linked(sighting) => record.links.push(sighting),
                LinkChange::Moved { from, to } => {
                    record.unlinked.push((to.system, from));
                    record.links.push(to);
                }
                LinkChange::Unlinked { system, key } => record.unlinked.push((system, key)),
            }
        }
        bury(&mut record, &facts.sheet.agreement);
        let unlinked = !record.unlinked.is_empty();
        record.suppression = suppression::change(facts, workspace, (&record.agreement, unlinked));
        record.cleared = cleared(facts, &record.failures, &settled.recovered);
        let course = Course {
            before: &facts.sheet.failures,
            now: &record.failures,
            given_up: &given_up,
            cleared: &record.cleared,
        };
        record.events = damp(settled.events, facts.sheet.known.id, course);
        for over in &plan.over {
            let decided = facts.sheet.decisions.iter().find(|one| one.hold.id == over.hold);
            match decided {
                None => record.dropped.push(over.hold),
                Some(decided) if decided.remembered => {}
                Some(_) => record.obeyed.push(over.hold),
            }
        }
        record.next = Self::next(&record.failures, outcomes, (facts.looked.importing, now));
        record
    }

    fn hold(&self, draft: &HoldDraft, now: DateTime<Utc>) -> Hold {
        draft.clone().opened(id(&self.parts.clock), now)
    }

    /// Whether a system refuses the credential, as far as is known now.
    fn is_refused(&self, system: System) -> bool {
        self.state(system) == UpstreamState::NeedsReauthorization
    }

    /// Failures with their attempts and the time of the next one, and the systems in which trying
    /// is given up now.
    fn failures(
        &self,
        facts: &Facts,
        drafts: Vec<FailureDraft>,
        now: DateTime<Utc>,
    ) -> (Vec<Failure>, Vec<System>) {
        let mut given_up = Vec::new();
        let failed = |draft: FailureDraft| {
            let before = facts.sheet.failures.iter().find(|one| one.system == draft.system);
            // Where the credential is refused, or may not, it says nothing of the write.
            let tried = u32::from(!waits_for_credential(&draft.code));
            let (most, so_far) =
                (self.parts.settings.most_attempts, before.map_or(0, |before| before.attempts));
            // Nothing was sent to a system that cannot be read: of one that is away nobody is given up, and
            // when it is back there are attempts left.
            let is_unread = facts.input().unread(draft.system).is_some();
            let asked_at = before.and_then(|before| before.next_attempt_at);
            let asked_at = asked_at.filter(|at| is_unread && *at > now);
            let tried = if asked_at.is_some() { 0 } else { tried };
            let spent = if is_unread { (so_far + tried).min(most / 2) } else { so_far + tried };
            let attempts = spent.max(so_far).max(1);
            let may_die = !is_unread || before.is_some_and(|before| before.dead);
            let dead = draft.dead || (may_die && attempts >= most);
            if dead && !draft.dead && before.is_none_or(|before| !before.dead) {
                given_up.push(draft.system);
            }
            let wait = match tried {
                0 if draft.code == UNGRANTED || self.is_refused(draft.system) => UNTIL_MENDED,
                // It was mended while this went on, and whoever told of it did not see this failure.
                0 => ONCE_MENDED,
                _ => backoff::after(attempts),
            };
            Failure {
                contact: facts.sheet.known.id,
                system: draft.system,
                action: draft.action,
                code: draft.code,
                message: draft.message,
                attempts,
                first_failed_at: before.map_or(now, |before| before.first_failed_at),
                // Until then it is not asked: news from the other system do not put that off.
                next_attempt_at: (!dead).then_some(asked_at.unwrap_or(now + wait)),
                dead,
            }
        };
        (drafts.into_iter().map(failed).collect(), given_up)
    }

    fn next(
        failures: &[Failure],
        outcomes: &[Outcome],
        (importing, now): (bool, DateTime<Utc>),
    ) -> Next {
        let waiting = failures.iter().filter_map(|one| Some((one.next_attempt_at?, one)));
        let retry = waiting.min_by_key(|(at, _)| *at);
        if let Some((at, failure)) = retry {
            if waits_for_credential(&failure.code) {
                return Next::Again(at);
            }
            return Next::Retry { at, error: failure.code.clone() };
        }
        // The rest of the write is made now that this is known.
        if outcomes.iter().any(|one| matches!(one, Outcome::Taken { .. } | Outcome::Found(_))) {
            return Next::Again(now);
        }
        if outcomes.contains(&Outcome::Accepted) || importing {
            return Next::Again(now + IMPORT_TAKES);
        }
        Next::Done
    }

    /// Puts right what others keep of the person; whether anything was written.
    pub(super) fn tell(
        &self,
        workspace: &WorkspaceId,
        facts: &Facts,
        plan: &Plan,
        outcomes: &[Outcome],
    ) -> bool {
        let person = facts.sheet.known.id;
        let mirror = &self.parts.mirror;
        let (subscriber, contact) = facts.looked.seen();
        if let (Some(seen), Some(key)) = (subscriber, Self::address(facts)) {
            mirror.subscriber(workspace, &key, seen);
        }
        if let (Some(seen), Some(id)) = (contact, facts.highlevel_id()) {
            mirror.contact(workspace, (person, &id), seen);
        }
        let written_ms = self.parts.clock.now_ms();
        let mut changed = false;
        for (action, outcome) in plan.actions.iter().zip(outcomes) {
            if !action.is_write()
                || matches!(outcome, Outcome::NotTried { .. } | Outcome::Parked | Outcome::GivenUp)
            {
                continue;
            }
            changed = true;
            if let Some((id, what)) = attached(&action.payload) {
                mirror.attached(workspace, (person, id), what);
            }
            if let Outcome::Found(contact) = outcome {
                mirror.contact(workspace, (person, &contact.id), seen(&**contact, written_ms));
            }
            let Outcome::Done { side: Some(side), .. } = outcome else { continue };
            match side {
                Reread::Doppler(Some(subscriber)) => {
                    let key = Sighting::of_subscriber(subscriber, &facts.mapping).key;
                    mirror.subscriber(workspace, &key, seen(subscriber, written_ms));
                }
                Reread::HighLevel(Some(contact)) => {
                    let seen = seen(&**contact, written_ms);
                    mirror.contact(workspace, (person, &contact.id), seen);
                }
                Reread::HighLevel(None) => {
                    if let Some(id) = facts.highlevel_id() {
                        let gone = Seen { value: None, fetched_ms: written_ms, written: true };
                        mirror.contact(workspace, (person, &id), gone);
                    }
                }
                Reread::Doppler(None) => {}
            }
        }
        changed
    }

    fn address(facts: &Facts) -> Option<String> {
        let read = facts
            .looked
            .subscriber
            .present()
            .map(|found| Sighting::of_subscriber(found, &facts.mapping).key);
        read.or_else(|| facts.sheet.known.key(System::Doppler).map(str::to_owned))
    }

    /// Tells those who follow the history.
    pub(super) fn announce(&self, workspace: &WorkspaceId, cursor: Option<i64>) {
        if let Some(cursor) = cursor {
            let workspace = workspace.clone();
            self.parts.bus.publish(News { workspace, what: What::Events(cursor) });
        }
    }
}

/// Whether a failure is over once somebody mends the credential, and not before.
pub(super) fn waits_for_credential(code: &str) -> bool {
    [REFUSED, UNGRANTED].contains(&code)
}

/// Systems in which nothing stands against the contact any more: those in which all that was tried
/// succeeded, and those that were read and in which nothing is left to be tried.
fn cleared(facts: &Facts, failures: &[Failure], recovered: &[System]) -> Vec<System> {
    let read = |system| match system {
        System::Doppler => facts.looked.subscriber.is_read(),
        System::HighLevel => facts.looked.contact.is_read(),
    };
    let over = facts.sheet.failures.iter().map(|failure| failure.system);
    let over = over.filter(|system| read(*system) && !recovered.contains(system));
    let all = over.collect::<Vec<_>>().into_iter().chain(recovered.iter().copied());
    all.filter(|system| failures.iter().all(|failure| failure.system != *system)).collect()
}

/// Puts a tombstone where a link went, and takes it away where one came.
fn bury(record: &mut Record, agreement: &Agreement) {
    for (system, key) in record.unlinked.clone() {
        let moved = record.links.iter().any(|link| link.system == system);
        if !moved {
            let tombstone = Base { value: Canonical::Text(key), sent: None };
            bases(record, system).insert(TOMBSTONE.to_owned(), Some(tombstone));
        }
    }
    for link in record.links.clone() {
        if agreement.base(link.system).contains_key(TOMBSTONE) {
            bases(record, link.system).insert(TOMBSTONE.to_owned(), None);
        }
    }
}

fn bases(record: &mut Record, system: System) -> &mut BTreeMap<String, Option<Base>> {
    match system {
        System::Doppler => &mut record.agreement.doppler,
        System::HighLevel => &mut record.agreement.highlevel,
    }
}

fn outcome_of(settled: EditSettled) -> EditOutcome {
    let EditSettled { edit, writes, errors, result } = settled;
    EditOutcome { edit, writes, result, errors }
}

fn seen<T: Clone>(value: &T, fetched_ms: i64) -> Seen<T> {
    Seen { value: Some(Arc::new(value.clone())), fetched_ms, written: true }
}

fn attached(payload: &Payload) -> Option<(&crate::unified::HighLevelId, Attached)> {
    match payload {
        Payload::CreateNote { contact, .. }
        | Payload::UpdateNote { contact, .. }
        | Payload::DeleteNote { contact, .. } => Some((contact, Attached::Notes)),
        Payload::CreateTask { contact, .. }
        | Payload::UpdateTask { contact, .. }
        | Payload::CompleteTask { contact, .. }
        | Payload::DeleteTask { contact, .. } => Some((contact, Attached::Tasks)),
        _ => None,
    }
}

/// The write-ahead records whose outcome is known now: those of this run unless they are in doubt or
/// under way, and earlier ones of systems that were read since.
fn closed(
    facts: &Facts,
    plan: &Plan,
    outcomes: &[Outcome],
    writes: &[PendingWrite],
) -> Vec<uuid::Uuid> {
    let open: Vec<uuid::Uuid> = writes
        .iter()
        .filter(|write| {
            plan.actions.iter().zip(outcomes).any(|(action, outcome)| {
                action.system == write.system
                    && action.kind == write.action
                    && action.edit == write.edit
                    && matches!(outcome, Outcome::Unknown { .. } | Outcome::Accepted)
            })
        })
        .map(|write| write.id)
        .collect();
    let read = |system| match system {
        System::Doppler => facts.looked.subscriber.is_read(),
        System::HighLevel => facts.looked.contact.is_read(),
    };
    let answered = |write: &&PendingWrite| match write.action {
        ActionKind::Note => matches!(facts.looked.notes, Some(Ok(_))),
        ActionKind::Task => matches!(facts.looked.tasks, Some(Ok(_))),
        _ if facts.looked.importing && Importing::of(write).is_some() => false,
        _ => read(write.system),
    };
    let earlier = facts.sheet.pending.iter().filter(answered);
    let all = writes.iter().chain(earlier).map(|write| write.id);
    all.filter(|id| !open.contains(id)).collect()
}

/// Fields of an agreement that changed.
fn difference(old: &Agreement, new: &Agreement) -> AgreementChange {
    fn changes<V: Clone + PartialEq>(
        old: &BTreeMap<String, V>,
        new: &BTreeMap<String, V>,
    ) -> BTreeMap<String, Option<V>> {
        let gone = old.keys().filter(|field| !new.contains_key(*field));
        let gone = gone.map(|field| (field.clone(), None));
        let changed = new.iter().filter(|(field, value)| old.get(*field) != Some(value));
        gone.chain(changed.map(|(field, value)| (field.clone(), Some(value.clone())))).collect()
    }
    AgreementChange {
        canon: changes(&old.canon, &new.canon),
        doppler: changes(&old.doppler, &new.doppler),
        highlevel: changes(&old.highlevel, &new.highlevel),
    }
}

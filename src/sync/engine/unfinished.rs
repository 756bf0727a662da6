//! What a run left for another look that nothing else brings about. Pure.
//!
//! What could be planned and not done has a failure, which is tried again. But a side that could not be read
//! may hold a change of which no poll and no webhook tells once more, and an edit may wait for no more than
//! the next look: the contact is then looked at again, ever more seldom.
//!
//! One that goes on not to be read is told of as a failure until it can be. It is never given up: that a system
//! answers nobody, or for a while refuses everybody, looks the same from here, and an opt-out may be behind it.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::clock::jitter;
use crate::store::{MOST_RETRIES, Next, Record};
use crate::sync::backoff;
use crate::sync::plan::{Plan, Scope};
use crate::unified::{
    ActionKind, Edit, EventDraft, EventKind, Failure, Hold, System, WriteOutcome,
};
use crate::upstream::Kind;

use super::close::{UNTIL_MENDED, waits_for_credential};
use super::run::Facts;

/// The code of what a system will not show, however often it is asked.
const REFUSED: &str = "UPSTREAM_REJECTED";
/// The longest wait for what is refused, which hardly mends itself: each look is a call or two.
const REFUSED_FOR: Duration = Duration::from_hours(1);

/// How often a contact was looked at, and when.
#[derive(Clone, Copy)]
pub(super) struct Tried {
    /// Of its lease, from 1.
    pub attempt: u32,
    /// After how many it is told of.
    pub most: u32,
    pub now: DateTime<Utc>,
}

/// A system that is to be looked at again.
struct Waiting {
    system: System,
    /// Why: the error's name in the public schema.
    code: &'static str,
}

/// Has a contact looked at again that would else be done with.
pub(super) fn look_again(facts: &Facts, plan: &Plan, record: &mut Record, tried: Tried) {
    // Whoever sends imports marks the contact when this one is over.
    if record.next != Next::Done || facts.in_import {
        return;
    }
    let mut again =
        (!plan.needs.is_empty()).then(|| (backoff::after(tried.attempt), Kind::Unavailable.code()));
    for waiting in waiting(facts, record) {
        let wait = tell(facts, record, &waiting, tried);
        let is_sooner = again.is_none_or(|(least, _)| wait < least);
        again = if is_sooner { Some((wait, waiting.code)) } else { again };
    }
    let Some((wait, code)) = again else { return };
    record.next = Next::Retry { at: tried.now + wait, error: code.to_owned() };
}

/// The systems that edits wait for, and those that could not be read and may be later. A record that is in
/// the way is a question, what was given up waits for a person, and a system that is not connected begins
/// with everybody.
fn waiting(facts: &Facts, record: &Record) -> Vec<Waiting> {
    let input = facts.input();
    let edits = record.edits.iter().filter_map(|outcome| {
        let edit = facts.sheet.edits.iter().find(|edit| edit.id == outcome.edit)?;
        let queued = outcome.writes.iter().filter(|one| one.outcome == WriteOutcome::Queued);
        let queued: Vec<System> = queued.map(|write| write.system).collect();
        (!is_accounted_for(facts, record, (edit, &queued))).then_some(queued)
    });
    let awaited: Vec<System> = edits.flatten().collect();
    let of = |system: System| {
        let code = input.unread(system);
        if awaited.contains(&system) {
            let code = code.unwrap_or(Kind::Unavailable.code());
            return Some(Waiting { system, code });
        }
        let code = code.filter(|code| *code != Kind::NotConnected.code())?;
        let is_left = input.other(system).is_none() && !is_dead(facts, record, &[system]);
        let waits = is_left && facts.scope == Scope::Everything;
        waits.then_some(Waiting { system, code })
    };
    System::ALL.into_iter().filter_map(of).collect()
}

/// Whether a failure or a question says why something of an edit is still to be written, in the systems in
/// which it is.
fn is_accounted_for(facts: &Facts, record: &Record, (edit, queued): (&Edit, &[System])) -> bool {
    let sheet = &facts.sheet;
    let names_fields = !edit.change.fields().is_empty();
    let asks = |hold: &Hold| {
        // One without a field is about who the person is, in either system.
        let is_it = hold.field.is_none()
            || (names_fields && hold.system.is_none_or(|system| queued.contains(&system)));
        is_it && hold.contacts.contains(&sheet.known.id)
    };
    let open = sheet.holds.iter().filter(|hold| !record.dropped.contains(&hold.id));
    record.holds.iter().chain(open).any(asks) || is_dead(facts, record, queued)
}

/// Whether something was given up about the contact in one of the systems, now or before.
fn is_dead(facts: &Facts, record: &Record, systems: &[System]) -> bool {
    let before = facts.sheet.failures.iter();
    let before = before.filter(|one| !record.cleared.contains(&one.system));
    record.failures.iter().chain(before).any(|one| one.dead && systems.contains(&one.system))
}

/// When a system is to be looked at again; tells of it where looking is of little use.
fn tell(facts: &Facts, record: &mut Record, waiting: &Waiting, tried: Tried) -> Duration {
    let Waiting { system, code } = *waiting;
    let is_unread = facts.input().unread(system).is_some();
    let before = facts.sheet.failures.iter().find(|one| one.system == system);
    let is_refused = is_unread && code == REFUSED;
    // Leases count no further.
    let is_late = tried.attempt >= tried.most.min(MOST_RETRIES + 1);
    // Until then it was not asked: news from the other system do not put that off.
    let at = before.and_then(|one| one.next_attempt_at).filter(|at| is_unread && *at > tried.now);
    let left = at.and_then(|at| (at - tried.now).to_std().ok());
    let wait = match tried.attempt {
        _ if left.is_some() => left.unwrap_or_default(),
        _ if waits_for_credential(code) => UNTIL_MENDED,
        _ if is_refused && is_late => jitter(REFUSED_FOR),
        attempt => backoff::after(attempt),
    };
    let is_told = is_refused || left.is_some() || (is_unread && is_late);
    if !is_told {
        return wait;
    }
    let what = if is_refused { "refuses to tell of the person" } else { "cannot be read" };
    let message = format!("{} {what}, which is tried again", system.name());
    let so_far = before.map_or(0, |one| one.attempts);
    let attempts = so_far + u32::from(left.is_none());
    let contact = facts.sheet.known.id;
    if before.is_none() {
        record.events.push(EventDraft {
            contact: Some(contact),
            system: Some(system),
            attempt: Some(attempts),
            code: Some(code.to_owned()),
            ..EventDraft::new(EventKind::Failed, message.clone())
        });
    }
    record.failures.push(Failure {
        contact,
        system,
        // That is what reading them is for.
        action: ActionKind::Link,
        code: code.to_owned(),
        message,
        attempts,
        first_failed_at: before.map_or(tried.now, |before| before.first_failed_at),
        next_attempt_at: Some(tried.now + wait),
        dead: false,
    });
    wait
}

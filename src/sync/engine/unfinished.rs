//! What a run left for another look that nothing else brings about. Pure.
//!
//! What could be planned and not done has a failure, which is tried again. But a side that could not be read
//! may hold a change of which no poll and no webhook tells once more, and an edit may wait for no more than
//! the next look: the contact is then looked at again, ever more seldom.
//!
//! A side that refuses to be read for this person, or does not show them while it answers others, is given up
//! like a write: a failure says so until it can be read, and somebody may have it tried again.

use chrono::{DateTime, Utc};

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
/// The codes of what may be the record's trouble or the system's.
const UNANSWERED: [&str; 2] = [Kind::Unavailable.code(), Kind::Timeout.code()];

/// How often a contact was looked at, and when.
#[derive(Clone, Copy)]
pub(super) struct Tried {
    /// Of its lease, from 1.
    pub attempt: u32,
    /// After how many something is given up.
    pub most: u32,
    pub now: DateTime<Utc>,
}

/// A system that is to be looked at again.
struct Waiting {
    system: System,
    /// Why: the error's name in the public schema.
    code: &'static str,
    /// Whether an edit waits for it.
    for_edit: bool,
}

/// Has a contact looked at again that would else be done with.
pub(super) fn look_again(facts: &Facts, plan: &Plan, record: &mut Record, tried: Tried) {
    // Whoever sends imports marks the contact when this one is over.
    if record.next != Next::Done || facts.in_import {
        return;
    }
    let mut again = (!plan.needs.is_empty()).then(|| Kind::Unavailable.code());
    for waiting in waiting(facts, record) {
        if is_in_vain(facts, &waiting, tried) {
            give_up(facts, record, &waiting, tried);
        } else {
            again = again.filter(|code| !waits_for_credential(code)).or(Some(waiting.code));
        }
    }
    let Some(code) = again else { return };
    let mends = waits_for_credential(code);
    let wait = if mends { UNTIL_MENDED } else { backoff::after(tried.attempt) };
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
            return Some(Waiting { system, code, for_edit: true });
        }
        let code = code.filter(|code| *code != Kind::NotConnected.code())?;
        let is_left = input.other(system).is_none() && !is_dead(facts, record, &[system]);
        let waits = is_left && facts.scope == Scope::Everything;
        waits.then_some(Waiting { system, code, for_edit: false })
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

/// Whether a system will not be read by looking once more.
fn is_in_vain(facts: &Facts, waiting: &Waiting, tried: Tried) -> bool {
    let is_unread = facts.input().unread(waiting.system).is_some();
    // Leases count no further.
    let is_late = tried.attempt >= tried.most.min(MOST_RETRIES + 1);
    // Of one that is away nobody is given up.
    let answers_others = facts.looked.answers[waiting.system as usize];
    let is_silent = UNANSWERED.contains(&waiting.code) && is_late && answers_others;
    is_unread && (waiting.code == REFUSED || is_silent)
}

/// Says that a system is not looked at any more for a contact, unless somebody was told and let it be.
fn give_up(facts: &Facts, record: &mut Record, waiting: &Waiting, tried: Tried) {
    let Waiting { system, code, for_edit } = *waiting;
    if !for_edit && facts.sheet.agreement.given_up.contains_key(&system) {
        return;
    }
    let before = facts.sheet.failures.iter().find(|one| one.system == system);
    let (attempts, why) = if code == REFUSED {
        (before.map_or(0, |before| before.attempts) + 1, "refuses to tell of the person")
    } else {
        (tried.attempt, "answers others and not about the person")
    };
    let message = format!("{} {why}, so nothing is done there", system.name());
    let contact = facts.sheet.known.id;
    record.events.push(EventDraft {
        contact: Some(contact),
        system: Some(system),
        attempt: Some(attempts),
        code: Some(code.to_owned()),
        ..EventDraft::new(EventKind::Failed, message.clone())
    });
    record.failures.push(Failure {
        contact,
        system,
        // That is what reading them is for.
        action: ActionKind::Link,
        code: code.to_owned(),
        message,
        attempts,
        first_failed_at: before.map_or(tried.now, |before| before.first_failed_at),
        next_attempt_at: None,
        dead: true,
    });
}

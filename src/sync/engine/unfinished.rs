//! What a run left for another look that nothing else brings about. Pure.
//!
//! What could be planned and not done has a failure, which is tried again. But a side that could not be read
//! may hold a change of which no poll and no webhook tells once more, and an edit may wait for no more than
//! the next look: the contact is then looked at again, ever more seldom.

use chrono::{DateTime, Utc};

use crate::store::{Next, Record};
use crate::sync::backoff;
use crate::sync::plan::{Plan, Scope};
use crate::unified::{Edit, Failure, Hold, System, WriteOutcome};
use crate::upstream::Kind;

use super::close::{UNTIL_MENDED, waits_for_credential};
use super::run::Facts;

/// Has a contact looked at again that would else be done with. `attempt`: of its lease, from 1.
pub(super) fn look_again(
    facts: &Facts,
    plan: &Plan,
    record: &mut Record,
    (attempt, now): (u32, DateTime<Utc>),
) {
    // Whoever sends imports marks the contact when this one is over.
    if record.next != Next::Done || facts.in_import {
        return;
    }
    let waits = !plan.needs.is_empty() || edits_wait(facts, record);
    let unread = unread(facts, record).or(waits.then(|| Kind::Unavailable.code()));
    let Some(code) = unread else { return };
    let mends = waits_for_credential(code);
    let wait = if mends { UNTIL_MENDED } else { backoff::after(attempt) };
    record.next = Next::Retry { at: now + wait, error: code.to_owned() };
}

/// Why a side could not be read that may be read later. A record that is in the way is a question, what was
/// given up waits for a person, and a system that is not connected begins with everybody.
fn unread(facts: &Facts, record: &Record) -> Option<&'static str> {
    let input = facts.input();
    let is_left = |system: &System| {
        let mut dead = dead(facts, record).filter(|one| one.system == *system);
        input.other(*system).is_none() && dead.next().is_none()
    };
    let mut codes =
        System::ALL.into_iter().filter(is_left).filter_map(|system| input.unread(system));
    let code = codes.find(|code| *code != Kind::NotConnected.code());
    code.filter(|_| facts.scope == Scope::Everything)
}

/// Whether something of an edit is to be written and neither a failure nor a question says why it is not.
fn edits_wait(facts: &Facts, record: &Record) -> bool {
    record.edits.iter().any(|outcome| {
        let edit = facts.sheet.edits.iter().find(|edit| edit.id == outcome.edit);
        let queued = outcome.writes.iter().filter(|one| one.outcome == WriteOutcome::Queued);
        let queued: Vec<System> = queued.map(|write| write.system).collect();
        let waits = |edit| !is_accounted_for(facts, record, (edit, &queued));
        !queued.is_empty() && edit.is_some_and(waits)
    })
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
    record.holds.iter().chain(open).any(asks)
        || dead(facts, record).any(|one| queued.contains(&one.system))
}

/// What was given up about the contact, now or before.
fn dead<'a>(facts: &'a Facts, record: &'a Record) -> impl Iterator<Item = &'a Failure> {
    let before = facts.sheet.failures.iter();
    let before = before.filter(|one| !record.cleared.contains(&one.system));
    record.failures.iter().chain(before).filter(|one| one.dead)
}

//! What a run left for another look that nothing else brings about. Pure.
//!
//! What could be planned and not done has a failure, which is tried again. But a side that could not be read
//! may hold a change of which no poll and no webhook tells once more, and an edit may wait for no more than
//! the next look: the contact is then looked at again, ever more seldom.

use chrono::{DateTime, Utc};

use crate::store::{Next, Record};
use crate::sync::backoff;
use crate::sync::plan::{Plan, Scope};
use crate::unified::{Failure, Hold, System, WriteOutcome};
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
    let mut writes = record.edits.iter().flat_map(|edit| &edit.writes);
    let is_queued = writes.any(|write| write.outcome == WriteOutcome::Queued);
    let sheet = &facts.sheet;
    let own = |hold: &Hold| hold.contacts.contains(&sheet.known.id);
    let asks = record.holds.iter().any(own)
        || sheet.holds.iter().any(|hold| own(hold) && !record.dropped.contains(&hold.id));
    is_queued && !asks && dead(facts, record).next().is_none()
}

/// What was given up about the contact, now or before.
fn dead<'a>(facts: &'a Facts, record: &'a Record) -> impl Iterator<Item = &'a Failure> {
    let before = facts.sheet.failures.iter();
    let before = before.filter(|one| !record.cleared.contains(&one.system));
    record.failures.iter().chain(before).filter(|one| one.dead)
}

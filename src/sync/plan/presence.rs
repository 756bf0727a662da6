//! Where the person is: who is recognised, and where somebody may be made.

use crate::unified::{ActionKind, Edit, PendingWrite, Sighting, System, SystemWrite, WriteOutcome};

use super::draft::Draft;
use super::{Action, Input, Payload, Scope, gone, others};

/// Remembers who was found.
pub(super) fn plan(draft: &mut Draft<'_>) {
    let input = draft.input;
    for sighting in sightings(input) {
        let known = input.link(sighting.system).is_some_and(|link| link.key == sighting.key);
        if !known {
            let system = sighting.system;
            let reason = format!("the person was found in {}", system.name());
            let action = Action::new(system, ActionKind::Link, Payload::Link(sighting), reason);
            draft.act(action, &[]);
        }
    }
    for other in input.extra.others {
        others::somebody_elses(draft, other);
    }
}

fn sightings(input: &Input<'_>) -> impl Iterator<Item = Sighting> {
    let doppler = input.doppler.present();
    let doppler = doppler.map(|subscriber| Sighting::of_subscriber(subscriber, input.mapping));
    let highlevel = input.highlevel.present().map(|contact| Sighting::of_contact(contact));
    doppler.into_iter().chain(highlevel)
}

/// Whether the scope lets a person be created in a system at all.
pub(super) fn may_be_created(input: &Input<'_>, system: System) -> bool {
    let free = !input.is_gone(system) || gone::is_made_again(input, system);
    if input.scope == Scope::Everything && free {
        return true;
    }
    let elsewhere = input.is_in(system.other()) || input.link(system.other()).is_some();
    let is_new = !elsewhere && !input.is_gone(system);
    input.edits.iter().any(|edit| {
        let change = &edit.change;
        let named = change.create_in().is_some_and(|systems| systems.contains(&system));
        let joins = system == System::Doppler && !change.joins().is_empty();
        (change.is_upsert() && (is_new || is_being_made(input, edit, system))) || named || joins
    })
}

/// Whether an edit has begun to make a new person, in the other system or here, and has not ended:
/// that the other system knows the person by now is its own doing.
fn is_being_made(input: &Input<'_>, edit: &Edit, system: System) -> bool {
    if input.link(system).is_some() || input.is_gone(system) {
        return false;
    }
    // Where nobody is linked, what waits is a creation; anything else was skipped at once.
    let waits =
        |write: &SystemWrite| write.system == system && write.outcome == WriteOutcome::Queued;
    // A creation is nobody's own; begun since the edit was accepted, it is for it.
    let begun =
        |write: &PendingWrite| write.action == ActionKind::Create && write.begun_at >= edit.at;
    edit.writes.iter().any(waits) || input.extra.pending.iter().any(begun)
}

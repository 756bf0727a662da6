//! Where the person is: who is recognised, who is gone, and whom an edit deletes.

use crate::unified::{
    ActionKind, Edit, EditChange, PendingWrite, Sighting, System, SystemWrite, WriteOutcome,
};

use super::draft::Draft;
use super::{Action, Input, Payload, Scope, Side, others};

/// Remembers who was found and forgets who is gone.
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
    for system in System::ALL {
        if let Some(link) = input.link(system).filter(|_| input.is_gone(system)) {
            let here = system.name();
            let reason = format!(
                "the person is not in {here} any more; {} is left as it is, and nobody is created \
                 in {here} again",
                system.other().name()
            );
            let payload = Payload::Unlink { system, key: link.key.clone() };
            draft.act(Action::new(system, ActionKind::Unlink, payload, reason), &[]);
        }
    }
}

fn sightings(input: &Input<'_>) -> impl Iterator<Item = Sighting> {
    let doppler = input.doppler.present();
    let doppler = doppler.map(|subscriber| Sighting::of_subscriber(subscriber, input.mapping));
    let highlevel = input.highlevel.present().map(|contact| Sighting::of_contact(contact));
    doppler.into_iter().chain(highlevel)
}

/// Plans a deletion; whether there is one, which then is all there is to do.
///
/// Doppler has no call that deletes a subscriber. Opting the person out instead would be another
/// thing than what was asked for, so the edit is told that it is not supported.
pub(super) fn delete(draft: &mut Draft<'_>) -> bool {
    let input = draft.input;
    let wanted: Vec<(&Edit, &Vec<System>)> = input
        .edits
        .iter()
        .filter_map(|edit| {
            if let EditChange::Delete { systems } = &edit.change {
                Some((edit, systems))
            } else {
                None
            }
        })
        .collect();
    for (edit, systems) in &wanted {
        for system in *systems {
            match system {
                System::Doppler => in_doppler(draft, edit),
                System::HighLevel => in_highlevel(draft, edit),
            }
        }
    }
    let deletes = wanted.iter().any(|(_, systems)| systems.contains(&System::HighLevel))
        && (input.is_in(System::HighLevel) || input.unread(System::HighLevel).is_some());
    if deletes {
        for edit in input.edits.iter().filter(|e| !matches!(e.change, EditChange::Delete { .. })) {
            let reason = "the person is being deleted in HighLevel";
            draft.know(edit.id, System::HighLevel, WriteOutcome::Skipped, Some(reason.to_owned()));
        }
    }
    deletes
}

fn in_doppler(draft: &mut Draft<'_>, edit: &Edit) {
    match draft.input.doppler {
        Side::Absent | Side::Gone => {
            let reason = Some("the person is not in Doppler".to_owned());
            draft.know(edit.id, System::Doppler, WriteOutcome::Unchanged, reason);
        }
        Side::Present(_) | Side::Unread { .. } => {
            let reason = "Doppler has no way to delete a subscriber: the person stays there; \
                           unsubscribe the person or delete it in Doppler's control panel";
            let reason = Some(reason.to_owned());
            draft.know(edit.id, System::Doppler, WriteOutcome::Skipped, reason);
        }
    }
}

fn in_highlevel(draft: &mut Draft<'_>, edit: &Edit) {
    let there =
        draft.input.is_in(System::HighLevel) || draft.input.unread(System::HighLevel).is_some();
    if let Some(id) = super::writes::highlevel_id(draft.input).filter(|_| there) {
        let reason = "a client deleted the person";
        let payload = Payload::DeleteContact { id };
        let mut action = Action::new(System::HighLevel, ActionKind::Delete, payload, reason);
        action.edit = Some(edit.id);
        draft.act(action, &[edit.id]);
    } else {
        let reason = Some("the person is not in HighLevel".to_owned());
        draft.know(edit.id, System::HighLevel, WriteOutcome::Unchanged, reason);
    }
}

/// Whether the scope lets a person be created in a system at all.
pub(super) fn may_be_created(input: &Input<'_>, system: System) -> bool {
    if input.scope == Scope::Everything && !input.is_gone(system) {
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

//! Whom a client's edit deletes.

use crate::unified::{ActionKind, Edit, EditChange, System, WriteOutcome};

use super::draft::Draft;
use super::{Action, Payload, Side, writes};

/// Plans a deletion; whether there is one, which then is all there is to do.
///
/// Doppler has no call that deletes a subscriber. Opting the person out instead would be another
/// thing than what was asked for, so the edit is told that it is not supported.
pub(super) fn plan(draft: &mut Draft<'_>) -> bool {
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
    if let Some(id) = writes::highlevel_id(draft.input).filter(|_| there) {
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

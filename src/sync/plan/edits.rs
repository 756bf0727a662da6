//! What remains to be said of edits: those that need nothing, and those that are only a reconcile.

use crate::unified::{Edit, EditChange, System, WriteOutcome};

use super::Side;
use super::draft::Draft;

/// Says of every edit and system it concerns what it comes to, where no topic did.
pub(super) fn plan(draft: &mut Draft<'_>) {
    for edit in draft.input.edits {
        for system in edit.change.systems().iter().copied() {
            if edit.change == EditChange::Sync {
                draft.depend_on_all(edit.id, system);
            }
            if !draft.says(edit.id, system) {
                nothing_left(draft, edit, system);
            }
        }
    }
}

fn nothing_left(draft: &mut Draft<'_>, edit: &Edit, system: System) {
    let (outcome, reason) = match (draft.input.is_in(system), draft.input.unread(system)) {
        _ if draft.waits => {
            let reason = "it is not known yet what follows from a deletion".to_owned();
            (WriteOutcome::Queued, Some(reason))
        }
        (true, _) => (WriteOutcome::Unchanged, None),
        // Nothing waits to be written there by what is known.
        (false, Some(_)) if draft.input.link(system).is_some() => (WriteOutcome::Unchanged, None),
        (false, Some(_)) => {
            let reason = format!("{} could not be read", system.name());
            (WriteOutcome::Queued, Some(reason))
        }
        (false, None) => {
            let gone = match system {
                System::Doppler => draft.input.doppler == Side::Gone,
                System::HighLevel => draft.input.highlevel == Side::Gone,
            };
            let still = if gone { "not in it any more" } else { "not in it" };
            let reason = format!("{}: the person is {still}", system.name());
            (WriteOutcome::Skipped, Some(reason))
        }
    };
    draft.know(edit.id, system, outcome, reason);
}

//! Somebody who has, or is to have, an erased person's address: nothing is done about them.
//!
//! The address may have come to them by a merge inside a system, or the erased person may have come back
//! under another record; to write it to the other system would be to bring them back.

use crate::unified::{System, UserErrorCode};

use super::draft::Draft;

const REASON: &str = "the address is that of a person who was erased on request";

/// Skips everything; whether that is called for, and then it is all there is to do.
pub(super) fn plan(draft: &mut Draft<'_>) -> bool {
    if !draft.input.extra.erased {
        return false;
    }
    for system in System::ALL {
        draft.skip(system, REASON, &[]);
    }
    for edit in draft.input.edits {
        for system in edit.change.systems() {
            draft.refuse(edit, *system, UserErrorCode::Erased, REASON);
        }
    }
    true
}

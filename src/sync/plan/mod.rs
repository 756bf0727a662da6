//! What to do about one contact: a pure function from what is known to actions with reasons.
//!
//! One file a topic, each a pure function over the same [`Input`], which adds to one [`Draft`]. To
//! add a topic: a file with such a function and a line in [`plan`], at its place in the order of
//! the actions.

mod action;
mod consent;
mod create;
mod decide;
mod derived;
mod difference;
mod draft;
mod edits;
mod facts;
mod fields;
mod holds;
mod input;
mod lists;
mod notes;
mod others;
mod presence;
mod rename;
mod shown_note;
mod tags;
mod writes;

pub use action::{
    Action, EditPart, HoldDraft, Known, ListTarget, Need, Over, Part, Payload, Plan, PlannedField,
    TagsDelta, When,
};
pub use input::{Extra, Input, OpenHold, Other, Scope, Side, Target};

pub(super) use consent::word as consent_word;
pub(super) use create::named_by_whom;
pub(super) use others::taken;
pub(super) use shown_note::{LAST_NOTE, NOTE_FROM};

use draft::Draft;

/// What to do about a contact.
///
/// Consent comes first, so that no later topic joins a list for somebody who opted out; the person's
/// fields come before notes, so that there is somebody to hang a note on.
pub fn plan(input: &Input<'_>) -> Plan {
    let mut draft = Draft::new(input);
    presence::plan(&mut draft);
    if presence::delete(&mut draft) {
        edits::plan(&mut draft);
        return draft.finish();
    }
    let standing = consent::plan(&mut draft);
    let topics = fields::topics(input);
    let mut changes = fields::plan(&mut draft, &topics);
    changes.extend(derived::plan(&mut draft));
    changes.extend(tags::plan(&mut draft, standing));
    changes.extend(shown_note::last(&mut draft));
    let changes = rename::plan(&mut draft, changes, standing);
    create::plan(&mut draft, &topics, standing);
    writes::plan(&mut draft, changes);
    lists::plan(&mut draft, standing);
    notes::plan(&mut draft);
    shown_note::from_field(&mut draft);
    edits::plan(&mut draft);
    draft.finish()
}

//! What to do about one contact: a pure function from what is known to actions with reasons.
//!
//! One file a topic, each a pure function over the same [`Input`], which adds to one [`Draft`]. To
//! add a topic: a file with such a function and a line in [`plan`], at its place in the order of
//! the actions.

mod action;
mod consent;
mod create;
mod decide;
mod delete;
mod derived;
mod difference;
mod draft;
mod due;
mod edits;
mod emptied;
mod engagement_note;
mod erased;
mod facts;
mod fields;
mod gone;
mod holds;
mod input;
mod joining;
mod lists;
mod notes;
mod others;
mod presence;
mod rename;
mod shown_note;
mod tags;
mod unplaced;
mod writes;

pub use action::{
    Action, EditPart, HoldDraft, Known, ListTarget, Need, Over, Part, Payload, Plan, PlannedField,
    TagsDelta, When,
};
pub use input::{
    Defined, Deleted, Deletion, Extra, Input, OpenHold, Other, Scope, Side, Suppressed, Target,
    WhenChanged, WhenUnchanged,
};

pub(super) use consent::{
    is_out as consent_is_out, is_suppressed, says as consent_of, word as consent_word,
};
pub(super) use create::named_by_whom;
pub(super) use engagement_note::{is_it as is_engagement_note, written as engagement_written};
pub(super) use others::taken;
pub(super) use shown_note::{LAST_NOTE, NOTE_FROM};
pub(super) use unplaced::UNGRANTED;

use draft::Draft;
use gone::Course;

/// What to do about a contact.
///
/// Consent comes first, so that no later topic joins a list for somebody who opted out; the person's
/// fields come before notes, so that there is somebody to hang a note on.
pub fn plan(input: &Input<'_>) -> Plan {
    let mut draft = Draft::new(input);
    if erased::plan(&mut draft) {
        return draft.finish();
    }
    presence::plan(&mut draft);
    let course = gone::plan(&mut draft);
    if course == Course::Ends || delete::plan(&mut draft) {
        edits::plan(&mut draft);
        return draft.finish();
    }
    if course == Course::Waits {
        draft.waits = true;
        consent::plan(&mut draft);
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
    engagement_note::plan(&mut draft);
    edits::plan(&mut draft);
    draft.finish()
}

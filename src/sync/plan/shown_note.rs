//! What of a note Doppler shows, and what of Doppler becomes a note; both off by default.

use crate::unified::projection::Slot;
use crate::unified::{
    ActionKind, Base, Canonical, Kind, Lookup, MappingRule, Note, NoteDraft, System,
};

use super::draft::Draft;
use super::fields::{self, Change};
use super::{Action, Payload, PlannedField, Scope, due, engagement_note, notes, writes};

/// The agreement's name of the last note that Doppler shows.
pub(in crate::sync) const LAST_NOTE: &str = "notes.last";
/// The agreement's name of the Doppler field that becomes notes.
pub(in crate::sync) const NOTE_FROM: &str = "notes.from";
/// How many characters a Doppler field holds, and what shows that a note was shortened.
const CHARACTERS: usize = 400;
const SHORTENED: &str = " […]";

/// Plans the display copy of the last note.
pub(super) fn last<'a>(draft: &mut Draft<'a>) -> Option<Change<'a>> {
    let input = draft.input;
    let name = input.mapping.notes.last_note_field.as_deref()?;
    if input.scope != Scope::Everything || !input.is_open(System::Doppler) {
        return None;
    }
    let (subscriber, _) = (input.doppler.present()?, input.highlevel.present()?);
    let slot = place(draft, name)?;
    let notes = notes::read(draft, &[])?;
    let held = slot.of_subscriber(Kind::Text, subscriber);
    let bases = &draft.agreement.highlevel;
    let is_ours = |note: &&Note| {
        let mut ours =
            bases.iter().filter_map(|(field, base)| engagement_note::note_of(field, base));
        ours.any(|id| id == note.id)
    };
    // What Doppler itself told of is not shown there.
    let others = notes.iter().filter(|note| !is_ours(note));
    let text = others.max_by_key(|note| note.created_at).map(shortened);
    let after = Kind::Text.read(text.as_deref().unwrap_or_default());
    let old = input.agreement.doppler.get(LAST_NOTE);
    let sent = old.filter(|old| old.value == held).and_then(|old| old.sent.clone());
    let settled = sent.as_ref() == Some(&after);
    let base = Base { value: held.clone(), sent };
    draft.agreement.doppler.insert(LAST_NOTE.to_owned(), base);
    // It is somebody else's text as long as there is no note and never was.
    let is_theirs = after.is_empty() && old.is_none();
    if settled || is_theirs || Kind::Text.agrees(&held, &after) {
        due::is_over(draft, LAST_NOTE);
        return None;
    }
    if due::is_given_up(draft, LAST_NOTE, (System::Doppler, &after)) {
        return None;
    }
    let planned = PlannedField {
        field: LAST_NOTE.to_owned(),
        before: fields::shown(&held),
        after: fields::shown(&after),
        rule: MappingRule::Owner,
        reason: Some("Doppler shows the last note".to_owned()),
    };
    let (system, edits) = (System::Doppler, Vec::new());
    Some(Change { system, slot, value: after, planned, edits, tags: None })
}

/// The note's text, marked where it was shortened: it is a copy to look at, the note stays whole.
fn shortened(note: &Note) -> String {
    let body = note.body.as_deref().unwrap_or_default().trim();
    if body.chars().count() <= CHARACTERS {
        return body.to_owned();
    }
    let kept: String = body.chars().take(CHARACTERS - SHORTENED.chars().count()).collect();
    format!("{}{SHORTENED}", kept.trim_end())
}

/// Plans a note out of a new value of one Doppler field: one a value, and none for the value that
/// was there when the two first met.
pub(super) fn from_field(draft: &mut Draft<'_>) {
    let input = draft.input;
    let Some(name) = input.mapping.notes.note_from_field.as_deref() else { return };
    if input.scope != Scope::Everything || !input.is_open(System::HighLevel) {
        return;
    }
    let Some(subscriber) = input.doppler.present() else { return };
    let Some(slot) = place(draft, name) else { return };
    let held = slot.of_subscriber(Kind::Text, subscriber);
    let old = input.agreement.doppler.get(NOTE_FROM).map(|base| base.value.clone());
    let first = old.is_none();
    let same = old.as_ref().is_some_and(|old| Kind::Text.agrees(old, &held));
    if first || held.is_empty() {
        is_said(draft, held);
        return;
    }
    if same {
        due::is_over(draft, NOTE_FROM);
        return;
    }
    let Some(contact) = writes::highlevel_id(input) else { return };
    if due::is_given_up(draft, NOTE_FROM, (System::HighLevel, &held)) {
        is_said(draft, held);
        return;
    }
    let note = NoteDraft { body: held.to_string(), title: None };
    if written_already(draft, &note) {
        return;
    }
    let reason = format!("Doppler's field {name} has a new value");
    let planned = PlannedField {
        field: NOTE_FROM.to_owned(),
        before: old.as_ref().and_then(fields::shown),
        after: fields::shown(&held),
        rule: MappingRule::Owner,
        reason: Some(reason.clone()),
    };
    let payload = Payload::CreateNote { contact, draft: note };
    let action =
        Action::new(System::HighLevel, ActionKind::Note, payload, reason).with(vec![planned]);
    draft.act(action, &[]);
}

/// Whether a call that may have written the note did, or whether that has to be looked up first.
fn written_already(draft: &mut Draft<'_>, wanted: &NoteDraft) -> bool {
    let input = draft.input;
    let mut pending = input.extra.pending.iter();
    if !pending.any(|one| one.edit.is_none() && one.action == ActionKind::Note) {
        return false;
    }
    let Some(notes) = notes::read(draft, &[]) else { return true };
    let found =
        notes.iter().any(|note| note.body.as_deref().map(str::trim) == Some(wanted.body.trim()));
    if found {
        is_said(draft, Canonical::Text(wanted.body.clone()));
    }
    found
}

/// Remembers that a value of the field is no news any more.
fn is_said(draft: &mut Draft<'_>, value: Canonical) {
    let base = Base { value, sent: None };
    draft.agreement.doppler.insert(NOTE_FROM.to_owned(), base);
    due::is_over(draft, NOTE_FROM);
}

fn place<'a>(draft: &mut Draft<'a>, name: &str) -> Option<Slot<'a>> {
    match draft.input.definitions.find(System::Doppler, name) {
        Lookup::Found(definition) => Some(Slot::of(definition)),
        Lookup::Missing => {
            let doppler = System::Doppler.name();
            draft.because(format!("{doppler} has no field {name} for notes"));
            None
        }
        Lookup::Unknown => None,
    }
}

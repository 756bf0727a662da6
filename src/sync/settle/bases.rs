//! What is agreed afterwards: of every side that was written, what it then held.
//!
//! The base is what the system made of the value and not what was meant to be written. Where the two
//! differ the value is remembered as sent, so that it is not sent again as long as the system holds
//! what it made of it.

use crate::sync::plan::{
    Action, Input, LAST_NOTE, NOTE_FROM, Payload, Plan, TagsDelta, When, consent_word,
    engagement_written, is_engagement_note,
};
use crate::unified::projection::{self, Field, Slot};
use crate::unified::{
    Agreement, Base, Canonical, HighLevelContact, Kind, Subscriber, System, doppler_forbids,
    doppler_tags, highlevel_forbids, merge_tags, tags_without,
};

use super::Outcome;
use super::outcome::{Reread, may_unlink, pairs};

/// The agreement after the actions.
pub(super) fn settle(input: &Input<'_>, plan: &Plan, outcomes: &[Outcome]) -> Agreement {
    let mut agreement = plan.agreement.clone();
    // First, because the person may have been made there again.
    for action in plan.actions.iter().filter(|action| action.when == When::Now) {
        if let Payload::Unlink { system, .. } = &action.payload
            && may_unlink(plan, outcomes)
        {
            agreement.base_mut(*system).clear();
        }
    }
    for (action, outcome) in pairs(plan, outcomes) {
        let Some(Outcome::Done { side, result }) = outcome else { continue };
        // A note that is written is not to be written any more.
        let notes = action.fields.iter().filter(|planned| is_note(&planned.field));
        for note in notes {
            agreement.canon.remove(&note.field);
        }
        agreement.highlevel.extend(engagement_written(action, result.as_deref()));
        if let Payload::DeleteContact { .. } = &action.payload {
            agreement.highlevel.clear();
        } else if let Some(side) = side {
            read_back(&mut agreement, input, action, side);
        } else {
            note_written(&mut agreement, action);
        }
    }
    agreement
}

fn is_note(field: &str) -> bool {
    [LAST_NOTE, NOTE_FROM].contains(&field) || is_engagement_note(field)
}

fn read_back(agreement: &mut Agreement, input: &Input<'_>, action: &Action, side: &Reread) {
    note_written(agreement, action);
    for planned in &action.fields {
        match planned.field.as_str() {
            "tags" | NOTE_FROM => {}
            "status" => status(agreement, action.system, side),
            LAST_NOTE => last_note(agreement, input, side),
            name => field(agreement, input, (action.system, name), side),
        }
    }
    if let Some(delta) = &action.tags {
        tags(agreement, input, (action.system, delta), side);
    }
}

fn field(
    agreement: &mut Agreement,
    input: &Input<'_>,
    (system, name): (System, &str),
    side: &Reread,
) {
    let Some(field) = Field::find(name, input.mapping, input.definitions) else { return };
    let Some(slot) = field.slot(system) else { return };
    let held = match (side.subscriber(), side.contact()) {
        (Some(subscriber), _) => Some(slot.of_subscriber(field.kind, subscriber)),
        (_, Some(contact)) => slot.of_contact(field.kind, contact),
        (None, None) => None,
    };
    let Some(held) = held else { return };
    let canon = agreement.canon.get(name).map_or(&Canonical::Null, |canon| &canon.value);
    let meant = slot.project(field.kind, canon, true).ok();
    let sent = meant.filter(|meant| !field.kind.agrees(meant, &held));
    agreement.base_mut(system).insert(name.to_owned(), Base { value: held, sent });
}

fn status(agreement: &mut Agreement, system: System, side: &Reread) {
    let forbids = match (side.subscriber(), side.contact()) {
        (Some(subscriber), _) => doppler_forbids(subscriber),
        (_, Some(contact)) => highlevel_forbids(contact),
        (None, None) => None,
    };
    if let Some(forbids) = forbids {
        let base = Base { value: consent_word(forbids), sent: None };
        agreement.base_mut(system).insert("status".to_owned(), base);
    }
}

/// The display copy of the last note, as Doppler then holds it.
fn last_note(agreement: &mut Agreement, input: &Input<'_>, side: &Reread) {
    let name = input.mapping.notes.last_note_field.as_deref();
    let definition = name.and_then(|name| input.definitions.find(System::Doppler, name).found());
    let (Some(definition), Some(subscriber)) = (definition, side.subscriber()) else { return };
    let value = Slot::of(definition).of_subscriber(Kind::Text, subscriber);
    agreement.doppler.insert(LAST_NOTE.to_owned(), Base { value, sent: None });
}

/// The value of the Doppler field that became a note.
fn note_written(agreement: &mut Agreement, action: &Action) {
    let is_it = action.fields.iter().any(|planned| planned.field == NOTE_FROM);
    if is_it && let Payload::CreateNote { draft, .. } = &action.payload {
        let value = Kind::Text.read(&draft.body);
        agreement.doppler.insert(NOTE_FROM.to_owned(), Base { value, sent: None });
    }
}

/// Only what was written joins what was agreed: a tag that somebody added in between is then seen as
/// an addition. A system that made something else of a tag is remembered not to be given it again.
fn tags(
    agreement: &mut Agreement,
    input: &Input<'_>,
    (system, delta): (System, &TagsDelta),
    side: &Reread,
) {
    let held = match (side.subscriber(), side.contact()) {
        (Some(subscriber), _) => doppler_tags(subscriber, &input.mapping.tags, input.lists),
        (_, Some(contact)) => contact.tags.clone(),
        (None, None) => return,
    };
    let canon = agreement.canon.get("tags").map(|canon| canon.value.clone());
    // Without a base the two never met; they will with all that each of them then has.
    let known = agreement.base(system).get("tags").map(|base| base.value.clone());
    let Some(known) = known.or_else(|| canon.as_ref().map(|_| Canonical::Null)) else { return };
    let lost = tags_without(&delta.add, &held);
    let gained = tags_without(&delta.add, &lost);
    let kept = tags_without(projection::items(&known), &delta.remove);
    let value = projection::set(merge_tags(kept.iter().chain(&gained).map(String::as_str)));
    let sent = if lost.is_empty() { None } else { canon };
    agreement.base_mut(system).insert("tags".to_owned(), Base { value, sent });
}

impl Reread {
    fn subscriber(&self) -> Option<&Subscriber> {
        match self {
            Self::Doppler(subscriber) => subscriber.as_ref(),
            Self::HighLevel(_) => None,
        }
    }

    fn contact(&self) -> Option<&HighLevelContact> {
        match self {
            Self::HighLevel(contact) => contact.as_deref(),
            Self::Doppler(_) => None,
        }
    }
}

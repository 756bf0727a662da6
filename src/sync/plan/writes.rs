//! Turns the fields that differ into one write a system.

use std::collections::BTreeSet;

use crate::unified::projection::into_edit;
use crate::unified::{
    ActionKind, ContactEdit, EditId, HighLevelId, Subscriber, SubscriberEdit, SubscriberStatus,
    System, WriteOutcome, lists_of,
};

use super::draft::Draft;
use super::fields::Change;
use super::{Action, Input, Payload, PlannedField};

/// Adds one update a system. An address that Doppler is to have is a rename and not here.
pub(super) fn plan(draft: &mut Draft<'_>, changes: Vec<Change<'_>>) {
    let (doppler, highlevel): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| change.system == System::Doppler);
    if !highlevel.is_empty() {
        contact(draft, &highlevel);
    }
    if !doppler.is_empty() {
        subscriber(draft, &doppler);
    }
}

fn contact(draft: &mut Draft<'_>, changes: &[Change<'_>]) {
    let present = draft.input.highlevel.present();
    let mut edit = ContactEdit::default();
    for change in changes {
        // It was projected before, so it fits.
        if let Err(misfit) = into_edit(&mut edit, &change.slot, &change.value) {
            draft.because(format!("{} is left out: {misfit}", change.planned.field));
        }
    }
    let payload = present.map_or(Payload::Nothing, |contact| Payload::UpdateContact {
        id: contact.id.clone(),
        edit: Box::new(edit),
    });
    let (action, edits) = update(System::HighLevel, changes, payload);
    draft.act(action, &edits);
}

fn subscriber(draft: &mut Draft<'_>, changes: &[Change<'_>]) {
    let Some(present) = draft.input.doppler.present() else {
        let (action, edits) = update(System::Doppler, changes, Payload::Nothing);
        draft.act(action, &edits);
        return;
    };
    // Opted out by this very plan, first of all.
    let opts_out = draft
        .actions
        .iter()
        .any(|action| action.system == System::Doppler && action.kind == ActionKind::Unsubscribe);
    if present.status == SubscriberStatus::Unsubscribed || opts_out {
        let edits: Vec<EditId> = changes.iter().flat_map(|change| change.edits.clone()).collect();
        let reason = "the person opted out in Doppler, which then takes no new values for them";
        draft.skip(System::Doppler, reason, &unique(&edits));
        return;
    }
    let fields = changes.iter().filter_map(|change| {
        let text = change.slot.doppler_text(&change.value).ok()?;
        Some((change.slot.place.name().to_owned(), text))
    });
    let edit = SubscriberEdit { email: present.email.clone(), fields: fields.collect() };
    let list = home_list(draft.input, present);
    if list.is_none() && draft.input.extra.importing {
        let reason = "Doppler works on an import of the subscriber";
        draft.because(reason);
        for edit in changes.iter().flat_map(|change| &change.edits) {
            let reason = Some(reason.to_owned());
            draft.know(*edit, System::Doppler, WriteOutcome::Queued, reason);
        }
        return;
    }
    if list.is_none() {
        draft.because(
            "the subscriber is in no list: Doppler updates it by an import, which ends later",
        );
    }
    let (action, edits) =
        update(System::Doppler, changes, Payload::UpdateSubscriber { list, edit });
    draft.act(action, &edits);
}

fn update(system: System, changes: &[Change<'_>], payload: Payload) -> (Action, Vec<EditId>) {
    let fields: Vec<PlannedField> = changes.iter().map(|change| change.planned.clone()).collect();
    let names: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
    let edits: Vec<EditId> = changes.iter().flat_map(|change| change.edits.clone()).collect();
    let reason = format!("bring {} in {} up to date", names.join(", "), system.name());
    let mut action = Action::new(system, ActionKind::Update, payload, reason);
    action.tags = changes.iter().find_map(|change| change.tags.clone());
    action.fields = fields;
    (action, unique(&edits))
}

/// Each once, in order.
pub(super) fn unique(edits: &[EditId]) -> Vec<EditId> {
    edits.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}

/// The list through which a subscriber is updated: the first by id of those it is in.
pub(super) fn home_list(input: &Input<'_>, subscriber: &Subscriber) -> Option<String> {
    let known = lists_of(subscriber, input.lists).into_iter().map(|list| list.id).min();
    // While the account's lists are not known, an id is still an id.
    let raw = || subscriber.lists.iter().filter_map(|raw| raw.parse::<i64>().ok()).min();
    known.or_else(raw).map(|id| id.to_string())
}

/// HighLevel's id of the person, as read or as linked.
pub(super) fn highlevel_id(input: &Input<'_>) -> Option<HighLevelId> {
    let read = input.highlevel.present().map(|contact| contact.id.clone());
    read.or_else(|| input.link(System::HighLevel).map(|link| link.key.as_str().into()))
}

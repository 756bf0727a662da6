//! Doppler's lists, which only clients join and leave.

use crate::unified::{
    ActionKind, Edit, EditChange, Subscriber, SubscriberStatus, System, UserErrorCode,
    WriteOutcome, lists_of,
};

use super::consent::{self, Standing};
use super::draft::Draft;
use super::{Action, ListTarget, Payload, Side};

/// Plans what edits want of lists. A person who is to be created is put into the first one by that.
pub(super) fn plan(draft: &mut Draft<'_>, standing: Standing) {
    let agreement = draft.input.agreement;
    for edit in draft.input.edits.iter().filter(|e| !agreement.gave_up(System::Doppler, e.at)) {
        for list in edit.change.joins() {
            join(draft, edit, list, standing);
        }
        if let EditChange::RemoveFromList(list) = &edit.change {
            leave(draft, edit, list);
        }
    }
}

fn join(draft: &mut Draft<'_>, edit: &Edit, list: &str, standing: Standing) {
    let input = draft.input;
    if !input.lists.is_empty() && input.lists.iter().all(|known| known.id.to_string() != list) {
        let message = "there is no such list in Doppler";
        draft.refuse(edit, System::Doppler, UserErrorCode::NotFound, message);
        return;
    }
    match input.doppler {
        Side::Present(_) if standing.opted_out => consent::refuse(draft, edit.id),
        Side::Present(subscriber) if is_in(draft, subscriber, list) => {
            draft.know(edit.id, System::Doppler, WriteOutcome::Unchanged, None);
        }
        Side::Present(subscriber) if subscriber.status != SubscriberStatus::Active => {
            let reason = "the person has not confirmed the subscription yet, so no list is joined";
            draft.skip(System::Doppler, reason, &[edit.id]);
        }
        Side::Present(subscriber) => {
            let email = subscriber.email.clone();
            let action =
                joining(list, Payload::Subscribe { list: ListTarget::Id(list.to_owned()), email });
            standing.join(draft, action, &[edit.id]);
        }
        Side::Unread { .. } => draft.act(joining(list, Payload::Nothing), &[edit.id]),
        // Created in the first list; the others follow when the subscriber is there, and no sooner: a list
        // makes whoever is put on it.
        Side::Absent | Side::Gone => {
            let created = draft.actions.iter().find_map(|action| {
                if let Payload::CreateSubscriber { list, edit } = &action.payload {
                    Some((list.clone(), edit.email.clone(), action.when.clone()))
                } else {
                    None
                }
            });
            if let Some((first, email, when)) = created
                && first != list
            {
                let list_id = ListTarget::Id(list.to_owned());
                let action = joining(list, Payload::Subscribe { list: list_id, email });
                draft.act(Action { when, ..action }, &[edit.id]);
            }
        }
    }
}

fn joining(list: &str, payload: Payload) -> Action {
    let reason = format!("a client put the person into Doppler's list {list}");
    Action::new(System::Doppler, ActionKind::Subscribe, payload, reason)
}

fn leave(draft: &mut Draft<'_>, edit: &Edit, list: &str) {
    let reason = format!("a client took the person out of Doppler's list {list}");
    match draft.input.doppler {
        Side::Present(subscriber) if is_in(draft, subscriber, list) => {
            let email = subscriber.email.clone();
            let payload = Payload::RemoveFromList { list: list.to_owned(), email };
            let action = Action::new(System::Doppler, ActionKind::RemoveFromList, payload, reason);
            draft.act(action, &[edit.id]);
        }
        Side::Unread { .. } => {
            let kind = ActionKind::RemoveFromList;
            draft.act(Action::new(System::Doppler, kind, Payload::Nothing, reason), &[edit.id]);
        }
        Side::Present(_) => draft.know(edit.id, System::Doppler, WriteOutcome::Unchanged, None),
        Side::Absent | Side::Gone => {
            let reason = format!("the person is not in {}", System::Doppler.name());
            draft.know(edit.id, System::Doppler, WriteOutcome::Unchanged, Some(reason));
        }
    }
}

fn is_in(draft: &Draft<'_>, subscriber: &Subscriber, list: &str) -> bool {
    subscriber.lists.iter().any(|raw| raw == list)
        || lists_of(subscriber, draft.input.lists).iter().any(|known| known.id.to_string() == list)
}

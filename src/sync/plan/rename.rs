//! Another e-mail address, which Doppler knows a subscriber by: a new subscriber, then the old one
//! out of every list, as one logged unit. The link survives.

use crate::unified::{
    ActionKind, Capability, EditId, Subscriber, SubscriberEdit, SubscriberField, SubscriberStatus,
    System, Writable, WriteOutcome, lists_of,
};

use super::consent::Standing;
use super::draft::Draft;
use super::fields::Change;
use super::{Action, Need, Payload, Side, Target, holds, others, writes};

/// Takes a change of the address out of the changes and plans the rename, which carries Doppler's
/// other changes along.
pub(super) fn plan<'a>(
    draft: &mut Draft<'a>,
    changes: Vec<Change<'a>>,
    standing: Standing,
) -> Vec<Change<'a>> {
    let is_rename =
        |change: &Change<'_>| change.system == System::Doppler && change.planned.field == "email";
    let (mut renames, rest): (Vec<_>, Vec<_>) = changes.into_iter().partition(is_rename);
    let Some(rename) = renames.pop() else { return rest };
    let Some(subscriber) = draft.input.doppler.present().copied() else {
        let reason = "the e-mail address changed";
        let action = Action::new(System::Doppler, ActionKind::Rename, Payload::Nothing, reason)
            .with(vec![rename.planned.clone()]);
        draft.act(action, &rename.edits);
        return rest;
    };
    let Ok(to) = rename.slot.doppler_text(&rename.value) else { return rest };
    match obstacle(draft, subscriber, (&to, &rename.edits), standing) {
        Obstacle::None { target } => {
            let (own, rest): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|change| change.system == System::Doppler);
            act(draft, subscriber, (rename, own), target);
            rest
        }
        Obstacle::Skip(reason) => {
            draft.skip(System::Doppler, reason, &rename.edits);
            rest
        }
        Obstacle::Waits => rest,
    }
}

enum Obstacle<'a> {
    /// `target`: the subscriber who has the address already.
    None {
        target: Option<&'a Subscriber>,
    },
    Skip(&'static str),
    /// It is told why already.
    Waits,
}

fn obstacle<'a>(
    draft: &mut Draft<'a>,
    subscriber: &Subscriber,
    (to, edits): (&str, &[EditId]),
    standing: Standing,
) -> Obstacle<'a> {
    let input = draft.input;
    if standing.opted_out || subscriber.status == SubscriberStatus::Unsubscribed {
        return Obstacle::Skip(
            "the person opted out under the old address; the new one is not subscribed",
        );
    }
    if subscriber.status != SubscriberStatus::Active {
        return Obstacle::Skip(
            "the old address is not confirmed yet; the new one is not subscribed",
        );
    }
    // One that was begun may have left the person on lists under both addresses.
    if let Some(code) = standing.unknown.filter(|_| !is_begun(draft, to)) {
        let reason = "the e-mail address changed, and HighLevel cannot be asked for consent now";
        let action = Action::new(System::Doppler, ActionKind::Rename, Payload::Nothing, reason);
        draft.wait(action, code, edits);
        return Obstacle::Waits;
    }
    let wait = |draft: &mut Draft<'a>| {
        for edit in edits {
            let reason = Some("it is looked up who has the new address in Doppler".to_owned());
            draft.know(*edit, System::Doppler, WriteOutcome::Queued, reason);
        }
        Obstacle::Waits
    };
    match input.extra.target {
        None => {
            draft.ask(Need::Subscriber(to.to_owned()));
            wait(draft)
        }
        Some(Target { side: Side::Unread { code }, .. }) => {
            let reason =
                "the e-mail address changed, and it cannot be looked up who has the new one";
            let action = Action::new(System::Doppler, ActionKind::Rename, Payload::Nothing, reason);
            draft.wait(action, code, edits);
            Obstacle::Waits
        }
        Some(Target { side: Side::Absent | Side::Gone, .. }) if subscriber.lists.is_empty() => {
            Obstacle::Skip(
                "the person is in no Doppler list, and a new address only comes into one",
            )
        }
        Some(Target { side: Side::Absent | Side::Gone, .. }) => Obstacle::None { target: None },
        Some(Target { side: Side::Present(other), contact }) => {
            let others = contact.is_some_and(|contact| contact != input.contact);
            if others && !is_begun(draft, to) {
                let wanted = holds::address_taken(input.contact, contact);
                others::stand(draft, &wanted, (System::Doppler, edits));
                draft.wanted.push(wanted);
                return Obstacle::Waits;
            }
            if other.status != SubscriberStatus::Active {
                return Obstacle::Skip(
                    "the new address opted out in Doppler or is not confirmed there",
                );
            }
            Obstacle::None { target: Some(other) }
        }
    }
}

/// Whether a rename to the address was begun and not ended: whoever has it by now is this person, even
/// if a poll saw the new subscriber before the link was moved.
fn is_begun(draft: &Draft<'_>, to: &str) -> bool {
    let renames = draft.input.extra.pending.iter().filter(|one| one.action == ActionKind::Rename);
    let mut begun = renames.filter_map(|one| serde_json::from_str(&one.body).ok());
    begun.any(|payload| {
        matches!(&payload, Payload::Rename { edit, .. } if edit.email.eq_ignore_ascii_case(to))
    })
}

fn act<'a>(
    draft: &mut Draft<'a>,
    subscriber: &Subscriber,
    (rename, others): (Change<'a>, Vec<Change<'a>>),
    target: Option<&Subscriber>,
) {
    let Ok(email) = rename.slot.doppler_text(&rename.value) else { return };
    let written = others.iter().filter_map(|change| {
        let text = change.slot.doppler_text(&change.value).ok()?;
        Some((change.slot.place.name().to_owned(), text))
    });
    let mut fields: Vec<(String, String)> = written.collect();
    let fits = |field: &&SubscriberField| {
        Capability::of_doppler(&field.kind, field.read_only).writable == Writable::Always
    };
    // What the old subscriber holds and nobody changes goes along.
    for field in subscriber.fields.iter().filter(fits) {
        let value = field.value.clone().unwrap_or_default();
        let set = fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(&field.name));
        if !value.is_empty() && !set {
            fields.push((field.name.clone(), value));
        }
    }
    let known = lists_of(subscriber, draft.input.lists);
    let lists = known.iter().map(|list| list.id.to_string()).collect();
    let edit = SubscriberEdit { email, fields };
    let payload =
        Payload::Rename { from: subscriber.email.clone(), lists, edit, adopted: target.is_some() };
    let reason = "the e-mail address changed, which is a new subscriber in Doppler; the old one \
                  leaves all lists";
    let mut action = Action::new(System::Doppler, ActionKind::Rename, payload, reason);
    action.tags = others.iter().find_map(|change| change.tags.clone());
    let mut edits = rename.edits.clone();
    edits.extend(others.iter().flat_map(|change| change.edits.clone()));
    action.fields =
        std::iter::once(rename.planned).chain(others.into_iter().map(|c| c.planned)).collect();
    draft.act(action, &writes::unique(&edits));
}

//! Two contacts whose records in one system somebody may have made one there, while each is a subscriber of
//! its own, or their addresses differ. It looks the same as somebody who was deleted and has a number in
//! common with another: a person decides.

use crate::unified::choice::{JOIN, LEAVE};
use crate::unified::{ActionKind, ContactId, HoldCandidate, HoldKind, Sighting, System, lists_of};

use super::draft::Draft;
use super::gone::unlink;
use super::holds::{choice, resolution};
use super::{Action, HoldDraft, Input, Other, Over, Payload};

/// Asks, or does what was decided; whether that is all there is to do. `None`: it was decided that they
/// are two, so this one was deleted.
pub(super) fn plan(
    draft: &mut Draft<'_>,
    system: System,
    (key, other): (&str, &Other),
) -> Option<bool> {
    let wanted = wanted(draft.input, system, other);
    let Some((open, chosen)) = choice(draft.input, &wanted) else {
        draft.because(wanted.reason.clone());
        draft.wanted.push(wanted);
        return Some(false);
    };
    let hold = open.hold.id;
    let decided = |draft: &mut Draft<'_>, reason: &str| {
        draft.decided.push(Over { hold, field: None, reason: reason.to_owned() });
    };
    if chosen != JOIN {
        decided(draft, "somebody decided that they are two people");
        return None;
    }
    let reason = "somebody decided that the two contacts are one person";
    if leaves_lists(draft, system.other(), other, reason) {
        // They become one when that is seen to be done.
        draft.wanted.push(wanted);
        return Some(true);
    }
    decided(draft, reason);
    unlink(draft, system, (key, reason));
    link(draft, other.record.clone(), reason);
    let own = draft.input.link(system.other()).map(|link| link.key.clone());
    if let (Some(counterpart), Some(own)) = (other.counterpart.clone(), own) {
        unlink(draft, system.other(), (&own, reason));
        link(draft, counterpart, reason);
    }
    Some(true)
}

/// Whether somebody decided that the two are two.
pub(super) fn is_left(input: &Input<'_>, system: System, other: &Other) -> bool {
    let wanted = wanted(input, system, other);
    !other.succeeds && choice(input, &wanted).is_some_and(|(_, chosen)| chosen == LEAVE)
}

/// Takes this contact's subscriber out of its lists where the other one has its own, as when an address
/// changes; whether that is still to be done.
fn leaves_lists(draft: &mut Draft<'_>, system: System, other: &Other, reason: &str) -> bool {
    let input = draft.input;
    if other.counterpart.is_none() || system != System::Doppler {
        return false;
    }
    if input.unread(system).is_some() || !input.is_open(system) {
        return true;
    }
    let Some(subscriber) = input.doppler.present() else { return false };
    let lists = lists_of(subscriber, input.lists);
    for list in &lists {
        let (list, email) = (list.id.to_string(), subscriber.email.clone());
        let payload = Payload::RemoveFromList { list, email };
        draft.act(Action::new(system, ActionKind::RemoveFromList, payload, reason), &[]);
    }
    !lists.is_empty()
}

fn link(draft: &mut Draft<'_>, record: Sighting, reason: &str) {
    let action = Action::new(record.system, ActionKind::Link, Payload::Link(record), reason);
    draft.actions.push(action);
}

fn wanted(input: &Input<'_>, system: System, other: &Other) -> HoldDraft {
    let here = system.name();
    let own = input.link(system.other()).and_then(|link| link.email.clone());
    let candidate = |id: ContactId, label: &str, value| HoldCandidate {
        id: id.to_string(),
        system: Some(system),
        label: label.to_owned(),
        value,
    };
    let joined = match (&other.counterpart, &own) {
        (Some(_), Some(own)) => format!(
            "They are one person: make one contact of the two. {own} leaves all lists in Doppler, as \
             an address that was changed"
        ),
        _ => "They are one person: make one contact of the two".to_owned(),
    };
    HoldDraft {
        kind: HoldKind::AmbiguousMatch,
        contact: Some(input.contact),
        contacts: vec![input.contact, other.contact],
        system: Some(system),
        field: None,
        candidates: vec![
            candidate(input.contact, &format!("This contact is not in {here} any more"), own),
            candidate(other.contact, "This contact has its number", other.record.email.clone()),
        ],
        resolutions: vec![
            resolution(JOIN, joined),
            resolution(LEAVE, format!("They are two people, and this one was deleted in {here}")),
        ],
        reason: format!(
            "the person is not in {here} any more, and another contact has the address or number \
             there: the two may have been merged, or this one deleted"
        ),
    }
}

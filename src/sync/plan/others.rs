//! An address or a number that the person is to have and that is another record's: nobody is made
//! beside it and nothing is written over it, a person decides.
//!
//! It is found out when the person is looked for ([`Other`]), or when HighLevel refuses the write; the
//! hold then remembers which value it was, so that the same one is not sent again.

use crate::unified::choice::{JOIN, LEAVE, RETRY};
use crate::unified::{
    ActionKind, ContactId, EditId, HoldCandidate, HoldKind, System, WriteOutcome,
};

use super::draft::Draft;
use super::holds::{choice, is_of, resolution};
use super::{Action, HoldDraft, Input, Other, Over, Payload};

/// An address or a number that the person is to have is another record's. `field`: which of an
/// existing contact's; `None`: the person cannot be made beside it.
pub(in crate::sync) fn taken(
    contact: ContactId,
    system: System,
    field: Option<&str>,
    other: Option<ContactId>,
    value: Option<String>,
) -> HoldDraft {
    let here = system.name();
    let candidate = |id: ContactId, label: &str, value| HoldCandidate {
        id: id.to_string(),
        system: Some(system),
        label: label.to_owned(),
        value,
    };
    let own = candidate(contact, "This contact is to have it", value);
    let theirs = other.map(|id| candidate(id, "This contact has it", None));
    let (leave, reason) = match field {
        Some(field) => (
            format!("Leave {field} in {here} as it is; the two systems then differ"),
            format!("another record in {here} has this {field}, so it was not written there"),
        ),
        None => (
            format!("Leave them as two people; this one is not made in {here}"),
            format!(
                "another record in {here} has the person's address or number and belongs to \
                 another contact, so nothing was made or written there"
            ),
        ),
    };
    HoldDraft {
        kind: HoldKind::AmbiguousMatch,
        contact: Some(contact),
        contacts: std::iter::once(contact).chain(other).collect(),
        system: Some(system),
        field: field.map(str::to_owned),
        candidates: std::iter::once(own).chain(theirs).collect(),
        resolutions: vec![
            resolution(LEAVE, leave),
            resolution(
                RETRY,
                format!("Try again, after the other record was changed or deleted in {here}"),
            ),
        ],
        reason,
    }
}

/// Asks what to do about a record that is another contact's, and does what was decided.
pub(super) fn somebody_elses(draft: &mut Draft<'_>, other: &Other) {
    let system = other.record.system;
    let mut wanted = taken(draft.input.contact, system, None, Some(other.contact), None);
    if other.can_join {
        let effect = "They are one person: make one contact of the two";
        wanted.resolutions.insert(0, resolution(JOIN, effect));
    }
    if let Some((open, choice)) = choice(draft.input, &wanted) {
        let hold = open.hold.id;
        let mut decided = |reason: &str| {
            draft.decided.push(Over { hold, field: None, reason: reason.to_owned() });
        };
        match choice {
            JOIN => {
                decided("somebody decided that the two contacts are one person");
                let reason = "somebody decided that it is the same person";
                let payload = Payload::Link(other.record.clone());
                draft.actions.push(Action::new(system, ActionKind::Link, payload, reason));
                return;
            }
            RETRY => decided("it was looked again whose address or number it is"),
            _ => {}
        }
    }
    draft.wanted.push(wanted);
}

/// Edits wait for a decision about a record of the system `of` that is in the person's way, or are
/// done with in their own system once it was decided to leave it.
pub(super) fn hold_back(draft: &mut Draft<'_>, of: System, (system, edits): (System, &[EditId])) {
    let Some(other) = draft.input.other(of) else { return };
    let wanted = taken(draft.input.contact, of, None, Some(other.contact), None);
    stand(draft, &wanted, (system, edits));
}

/// Whether somebody decided that a record which answers to the person's address or number stays
/// another's.
pub(super) fn is_left(input: &Input<'_>, other: &Other) -> bool {
    let wanted = taken(input.contact, other.record.system, None, Some(other.contact), None);
    choice(input, &wanted).is_some_and(|(_, choice)| choice == LEAVE)
}

/// Says what edits come to whose write was not made for a hold.
pub(super) fn stand(
    draft: &mut Draft<'_>,
    wanted: &HoldDraft,
    (system, edits): (System, &[EditId]),
) {
    let left = choice(draft.input, wanted).is_some_and(|(_, choice)| choice == LEAVE);
    let (outcome, before) = if left {
        (WriteOutcome::Skipped, "it was decided to leave it")
    } else {
        (WriteOutcome::Queued, "it waits for a decision")
    };
    draft.because(wanted.reason.clone());
    for edit in edits {
        draft.know(*edit, system, outcome, Some(format!("{before}: {}", wanted.reason)));
    }
}

/// Whether HighLevel refused a creation or this value of a field before, because the address or
/// number is another record's, and nobody said since to try again. Edits are told.
pub(super) fn refused_before(
    draft: &mut Draft<'_>,
    field: Option<&str>,
    value: Option<&str>,
    edits: &[EditId],
) -> bool {
    let (input, system) = (draft.input, System::HighLevel);
    let wanted = taken(input.contact, system, field, None, None);
    // Whose record it is was just looked up.
    if field.is_none() && input.other(system).is_some() {
        return false;
    }
    let Some(open) = input.holds.iter().find(|open| is_of(open, &wanted)) else { return false };
    let hold = &open.hold;
    let was = hold.candidates.first().and_then(|own| own.value.as_deref());
    let again = open.decision.as_ref().is_some_and(|decision| decision.choice == RETRY);
    if again || was != value {
        let reason = if again { "it is tried again" } else { "it is to have another value" };
        let (field, reason) = (hold.field.clone(), reason.to_owned());
        draft.decided.push(Over { hold: hold.id, field, reason });
        return false;
    }
    let wanted = HoldDraft::from(hold);
    stand(draft, &wanted, (system, edits));
    draft.wanted.push(wanted);
    true
}

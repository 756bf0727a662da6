//! Our own writes, as the next poll or page will show them again.
//!
//! A record that was written has another version than the one which was seen last, so a poll would have
//! both systems read once more for everybody who was written to. Where the side is known as it is now,
//! and planning again on it finds nothing to do or to agree on, its version counts as seen. Whatever
//! somebody else changed between the reading and the writing is found by that, or is another version.

use crate::store::Version;
use crate::sync::plan::{Action, Defined, Input, Payload, Plan, Scope, Side, plan};
use crate::sync::poll::{contact_version, shown};
use crate::unified::{Agreement, HighLevelContact, Subscriber, System};

use super::Outcome;
use super::outcome::{Reread, pairs};

/// What is known of records that were written, in the versions in which they were left.
pub(super) struct Echoes {
    pub agreement: Agreement,
    pub seen: Vec<(System, Version)>,
}

/// What another look at what was written would come to. `agreement` is what this run came to.
pub(super) fn echoes(
    input: &Input<'_>,
    before: &Plan,
    outcomes: &[Outcome],
    agreement: Agreement,
) -> Echoes {
    let mut echoes = Echoes { agreement, seen: Vec::new() };
    let (doppler, highlevel) = left(before, outcomes);
    if input.scope != Scope::Everything || (doppler.is_none() && highlevel.is_none()) {
        return echoes;
    }
    let next = plan_again(input, (doppler, highlevel), &echoes.agreement);
    // Nor may anybody be waiting for this write to be seen, as two do who become one.
    let unlinks = next.actions.iter().any(|one| matches!(one.payload, Payload::Unlink { .. }));
    let is_settled = !unlinks
        && next.holds.is_empty()
        && next.needs.is_empty()
        && next.agreement.canon == echoes.agreement.canon;
    let doppler = doppler.map(shown).unwrap_or_default();
    let highlevel = highlevel
        .and_then(|contact| Some((contact.id.as_str().to_owned(), contact_version(contact)?)));
    let highlevel = Vec::from_iter(highlevel);
    for (system, versions) in [(System::Doppler, doppler), (System::HighLevel, highlevel)] {
        // What was seen may be to be told in the other system: a note of a field that changed meanwhile.
        let mut writes = next.actions.iter().filter(|one| {
            one.is_write()
                && (one.system == system || !before.actions.iter().any(|old| same(old, one)))
        });
        let (old, new) = (echoes.agreement.base(system), next.agreement.base(system));
        let adds = old.iter().all(|(field, base)| new.get(field) == Some(base));
        if !versions.is_empty() && is_settled && adds && writes.next().is_none() {
            echoes.agreement.base_mut(system).clone_from(new);
            echoes.seen.extend(versions.into_iter().map(|version| (system, version)));
        }
    }
    echoes
}

/// Whether two plans ask for the same.
fn same(one: &Action, other: &Action) -> bool {
    (one.system, one.kind, &one.payload) == (other.system, other.kind, &other.payload)
}

/// The plan for what was left.
fn plan_again(
    input: &Input<'_>,
    (doppler, highlevel): (Option<&Subscriber>, Option<&HighLevelContact>),
    agreement: &Agreement,
) -> Plan {
    let mut again = Input { agreement, edits: &[], ..*input };
    again.extra.pending = &[];
    // It was read after them.
    again.extra.defined = [Defined::Before; 2];
    if let Some(subscriber) = doppler {
        again.doppler = Side::Present(subscriber);
    }
    if let Some(contact) = highlevel {
        again.highlevel = Side::Present(contact);
    }
    plan(&again)
}

/// Both sides as they were left, where they were written and are known.
fn left<'a>(
    plan: &'a Plan,
    outcomes: &'a [Outcome],
) -> (Option<&'a Subscriber>, Option<&'a HighLevelContact>) {
    let (mut doppler, mut highlevel) = (None, None);
    for (action, outcome) in pairs(plan, outcomes).filter(|(action, _)| action.is_write()) {
        let side = match outcome {
            Some(Outcome::Done { side, .. }) => side.as_ref(),
            Some(_) | None => None,
        };
        // The answer to a tag tells the tags and nothing of when the contact was changed.
        let tells_all =
            !matches!(action.payload, Payload::AddTags { .. } | Payload::RemoveTags { .. });
        match (action.system, side) {
            (System::Doppler, Some(Reread::Doppler(found))) => doppler = found.as_ref(),
            (System::HighLevel, Some(Reread::HighLevel(found))) if tells_all => {
                highlevel = found.as_deref();
            }
            (System::Doppler, _) => doppler = None,
            (System::HighLevel, _) => highlevel = None,
        }
    }
    (doppler, highlevel)
}

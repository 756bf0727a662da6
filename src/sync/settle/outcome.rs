//! What became of actions, and what follows for links and failures.

use crate::store::Version;
use crate::sync::plan::{Action, HoldDraft, Payload, Plan, When, taken};
use crate::unified::{
    ActionKind, Agreement, ContactId, EditId, EventDraft, HighLevelContact, Mapping, Sighting,
    Subscriber, System, SystemWrite, UserError, UserErrorCode, subscriber_key,
};

/// The code of what the credential's scopes do not allow.
const SCOPE_MISSING: &str = "SCOPE_MISSING";

/// What became of one action.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It took effect.
    Done {
        /// The side as it is now: the system's answer, or read back. Without it the bases stay, and
        /// the next reading tells.
        side: Option<Reread>,
        /// The id of the note or task that it wrote.
        result: Option<String>,
    },
    /// The system works it off later (an import); not to be relied on yet.
    Accepted,
    /// It waits to be sent with others.
    Parked,
    /// The system refused it and will refuse it again. `code` is the error's name in the public
    /// schema, `message` is in words for people.
    Refused {
        code: String,
        message: String,
        /// What is wrong with what was asked for, where that is the reason.
        error: Option<UserErrorCode>,
    },
    /// Not now.
    Failed { code: String, message: String },
    /// It may have taken effect: the system is read before anything is sent again.
    Unknown { code: String },
    /// Not tried, such as for want of time. `code` as above.
    NotTried { code: String, reason: String },
    /// Not made, because the person is there already, whom no search had shown. What differs is
    /// written by the next run.
    Found(Box<HighLevelContact>),
    /// Refused because the address or number is another record's: a person decides. The field of
    /// an update; `None` of a creation. What was to be written, and whose it is as far as it is known.
    Taken { field: Option<String>, value: Option<String>, other: Option<ContactId> },
    /// Not tried, because a person gave it up meanwhile.
    GivenUp,
}

/// A side as it is after an action; `None`: the person is not there.
#[derive(Clone, Debug, PartialEq)]
pub enum Reread {
    Doppler(Option<Subscriber>),
    HighLevel(Option<Box<HighLevelContact>>),
}

/// What is to be recorded of a reconcile, in one transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    pub agreement: Agreement,
    pub edits: Vec<EditSettled>,
    pub events: Vec<EventDraft>,
    pub links: Vec<LinkChange>,
    /// Holds that the plan could not foresee.
    pub holds: Vec<HoldDraft>,
    /// What did not succeed; whoever records it adds the attempts and the time of the next.
    pub failures: Vec<FailureDraft>,
    /// Systems in which everything that was tried succeeded: a failure there is over.
    pub recovered: Vec<System>,
    /// Versions of records that a poll need not show again.
    pub seen: Vec<(System, Version)>,
}

/// What became of an edit so far.
#[derive(Clone, Debug, PartialEq)]
pub struct EditSettled {
    pub edit: EditId,
    /// One entry a system it concerns, systems settled earlier included.
    pub writes: Vec<SystemWrite>,
    /// What is wrong with what it asked for.
    pub errors: Vec<UserError>,
    /// The id of the note or task that it wrote.
    pub result: Option<String>,
}

/// What to remember about who is where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LinkChange {
    /// The contact is this record.
    Linked(Sighting),
    /// The contact is another subscriber than it was, by a rename: the link survives.
    Moved { from: String, to: Sighting },
    /// The record is gone: the link goes and a tombstone stays, so that nobody creates it again.
    Unlinked { system: System, key: String },
}

/// A system's refusal or silence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FailureDraft {
    pub system: System,
    pub action: ActionKind,
    /// The error's name in the public schema.
    pub code: String,
    /// In words for people.
    pub message: String,
    /// Whether trying again is of no use.
    pub dead: bool,
}

/// The outcome of each action.
pub(super) fn pairs<'a>(
    plan: &'a Plan,
    outcomes: &'a [Outcome],
) -> impl Iterator<Item = (&'a Action, Option<&'a Outcome>)> {
    plan.actions.iter().enumerate().map(|(index, action)| (action, outcomes.get(index)))
}

/// Failures, and the systems that have none any more.
pub(super) fn failures(plan: &Plan, outcomes: &[Outcome]) -> (Vec<FailureDraft>, Vec<System>) {
    let mut failures: Vec<FailureDraft> = Vec::new();
    let mut fine: Vec<System> = Vec::new();
    for (action, outcome) in pairs(plan, outcomes) {
        let (code, message, dead) = match (&action.when, outcome) {
            (When::Later { code }, _) => (code, action.reason.clone(), false),
            (When::Never, _)
            | (_, None)
            | (
                When::Now,
                Some(
                    Outcome::NotTried { .. }
                    | Outcome::Parked
                    | Outcome::GivenUp
                    | Outcome::Found(_)
                    | Outcome::Taken { .. },
                ),
            ) => continue,
            (When::Now, Some(Outcome::Done { .. } | Outcome::Accepted)) => {
                fine.push(action.system);
                continue;
            }
            // One edit's own object: its outcome says all there is to say.
            (When::Now, Some(Outcome::Refused { .. })) if action.edit.is_some() => continue,
            // A scope that is missing can be granted: then it is done.
            (When::Now, Some(Outcome::Refused { code, message, .. })) => {
                (code, message.clone(), code != SCOPE_MISSING)
            }
            (When::Now, Some(Outcome::Failed { code, message })) => (code, message.clone(), false),
            (When::Now, Some(Outcome::Unknown { code })) => {
                (code, "it is not known whether it took effect".to_owned(), false)
            }
        };
        if failures.iter().all(|failure| failure.system != action.system) {
            let (system, action) = (action.system, action.kind);
            failures.push(FailureDraft { system, action, code: code.clone(), message, dead });
        }
    }
    fine.sort_unstable();
    fine.dedup();
    fine.retain(|system| failures.iter().all(|failure| failure.system != *system));
    (failures, fine)
}

/// Holds for writes that were refused because of another record.
pub(super) fn holds(plan: &Plan, outcomes: &[Outcome]) -> Vec<HoldDraft> {
    let hold = |(action, outcome): (&Action, Option<&Outcome>)| match outcome {
        Some(Outcome::Taken { field, value, other }) => {
            Some(taken(plan.contact, action.system, field.as_deref(), *other, value.clone()))
        }
        _ => None,
    };
    pairs(plan, outcomes).filter_map(hold).collect()
}

/// Whether a link may go: what was to be done about the person beside is done, so that no later run has
/// to know that they were deleted.
pub(super) fn may_unlink(plan: &Plan, outcomes: &[Outcome]) -> bool {
    let counts = |action: &Action| {
        let kinds = [ActionKind::Unsubscribe, ActionKind::Delete, ActionKind::Create];
        action.is_write() && kinds.contains(&action.kind) && action.when != When::Never
    };
    let mut counting = pairs(plan, outcomes).filter(|(action, _)| counts(action));
    counting.all(|(_, outcome)| matches!(outcome, Some(Outcome::Done { .. })))
}

/// Who turned out to be where.
pub(super) fn links(mapping: &Mapping, plan: &Plan, outcomes: &[Outcome]) -> Vec<LinkChange> {
    let mut links = Vec::new();
    for (action, outcome) in pairs(plan, outcomes) {
        let unlinks = matches!(action.payload, Payload::Unlink { .. });
        if !unlinks || (action.when == When::Now && may_unlink(plan, outcomes)) {
            links.extend(link(mapping, &action.payload, outcome));
        }
    }
    links
}

fn link(mapping: &Mapping, payload: &Payload, outcome: Option<&Outcome>) -> Option<LinkChange> {
    if let Payload::Link(sighting) = payload {
        return Some(LinkChange::Linked(sighting.clone()));
    }
    if let Payload::Unlink { system, key } = payload {
        return Some(LinkChange::Unlinked { system: *system, key: key.clone() });
    }
    if let Some(Outcome::Found(contact)) = outcome {
        return Some(LinkChange::Linked(Sighting::of_contact(contact)));
    }
    let Some(Outcome::Done { side, .. }) = outcome else { return None };
    if let Payload::DeleteContact { id } = payload {
        let (system, key) = (System::HighLevel, id.as_str().to_owned());
        return Some(LinkChange::Unlinked { system, key });
    }
    if let Payload::Rename { from, .. } = payload {
        return Some(LinkChange::Moved {
            from: subscriber_key(from),
            to: sighting(side.as_ref()?, mapping)?,
        });
    }
    if matches!(payload, Payload::CreateContact(_) | Payload::CreateSubscriber { .. }) {
        return Some(LinkChange::Linked(sighting(side.as_ref()?, mapping)?));
    }
    None
}

/// A side as a sighting.
fn sighting(side: &Reread, mapping: &Mapping) -> Option<Sighting> {
    Some(match side {
        Reread::Doppler(subscriber) => Sighting::of_subscriber(subscriber.as_ref()?, mapping),
        Reread::HighLevel(contact) => Sighting::of_contact(contact.as_ref()?),
    })
}

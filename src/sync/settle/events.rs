//! What people are told: one event for everything that happened, in plain words and without values.

use crate::sync::plan::{Action, HoldDraft, Plan, When};
use crate::unified::{ActionKind, ContactId, EventDraft, EventKind, Failure, System};

use super::Outcome;
use super::outcome::{may_unlink, pairs};

/// The history's new entries.
pub(super) fn settle(plan: &Plan, outcomes: &[Outcome], holds: &[HoldDraft]) -> Vec<EventDraft> {
    let mut events = Vec::new();
    for (action, outcome) in pairs(plan, outcomes) {
        if action.kind == ActionKind::Unlink && !may_unlink(plan, outcomes) {
            continue;
        }
        events.extend(event(plan, action, outcome));
    }
    for hold in plan.holds.iter().chain(holds) {
        events.push(EventDraft {
            system: hold.system,
            fields: hold.field.iter().cloned().collect(),
            contact: hold.contact,
            ..entry(plan.contact, EventKind::Held, hold.reason.clone())
        });
    }
    for over in &plan.over {
        events.push(EventDraft {
            fields: over.field.iter().cloned().collect(),
            ..entry(plan.contact, EventKind::Resolved, over.reason.clone())
        });
    }
    events
}

fn event(plan: &Plan, action: &Action, outcome: Option<&Outcome>) -> Option<EventDraft> {
    let system = action.system.name();
    let did = done(action.kind);
    let (kind, message, code) = match (&action.when, outcome?) {
        (When::Never, _) | (_, Outcome::GivenUp | Outcome::Taken { .. }) => return None,
        (When::Now, Outcome::Found(_)) => {
            let message =
                format!("{} in {system}: the person is there already", done(ActionKind::Link));
            (EventKind::Linked, message, None)
        }
        (When::Later { code }, _) => {
            let message = format!("{system} cannot be reached, so this waits: {}", action.reason);
            (EventKind::Planned, message, Some(code.clone()))
        }
        (When::Now, Outcome::Done { .. }) => {
            (written(action.kind), format!("{did} in {system}: {}", action.reason), None)
        }
        (When::Now, Outcome::Accepted) => {
            let message = format!("{system} works on it: {}", action.reason);
            (EventKind::Planned, message, None)
        }
        (When::Now, Outcome::Parked) => {
            let message = format!("waits for the next import into {system}: {}", action.reason);
            (EventKind::Planned, message, None)
        }
        (When::Now, Outcome::Refused { code, message, .. }) => {
            (EventKind::Failed, format!("{system} refused it: {message}"), Some(code.clone()))
        }
        (When::Now, Outcome::Failed { code, message }) => {
            let message = format!("{system} did not do it yet: {message}");
            (EventKind::Failed, message, Some(code.clone()))
        }
        (When::Now, Outcome::Unknown { code }) => {
            let message = format!("it is not known whether {system} did it; it is looked up first");
            (EventKind::Failed, message, Some(code.clone()))
        }
        (When::Now, Outcome::NotTried { code, reason }) => {
            (EventKind::Planned, format!("not done yet: {reason}"), Some(code.clone()))
        }
    };
    let fields = action.fields.iter().map(|field| field.field.clone()).collect();
    let system = Some(action.system);
    Some(EventDraft { system, fields, code, ..entry(plan.contact, kind, message) })
}

/// How a contact's failures went on in a run.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    pub before: &'a [Failure],
    pub now: &'a [Failure],
    /// Systems in which trying was given up just now.
    pub given_up: &'a [System],
    /// Systems in which nothing stands against the contact any more.
    pub cleared: &'a [System],
}

/// Of a failure that goes on, only what is new is told: the first word, another code, that it is
/// given up, and the end. A system that is down for a day does not fill the history.
pub fn damp(
    mut events: Vec<EventDraft>,
    contact: ContactId,
    course: Course<'_>,
) -> Vec<EventDraft> {
    let of = |all: &[Failure], system| all.iter().find(|one| one.system == system).cloned();
    events.retain(|event| {
        let trouble = matches!(event.kind, EventKind::Failed | EventKind::Planned);
        let Some(system) = event.system.filter(|_| trouble && event.code.is_some()) else {
            return true;
        };
        let known = of(course.before, system).zip(of(course.now, system));
        known.is_none_or(|(before, now)| before.code != now.code)
    });
    for event in events.iter_mut().filter(|event| event.kind == EventKind::Failed) {
        let failure = event.system.and_then(|system| of(course.now, system));
        event.attempt = failure.map(|failure| failure.attempts);
    }
    for failure in course.now.iter().filter(|one| course.given_up.contains(&one.system)) {
        let message = format!(
            "given up in {} after {} attempts; a retry or a change starts it again",
            failure.system.name(),
            failure.attempts
        );
        events.push(EventDraft {
            system: Some(failure.system),
            attempt: Some(failure.attempts),
            code: Some(failure.code.clone()),
            ..entry(contact, EventKind::Failed, message)
        });
    }
    for system in course.cleared {
        let told = events.iter().any(|event| event.system == Some(*system) && event.code.is_none());
        if of(course.before, *system).is_some() && !told {
            let message =
                format!("{} answers, and nothing is left to be done there", system.name());
            events.push(EventDraft {
                system: Some(*system),
                ..entry(contact, EventKind::Resolved, message)
            });
        }
    }
    events
}

fn entry(contact: ContactId, kind: EventKind, message: String) -> EventDraft {
    EventDraft { contact: Some(contact), ..EventDraft::new(kind, message) }
}

const fn written(kind: ActionKind) -> EventKind {
    match kind {
        ActionKind::Create => EventKind::Created,
        ActionKind::Delete => EventKind::Deleted,
        ActionKind::Link => EventKind::Linked,
        ActionKind::Unlink => EventKind::Unlinked,
        ActionKind::Update
        | ActionKind::Rename
        | ActionKind::Tag
        | ActionKind::Untag
        | ActionKind::Subscribe
        | ActionKind::Unsubscribe
        | ActionKind::RemoveFromList
        | ActionKind::Note
        | ActionKind::Task
        | ActionKind::Hold
        | ActionKind::Skip => EventKind::Written,
    }
}

const fn done(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Create => "created",
        ActionKind::Update => "updated",
        ActionKind::Rename => "e-mail address changed",
        ActionKind::Tag => "tags added",
        ActionKind::Untag => "tags removed",
        ActionKind::Subscribe => "added to a list",
        ActionKind::Unsubscribe => "opted out",
        ActionKind::RemoveFromList => "removed from a list",
        ActionKind::Note => "note written",
        ActionKind::Task => "task written",
        ActionKind::Delete => "deleted",
        ActionKind::Link => "recognised",
        ActionKind::Unlink => "gone",
        ActionKind::Hold => "set aside",
        ActionKind::Skip => "left alone",
    }
}

//! What people are told: one event for everything that happened, in plain words and without values.

use crate::sync::plan::{Action, Plan, When};
use crate::unified::{ActionKind, EventDraft, EventKind};

use super::Outcome;
use super::outcome::pairs;

/// The history's new entries.
pub(super) fn settle(plan: &Plan, outcomes: &[Outcome]) -> Vec<EventDraft> {
    let mut events = Vec::new();
    for (action, outcome) in pairs(plan, outcomes) {
        events.extend(event(plan, action, outcome));
    }
    for hold in &plan.holds {
        events.push(EventDraft {
            system: hold.system,
            fields: hold.field.iter().cloned().collect(),
            contact: hold.contact,
            ..entry(plan, EventKind::Held, hold.reason.clone())
        });
    }
    for over in &plan.over {
        events.push(EventDraft {
            fields: over.field.iter().cloned().collect(),
            ..entry(plan, EventKind::Resolved, over.reason.clone())
        });
    }
    events
}

fn event(plan: &Plan, action: &Action, outcome: Option<&Outcome>) -> Option<EventDraft> {
    let system = action.system.name();
    let did = done(action.kind);
    let (kind, message, code) = match (&action.when, outcome?) {
        (When::Never, _) => return None,
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
    Some(EventDraft { system, fields, code, ..entry(plan, kind, message) })
}

fn entry(plan: &Plan, kind: EventKind, message: String) -> EventDraft {
    EventDraft {
        kind,
        contact: Some(plan.contact),
        system: None,
        run: None,
        fields: Vec::new(),
        message,
        attempt: None,
        code: None,
    }
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

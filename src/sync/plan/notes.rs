//! Notes and tasks, which only HighLevel has: each edit is one call.
//!
//! Nothing here can be repeated blindly: HighLevel has no idempotency key. A creation whose outcome
//! is not known is looked for among what the contact has, by its text and the time of the call.

use chrono::TimeDelta;

use crate::unified::{
    ActionKind, Edit, EditChange, EditId, HighLevelId, Note, NoteDraft, PendingWrite, System,
    SystemWrite, Task, TaskDraft, UserErrorCode, WriteOutcome,
};

use super::draft::Draft;
use super::{Action, Known, Need, Payload, Side, writes};

/// A note made this long after the call began, or before by the clocks' difference, may be its own.
/// The next run comes at the earliest after the call's own time-out, so that it is over.
const CALL_WINDOW: TimeDelta = TimeDelta::minutes(5);
const SKEW: TimeDelta = TimeDelta::minutes(1);

/// Plans what edits want of notes and tasks.
pub(super) fn plan(draft: &mut Draft<'_>) {
    for edit in draft.input.edits {
        let settled = edit.writes.iter().any(|write| write.outcome != WriteOutcome::Queued);
        if settled || !concerns(&edit.change) {
            continue;
        }
        match (draft.input.highlevel, writes::highlevel_id(draft.input)) {
            (Side::Present(_) | Side::Unread { .. }, Some(contact)) => {
                one(draft, edit, contact);
            }
            // Whoever is being created gets the note once there is somebody to hang it on.
            _ if draft.actions.iter().any(|action| {
                action.system == System::HighLevel && action.kind == ActionKind::Create
            }) =>
            {
                let reason = Some("the person is being created in HighLevel".to_owned());
                draft.know(edit.id, System::HighLevel, WriteOutcome::Queued, reason);
            }
            (Side::Unread { .. }, None) => {
                let reason = Some("HighLevel could not be read".to_owned());
                draft.know(edit.id, System::HighLevel, WriteOutcome::Queued, reason);
            }
            _ => {
                let message = "the person is not in HighLevel, which alone has notes and tasks";
                draft.refuse(edit, System::HighLevel, UserErrorCode::NotSupported, message);
            }
        }
    }
}

fn concerns(change: &EditChange) -> bool {
    matches!(
        change,
        EditChange::CreateNote(_)
            | EditChange::UpdateNote { .. }
            | EditChange::DeleteNote { .. }
            | EditChange::CreateTask(_)
            | EditChange::UpdateTask { .. }
            | EditChange::CompleteTask { .. }
            | EditChange::DeleteTask { .. }
    )
}

fn one(draft: &mut Draft<'_>, edit: &Edit, contact: HighLevelId) {
    let found = if let EditChange::CreateNote(note) = &edit.change {
        look_for_note(draft, edit, note)
    } else if let EditChange::CreateTask(task) = &edit.change {
        look_for_task(draft, edit, task)
    } else {
        false
    };
    let payload = payload(edit.change.clone(), contact);
    let Some((kind, payload, reason)) = payload.filter(|_| !found) else { return };
    let mut action = Action::new(System::HighLevel, kind, payload, reason);
    action.edit = Some(edit.id);
    draft.act(action, &[edit.id]);
}

fn payload(
    change: EditChange,
    contact: HighLevelId,
) -> Option<(ActionKind, Payload, &'static str)> {
    let (note_kind, task_kind) = (ActionKind::Note, ActionKind::Task);
    Some(match change {
        EditChange::CreateNote(draft) => {
            (note_kind, Payload::CreateNote { contact, draft }, "a client wrote a note")
        }
        EditChange::UpdateNote { note, edit } => {
            (note_kind, Payload::UpdateNote { contact, note, edit }, "a client changed a note")
        }
        EditChange::DeleteNote { note } => {
            (note_kind, Payload::DeleteNote { contact, note }, "a client deleted a note")
        }
        EditChange::CreateTask(draft) => {
            (task_kind, Payload::CreateTask { contact, draft }, "a client made a task")
        }
        EditChange::UpdateTask { task, edit } => {
            (task_kind, Payload::UpdateTask { contact, task, edit }, "a client changed a task")
        }
        EditChange::CompleteTask { task, completed } => {
            let payload = Payload::CompleteTask { contact, task, completed };
            (task_kind, payload, "a client set whether a task is done")
        }
        EditChange::DeleteTask { task } => {
            (task_kind, Payload::DeleteTask { contact, task }, "a client deleted a task")
        }
        EditChange::Upsert { .. }
        | EditChange::AddTags(_)
        | EditChange::RemoveTags(_)
        | EditChange::AddToList(_)
        | EditChange::RemoveFromList(_)
        | EditChange::Unsubscribe { .. }
        | EditChange::Delete { .. }
        | EditChange::Sync => return None,
    })
}

/// The call of this edit whose outcome is not known.
fn in_doubt<'a>(draft: &Draft<'a>, edit: &Edit) -> Option<&'a PendingWrite> {
    draft.input.extra.pending.iter().find(|pending| pending.edit == Some(edit.id))
}

/// Whether the note is settled, or cannot be before the notes are read.
fn look_for_note(draft: &mut Draft<'_>, edit: &Edit, wanted: &NoteDraft) -> bool {
    let Some(pending) = in_doubt(draft, edit) else { return false };
    let Some(notes) = read(draft, &[edit.id]) else { return true };
    let is_it = |note: &&Note| {
        let body = note.body.as_deref().unwrap_or_default().trim();
        let in_time = note.created_at.is_none_or(|at| {
            (pending.begun_at - SKEW..=pending.begun_at + CALL_WINDOW).contains(&at)
        });
        body == wanted.body.trim() && in_time
    };
    let found = notes.iter().find(is_it).map(|note| note.id.clone());
    found.is_some_and(|id| {
        applied(draft, edit, id);
        true
    })
}

/// The same of a task, which HighLevel does not date: its text and its time tell.
fn look_for_task(draft: &mut Draft<'_>, edit: &Edit, wanted: &TaskDraft) -> bool {
    if in_doubt(draft, edit).is_none() {
        return false;
    }
    let edits = [edit.id];
    let Some(tasks) = known(draft, draft.input.extra.tasks, Need::Tasks, &edits) else {
        return true;
    };
    let text = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
    let is_it = |task: &&Task| {
        text(&task.title) == wanted.title.trim()
            && text(&task.body) == text(&wanted.body)
            && task.due_at.is_none_or(|due| due.timestamp() == wanted.due_at.timestamp())
    };
    let found = tasks.iter().find(is_it).map(|task| task.id.clone());
    found.is_some_and(|id| {
        applied(draft, edit, id);
        true
    })
}

/// HighLevel's notes of the contact; without them edits wait, until they can be read.
pub(super) fn read<'a>(draft: &mut Draft<'a>, edits: &[EditId]) -> Option<&'a [Note]> {
    known(draft, draft.input.extra.notes, Need::Notes, edits)
}

fn known<'a, T>(
    draft: &mut Draft<'_>,
    read: Option<Result<&'a [T], &'static str>>,
    need: Need,
    edits: &[EditId],
) -> Option<&'a [T]> {
    let system = System::HighLevel;
    match read {
        Some(Ok(known)) => return Some(known),
        Some(Err(code)) => {
            let (kind, what) = match need {
                Need::Tasks => (ActionKind::Task, "tasks"),
                Need::Notes | Need::Subscriber(_) | Need::Definitions(_) => {
                    (ActionKind::Note, "notes")
                }
            };
            let reason = format!("the person's {what} could not be read");
            draft.wait(Action::new(system, kind, Payload::Nothing, reason), code, edits);
        }
        None => {
            draft.ask(need);
            for edit in edits {
                let reason =
                    "it is not known whether it was written already; that is looked up first";
                draft.know(*edit, system, WriteOutcome::Queued, Some(reason.to_owned()));
            }
        }
    }
    None
}

fn applied(draft: &mut Draft<'_>, edit: &Edit, id: String) {
    let (system, outcome) = (System::HighLevel, WriteOutcome::Applied);
    let write = SystemWrite { system, outcome, reason: None, code: None };
    draft.know_all(edit.id, Known { write, error: None, result: Some(id) });
}

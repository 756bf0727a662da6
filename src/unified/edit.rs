//! What a client asked for: a local edit, durable before it is answered, which reconciles carry out.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Canonical, ContactId, NoteDraft, NoteEdit, System, TaskDraft, TaskEdit, UserError};

/// An edit's id; sorts by the time at which the edit was made.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct EditId(pub Uuid);

/// One accepted mutation.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Edit {
    pub id: EditId,
    pub contact: ContactId,
    pub at: DateTime<Utc>,
    /// The client token's `sub`; `None` when client authentication is off.
    pub by: Option<Arc<str>>,
    pub change: EditChange,
    /// What became of it so far, one entry a system it concerns.
    pub writes: Vec<SystemWrite>,
    /// The id of the note or task that it wrote.
    pub result: Option<String>,
    /// What is wrong with what was asked for, as it turned out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<UserError>,
}

/// What was asked for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum EditChange {
    /// Fields by the mapping's names; [`Canonical::Null`] clears. `tags` and `lists` add. An `email`
    /// for a contact that has another is a rename. `create_in` limits where a *new* person is
    /// created; `None`: wherever the mapping's rules allow.
    Upsert {
        fields: BTreeMap<String, Canonical>,
        tags: Vec<String>,
        lists: Vec<String>,
        create_in: Option<Vec<System>>,
    },
    AddTags(Vec<String>),
    RemoveTags(Vec<String>),
    /// Doppler list ids.
    AddToList(String),
    RemoveFromList(String),
    Unsubscribe {
        reason: Option<String>,
    },
    Delete {
        systems: Vec<System>,
    },
    CreateNote(NoteDraft),
    UpdateNote {
        note: String,
        edit: NoteEdit,
    },
    DeleteNote {
        note: String,
    },
    CreateTask(TaskDraft),
    UpdateTask {
        task: String,
        edit: TaskEdit,
    },
    CompleteTask {
        task: String,
        completed: bool,
    },
    DeleteTask {
        task: String,
    },
    /// Nothing but a reconcile now.
    Sync,
}

/// What became of an edit in one system.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SystemWrite {
    pub system: System,
    pub outcome: WriteOutcome,
    /// In words for people.
    pub reason: Option<String>,
    /// The error's name in the public schema (`UPSTREAM_UNAVAILABLE`), for `Queued` and `Rejected`.
    pub code: Option<String>,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WriteOutcome {
    Applied,
    /// The system held it already.
    Unchanged,
    /// The engine goes on with it.
    Queued,
    /// Not to be done; the reason says why.
    Skipped,
    /// The system refused it, and will refuse it again.
    Rejected,
}

impl Edit {
    /// Whether nothing is left to be done.
    pub fn is_done(&self) -> bool {
        !self.writes.is_empty()
            && self.writes.iter().all(|write| write.outcome != WriteOutcome::Queued)
    }
}

impl EditChange {
    /// The systems that it concerns.
    pub fn systems(&self) -> &[System] {
        match self {
            Self::Upsert { .. }
            | Self::AddTags(_)
            | Self::RemoveTags(_)
            | Self::Unsubscribe { .. }
            | Self::Sync => &System::ALL,
            Self::Delete { systems } => systems,
            Self::AddToList(_) | Self::RemoveFromList(_) => &[System::Doppler],
            Self::CreateNote(_)
            | Self::UpdateNote { .. }
            | Self::DeleteNote { .. }
            | Self::CreateTask(_)
            | Self::UpdateTask { .. }
            | Self::CompleteTask { .. }
            | Self::DeleteTask { .. } => &[System::HighLevel],
        }
    }

    /// The mapping's fields that it names.
    pub fn fields(&self) -> Vec<String> {
        match self {
            Self::Upsert { fields, tags, lists, .. } => {
                let mut named: Vec<String> = fields.keys().cloned().collect();
                named.extend((!tags.is_empty()).then(|| "tags".to_owned()));
                named.extend((!lists.is_empty()).then(|| "lists".to_owned()));
                named
            }
            Self::AddTags(_) | Self::RemoveTags(_) => vec!["tags".to_owned()],
            Self::AddToList(_) | Self::RemoveFromList(_) => vec!["lists".to_owned()],
            Self::Unsubscribe { .. } => vec!["status".to_owned()],
            Self::Delete { .. }
            | Self::CreateNote(_)
            | Self::UpdateNote { .. }
            | Self::DeleteNote { .. }
            | Self::CreateTask(_)
            | Self::UpdateTask { .. }
            | Self::CompleteTask { .. }
            | Self::DeleteTask { .. }
            | Self::Sync => Vec::new(),
        }
    }

    /// The Doppler lists that it names, by id.
    pub fn lists(&self) -> impl Iterator<Item = &str> {
        let left = if let Self::RemoveFromList(list) = self { Some(list) } else { None };
        self.joins().iter().chain(left).map(String::as_str)
    }

    /// The address that the person is to have, as it was given.
    pub fn email(&self) -> Option<&str> {
        let Self::Upsert { fields, .. } = self else { return None };
        match fields.get("email")? {
            Canonical::Text(email) => Some(email),
            Canonical::Null | Canonical::Set(_) => None,
        }
    }

    /// What was asked for, in words for the history.
    pub const fn in_words(&self) -> &'static str {
        match self {
            Self::Upsert { .. } => "A client set fields",
            Self::AddTags(_) => "A client added tags",
            Self::RemoveTags(_) => "A client took tags away",
            Self::AddToList(_) => "A client put the person on a list",
            Self::RemoveFromList(_) => "A client took the person off a list",
            Self::Unsubscribe { .. } => "A client opted the person out of e-mail",
            Self::Delete { .. } => "A client asked for the person to be deleted",
            Self::CreateNote(_) => "A client wrote a note",
            Self::UpdateNote { .. } => "A client changed a note",
            Self::DeleteNote { .. } => "A client deleted a note",
            Self::CreateTask(_) => "A client wrote a task",
            Self::UpdateTask { .. } => "A client changed a task",
            Self::CompleteTask { .. } => "A client completed a task or opened it again",
            Self::DeleteTask { .. } => "A client deleted a task",
            Self::Sync => "A client asked for a reconcile",
        }
    }

    /// The Doppler lists that it puts the person into.
    pub fn joins(&self) -> &[String] {
        if let Self::Upsert { lists, .. } = self {
            lists
        } else if let Self::AddToList(list) = self {
            std::slice::from_ref(list)
        } else {
            &[]
        }
    }

    /// The tags that it adds (`true`) or takes away; `None`: it is not about tags.
    pub fn tags(&self) -> Option<(bool, &[String])> {
        if let Self::Upsert { tags, .. } | Self::AddTags(tags) = self {
            return Some((true, tags));
        }
        if let Self::RemoveTags(tags) = self { Some((false, tags)) } else { None }
    }

    /// Where a new person may be created, if that is limited.
    pub fn create_in(&self) -> Option<&[System]> {
        if let Self::Upsert { create_in, .. } = self { create_in.as_deref() } else { None }
    }

    /// Whether it sets fields.
    pub fn is_upsert(&self) -> bool {
        matches!(self, Self::Upsert { .. })
    }
}

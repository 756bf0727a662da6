//! What is sent: exactly the members of the official request schemas, because any other is refused
//! (`422 property X should not exist`).

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::unified::{NoteDraft, NoteEdit, TaskDraft, TaskEdit};

/// `NotesDTO` and, with everything optional, `UpdateNoteDTO`.
#[derive(Serialize)]
pub(super) struct Note<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
}

impl<'a> From<&'a NoteDraft> for Note<'a> {
    fn from(draft: &'a NoteDraft) -> Self {
        Self { body: Some(&draft.body), title: draft.title.as_deref() }
    }
}

impl<'a> From<&'a NoteEdit> for Note<'a> {
    fn from(edit: &'a NoteEdit) -> Self {
        Self { body: edit.body.as_deref(), title: edit.title.as_deref() }
    }
}

/// `CreateTaskParams` and, with everything optional, `UpdateTaskBody`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Task<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_to: Option<&'a str>,
}

impl<'a> From<&'a TaskDraft> for Task<'a> {
    fn from(draft: &'a TaskDraft) -> Self {
        Self {
            title: Some(&draft.title),
            body: draft.body.as_deref(),
            due_date: Some(iso(draft.due_at)),
            completed: Some(false),
            assigned_to: draft.assigned_to.as_deref(),
        }
    }
}

impl<'a> From<&'a TaskEdit> for Task<'a> {
    fn from(edit: &'a TaskEdit) -> Self {
        Self {
            title: edit.title.as_deref(),
            body: edit.body.as_deref(),
            due_date: edit.due_at.map(iso),
            completed: None,
            assigned_to: edit.assigned_to.as_deref(),
        }
    }
}

/// `TagsDTO`, which has no `locationId`.
#[derive(Serialize)]
pub(super) struct Tags {
    tags: Vec<String>,
}

impl From<&[String]> for Tags {
    fn from(tags: &[String]) -> Self {
        Self { tags: lower(tags) }
    }
}

/// Tags in lower case, as HighLevel keeps them.
pub(super) fn lower(tags: &[String]) -> Vec<String> {
    tags.iter().map(|tag| tag.trim().to_lowercase()).collect()
}

/// `UpdateTaskStatusParams`.
#[derive(Serialize)]
pub(super) struct Completed {
    pub completed: bool,
}

/// A moment as HighLevel writes it: UTC with milliseconds.
pub(super) fn iso(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}

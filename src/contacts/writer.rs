//! Writing: the handle that a client with `contacts.write` holds.
//!
//! Every mutation is an edit: accepted durably, then carried out by a reconcile of its contact
//! (`submit`). To add one: a variant of `unified::EditChange`, what the planner makes of it, and a
//! method here.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::auth::Scope;
use crate::unified::{
    ContactId, EditChange, HighLevelId, NoteDraft, NoteEdit, System, SystemWrite, TaskDraft,
    TaskEdit, UserError, UserErrorCode,
};

use super::core::Core;
use super::{By, Error, Reader, Session};

/// The right to write contacts, for one request.
pub struct Writer {
    pub(super) core: Arc<Core>,
    pub(super) session: Arc<Session>,
}

/// A note or task to be changed: its contact's HighLevel id and its own.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Target {
    pub contact: HighLevelId,
    pub id: String,
}

/// What became of a mutation so far.
#[derive(Clone, Debug)]
pub struct Written {
    /// The contact, when it could be told.
    pub contact: Option<ContactId>,
    /// The note or task that was written.
    pub target: Option<Target>,
    /// One entry a system that it concerns; none when the input was not taken.
    pub writes: Vec<SystemWrite>,
    /// Why it was not taken, or what of it a system refused.
    pub refusals: Vec<UserError>,
    /// Whether no system knows the contact any more.
    pub deleted: bool,
}

impl Writer {
    pub(super) fn new(core: Arc<Core>, session: Arc<Session>) -> Result<Self, Error> {
        if !session.requester.scopes.has(Scope::ContactsWrite) {
            return Err(Error::Denied(Scope::ContactsWrite));
        }
        if core.is_read_only() {
            return Err(Error::ReadOnly);
        }
        Ok(Self { core, session })
    }

    /// Deletes a contact from systems.
    pub async fn delete(
        &self,
        key: Option<&str>,
        by: By,
        systems: Vec<System>,
    ) -> Result<Written, Error> {
        if systems.is_empty() {
            let refused = Written::refused(UserErrorCode::Invalid, "name at least one", "systems");
            return Ok(refused);
        }
        self.submit("deleteContact", key, by, EditChange::Delete { systems }).await
    }

    /// Adds tags.
    pub async fn add_tags(
        &self,
        key: Option<&str>,
        by: By,
        tags: Vec<String>,
    ) -> Result<Written, Error> {
        match checked_tags(tags) {
            Ok(tags) => self.submit("addTags", key, by, EditChange::AddTags(tags)).await,
            Err(refused) => Ok(refused),
        }
    }

    /// Takes tags away.
    pub async fn remove_tags(
        &self,
        key: Option<&str>,
        by: By,
        tags: Vec<String>,
    ) -> Result<Written, Error> {
        match checked_tags(tags) {
            Ok(tags) => self.submit("removeTags", key, by, EditChange::RemoveTags(tags)).await,
            Err(refused) => Ok(refused),
        }
    }

    /// Puts a contact on a Doppler list.
    pub async fn add_to_list(
        &self,
        key: Option<&str>,
        by: By,
        list: String,
    ) -> Result<Written, Error> {
        self.submit("addToList", key, by, EditChange::AddToList(list)).await
    }

    /// Takes a contact off a Doppler list.
    pub async fn remove_from_list(
        &self,
        key: Option<&str>,
        by: By,
        list: String,
    ) -> Result<Written, Error> {
        self.submit("removeFromList", key, by, EditChange::RemoveFromList(list)).await
    }

    /// Opts a contact out of all e-mail.
    pub async fn unsubscribe(
        &self,
        key: Option<&str>,
        by: By,
        reason: Option<String>,
    ) -> Result<Written, Error> {
        self.submit("unsubscribe", key, by, EditChange::Unsubscribe { reason }).await
    }

    /// Reconciles a contact now.
    pub async fn sync(&self, by: By) -> Result<Written, Error> {
        self.submit("syncContact", None, by, EditChange::Sync).await
    }

    /// Writes a note on a contact.
    pub async fn create_note(
        &self,
        key: Option<&str>,
        by: By,
        note: NoteDraft,
    ) -> Result<Written, Error> {
        self.submit("createNote", key, by, EditChange::CreateNote(note)).await
    }

    /// Changes a note.
    pub async fn update_note(
        &self,
        key: Option<&str>,
        target: Target,
        edit: NoteEdit,
    ) -> Result<Written, Error> {
        let change = EditChange::UpdateNote { note: target.id, edit };
        self.submit("updateNote", key, By::HighLevelId(target.contact), change).await
    }

    /// Deletes a note.
    pub async fn delete_note(&self, key: Option<&str>, target: Target) -> Result<Written, Error> {
        let change = EditChange::DeleteNote { note: target.id };
        self.submit("deleteNote", key, By::HighLevelId(target.contact), change).await
    }

    /// Writes a task on a contact.
    pub async fn create_task(
        &self,
        key: Option<&str>,
        by: By,
        task: TaskDraft,
    ) -> Result<Written, Error> {
        self.submit("createTask", key, by, EditChange::CreateTask(task)).await
    }

    /// Changes a task.
    pub async fn update_task(
        &self,
        key: Option<&str>,
        target: Target,
        edit: TaskEdit,
    ) -> Result<Written, Error> {
        let change = EditChange::UpdateTask { task: target.id, edit };
        self.submit("updateTask", key, By::HighLevelId(target.contact), change).await
    }

    /// Marks a task as done, or as open again.
    pub async fn complete_task(
        &self,
        key: Option<&str>,
        target: Target,
        completed: bool,
    ) -> Result<Written, Error> {
        let change = EditChange::CompleteTask { task: target.id, completed };
        self.submit("completeTask", key, By::HighLevelId(target.contact), change).await
    }

    /// Deletes a task.
    pub async fn delete_task(&self, key: Option<&str>, target: Target) -> Result<Written, Error> {
        let change = EditChange::DeleteTask { task: target.id };
        self.submit("deleteTask", key, By::HighLevelId(target.contact), change).await
    }

    pub(super) fn reader(&self) -> Result<Reader, Error> {
        Reader::new(Arc::clone(&self.core), Arc::clone(&self.session))
    }
}

impl Written {
    /// An input that was not taken.
    pub(super) fn refused(code: UserErrorCode, message: &str, field: &str) -> Self {
        Self::refusing(vec![UserError::new(code, message, [field])])
    }

    pub(super) fn refusing(refusals: Vec<UserError>) -> Self {
        Self { contact: None, target: None, writes: Vec::new(), refusals, deleted: false }
    }
}

/// Tags that say something, at most what one request may hold.
fn checked_tags(tags: Vec<String>) -> Result<Vec<String>, Written> {
    /// More than anybody sets at once; each is a word that HighLevel adds to its location.
    const MOST: usize = 100;
    /// HighLevel states no bound.
    const LONGEST: usize = 255;
    let refuse = |code, message| Err(Written::refused(code, message, "tags"));
    if tags.is_empty() || tags.iter().any(|tag| tag.trim().is_empty()) {
        return refuse(UserErrorCode::Invalid, "name at least one tag, and none that is empty");
    }
    if tags.len() > MOST {
        return refuse(UserErrorCode::Invalid, "at most 100 tags at once");
    }
    if tags.iter().any(|tag| tag.chars().count() > LONGEST) {
        return refuse(UserErrorCode::TooLong, "a tag has at most 255 characters");
    }
    Ok(tags)
}

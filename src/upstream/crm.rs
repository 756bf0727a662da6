//! What only the CRM (HighLevel) has.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::unified::{
    Appointment, ContactDraft, ContactEdit, ContactOrder, FieldDefinition, HighLevelContact,
    HighLevelId, Location, Note, NoteDraft, NoteEdit, Task, TaskDraft, TaskEdit,
};

use super::{Call, Directory, Error};

/// How many contacts one search for tasks may name. HighLevel states no bound; this one keeps the
/// body small.
pub const TASK_CONTACTS: usize = 50;
/// How many tasks one call brings. HighLevel states a default of 25 and no bound.
pub const TASK_ROWS: usize = 100;

/// Reading and writing contacts and what hangs on them. One call each.
#[async_trait]
pub trait Crm: Directory {
    /// One contact; `None` if there is none (or it is another location's).
    async fn contact(
        &self,
        call: &Call,
        id: &HighLevelId,
    ) -> Result<Option<HighLevelContact>, Error>;

    /// A page of the search index, which lags writes by seconds.
    async fn search(&self, call: &Call, request: &SearchRequest) -> Result<SearchPage, Error>;

    /// The contact that a new one with this e-mail address or phone number would collide with.
    /// Not subject to the index's delay.
    async fn duplicate(
        &self,
        call: &Call,
        term: &SearchTerm,
    ) -> Result<Option<HighLevelContact>, Error>;

    /// The contact's notes; `None` if there is no such contact.
    async fn notes(&self, call: &Call, contact: &HighLevelId) -> Result<Option<Vec<Note>>, Error>;
    /// The contact's tasks; `None` if there is no such contact.
    async fn tasks(&self, call: &Call, contact: &HighLevelId) -> Result<Option<Vec<Task>>, Error>;
    /// The tasks of up to [`TASK_CONTACTS`] contacts, in the order asked for; one call for each
    /// [`TASK_ROWS`] tasks. A contact that does not exist has none. Subject to the index's delay.
    /// [`Kind::Malformed`](super::Kind::Malformed) where the rows do not tell whose they are.
    async fn tasks_of(
        &self,
        call: &Call,
        contacts: &[HighLevelId],
    ) -> Result<Vec<Vec<Task>>, Error>;
    /// Whose a task is, by its id and its title; `None` if it is not found. Subject to the index's
    /// delay. Needs `locations/tasks.readonly`.
    async fn task_owner(
        &self,
        call: &Call,
        task: &str,
        title: &str,
    ) -> Result<Option<HighLevelId>, Error>;
    /// Whether [`Crm::tasks_of`] may be asked, by the configured scopes.
    fn searches_tasks(&self) -> bool;
    /// The contact's appointments, in UTC by the location's zone; `None` if there is no such
    /// contact.
    async fn appointments(
        &self,
        call: &Call,
        contact: &HighLevelId,
        zone: chrono_tz::Tz,
    ) -> Result<Option<Vec<Appointment>>, Error>;

    /// The contact fields' definitions. Needs `locations/customFields.readonly`.
    async fn fields(&self, call: &Call) -> Result<Vec<FieldDefinition>, Error>;
    /// The location's tags. Needs `locations/tags.readonly`.
    async fn tags(&self, call: &Call) -> Result<Vec<String>, Error>;
    /// The location. Needs `locations.readonly`.
    async fn location(&self, call: &Call) -> Result<Location, Error>;

    /// Makes a contact. [`super::Kind::Duplicate`] names the contact in the way. Not to be repeated
    /// blindly: a refusal too may be in doubt ([`Error::in_doubt`]), since HighLevel was seen to
    /// answer 422 and create all the same; [`Crm::duplicate`] tells. Where it finds nobody after a
    /// refusal, the refusal holds.
    async fn create_contact(
        &self,
        call: &Call,
        contact: &ContactDraft,
    ) -> Result<HighLevelContact, Error>;

    /// Changes what is given and answers the whole contact. Safe to repeat.
    /// [`super::Kind::OptedOut`] when it would lift a permanent do-not-disturb.
    async fn update_contact(
        &self,
        call: &Call,
        id: &HighLevelId,
        edit: &ContactEdit,
    ) -> Result<HighLevelContact, Error>;

    /// Deletes a contact with all that hangs on it. [`super::Kind::NotFound`] if there is none.
    async fn delete_contact(&self, call: &Call, id: &HighLevelId) -> Result<(), Error>;

    /// Adds tags and answers all that the contact then has. Safe to repeat. HighLevel keeps tags in
    /// lower case, and makes those that the location does not know.
    async fn add_tags(
        &self,
        call: &Call,
        id: &HighLevelId,
        tags: &[String],
    ) -> Result<Vec<String>, Error>;

    /// Removes tags, in any case, and answers all that the contact then has. Safe to repeat.
    async fn remove_tags(
        &self,
        call: &Call,
        id: &HighLevelId,
        tags: &[String],
    ) -> Result<Vec<String>, Error>;

    async fn create_note(
        &self,
        call: &Call,
        contact: &HighLevelId,
        note: &NoteDraft,
    ) -> Result<Note, Error>;
    async fn update_note(
        &self,
        call: &Call,
        contact: &HighLevelId,
        note: &str,
        edit: &NoteEdit,
    ) -> Result<Note, Error>;
    async fn delete_note(
        &self,
        call: &Call,
        contact: &HighLevelId,
        note: &str,
    ) -> Result<(), Error>;

    async fn create_task(
        &self,
        call: &Call,
        contact: &HighLevelId,
        task: &TaskDraft,
    ) -> Result<Task, Error>;
    async fn update_task(
        &self,
        call: &Call,
        contact: &HighLevelId,
        task: &str,
        edit: &TaskEdit,
    ) -> Result<Task, Error>;
    async fn complete_task(
        &self,
        call: &Call,
        contact: &HighLevelId,
        task: &str,
        completed: bool,
    ) -> Result<Task, Error>;
    async fn delete_task(
        &self,
        call: &Call,
        contact: &HighLevelId,
        task: &str,
    ) -> Result<(), Error>;
}

/// A search. All given conditions must hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SearchRequest {
    /// Any of these terms (one OR group). Empty: no such condition. At most 50; a term of more than
    /// 75 characters finds nothing, because the index takes none that long.
    pub any_of: Vec<SearchTerm>,
    /// Free text, at most 75 characters.
    pub query: Option<String>,
    pub tags_any: Vec<String>,
    pub tags_all: Vec<String>,
    pub updated_since: Option<DateTime<Utc>>,
    pub order: Option<ContactOrder>,
    /// 1 to 500.
    pub limit: u32,
    /// The cursor of the last row of the page before.
    pub after: Option<Vec<Value>>,
}

/// What identifies a contact in a search.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum SearchTerm {
    Id(HighLevelId),
    Email(String),
    /// E.164.
    Phone(String),
}

/// A page of search results.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchPage {
    pub rows: Vec<SearchRow>,
    pub total: Option<u64>,
}

/// One row with the cursor that continues after it.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchRow {
    pub contact: HighLevelContact,
    pub cursor: Vec<Value>,
}

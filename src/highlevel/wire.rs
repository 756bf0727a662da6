//! What HighLevel answers. The documents mark nothing required; live answers hold nulls, members
//! that the documents lack and some of other types, so all but the ids is optional here.
#![expect(clippy::struct_field_names, reason = "the names are HighLevel's")]

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::unified::JsonText;

use super::lenient::{Member, member, member_truth, moment, text, texts, truth};

#[derive(Debug, Deserialize)]
pub(super) struct ContactAnswer {
    pub contact: Option<Contact>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SearchAnswer {
    #[serde(default, deserialize_with = "list")]
    pub contacts: Vec<Contact>,
    pub total: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Contact {
    pub id: String,
    #[serde(deserialize_with = "text")]
    pub location_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub email: Option<String>,
    #[serde(deserialize_with = "text")]
    pub phone: Option<String>,
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    /// What rows of lists call it.
    #[serde(deserialize_with = "text")]
    pub contact_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub first_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub last_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub company_name: Option<String>,
    /// Whether it was there at all tells a listing's row from a whole contact.
    #[serde(deserialize_with = "member")]
    pub date_of_birth: Member<String>,
    #[serde(deserialize_with = "text")]
    pub address1: Option<String>,
    /// What rows of search call it.
    #[serde(deserialize_with = "text")]
    pub address: Option<String>,
    #[serde(deserialize_with = "text")]
    pub city: Option<String>,
    #[serde(deserialize_with = "text")]
    pub state: Option<String>,
    #[serde(deserialize_with = "text")]
    pub postal_code: Option<String>,
    #[serde(deserialize_with = "text")]
    pub country: Option<String>,
    #[serde(rename = "type", deserialize_with = "text")]
    pub kind: Option<String>,
    #[serde(deserialize_with = "text")]
    pub source: Option<String>,
    #[serde(deserialize_with = "text")]
    pub assigned_to: Option<String>,
    #[serde(deserialize_with = "member_truth")]
    pub dnd: Member<bool>,
    pub dnd_settings: Option<JsonText>,
    #[serde(deserialize_with = "truth")]
    pub bounce_email: Option<bool>,
    #[serde(deserialize_with = "truth")]
    pub unsubscribe_email: Option<bool>,
    #[serde(deserialize_with = "texts")]
    pub tags: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub custom_fields: Vec<CustomField>,
    #[serde(deserialize_with = "moment")]
    pub date_added: Option<DateTime<Utc>>,
    #[serde(deserialize_with = "moment")]
    pub date_updated: Option<DateTime<Utc>>,
    #[serde(deserialize_with = "list")]
    pub search_after: Vec<Value>,
}

/// The value is documented as text and is anything.
#[derive(Debug, Deserialize)]
pub(super) struct CustomField {
    pub id: Option<String>,
    #[serde(default)]
    pub value: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct NotesAnswer {
    #[serde(default, deserialize_with = "list")]
    pub notes: Vec<Note>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NoteAnswer {
    pub note: Note,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Note {
    pub id: String,
    #[serde(default, deserialize_with = "text")]
    pub body: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub user_id: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub date_added: Option<DateTime<Utc>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TasksAnswer {
    #[serde(default, deserialize_with = "list")]
    pub tasks: Vec<Task>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TaskSearchAnswer {
    #[serde(default, deserialize_with = "list")]
    pub tasks: Vec<FoundTask>,
}

/// A row of the search over all tasks. The document says that it is a list, which no task is; its
/// id is `_id`, `id` or both.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FoundTask {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(rename = "_id", deserialize_with = "text")]
    pub underscore_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub contact_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub title: Option<String>,
    #[serde(deserialize_with = "text")]
    pub body: Option<String>,
    #[serde(deserialize_with = "moment")]
    pub due_date: Option<DateTime<Utc>>,
    #[serde(deserialize_with = "truth")]
    pub completed: Option<bool>,
    #[serde(deserialize_with = "text")]
    pub assigned_to: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TaskAnswer {
    pub task: Task,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Task {
    pub id: String,
    #[serde(default, deserialize_with = "text")]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub body: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub due_date: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "truth")]
    pub completed: Option<bool>,
    #[serde(default, deserialize_with = "text")]
    pub assigned_to: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct EventsAnswer {
    #[serde(default, deserialize_with = "list")]
    pub events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub id: String,
    #[serde(default, deserialize_with = "text")]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub appointment_status: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub start_time: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub end_time: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub calendar_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub address: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FieldsAnswer {
    #[serde(default, deserialize_with = "list")]
    pub custom_fields: Vec<Field>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Field {
    pub id: String,
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub field_key: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub data_type: Option<String>,
    #[serde(default, deserialize_with = "texts")]
    pub picklist_options: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TagsAnswer {
    #[serde(default, deserialize_with = "list")]
    pub tags: Vec<Tag>,
}

/// All that a contact has after a change of its tags.
#[derive(Debug, Deserialize)]
pub(super) struct ContactTags {
    #[serde(deserialize_with = "texts")]
    pub tags: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tag {
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LocationAnswer {
    pub location: Location,
}

#[derive(Debug, Deserialize)]
pub(super) struct Location {
    pub id: String,
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub timezone: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub country: Option<String>,
}

/// An error. `message` is text or a list of texts; one client was seen to find the text in `error`.
#[derive(Debug, Deserialize)]
pub(super) struct Problem {
    #[serde(default, rename = "message", deserialize_with = "texts")]
    pub messages: Vec<String>,
    #[serde(default, deserialize_with = "text")]
    pub error: Option<String>,
    pub meta: Option<Meta>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    #[serde(default, deserialize_with = "text")]
    pub contact_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub matching_field: Option<String>,
}

/// A list that may be null.
fn list<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(from).map(Option::unwrap_or_default)
}

//! Notes of a contact. There is no paging, and no bulk call.

use serde::Serialize;
use serde_json::{Value, json};

use super::HighLevel;
use super::call::Call;
use super::contact::known;
use super::dto::{Body, Kind, Rule};
use super::event;
use super::model::{Id, Note};
use super::reply::{Answer, Refusal, Reply};
use super::when::Millis;
use crate::sandbox::fault;

const CREATE: &[Rule] = &[
    Rule::required("body", Kind::Text),
    Rule::optional("userId", Kind::Text),
    Rule::optional("title", Kind::Text),
    Rule::optional("color", Kind::Text),
    Rule::optional("pinned", Kind::Flag),
];
const UPDATE: &[Rule] = &[
    Rule::optional("body", Kind::Text),
    Rule::optional("userId", Kind::Text),
    Rule::optional("title", Kind::Text),
    Rule::optional("color", Kind::Text),
    Rule::optional("pinned", Kind::Flag),
];

#[derive(Serialize)]
struct One<'a> {
    note: &'a Note,
}

#[derive(Serialize)]
struct Many<'a> {
    notes: Vec<&'a Note>,
}

/// `GET /contacts/{contactId}/notes`, newest first.
pub fn list(fake: &HighLevel, call: &Call) -> Answer {
    let directory = fake.read();
    let id = call.param("contactId");
    let entry = directory.get(id).ok_or_else(|| Refusal::no_contact(id))?;
    let empty = call.has_fault(fault::Kind::EmptyList);
    let notes = if empty { Vec::new() } else { entry.notes.iter().rev().collect() };
    Reply::ok(&Many { notes })
}

/// `GET /contacts/{contactId}/notes/{id}`
pub fn read(fake: &HighLevel, call: &Call) -> Answer {
    let directory = fake.read();
    let (id, note_id) = (call.param("contactId"), call.param("id"));
    let entry = directory.get(id).ok_or_else(|| Refusal::no_contact(id))?;
    let note = entry.notes.iter().find(|note| *note.id == *note_id);
    Reply::ok(&One { note: note.ok_or_else(|| fake.no_note(note_id))? })
}

/// `POST /contacts/{contactId}/notes`
pub fn create(fake: &HighLevel, call: &Call) -> Answer {
    let body = call.json(CREATE)?;
    let mut directory = fake.write();
    let contact_id = known(&directory, call.param("contactId"))?.id.clone();
    let mut note = Note::blank(fake.shared.ids.alphanumeric().into(), contact_id, call.now);
    note.apply(&body);
    let Some(entry) = directory.get_mut(call.param("contactId")) else {
        return Err(Refusal::no_contact(call.param("contactId")));
    };
    entry.notes.push(note.clone());
    fake.webhooks.fire(&fake.shared, event::note("NoteCreate", &note));
    Reply::created(&One { note: &note })
}

/// `PUT /contacts/{contactId}/notes/{id}`
pub fn update(fake: &HighLevel, call: &Call) -> Answer {
    let body = call.json(UPDATE)?;
    let mut directory = fake.write();
    let (id, note_id) = (call.param("contactId"), call.param("id"));
    let entry = directory.get_mut(id).ok_or_else(|| Refusal::no_contact(id))?;
    let note = entry.notes.iter_mut().find(|note| *note.id == *note_id);
    let note = note.ok_or_else(|| fake.no_note(note_id))?;
    note.apply(&body);
    fake.webhooks.fire(&fake.shared, event::note("NoteUpdate", note));
    Reply::ok(&One { note })
}

/// `DELETE /contacts/{contactId}/notes/{id}`
pub fn delete(fake: &HighLevel, call: &Call) -> Answer {
    let mut directory = fake.write();
    let (id, note_id) = (call.param("contactId"), call.param("id"));
    let entry = directory.get_mut(id).ok_or_else(|| Refusal::no_contact(id))?;
    let index = entry.notes.iter().position(|note| *note.id == *note_id);
    let note = entry.notes.remove(index.ok_or_else(|| fake.no_note(note_id))?);
    fake.webhooks.fire(&fake.shared, event::note("NoteDelete", &note));
    Reply::ok(&json!({"succeded": true}))
}

impl Note {
    /// An empty note.
    pub fn blank(id: Id, contact_id: Id, now: Millis) -> Self {
        Self {
            id,
            contact_id,
            body: String::new(),
            user_id: None,
            date_added: now,
            title: None,
            color: None,
            pinned: false,
        }
    }

    fn apply(&mut self, body: &Body) {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        if let Some(body) = text("body") {
            self.body = body;
        }
        for (name, place) in
            [("userId", &mut self.user_id), ("title", &mut self.title), ("color", &mut self.color)]
        {
            if let Some(text) = text(name) {
                *place = Some(text);
            }
        }
        if let Some(pinned) = body.get("pinned").and_then(Value::as_bool) {
            self.pinned = pinned;
        }
    }
}

impl HighLevel {
    fn no_note(&self, id: &str) -> Refusal {
        Refusal::missing_thing(self.shared.settings().missing_status, "Note", id)
    }
}

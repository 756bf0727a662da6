//! Everything stored, in the shape and order that `GET /control/state` promises.

use serde_json::{Map, Value, json};

use super::directory::{Directory, Entry};

/// The `highlevel` half: contacts by id, tags by name, notes and tasks by id.
pub fn take(directory: &Directory) -> Value {
    let mut entries: Vec<&Entry> = directory.entries().collect();
    entries.sort_by(|a, b| a.contact.id.cmp(&b.contact.id));
    json!({"contacts": entries.into_iter().map(|entry| one(directory, entry)).collect::<Vec<_>>()})
}

fn one(directory: &Directory, entry: &Entry) -> Value {
    let contact = &entry.contact;
    let mut tags = contact.tags.clone();
    tags.sort();
    let custom: Map<String, Value> = contact
        .custom_fields
        .iter()
        .filter_map(|held| {
            let field = directory.field(&held.id)?;
            Some((field.key.clone(), held.value.clone()))
        })
        .collect();
    let mut notes: Vec<_> = entry.notes.iter().collect();
    notes.sort_by(|a, b| a.id.cmp(&b.id));
    let mut tasks: Vec<_> = entry.tasks.iter().collect();
    tasks.sort_by(|a, b| a.id.cmp(&b.id));
    let note = |note: &super::model::Note| json!({"id": &*note.id, "body": note.body});
    let task = |task: &super::model::Task| json!({"id": &*task.id, "title": task.title, "completed": task.completed});
    json!({
        "id": &*contact.id, "email": contact.email, "phone": contact.phone,
        "firstName": contact.first_name, "lastName": contact.last_name,
        "companyName": contact.company_name, "address1": contact.address1, "city": contact.city,
        "state": contact.state, "postalCode": contact.postal_code, "country": contact.country,
        "dnd": contact.dnd,
        "dndSettings": contact.dnd_settings, "tags": tags, "customFields": custom,
        "notes": notes.into_iter().map(note).collect::<Vec<_>>(),
        "tasks": tasks.into_iter().map(task).collect::<Vec<_>>(),
    })
}

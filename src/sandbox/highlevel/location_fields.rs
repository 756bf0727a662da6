//! Custom field definitions of the location.

use serde_json::{Value, json};

use super::HighLevel;
use super::call::Call;
use super::directory::Directory;
use super::dto::{Body, Kind, Rule};
use super::fields::{DATA_TYPES, Field};
use super::model::Contact;
use super::reply::{Answer, Refusal, Reply};
use crate::sandbox::fault;

const MODELS: &[&str] = &["contact", "opportunity"];

/// `CreateCustomFieldsDTO`, which has no place for the options of a picklist.
const CREATE: &[Rule] = &[
    Rule::required("name", Kind::Text),
    Rule::required("dataType", Kind::Choice(&DATA_TYPES)),
    Rule::optional("placeholder", Kind::Text),
    Rule::optional("acceptedFormat", Kind::Texts),
    Rule::optional("isMultipleFile", Kind::Flag),
    Rule::optional("maxNumberOfFiles", Kind::Number),
    Rule::optional("textBoxListOptions", Kind::List),
    Rule::optional("position", Kind::Number),
    Rule::optional("model", Kind::Choice(MODELS)),
];
const UPDATE: &[Rule] = &[
    Rule::required("name", Kind::Text),
    Rule::optional("placeholder", Kind::Text),
    Rule::optional("acceptedFormat", Kind::Texts),
    Rule::optional("isMultipleFile", Kind::Flag),
    Rule::optional("maxNumberOfFiles", Kind::Number),
    Rule::optional("textBoxListOptions", Kind::List),
    Rule::optional("position", Kind::Number),
    Rule::optional("model", Kind::Choice(MODELS)),
];

/// `GET /locations/{locationId}/customFields`
pub fn list(fake: &HighLevel, call: &Call) -> Answer {
    const RULES: &[Rule] =
        &[Rule::optional("model", Kind::Choice(&["contact", "opportunity", "all"]))];
    let query = call.query(RULES, &[])?;
    call.own_location()?;
    let model = query.get("model").and_then(Value::as_str).unwrap_or("contact");
    let directory = fake.read();
    let empty = call.has_fault(fault::Kind::EmptyList);
    let fits = |field: &&Field| !empty && (model == "all" || field.model == model);
    let fields: Vec<&Field> = directory.fields.iter().filter(fits).collect();
    Reply::ok(&json!({"customFields": fields}))
}

/// `POST /locations/{locationId}/customFields`
pub fn create(fake: &HighLevel, call: &Call) -> Answer {
    let body = call.json(CREATE)?;
    call.own_location()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut directory = fake.write();
    let position = i64::try_from(directory.fields.len()).unwrap_or(i64::MAX);
    let id = fake.shared.ids.alphanumeric().into();
    let mut field = Field::new(id, text("name"), text("dataType"), position);
    apply(&body, &mut field);
    if directory.fields.iter().any(|held| held.key == field.key) {
        return Err(Refusal::bad_request(format!("{} already exists", field.key)));
    }
    directory.fields.push(field.clone());
    Reply::created(&json!({"customField": field}))
}

/// `GET /locations/{locationId}/customFields/{id}`
pub fn read(fake: &HighLevel, call: &Call) -> Answer {
    call.own_location()?;
    let directory = fake.read();
    let id = call.param("id");
    let field = directory.field(id).ok_or_else(|| Refusal::missing("Custom field", id))?;
    Reply::ok(&json!({"customField": field}))
}

/// `PUT /locations/{locationId}/customFields/{id}`
pub fn update(fake: &HighLevel, call: &Call) -> Answer {
    let body = call.json(UPDATE)?;
    call.own_location()?;
    let mut directory = fake.write();
    let id = call.param("id");
    let field = directory.fields.iter_mut().find(|field| *field.id == *id);
    let field = field.ok_or_else(|| Refusal::missing("Custom field", id))?;
    apply(&body, field);
    Reply::ok(&json!({"customField": field}))
}

/// `DELETE /locations/{locationId}/customFields/{id}`
pub fn delete(fake: &HighLevel, call: &Call) -> Answer {
    call.own_location()?;
    fake.delete_field(&mut fake.write(), call.param("id"))?;
    Reply::ok(&json!({"succeded": true}))
}

fn apply(body: &Body, field: &mut Field) {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    for (name, place) in [
        ("name", &mut field.name),
        ("placeholder", &mut field.placeholder),
        ("model", &mut field.model),
    ] {
        if let Some(text) = text(name) {
            text.clone_into(place);
        }
    }
    if let Some(many) = body.get("isMultipleFile").and_then(Value::as_bool) {
        field.is_multi_file_allowed = many;
    }
    if let Some(files) = body.get("maxNumberOfFiles").and_then(Value::as_u64) {
        field.max_file_limit = u32::try_from(files).unwrap_or(u32::MAX);
    }
    if let Some(position) = body.get("position").and_then(Value::as_i64) {
        field.position = position;
    }
    // The key's prefix is the model's name.
    if let Some((_, key)) = field.key.split_once('.') {
        field.key = format!("{}.{key}", field.model);
    }
}

impl HighLevel {
    /// Takes a definition away, and its values from all contacts. Fires nothing: whether the live
    /// system sends `ContactUpdate` for each contact is unknown, and it is assumed not to.
    pub(super) fn delete_field(&self, directory: &mut Directory, id: &str) -> Result<(), Refusal> {
        let index = directory.fields.iter().position(|field| *field.id == *id);
        let field =
            directory.fields.remove(index.ok_or_else(|| Refusal::missing("Custom field", id))?);
        let holds = |contact: &Contact| contact.custom_fields.iter().any(|f| f.id == field.id);
        let holders: Vec<Contact> =
            directory.newest().filter(|c| holds(c)).map(|c| Contact::clone(c)).collect();
        for mut contact in holders {
            contact.set_custom(&field.id, Value::Null);
            directory.put(contact, self.now());
        }
        Ok(())
    }
}

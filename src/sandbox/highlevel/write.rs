//! Turning a checked body into a change of a contact, and a change into its webhooks.

use std::sync::Arc;

use serde_json::Value;

use super::directory::Directory;
use super::dto::{Body, Kind, Rule};
use super::event;
use super::fields::Shape;
use super::model::{Contact, Dnd};
use super::phone;
use super::reply::Refusal;
use super::when;
use super::{COUNTRY, HighLevel};

/// The rules that create, upsert and update have in common (`CreateContactDto`).
macro_rules! shared_rules {
    ($($more:expr),* $(,)?) => {
        &[
            Rule::nullable("firstName", Kind::Text),
            Rule::nullable("lastName", Kind::Text),
            Rule::nullable("name", Kind::Text),
            Rule::nullable("email", Kind::Email),
            Rule::nullable("phone", Kind::Phone),
            Rule::nullable("address1", Kind::Text),
            Rule::nullable("city", Kind::Text),
            Rule::nullable("state", Kind::Text),
            Rule::optional("postalCode", Kind::Text),
            Rule::nullable("website", Kind::Text),
            Rule::nullable("timezone", Kind::Text),
            Rule::optional("dnd", Kind::Flag),
            Rule::optional("dndSettings", Kind::Dnd),
            Rule::optional("inboundDndSettings", Kind::InboundDnd),
            Rule::optional("tags", Kind::Texts),
            Rule::optional("customFields", Kind::CustomFields),
            Rule::nullable("dateOfBirth", Kind::Birthday),
            Rule::optional("country", Kind::Country),
            $($more),*
        ]
    };
}

/// `CreateContactDto`.
pub const CREATE: &[Rule] = shared_rules![
    Rule::required("locationId", Kind::Text),
    Rule::optional("gender", Kind::Text),
    Rule::optional("source", Kind::Text),
    Rule::nullable("companyName", Kind::Text),
    Rule::optional("assignedTo", Kind::Text),
];

/// `UpsertContactDto`.
pub const UPSERT: &[Rule] = shared_rules![
    Rule::required("locationId", Kind::Text),
    Rule::optional("gender", Kind::Text),
    Rule::optional("source", Kind::Text),
    Rule::nullable("companyName", Kind::Text),
    Rule::optional("assignedTo", Kind::Text),
    Rule::optional("createNewIfDuplicateAllowed", Kind::Flag),
];

/// `UpdateContactDto`: no location, company name or gender.
pub const UPDATE: &[Rule] =
    shared_rules![Rule::nullable("source", Kind::Text), Rule::nullable("assignedTo", Kind::Text),];

/// Applies a checked body. On a refusal the contact is half changed and must be thrown away.
pub fn apply(body: &Body, contact: &mut Contact, directory: &Directory) -> Result<(), Refusal> {
    if let Some(name) = body.get("name").and_then(Value::as_str) {
        // A name alone is taken apart; first and last name given beside it win below.
        let (first, last) = name.trim().split_once(' ').unwrap_or((name.trim(), ""));
        contact.first_name = filled(first);
        contact.last_name = filled(last);
    } else if body.get("name").is_some_and(Value::is_null) {
        contact.first_name = None;
        contact.last_name = None;
    }
    for (name, place) in [
        ("firstName", &mut contact.first_name),
        ("lastName", &mut contact.last_name),
        ("email", &mut contact.email),
        ("companyName", &mut contact.company_name),
        ("gender", &mut contact.gender),
        ("address1", &mut contact.address1),
        ("city", &mut contact.city),
        ("state", &mut contact.state),
        ("postalCode", &mut contact.postal_code),
        ("country", &mut contact.country),
        ("website", &mut contact.website),
        ("timezone", &mut contact.timezone),
        ("source", &mut contact.source),
        ("assignedTo", &mut contact.assigned_to),
    ] {
        if let Some(value) = body.get(name) {
            *place = value.as_str().and_then(filled);
        }
    }
    if let Some(value) = body.get("phone") {
        let country = contact.country.as_deref();
        let number = |text| phone::e164(text, country).or_else(|| phone::e164(text, Some(COUNTRY)));
        contact.phone = value.as_str().and_then(number);
    }
    if let Some(value) = body.get("dateOfBirth") {
        contact.date_of_birth = value.as_str().and_then(when::birthday);
    }
    if let Some(tags) = body.get("tags").and_then(texts) {
        contact.tags.clear();
        contact.add_tags(&tags);
    }
    apply_dnd(body, contact)?;
    match body.get("customFields").and_then(Value::as_array) {
        Some(items) => apply_custom_fields(items, contact, directory),
        None => Ok(()),
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The strings of a checked array.
pub fn texts(value: &Value) -> Option<Vec<&str>> {
    Some(value.as_array()?.iter().filter_map(Value::as_str).collect())
}

fn apply_dnd(body: &Body, contact: &mut Contact) -> Result<(), Refusal> {
    if let Some(dnd) = body.get("dnd").and_then(Value::as_bool) {
        contact.dnd = dnd;
    }
    if let Some(all) = body.get("inboundDndSettings").and_then(|settings| settings.get("all")) {
        contact.inbound_dnd = Some(read_dnd(all));
    }
    let Some(channels) = body.get("dndSettings").and_then(Value::as_object) else {
        return Ok(());
    };
    for (name, setting) in channels {
        let Some(place) = contact.dnd_settings.channel(name) else { continue };
        let wanted = read_dnd(setting);
        let is_permanent = place.as_ref().is_some_and(|held| held.status == "permanent");
        if is_permanent && wanted.status != "permanent" {
            let message = format!("Not authorized to update permanent dnd setting for {name}");
            return Err(Refusal::of(
                400,
                &serde_json::json!({"statusCode": 400, "message": message}),
            ));
        }
        *place = Some(wanted);
    }
    Ok(())
}

fn read_dnd(setting: &Value) -> Dnd {
    let text = |name: &str| setting.get(name).and_then(Value::as_str).map(str::to_owned);
    Dnd { status: text("status").unwrap_or_default(), message: text("message"), code: text("code") }
}

fn apply_custom_fields(
    items: &[Value],
    contact: &mut Contact,
    directory: &Directory,
) -> Result<(), Refusal> {
    for (index, item) in items.iter().enumerate() {
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        let by_id = text("id").and_then(|id| directory.field(id));
        let by_key = || {
            let key = text("key")?;
            directory
                .fields
                .iter()
                .find(|field| field.key == key || field.key.strip_prefix("contact.") == Some(key))
        };
        let Some(field) = by_id.or_else(by_key) else {
            let name = text("id").or_else(|| text("key")).unwrap_or_default();
            return Err(Refusal::missing("Custom field", name));
        };
        let shape = field.shape();
        if by_id.is_none() && shape != Shape::Text {
            return Err(Refusal::invalid(&[format!("customFields.{index}.id must be a string")]));
        }
        let value = shape.read_form(item.get("field_value").unwrap_or(&Value::Null)).map_err(
            |expectation| {
                Refusal::invalid(&[format!("customFields.{index}.field_value {expectation}")])
            },
        )?;
        contact.set_custom(&field.id, value);
    }
    Ok(())
}

impl HighLevel {
    /// Stores a contact and fires what its change calls for.
    pub(super) fn save(&self, directory: &mut Directory, mut contact: Contact) -> Arc<Contact> {
        let now = self.now();
        contact.date_updated = now;
        let before = directory.contact(&contact.id).cloned();
        let after = directory.put(contact, now);
        for event in event::of_change(before.as_deref(), &after) {
            self.webhooks.fire(&self.shared, event);
        }
        after
    }
}

//! The two calls that change several contacts at once. Each contact succeeds or fails by itself.

use serde_json::{Value, json};

use super::HighLevel;
use super::call::{Call, own_location_of};
use super::dto::{Kind, Rule};
use super::model::Contact;
use super::reply::{Answer, Refusal, Reply};
use super::write::texts;

/// `POST /contacts/bulk/tags/update/{type}`, where type is `add` or `remove`.
pub fn tags(fake: &HighLevel, call: &Call) -> Answer {
    const RULES: &[Rule] = &[
        Rule::required("contacts", Kind::Texts),
        Rule::required("tags", Kind::Texts),
        Rule::required("locationId", Kind::Text),
        Rule::optional("removeAllTags", Kind::Flag),
    ];
    let body = call.json(RULES)?;
    let adds = match call.param("type") {
        "add" => true,
        "remove" => false,
        _ => {
            let message = "type must be one of the following values: add, remove".to_owned();
            return Err(Refusal::invalid(&[message]));
        }
    };
    own_location_of(&body)?;
    let tags = body.get("tags").and_then(texts).unwrap_or_default();
    let all = body.get("removeAllTags") == Some(&Value::Bool(true));
    let mut directory = fake.write();
    let mut responses = Vec::new();
    for id in body.get("contacts").and_then(texts).unwrap_or_default() {
        let Some(contact) = directory.contact(id) else {
            let deleted = directory.was_deleted(id);
            let message = if deleted {
                "contact is deleted"
            } else {
                "contact id is not a valid firebase id"
            };
            responses.push(json!({"contactId": id, "message": message, "type": "error"}));
            continue;
        };
        let mut contact = Contact::clone(contact);
        let old = contact.tags.clone();
        let mut removed = Vec::new();
        if all {
            removed.append(&mut contact.tags);
        }
        let added = if adds { contact.add_tags(&tags) } else { Vec::new() };
        if !adds {
            removed.extend(contact.remove_tags(&tags));
        }
        fake.save(&mut directory, contact);
        responses.push(json!({
            "contactId": id, "message": "Tags updated", "type": "success",
            "oldTags": old, "tagsAdded": added, "tagsRemoved": removed,
        }));
    }
    let errors = responses.iter().filter(|response| response["type"] == "error").count();
    Reply::created(&json!({"succeded": true, "errorCount": errors, "responses": responses}))
}

/// `POST /contacts/bulk/business`: puts contacts into a business, or with null out of one.
pub fn business(fake: &HighLevel, call: &Call) -> Answer {
    const RULES: &[Rule] = &[
        Rule::required("locationId", Kind::Text),
        Rule::required("ids", Kind::Texts),
        Rule::required_nullable("businessId", Kind::Text),
    ];
    let body = call.json(RULES)?;
    own_location_of(&body)?;
    let business = body.get("businessId").and_then(Value::as_str);
    let mut directory = fake.write();
    let mut changed = Vec::new();
    for id in body.get("ids").and_then(texts).unwrap_or_default() {
        let Some(contact) = directory.contact(id) else { continue };
        let mut contact = Contact::clone(contact);
        contact.business_id = business.map(str::to_owned);
        fake.save(&mut directory, contact);
        changed.push(id);
    }
    Reply::ok(&json!({"success": true, "ids": changed}))
}

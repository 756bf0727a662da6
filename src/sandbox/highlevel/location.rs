//! The location itself, and its tags.

use serde_json::{Value, json};

use super::call::Call;
use super::dto::{Kind, Rule};
use super::fields::{LocationTag, tag_id};
use super::model::Contact;
use super::reply::{Answer, Refusal, Reply};
use super::tokens::COMPANY;
use super::{COUNTRY, HighLevel, TIMEZONE};
use crate::sandbox::fault;
use crate::sandbox::here;

const NAME: &[Rule] = &[Rule::required("name", Kind::Text)];

/// `GET /locations/{locationId}`
pub fn read(fake: &HighLevel, call: &Call) -> Answer {
    call.own_location()?;
    Reply::ok(&json!({"location": {
        "id": here::account().location, "companyId": COMPANY, "name": "Tandem Sandbox",
        "address": "Av. Corrientes 1234", "city": "Buenos Aires", "state": "C",
        "country": COUNTRY, "postalCode": "C1043", "website": "https://sandbox.tandem.test",
        "timezone": TIMEZONE.name(), "email": "location@tandem.test", "phone": "+5491155550100",
        "settings": {
            "allowDuplicateContact": fake.shared.settings().allow_duplicates,
            "allowDuplicateOpportunity": false, "allowFacebookNameMerge": false,
            "disableContactTimezone": false,
        },
    }}))
}

/// `GET /locations/{locationId}/tags`
pub fn tags(fake: &HighLevel, call: &Call) -> Answer {
    call.own_location()?;
    let directory = fake.read();
    let empty = call.has_fault(fault::Kind::EmptyList);
    let tags: &[LocationTag] = if empty { &[] } else { &directory.tags };
    Reply::ok(&json!({"tags": tags}))
}

/// `POST /locations/{locationId}/tags`. A known name answers the tag that exists.
pub fn create_tag(fake: &HighLevel, call: &Call) -> Answer {
    let name = name(call)?;
    call.own_location()?;
    let mut directory = fake.write();
    directory.know_tag(&name);
    let tag = directory.tags.iter().find(|tag| tag.name == name);
    Reply::ok(&json!({"tag": tag}))
}

/// `GET /locations/{locationId}/tags/{tagId}`
pub fn tag(fake: &HighLevel, call: &Call) -> Answer {
    call.own_location()?;
    let directory = fake.read();
    let id = call.param("tagId");
    let tag = directory.tags.iter().find(|tag| *tag.id == *id);
    Reply::ok(&json!({"tag": tag.ok_or_else(|| Refusal::missing("Tag", id))?}))
}

/// `PUT /locations/{locationId}/tags/{tagId}`: contacts carry the new name from then on.
pub fn rename_tag(fake: &HighLevel, call: &Call) -> Answer {
    let name = name(call)?;
    call.own_location()?;
    let id = call.param("tagId");
    let old = fake.replace_tag(id, Some(&name))?;
    let mut directory = fake.write();
    let tag = directory.tags.iter_mut().find(|tag| *tag.id == *id);
    let Some(tag) = tag else { return Err(Refusal::missing("Tag", &old)) };
    tag.name.clone_from(&name);
    Reply::ok(&json!({"tag": tag}))
}

/// `DELETE /locations/{locationId}/tags/{tagId}`: contacts lose it.
pub fn delete_tag(fake: &HighLevel, call: &Call) -> Answer {
    call.own_location()?;
    let id = call.param("tagId");
    fake.replace_tag(id, None)?;
    fake.write().tags.retain(|tag| *tag.id != *id);
    Reply::ok(&json!({"succeded": true}))
}

fn name(call: &Call) -> Result<String, Refusal> {
    let body = call.json(NAME)?;
    let name = body.get("name").and_then(Value::as_str).unwrap_or_default().trim().to_lowercase();
    if name.is_empty() {
        return Err(Refusal::invalid(&["name should not be empty".to_owned()]));
    }
    Ok(name)
}

impl HighLevel {
    /// Puts another name, or none, in the place of a tag on all contacts; answers the old name.
    pub(super) fn replace_tag(&self, id: &str, new: Option<&str>) -> Result<String, Refusal> {
        let mut directory = self.write();
        let held = directory.tags.iter().find(|tag| *tag.id == *id);
        let old = held.ok_or_else(|| Refusal::missing("Tag", id))?.name.clone();
        let tagged: Vec<Contact> = directory
            .newest()
            .filter(|contact| contact.tags.contains(&old))
            .map(|contact| Contact::clone(contact))
            .collect();
        for mut contact in tagged {
            contact.remove_tags(&[&old]);
            if let Some(new) = new {
                contact.add_tags(&[new]);
            }
            self.save(&mut directory, contact);
        }
        // Contacts that took the new name made the location know it under another id.
        if let Some(new) = new {
            let other = tag_id(new);
            directory.tags.retain(|tag| *tag.id == *id || tag.id != other);
        }
        Ok(old)
    }
}

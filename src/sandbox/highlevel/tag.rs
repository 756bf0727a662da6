//! Tags of a contact. The answer has all tags and those that changed.

use serde_json::json;

use super::HighLevel;
use super::call::Call;
use super::contact::known;
use super::dto::{Kind, Rule};
use super::model::Contact;
use super::reply::{Answer, Refusal, Reply};
use super::write::texts;

const RULES: &[Rule] = &[Rule::required("tags", Kind::Texts)];

/// `POST /contacts/{contactId}/tags`
pub fn add(fake: &HighLevel, call: &Call) -> Answer {
    let tags = tags(call)?;
    let mut directory = fake.write();
    let mut contact = Contact::clone(known(&directory, call.param("contactId"))?);
    let added = contact.add_tags(&tags);
    let contact = fake.save(&mut directory, contact);
    Reply::created(&json!({"tags": contact.tags, "tagsAdded": added}))
}

/// `DELETE /contacts/{contactId}/tags`, with a body.
pub fn remove(fake: &HighLevel, call: &Call) -> Answer {
    let tags = tags(call)?;
    let mut directory = fake.write();
    let mut contact = Contact::clone(known(&directory, call.param("contactId"))?);
    let removed = contact.remove_tags(&tags);
    let contact = fake.save(&mut directory, contact);
    Reply::ok(&json!({"tags": contact.tags, "tagsRemoved": removed}))
}

fn tags(call: &Call) -> Result<Vec<String>, Refusal> {
    let body = call.json(RULES)?;
    let tags = body.get("tags").and_then(texts).unwrap_or_default();
    Ok(tags.into_iter().map(str::to_owned).collect())
}

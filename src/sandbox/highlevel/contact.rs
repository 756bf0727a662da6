//! One contact: create, read, update, delete, upsert, and the search for a duplicate.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::HighLevel;
use super::call::{Call, own_location_of};
use super::directory::Directory;
use super::dto::{Body, Kind, Rule};
use super::event;
use super::model::{Contact, Id};
use super::reply::{Answer, Refusal, Reply};
use super::view::{ById, Created, One};
use super::write::{self, apply};
use crate::sandbox::fault;
use crate::sandbox::settings::Identifier;

#[derive(Serialize)]
struct Updated<'a> {
    /// The spelling is HighLevel's.
    succeded: bool,
    contact: ById<'a>,
}

#[derive(Serialize)]
struct Upserted<'a> {
    new: bool,
    contact: ById<'a>,
}

#[derive(Serialize)]
struct Duplicate<'a> {
    contact: Option<ById<'a>>,
}

/// `POST /contacts/`
pub fn create(fake: &HighLevel, call: &Call) -> Answer {
    let body = call.json(write::CREATE)?;
    own_location_of(&body)?;
    let given = |name: &str| body.get(name).and_then(Value::as_str).is_some_and(|t| !t.is_empty());
    if !["email", "phone", "firstName", "lastName"].into_iter().any(given) {
        return Err(Refusal::unprocessable(
            "Contacts without email, phone, firstName and lastName are not allowed.",
        ));
    }
    let mut directory = fake.write();
    let contact = fake.make(&body, &directory)?;
    fake.refuse_duplicate(&directory, &contact)?;
    let contact = fake.save(&mut directory, contact);
    if call.has_fault(fault::Kind::CreatedBut422) {
        return Err(Refusal::unprocessable("Unprocessable Entity"));
    }
    Reply::created(&One { contact: Created::from(&*contact) })
}

/// `GET /contacts/{contactId}`
pub fn read(fake: &HighLevel, call: &Call) -> Answer {
    let directory = fake.read();
    let contact = known(&directory, call.param("contactId"))?;
    Reply::ok(&One { contact: ById::from(&**contact) })
}

/// `PUT /contacts/{contactId}`: what is absent stays, null clears, tags are replaced as a whole.
pub fn update(fake: &HighLevel, call: &Call) -> Answer {
    let body = call.json(write::UPDATE)?;
    let mut directory = fake.write();
    let before = known(&directory, call.param("contactId"))?;
    let mut contact = Contact::clone(before);
    if body.contains_key("dndSettings") && fake.shared.settings().dnd_replaces {
        contact.dnd_settings.forget();
    }
    apply(&body, &mut contact, &directory)?;
    // Assumed to be checked as on create, for the identifiers that change.
    let mut changed = Contact::blank(contact.id.clone(), call.now);
    changed.email.clone_from(&contact.email);
    changed.phone.clone_from(&contact.phone);
    if before.email == contact.email {
        changed.email = None;
    }
    if before.phone == contact.phone {
        changed.phone = None;
    }
    fake.refuse_duplicate(&directory, &changed)?;
    let contact = fake.save(&mut directory, contact);
    Reply::ok(&Updated { succeded: true, contact: ById::from(&*contact) })
}

/// `DELETE /contacts/{contactId}`
pub fn delete(fake: &HighLevel, call: &Call) -> Answer {
    fake.remove(&mut fake.write(), call.param("contactId"))?;
    Reply::ok(&json!({"succeded": true}))
}

/// `POST /contacts/upsert`: the first match in the location's order of identifiers is updated, and
/// an identifier that belongs to somebody else is silently dropped.
pub fn upsert(fake: &HighLevel, call: &Call) -> Answer {
    let body = call.json(write::UPSERT)?;
    own_location_of(&body)?;
    let mut directory = fake.write();
    let mut contact = fake.make(&body, &directory)?;
    if contact.email.is_none() && contact.phone.is_none() {
        return Err(no_key());
    }
    let settings = fake.shared.settings();
    let makes_new = settings.allow_duplicates
        && body.get("createNewIfDuplicateAllowed") == Some(&Value::Bool(true));
    let found = if makes_new { None } else { fake.matching(&directory, &contact) };
    let is_new = found.is_none();
    if let Some((id, _)) = found {
        let before = known(&directory, &id)?;
        contact = Contact::clone(before);
        apply(&body, &mut contact, &directory)?;
        if holder(directory.with_email(contact.email.as_deref().unwrap_or_default()), &id) {
            contact.email.clone_from(&before.email);
        }
        if holder(directory.with_phone(contact.phone.as_deref().unwrap_or_default()), &id) {
            contact.phone.clone_from(&before.phone);
        }
        // A further address that becomes the primary one replaces it, and the old one is lost
        // (GH#337).
        let email = contact.email.clone().unwrap_or_default();
        contact.additional_emails.retain(|further| !further.email.eq_ignore_ascii_case(&email));
    }
    let contact = fake.save(&mut directory, contact);
    Reply::ok(&Upserted { new: is_new, contact: ById::from(&*contact) })
}

/// Whether somebody else than `id` is among them.
fn holder(ids: &[Id], id: &Id) -> bool {
    ids.iter().any(|other| other != id)
}

/// `GET /contacts/search/duplicate`
pub fn duplicate(fake: &HighLevel, call: &Call) -> Answer {
    const RULES: &[Rule] = &[
        Rule::required("locationId", Kind::Text),
        Rule::optional("number", Kind::Text),
        Rule::optional("email", Kind::Text),
    ];
    let query = call.query(RULES, &[])?;
    own_location_of(&query)?;
    let text = |name| query.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let (email, number) = (text("email"), text("number"));
    if email.is_none() && number.is_none() {
        return Err(no_key());
    }
    let mut probe = Contact::blank(Id::from(""), call.now);
    probe.email = email.map(str::to_owned);
    probe.phone = number.and_then(|number| super::phone::e164(number, Some(super::COUNTRY)));
    let directory = fake.read();
    let found = fake.matching(&directory, &probe);
    let contact = found.and_then(|(id, _)| directory.contact(&id));
    Reply::ok(&Duplicate { contact: contact.map(|contact| ById::from(&**contact)) })
}

fn no_key() -> Refusal {
    Refusal::bad_request("Pass at least one of number, email query parameter")
}

/// The live contact, or HighLevel's 400.
pub fn known<'a>(directory: &'a Directory, id: &str) -> Result<&'a Arc<Contact>, Refusal> {
    directory.contact(id).ok_or_else(|| Refusal::no_contact(id))
}

impl HighLevel {
    /// A new contact, not yet stored.
    pub(super) fn make(&self, body: &Body, directory: &Directory) -> Result<Contact, Refusal> {
        let mut contact = Contact::blank(self.shared.ids.alphanumeric().into(), self.now());
        contact.source = Some("public api".to_owned());
        apply(body, &mut contact, directory)?;
        Ok(contact)
    }

    /// Another contact with the same e-mail or phone, looked for in the location's order.
    pub(super) fn matching(
        &self,
        directory: &Directory,
        contact: &Contact,
    ) -> Option<(Id, &'static str)> {
        self.shared.settings().duplicate_order.iter().find_map(|identifier| {
            let (ids, field) = match identifier {
                Identifier::Email => (directory.with_email(contact.email.as_deref()?), "email"),
                Identifier::Phone => (directory.with_phone(contact.phone.as_deref()?), "phone"),
            };
            let other = ids.iter().find(|id| **id != contact.id)?;
            Some((other.clone(), field))
        })
    }

    /// The duplicate rule of create and update.
    pub(super) fn refuse_duplicate(
        &self,
        directory: &Directory,
        contact: &Contact,
    ) -> Result<(), Refusal> {
        if self.shared.settings().allow_duplicates {
            return Ok(());
        }
        let Some((id, field)) = self.matching(directory, contact) else { return Ok(()) };
        let name = directory.contact(&id).and_then(|other| other.name());
        Err(Refusal::of(
            400,
            &json!({
                "statusCode": 400,
                "message": "This location does not allow duplicated contacts.",
                "meta": {"contactId": &*id, "contactName": name, "matchingField": field},
            }),
        ))
    }

    /// Takes a contact away and fires `ContactDelete`.
    pub(super) fn remove(&self, directory: &mut Directory, id: &str) -> Result<(), Refusal> {
        let entry = directory.remove(id, self.now()).ok_or_else(|| Refusal::no_contact(id))?;
        self.webhooks.fire(&self.shared, event::contact("ContactDelete", &entry.contact));
        Ok(())
    }
}

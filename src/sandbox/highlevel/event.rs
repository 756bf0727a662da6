//! Webhook events: which a change calls for, and their bodies without the envelope.
//!
//! Fields are at the top level, as every event page and captured payload has them. Notes have a
//! fixed list of fields without author and title (GH#312); tasks have no update event; inbound DND
//! fires nothing (GH#264).

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use super::TIMEZONE;
use super::model::{Appointment, Contact, Note, Task};
use super::tokens::COMPANY;
use super::when::{Birthday, Millis};
use crate::sandbox::credentials::OAUTH_VERSION_ID;
use crate::sandbox::here;

/// An event on its way to be signed.
#[derive(Clone, Debug)]
pub struct Event {
    /// The `type`.
    pub kind: &'static str,
    /// Everything else but the envelope.
    pub fields: Map<String, Value>,
}

impl Event {
    fn new(kind: &'static str, fields: Value) -> Self {
        let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
        Self { kind, fields }
    }
}

/// The events of a contact's change; `before` is `None` for a new one.
pub fn of_change(before: Option<&Contact>, after: &Contact) -> Vec<Event> {
    let Some(before) = before else { return vec![contact("ContactCreate", after)] };
    let mut events = Vec::new();
    if fields_differ(before, after) {
        events.push(contact("ContactUpdate", after));
    }
    if before.tags != after.tags {
        events.push(contact("ContactTagUpdate", after));
    }
    if before.dnd != after.dnd || before.dnd_settings != after.dnd_settings {
        events.push(dnd(after));
    }
    events
}

fn fields_differ(a: &Contact, b: &Contact) -> bool {
    let texts = |c: &Contact| {
        [
            &c.first_name,
            &c.last_name,
            &c.email,
            &c.phone,
            &c.company_name,
            &c.address1,
            &c.city,
            &c.state,
            &c.postal_code,
            &c.country,
            &c.website,
            &c.timezone,
            &c.source,
            &c.assigned_to,
            &c.business_id,
        ]
        .map(Option::clone)
    };
    texts(a) != texts(b)
        || a.date_of_birth != b.date_of_birth
        || a.custom_fields != b.custom_fields
        || a.followers != b.followers
        || a.kind != b.kind
        || a.bounce_email != b.bounce_email
        || a.unsubscribe_email != b.unsubscribe_email
}

/// `ContactCreate`, `ContactUpdate`, `ContactDelete` or `ContactTagUpdate`.
pub fn contact(kind: &'static str, contact: &Contact) -> Event {
    Event::new(kind, contact_fields(contact))
}

fn contact_fields(contact: &Contact) -> Value {
    json!({
        "id": &*contact.id, "address1": contact.address1, "city": contact.city,
        "state": contact.state, "postalCode": contact.postal_code, "country": contact.country,
        "companyName": contact.company_name, "source": contact.source,
        "dateAdded": contact.date_added, "dateOfBirth": contact.date_of_birth.map(Birthday),
        "dnd": contact.dnd, "email": contact.email, "name": contact.name(),
        "firstName": contact.first_name, "lastName": contact.last_name, "phone": contact.phone,
        "tags": contact.tags, "website": contact.website, "attachments": [],
        "assignedTo": contact.assigned_to, "customFields": contact.custom_fields,
    })
}

fn dnd(contact: &Contact) -> Event {
    let mut fields = contact_fields(contact);
    fields["dndSettings"] = json!(contact.dnd_settings);
    Event::new("ContactDndUpdate", fields)
}

/// `NoteCreate`, `NoteUpdate` or `NoteDelete`.
pub fn note(kind: &'static str, note: &Note) -> Event {
    Event::new(
        kind,
        json!({
            "id": &*note.id, "body": note.body, "contactId": &*note.contact_id,
            "dateAdded": note.date_added,
        }),
    )
}

/// `TaskCreate`, `TaskComplete` or `TaskDelete`.
pub fn task(kind: &'static str, task: &Task) -> Event {
    Event::new(
        kind,
        json!({
            "id": &*task.id, "assignedTo": task.assigned_to, "body": task.body,
            "contactId": &*task.contact_id, "title": task.title, "dateAdded": task.date_added,
            "dueDate": task.due_date,
        }),
    )
}

/// `AppointmentCreate`, `AppointmentUpdate` or `AppointmentDelete`; times carry an offset here.
pub fn appointment(kind: &'static str, held: &Appointment) -> Event {
    let users: Vec<&String> = held.assigned_user_id.iter().collect();
    Event::new(
        kind,
        json!({"appointment": {
            "id": &*held.id, "address": held.address, "title": held.title,
            "calendarId": held.calendar_id, "contactId": &*held.contact_id, "groupId": null,
            "appointmentStatus": held.status, "assignedUserId": held.assigned_user_id,
            "users": users, "notes": held.notes, "source": "calendar",
            "startTime": zoned(held.start), "endTime": zoned(held.end),
            "dateAdded": zoned(held.date_added), "dateUpdated": zoned(held.date_updated),
        }}),
    )
}

fn zoned(at: Millis) -> String {
    at.utc().with_timezone(&TIMEZONE).to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// `INSTALL` on the location.
pub fn install() -> Event {
    Event::new(
        "INSTALL",
        json!({
            "installType": "Location", "companyId": COMPANY, "userId": "sandboxUser000000001",
            "planId": "sandboxplan", "isWhitelabelCompany": false, "whitelabelDetails": {},
            "companyName": "Tandem Agency", "versionId": OAUTH_VERSION_ID,
            "locationId": here::account().location,
        }),
    )
}

/// `UNINSTALL` from the location, or from the agency that it is of.
pub fn uninstall(agency: bool) -> Event {
    let from = if agency { json!({"companyId": COMPANY}) } else { json!({}) };
    Event::new("UNINSTALL", from)
}

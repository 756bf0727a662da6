//! What a contact is enrolled in: campaigns, workflows, followers, appointments. Campaigns and
//! workflows are answered but have no further effect, because no read of this API shows them.

use serde::Serialize;
use serde_json::json;

use super::call::Call;
use super::contact::known;
use super::dto::{Kind, Rule};
use super::model::{Appointment, Contact};
use super::reply::{Answer, Refusal, Reply};
use super::when::Millis;
use super::write::texts;
use super::{HighLevel, TIMEZONE};
use crate::sandbox::fault;
use crate::sandbox::here;

/// `POST /contacts/{contactId}/campaigns/{campaignId}`
pub fn campaign(fake: &HighLevel, call: &Call) -> Answer {
    call.json(&[])?;
    known(&fake.read(), call.param("contactId"))?;
    Reply::created(&json!({"succeded": true}))
}

/// `DELETE /contacts/{contactId}/campaigns/{campaignId}`
pub fn no_campaign(fake: &HighLevel, call: &Call) -> Answer {
    known(&fake.read(), call.param("contactId"))?;
    Reply::ok(&json!({"succeded": true}))
}

/// `DELETE /contacts/{contactId}/campaigns/removeAll`
pub fn no_campaigns(fake: &HighLevel, call: &Call) -> Answer {
    no_campaign(fake, call)
}

/// `POST` and `DELETE /contacts/{contactId}/workflow/{workflowId}`. The POST was seen to answer
/// 201; the specification's 200 is kept.
pub fn workflow(fake: &HighLevel, call: &Call) -> Answer {
    call.json(&[Rule::optional("eventStartTime", Kind::Instant)])?;
    known(&fake.read(), call.param("contactId"))?;
    Reply::ok(&json!({"succeded": true}))
}

/// `POST /contacts/{contactId}/followers`
pub fn follow(fake: &HighLevel, call: &Call) -> Answer {
    let users = followers(call)?;
    let mut directory = fake.write();
    let mut contact = Contact::clone(known(&directory, call.param("contactId"))?);
    let added: Vec<String> =
        users.into_iter().filter(|user| !contact.followers.contains(user)).collect();
    contact.followers.extend(added.iter().cloned());
    let contact = fake.save(&mut directory, contact);
    Reply::created(&json!({"followers": contact.followers, "followersAdded": added}))
}

/// `DELETE /contacts/{contactId}/followers`
pub fn unfollow(fake: &HighLevel, call: &Call) -> Answer {
    let users = followers(call)?;
    let mut directory = fake.write();
    let mut contact = Contact::clone(known(&directory, call.param("contactId"))?);
    let removed: Vec<String> =
        users.into_iter().filter(|user| contact.followers.contains(user)).collect();
    contact.followers.retain(|user| !removed.contains(user));
    let contact = fake.save(&mut directory, contact);
    Reply::ok(&json!({"followers": contact.followers, "followersRemoved": removed}))
}

fn followers(call: &Call) -> Result<Vec<String>, Refusal> {
    let body = call.json(&[Rule::required("followers", Kind::Texts)])?;
    let users = body.get("followers").and_then(texts).unwrap_or_default();
    Ok(users.into_iter().map(str::to_owned).collect())
}

/// An event of `GET /contacts/{contactId}/appointments`: times are local to the location and do
/// not say so (the specification's example is `2021-07-16 11:00:00`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    id: &'a str,
    calendar_id: &'a str,
    status: &'static str,
    title: &'a str,
    assigned_user_id: Option<&'a str>,
    notes: Option<&'a str>,
    start_time: String,
    end_time: String,
    address: Option<&'a str>,
    location_id: &'static str,
    contact_id: &'a str,
    group_id: Option<&'a str>,
    appointment_status: &'a str,
    users: Vec<&'a str>,
    date_added: String,
    date_updated: String,
    assigned_resources: [String; 0],
}

/// `GET /contacts/{contactId}/appointments`, by start.
pub fn appointments(fake: &HighLevel, call: &Call) -> Answer {
    let directory = fake.read();
    let id = call.param("contactId");
    let entry = directory.get(id).ok_or_else(|| Refusal::no_contact(id))?;
    let mut held: Vec<&Appointment> = entry.appointments.iter().collect();
    held.sort_by_key(|appointment| appointment.start);
    if call.has_fault(fault::Kind::EmptyList) {
        held.clear();
    }
    let events: Vec<Event<'_>> = held.into_iter().map(Event::from).collect();
    Reply::ok(&json!({"events": events}))
}

fn local(at: Millis) -> String {
    at.utc().with_timezone(&TIMEZONE).format("%Y-%m-%d %H:%M:%S").to_string()
}

impl<'a> From<&'a Appointment> for Event<'a> {
    fn from(held: &'a Appointment) -> Self {
        Self {
            id: &held.id,
            calendar_id: &held.calendar_id,
            status: "booked",
            title: &held.title,
            assigned_user_id: held.assigned_user_id.as_deref(),
            notes: held.notes.as_deref(),
            start_time: local(held.start),
            end_time: local(held.end),
            address: held.address.as_deref(),
            location_id: here::account().location,
            contact_id: &held.contact_id,
            group_id: None,
            appointment_status: &held.status,
            users: held.assigned_user_id.iter().map(String::as_str).collect(),
            date_added: local(held.date_added),
            date_updated: local(held.date_updated),
            assigned_resources: [],
        }
    }
}

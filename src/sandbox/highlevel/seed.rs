//! What a made-up person brings into the HighLevel fake: plain values, no rules.
//!
//! Seeding is not an API call: it fires no webhook, costs no budget and is visible to search at
//! once. The values are taken as they are, so a seed can hold what HighLevel holds but its API
//! would not accept (two contacts with one phone number, a permanent DND, an e-mail with capitals).

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

use super::HighLevel;
use super::directory::Entry;
use super::model::{AdditionalEmail, Appointment, Contact, Dnd, Id, Note, Task};
use super::when::Millis;
use crate::sandbox::ids::Ids;

/// The calendar that all appointments are in.
pub const CALENDAR: &str = "sandboxCalendar00001";

const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// A contact as seeded. Everything but `tags` and the collections may be absent, as in HighLevel.
#[derive(Clone, Debug, Default)]
pub struct SeedContact {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Stored as given; compared in lower case.
    pub email: Option<String>,
    /// E.164, for example `+5491155550101`.
    pub phone: Option<String>,
    /// Employer.
    pub company_name: Option<String>,
    /// Street and number.
    pub address1: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State or province.
    pub state: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// ISO 3166 two-letter code.
    pub country: Option<String>,
    /// A URL.
    pub website: Option<String>,
    /// IANA zone, for example `America/Argentina/Buenos_Aires`.
    pub timezone: Option<String>,
    /// `male`, `female` or free text: HighLevel takes it on create only and never shows it.
    pub gender: Option<String>,
    /// Birthday.
    pub date_of_birth: Option<NaiveDate>,
    /// The switch for all channels at once.
    pub dnd: bool,
    /// Do-not-disturb by channel.
    pub dnd_settings: Vec<SeedDnd>,
    /// Lower-cased when stored, as HighLevel does.
    pub tags: Vec<String>,
    /// By field key (`contact.plan`), see [`STANDARD_FIELDS`]; the value in its read form.
    pub custom_fields: Vec<(String, Value)>,
    /// Oldest first.
    pub notes: Vec<SeedNote>,
    /// Oldest first.
    pub tasks: Vec<SeedTask>,
    /// Oldest first.
    pub appointments: Vec<SeedAppointment>,
    /// Where the contact came from, for example `public api` or a form's name.
    pub source: Option<String>,
    /// `lead` (the default) or `customer`.
    pub kind: Option<String>,
    /// A user id, twenty characters.
    pub assigned_to: Option<String>,
    /// When absent: now.
    pub date_added: Option<DateTime<Utc>>,
    /// When absent: `date_added`.
    pub date_updated: Option<DateTime<Utc>>,
    /// The address bounced.
    pub bounce_email: bool,
    /// The person used HighLevel's own unsubscribe link.
    pub unsubscribe_email: bool,
    /// Further addresses, read-only in the API.
    pub additional_emails: Vec<String>,
    /// A business record, 24 hex digits.
    pub business_id: Option<String>,
}

/// Do-not-disturb on one channel.
#[derive(Clone, Debug)]
pub struct SeedDnd {
    /// `Call`, `Email`, `SMS`, `WhatsApp`, `GMB` or `FB`.
    pub channel: &'static str,
    /// `active` (do not disturb), `inactive` or `permanent` (which the API cannot undo).
    pub status: &'static str,
    /// Shown with the status.
    pub message: Option<String>,
    /// HighLevel's reason code.
    pub code: Option<String>,
}

/// A note.
#[derive(Clone, Debug, Default)]
pub struct SeedNote {
    /// The text.
    pub body: String,
    /// A heading.
    pub title: Option<String>,
    /// The author.
    pub user_id: Option<String>,
    /// `#RRGGBB`.
    pub color: Option<String>,
    /// Kept on top.
    pub pinned: bool,
    /// When absent: the contact's `date_added`.
    pub date_added: Option<DateTime<Utc>>,
}

/// A task.
#[derive(Clone, Debug, Default)]
pub struct SeedTask {
    /// What to do.
    pub title: String,
    /// More about it.
    pub body: Option<String>,
    /// A user id.
    pub assigned_to: Option<String>,
    /// When absent: a week after the contact's `date_added`.
    pub due_date: Option<DateTime<Utc>>,
    /// Done.
    pub completed: bool,
}

/// An appointment. Times are UTC here and shown local to the location, without a zone, by the API.
#[derive(Clone, Debug)]
pub struct SeedAppointment {
    /// What it is about.
    pub title: String,
    /// Start, UTC.
    pub start: DateTime<Utc>,
    /// End, UTC.
    pub end: DateTime<Utc>,
    /// `new`, `confirmed`, `cancelled`, `showed`, `noshow` or `invalid`.
    pub status: String,
    /// Where.
    pub address: Option<String>,
    /// Free text.
    pub notes: Option<String>,
    /// A user id.
    pub assigned_user_id: Option<String>,
}

/// A custom field's definition.
#[derive(Clone, Copy, Debug)]
pub struct SeedField {
    /// The full key, with its `contact.` prefix.
    pub key: &'static str,
    /// As shown.
    pub name: &'static str,
    /// HighLevel's `dataType`.
    pub data_type: &'static str,
    /// For the types that have a closed list of values.
    pub options: &'static [&'static str],
}

/// The custom fields every sandbox location starts with: one of each `dataType` that contacts use.
pub const STANDARD_FIELDS: &[SeedField] = &[
    field("contact.plan", "Plan", "SINGLE_OPTIONS", &["free", "silver", "gold"]),
    field("contact.birthplace", "Birthplace", "TEXT", &[]),
    field("contact.remarks", "Remarks", "LARGE_TEXT", &[]),
    field("contact.orders", "Orders", "NUMERICAL", &[]),
    field("contact.lifetime_value", "Lifetime value", "MONETORY", &[]),
    field("contact.interests", "Interests", "MULTIPLE_OPTIONS", &["music", "sport", "travel"]),
    field("contact.topics", "Topics", "CHECKBOX", &["offers", "news", "events"]),
    field("contact.preferred_channel", "Preferred channel", "RADIO", &["email", "phone", "chat"]),
    field("contact.renewal_date", "Renewal date", "DATE", &[]),
    field("contact.second_phone", "Second phone", "PHONE", &[]),
    field("contact.contract", "Contract", "FILE_UPLOAD", &[]),
    field("contact.score", "Score", "FLOAT", &[]),
];

const fn field(
    key: &'static str,
    name: &'static str,
    data_type: &'static str,
    options: &'static [&'static str],
) -> SeedField {
    SeedField { key, name, data_type, options }
}

impl HighLevel {
    /// Plants a contact and answers its id. A custom field whose key the location does not have is
    /// left out.
    pub fn seed(&self, seed: SeedContact) -> String {
        let now = self.now();
        let ids = &self.shared.ids;
        let id: Id = ids.alphanumeric().into();
        let added = seed.date_added.map_or(now, Millis::from);
        let notes = seed.notes.iter().map(|note| note.planted(ids, &id, added)).collect();
        let tasks = seed.tasks.iter().map(|task| task.planted(ids, &id, added)).collect();
        let booked = |held: &SeedAppointment| held.planted(ids, &id, added);
        let appointments = seed.appointments.iter().map(booked).collect();
        let mut contact = Contact::blank(id.clone(), added);
        let mut directory = self.write();
        for (key, value) in &seed.custom_fields {
            if let Some(field) = directory.fields.iter().find(|field| field.is_called(key)) {
                contact.set_custom(&field.id, value.clone());
            }
        }
        seed.fill(&mut contact);
        let contact = Arc::new(contact);
        directory.plant(Entry { contact, notes, tasks, appointments });
        id.to_string()
    }
}

impl SeedContact {
    fn fill(self, contact: &mut Contact) {
        contact.add_tags(&self.tags);
        for dnd in self.dnd_settings {
            if let Some(place) = contact.dnd_settings.channel(dnd.channel) {
                let status = dnd.status.to_owned();
                *place = Some(Dnd { status, message: dnd.message, code: dnd.code });
            }
        }
        if let Some(kind) = self.kind {
            contact.kind = kind;
        }
        let further = self.additional_emails.into_iter();
        contact.additional_emails = further.map(|email| AdditionalEmail { email }).collect();
        contact.date_updated = self.date_updated.map_or(contact.date_added, Millis::from);
        contact.first_name = self.first_name;
        contact.last_name = self.last_name;
        contact.email = self.email;
        contact.phone = self.phone;
        contact.company_name = self.company_name;
        contact.gender = self.gender;
        contact.address1 = self.address1;
        contact.city = self.city;
        contact.state = self.state;
        contact.postal_code = self.postal_code;
        contact.country = self.country;
        contact.website = self.website;
        contact.timezone = self.timezone;
        contact.source = self.source;
        contact.assigned_to = self.assigned_to;
        contact.business_id = self.business_id;
        contact.date_of_birth = self.date_of_birth;
        contact.dnd = self.dnd;
        contact.bounce_email = self.bounce_email;
        contact.unsubscribe_email = self.unsubscribe_email;
        contact.refold();
    }
}

impl SeedNote {
    fn planted(&self, ids: &Ids, contact: &Id, added: Millis) -> Note {
        Note {
            body: self.body.clone(),
            title: self.title.clone(),
            user_id: self.user_id.clone(),
            color: self.color.clone(),
            pinned: self.pinned,
            date_added: self.date_added.map_or(added, Millis::from),
            ..Note::blank(ids.alphanumeric().into(), contact.clone(), added)
        }
    }
}

impl SeedTask {
    fn planted(&self, ids: &Ids, contact: &Id, added: Millis) -> Task {
        Task {
            title: self.title.clone(),
            body: self.body.clone(),
            assigned_to: self.assigned_to.clone(),
            due_date: self.due_date.map_or(Millis(added.0 + WEEK_MS), Millis::from),
            completed: self.completed,
            ..Task::blank(ids.alphanumeric().into(), contact.clone(), added)
        }
    }
}

impl SeedAppointment {
    fn planted(&self, ids: &Ids, contact: &Id, added: Millis) -> Appointment {
        Appointment {
            id: ids.alphanumeric().into(),
            contact_id: contact.clone(),
            calendar_id: CALENDAR.to_owned(),
            title: self.title.clone(),
            status: self.status.clone(),
            assigned_user_id: self.assigned_user_id.clone(),
            notes: self.notes.clone(),
            address: self.address.clone(),
            start: self.start.into(),
            end: self.end.into(),
            date_added: added,
            date_updated: added,
        }
    }
}

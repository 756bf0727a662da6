//! What the fake remembers. Typed, so that hot answers are written straight from it.
//!
//! A contact is kept behind an [`Arc`]: readers of the search index go on seeing the version they
//! knew while a write makes the next one. Notes, tasks and appointments are not part of that
//! version, because search never shows them.
//!
//! To add a field: here, in [`super::view`], and in [`super::write`] if the API can set it.

use std::sync::Arc;

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;

use super::when::Millis;

/// An id, shared by the places that index it.
pub type Id = Arc<str>;

/// A contact as HighLevel stores it.
#[derive(Clone, Debug)]
pub struct Contact {
    pub id: Id,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub company_name: Option<String>,
    pub gender: Option<String>,
    pub address1: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<String>,
    pub website: Option<String>,
    pub timezone: Option<String>,
    pub source: Option<String>,
    pub kind: String,
    pub assigned_to: Option<String>,
    pub business_id: Option<String>,
    pub date_of_birth: Option<NaiveDate>,
    pub dnd: bool,
    pub dnd_settings: DndSettings,
    pub inbound_dnd: Option<Dnd>,
    pub tags: Vec<String>,
    pub custom_fields: Vec<CustomValue>,
    pub followers: Vec<String>,
    pub additional_emails: Vec<AdditionalEmail>,
    pub bounce_email: bool,
    pub unsubscribe_email: bool,
    pub date_added: Millis,
    pub date_updated: Millis,
    /// What the fields above are compared by, see [`Contact::refold`].
    pub lower: Lower,
}

/// Lower-case forms, kept because every read shows them and search compares them.
#[derive(Clone, Debug, Default)]
pub struct Lower {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub full_name: Option<String>,
    pub email: Option<String>,
}

/// A further address, read-only in the API.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AdditionalEmail {
    pub email: String,
}

/// A custom field's value in its read form: the key is never answered (GH#177).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CustomValue {
    pub id: Id,
    pub value: Value,
}

/// Do-not-disturb by channel. `RCS` is answered by the live system but is in no DTO.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DndSettings {
    #[serde(rename = "Call", skip_serializing_if = "Option::is_none")]
    pub call: Option<Dnd>,
    #[serde(rename = "Email", skip_serializing_if = "Option::is_none")]
    pub email: Option<Dnd>,
    #[serde(rename = "SMS", skip_serializing_if = "Option::is_none")]
    pub sms: Option<Dnd>,
    #[serde(rename = "WhatsApp", skip_serializing_if = "Option::is_none")]
    pub whats_app: Option<Dnd>,
    #[serde(rename = "GMB", skip_serializing_if = "Option::is_none")]
    pub gmb: Option<Dnd>,
    #[serde(rename = "FB", skip_serializing_if = "Option::is_none")]
    pub fb: Option<Dnd>,
}

/// The channels of [`DndSettings`], as the API spells them.
pub const CHANNELS: [&str; 6] = ["Call", "Email", "SMS", "WhatsApp", "GMB", "FB"];

/// One channel's setting. `active` means that the person must not be disturbed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dnd {
    pub status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// A note.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    pub id: Id,
    pub body: String,
    pub user_id: Option<String>,
    pub date_added: Millis,
    pub contact_id: Id,
    pub title: Option<String>,
    pub color: Option<String>,
    pub pinned: bool,
}

/// A task. `date_added` is shown by webhooks only.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    pub id: Id,
    pub title: String,
    pub body: Option<String>,
    pub assigned_to: Option<String>,
    pub due_date: Millis,
    pub completed: bool,
    pub contact_id: Id,
    #[serde(skip)]
    pub date_added: Millis,
}

/// An appointment; times are UTC here.
#[derive(Clone, Debug)]
pub struct Appointment {
    pub id: Id,
    pub contact_id: Id,
    pub calendar_id: String,
    pub title: String,
    pub status: String,
    pub assigned_user_id: Option<String>,
    pub notes: Option<String>,
    pub address: Option<String>,
    pub start: Millis,
    pub end: Millis,
    pub date_added: Millis,
    pub date_updated: Millis,
}

impl Contact {
    /// A contact with nothing but an id.
    pub fn blank(id: Id, now: Millis) -> Self {
        Self {
            id,
            first_name: None,
            last_name: None,
            email: None,
            phone: None,
            company_name: None,
            gender: None,
            address1: None,
            city: None,
            state: None,
            postal_code: None,
            country: None,
            website: None,
            timezone: None,
            source: None,
            kind: "lead".to_owned(),
            assigned_to: None,
            business_id: None,
            date_of_birth: None,
            dnd: false,
            dnd_settings: DndSettings::default(),
            inbound_dnd: None,
            tags: Vec::new(),
            custom_fields: Vec::new(),
            followers: Vec::new(),
            additional_emails: Vec::new(),
            bounce_email: false,
            unsubscribe_email: false,
            date_added: now,
            date_updated: now,
            lower: Lower::default(),
        }
    }

    /// First and last name together, `None` where both are missing.
    pub fn name(&self) -> Option<String> {
        match (&self.first_name, &self.last_name) {
            (Some(first), Some(last)) => Some(format!("{first} {last}")),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        }
    }

    /// Brings [`Contact::lower`] up to date; to be called after every change.
    pub fn refold(&mut self) {
        let fold = |text: &Option<String>| text.as_deref().map(str::to_lowercase);
        self.lower = Lower {
            first_name: fold(&self.first_name),
            last_name: fold(&self.last_name),
            full_name: fold(&self.name()),
            email: fold(&self.email),
        };
    }

    /// Adds tags in lower case, as HighLevel shows them; answers those that were new.
    pub fn add_tags<S: AsRef<str>>(&mut self, tags: &[S]) -> Vec<String> {
        let mut added = Vec::new();
        for tag in tags {
            let tag = tag.as_ref().trim().to_lowercase();
            if !tag.is_empty() && !self.tags.contains(&tag) {
                self.tags.push(tag.clone());
                added.push(tag);
            }
        }
        added
    }

    /// Removes tags, whatever their case; answers those that were there.
    pub fn remove_tags<S: AsRef<str>>(&mut self, tags: &[S]) -> Vec<String> {
        let gone: Vec<String> = tags.iter().map(|tag| tag.as_ref().trim().to_lowercase()).collect();
        let removed = self.tags.iter().filter(|tag| gone.contains(tag)).cloned().collect();
        self.tags.retain(|tag| !gone.contains(tag));
        removed
    }

    /// Sets a custom field, or takes it away when `value` is null, an empty string or an empty list.
    pub fn set_custom(&mut self, id: &Id, value: Value) {
        self.custom_fields.retain(|field| field.id != *id);
        let is_empty =
            value.is_null() || value == "" || value.as_array().is_some_and(Vec::is_empty);
        if !is_empty {
            self.custom_fields.push(CustomValue { id: id.clone(), value });
        }
    }
}

impl DndSettings {
    /// The place of a channel, `None` for a name that is not one of [`CHANNELS`].
    pub fn channel(&mut self, name: &str) -> Option<&mut Option<Dnd>> {
        match name {
            "Call" => Some(&mut self.call),
            "Email" => Some(&mut self.email),
            "SMS" => Some(&mut self.sms),
            "WhatsApp" => Some(&mut self.whats_app),
            "GMB" => Some(&mut self.gmb),
            "FB" => Some(&mut self.fb),
            _ => None,
        }
    }

    /// Forgets every channel but those that no update changes.
    pub fn forget(&mut self) {
        for name in CHANNELS {
            if let Some(place) = self.channel(name) {
                place.take_if(|dnd| dnd.status != "permanent");
            }
        }
    }

    /// The status of a channel as search compares it.
    pub fn status(&self, name: &str) -> Option<&str> {
        let dnd = match name {
            "Call" => &self.call,
            "Email" => &self.email,
            "SMS" => &self.sms,
            "WhatsApp" => &self.whats_app,
            "GMB" => &self.gmb,
            "FB" => &self.fb,
            _ => return None,
        };
        dnd.as_ref().map(|dnd| dnd.status.as_str())
    }
}

//! A contact as an item of a list and as a row of search: fewer fields than by id, and not the
//! same ones.

use serde::Serialize;
use serde_json::Value;

use super::model::{Contact, CustomValue, DndSettings};
use super::when::{Birthday, Millis};
use crate::sandbox::here;

/// An item of `GET /contacts/` and `GET /contacts/business/{businessId}`. It has no
/// `dndSettings`, `dateOfBirth` or `website`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item<'a> {
    id: &'a str,
    location_id: &'static str,
    contact_name: Option<&'a str>,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    email: Option<&'a str>,
    phone: Option<&'a str>,
    company_name: Option<&'a str>,
    timezone: Option<&'a str>,
    country: Option<&'a str>,
    city: Option<&'a str>,
    source: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
    assigned_to: Option<&'a str>,
    dnd: bool,
    date_added: Millis,
    date_updated: Millis,
    tags: &'a [String],
    custom_fields: &'a [CustomValue],
    business_id: Option<&'a str>,
    attributions: [Value; 0],
    followers: &'a [String],
    profile_photo: Option<&'a str>,
}

impl<'a> From<&'a Contact> for Item<'a> {
    fn from(contact: &'a Contact) -> Self {
        Self {
            id: &contact.id,
            location_id: here::account().location,
            contact_name: contact.lower.full_name.as_deref(),
            first_name: contact.first_name.as_deref(),
            last_name: contact.last_name.as_deref(),
            email: contact.email.as_deref(),
            phone: contact.phone.as_deref(),
            company_name: contact.company_name.as_deref(),
            timezone: contact.timezone.as_deref(),
            country: contact.country.as_deref(),
            city: contact.city.as_deref(),
            source: contact.source.as_deref(),
            kind: &contact.kind,
            assigned_to: contact.assigned_to.as_deref(),
            dnd: contact.dnd,
            date_added: contact.date_added,
            date_updated: contact.date_updated,
            tags: &contact.tags,
            custom_fields: &contact.custom_fields,
            business_id: contact.business_id.as_deref(),
            attributions: [],
            followers: &contact.followers,
            profile_photo: None,
        }
    }
}

impl Item<'_> {
    /// What the next page starts after.
    pub fn cursor(&self) -> (i64, String) {
        (self.date_added.0, self.id.to_owned())
    }
}

/// A row of `POST /contacts/search`, with its own cursor.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row<'a> {
    id: &'a str,
    location_id: &'static str,
    phone_label: Option<&'a str>,
    country: Option<&'a str>,
    address: Option<&'a str>,
    source: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
    tags: &'a [String],
    dnd: bool,
    dnd_settings: &'a DndSettings,
    customfields_count: usize,
    custom_fields: &'a [CustomValue],
    additional_emails: Vec<&'a str>,
    additional_phones: [String; 0],
    assigned_to: Option<&'a str>,
    followers: &'a [String],
    valid_email: Option<bool>,
    company_name: Option<&'a str>,
    website: Option<&'a str>,
    business_id: Option<&'a str>,
    city: Option<&'a str>,
    state: Option<&'a str>,
    postal_code: Option<&'a str>,
    timezone: Option<&'a str>,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    first_name_lower_case: Option<&'a str>,
    last_name_lower_case: Option<&'a str>,
    email: Option<&'a str>,
    phone: Option<&'a str>,
    date_added: Millis,
    date_updated: Millis,
    date_of_birth: Option<Birthday>,
    search_after: Vec<Value>,
}

impl<'a> Row<'a> {
    /// The row of `contact`, whose cursor in the asked-for order is `search_after`.
    pub fn new(contact: &'a Contact, search_after: Vec<Value>) -> Self {
        Self {
            id: &contact.id,
            location_id: here::account().location,
            phone_label: None,
            country: contact.country.as_deref(),
            address: contact.address1.as_deref(),
            source: contact.source.as_deref(),
            kind: &contact.kind,
            tags: &contact.tags,
            dnd: contact.dnd,
            dnd_settings: &contact.dnd_settings,
            customfields_count: contact.custom_fields.len(),
            custom_fields: &contact.custom_fields,
            additional_emails: contact.additional_emails.iter().map(|e| e.email.as_str()).collect(),
            additional_phones: [],
            assigned_to: contact.assigned_to.as_deref(),
            followers: &contact.followers,
            valid_email: None,
            company_name: contact.company_name.as_deref(),
            website: contact.website.as_deref(),
            business_id: contact.business_id.as_deref(),
            city: contact.city.as_deref(),
            state: contact.state.as_deref(),
            postal_code: contact.postal_code.as_deref(),
            timezone: contact.timezone.as_deref(),
            first_name: contact.first_name.as_deref(),
            last_name: contact.last_name.as_deref(),
            first_name_lower_case: contact.lower.first_name.as_deref(),
            last_name_lower_case: contact.lower.last_name.as_deref(),
            email: contact.email.as_deref(),
            phone: contact.phone.as_deref(),
            date_added: contact.date_added,
            date_updated: contact.date_updated,
            date_of_birth: contact.date_of_birth.map(Birthday),
            search_after,
        }
    }
}

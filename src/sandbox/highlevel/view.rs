//! A contact as each kind of answer shows it. The answers differ in their fields, and empty ones
//! are `null`, as the live API does although its specification calls nothing nullable.
//!
//! `validEmail`, `sessionSource` and the like are in no specification: a client must bear fields
//! it does not know.

use serde::Serialize;

use super::model::{AdditionalEmail, Contact, CustomValue, DndSettings};
use super::when::{Birthday, Millis};
use crate::sandbox::here;

/// `{"contact": …}`
#[derive(Debug, Serialize)]
pub struct One<T> {
    /// The contact.
    pub contact: T,
}

/// Where a contact came from. `url` is left out, which the live API does too (GH#289).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Attribution {
    session_source: &'static str,
    medium: &'static str,
    medium_id: Option<&'static str>,
}

const MANUAL: Attribution =
    Attribution { session_source: "CRM UI", medium: "manual", medium_id: None };

/// `GET /contacts/{contactId}`, and the answers of update and upsert.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ById<'a> {
    id: &'a str,
    name: Option<String>,
    location_id: &'static str,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    email: Option<&'a str>,
    email_lower_case: Option<&'a str>,
    timezone: Option<&'a str>,
    company_name: Option<&'a str>,
    phone: Option<&'a str>,
    dnd: bool,
    dnd_settings: &'a DndSettings,
    #[serde(rename = "type")]
    kind: &'a str,
    source: Option<&'a str>,
    assigned_to: Option<&'a str>,
    address1: Option<&'a str>,
    city: Option<&'a str>,
    state: Option<&'a str>,
    country: Option<&'a str>,
    postal_code: Option<&'a str>,
    website: Option<&'a str>,
    tags: &'a [String],
    date_of_birth: Option<Birthday>,
    date_added: Millis,
    date_updated: Millis,
    first_name_lower_case: Option<&'a str>,
    full_name_lower_case: Option<&'a str>,
    last_name_lower_case: Option<&'a str>,
    custom_fields: &'a [CustomValue],
    additional_emails: &'a [AdditionalEmail],
    business_id: Option<&'a str>,
    attribution_source: Attribution,
    valid_email: Option<bool>,
    /// Not in the specification of this answer; shown once it is set.
    #[serde(skip_serializing_if = "is_false")]
    bounce_email: bool,
    #[serde(skip_serializing_if = "is_false")]
    unsubscribe_email: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl<'a> From<&'a Contact> for ById<'a> {
    fn from(contact: &'a Contact) -> Self {
        Self {
            id: &contact.id,
            name: contact.name(),
            location_id: here::account().location,
            first_name: contact.first_name.as_deref(),
            last_name: contact.last_name.as_deref(),
            email: contact.email.as_deref(),
            email_lower_case: contact.lower.email.as_deref(),
            timezone: contact.timezone.as_deref(),
            company_name: contact.company_name.as_deref(),
            phone: contact.phone.as_deref(),
            dnd: contact.dnd,
            dnd_settings: &contact.dnd_settings,
            kind: &contact.kind,
            source: contact.source.as_deref(),
            assigned_to: contact.assigned_to.as_deref(),
            address1: contact.address1.as_deref(),
            city: contact.city.as_deref(),
            state: contact.state.as_deref(),
            country: contact.country.as_deref(),
            postal_code: contact.postal_code.as_deref(),
            website: contact.website.as_deref(),
            tags: &contact.tags,
            date_of_birth: contact.date_of_birth.map(Birthday),
            date_added: contact.date_added,
            date_updated: contact.date_updated,
            first_name_lower_case: contact.lower.first_name.as_deref(),
            full_name_lower_case: contact.lower.full_name.as_deref(),
            last_name_lower_case: contact.lower.last_name.as_deref(),
            custom_fields: &contact.custom_fields,
            additional_emails: &contact.additional_emails,
            business_id: contact.business_id.as_deref(),
            attribution_source: MANUAL,
            valid_email: None,
            bounce_email: contact.bounce_email,
            unsubscribe_email: contact.unsubscribe_email,
        }
    }
}

/// The answer of a create: no name, birthday parts, and the two mail flags.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "it is HighLevel's shape")]
pub struct Created<'a> {
    id: &'a str,
    date_added: Millis,
    date_updated: Millis,
    deleted: bool,
    tags: &'a [String],
    #[serde(rename = "type")]
    kind: &'a str,
    custom_fields: &'a [CustomValue],
    location_id: &'static str,
    first_name: Option<&'a str>,
    first_name_lower_case: Option<&'a str>,
    full_name_lower_case: Option<&'a str>,
    last_name: Option<&'a str>,
    last_name_lower_case: Option<&'a str>,
    email: Option<&'a str>,
    email_lower_case: Option<&'a str>,
    bounce_email: bool,
    unsubscribe_email: bool,
    dnd: bool,
    dnd_settings: &'a DndSettings,
    phone: Option<&'a str>,
    address1: Option<&'a str>,
    city: Option<&'a str>,
    state: Option<&'a str>,
    country: Option<&'a str>,
    postal_code: Option<&'a str>,
    website: Option<&'a str>,
    source: Option<&'a str>,
    company_name: Option<&'a str>,
    date_of_birth: Option<Birthday>,
    birth_month: Option<u32>,
    birth_day: Option<u32>,
    last_session_activity_at: Millis,
    offers: [String; 0],
    products: [String; 0],
    business_id: Option<&'a str>,
    assigned_to: Option<&'a str>,
}

impl<'a> From<&'a Contact> for Created<'a> {
    fn from(contact: &'a Contact) -> Self {
        use chrono::Datelike;
        Self {
            id: &contact.id,
            date_added: contact.date_added,
            date_updated: contact.date_updated,
            deleted: false,
            tags: &contact.tags,
            kind: &contact.kind,
            custom_fields: &contact.custom_fields,
            location_id: here::account().location,
            first_name: contact.first_name.as_deref(),
            first_name_lower_case: contact.lower.first_name.as_deref(),
            full_name_lower_case: contact.lower.full_name.as_deref(),
            last_name: contact.last_name.as_deref(),
            last_name_lower_case: contact.lower.last_name.as_deref(),
            email: contact.email.as_deref(),
            email_lower_case: contact.lower.email.as_deref(),
            bounce_email: contact.bounce_email,
            unsubscribe_email: contact.unsubscribe_email,
            dnd: contact.dnd,
            dnd_settings: &contact.dnd_settings,
            phone: contact.phone.as_deref(),
            address1: contact.address1.as_deref(),
            city: contact.city.as_deref(),
            state: contact.state.as_deref(),
            country: contact.country.as_deref(),
            postal_code: contact.postal_code.as_deref(),
            website: contact.website.as_deref(),
            source: contact.source.as_deref(),
            company_name: contact.company_name.as_deref(),
            date_of_birth: contact.date_of_birth.map(Birthday),
            birth_month: contact.date_of_birth.map(|date| date.month()),
            birth_day: contact.date_of_birth.map(|date| date.day()),
            last_session_activity_at: contact.date_updated,
            offers: [],
            products: [],
            business_id: contact.business_id.as_deref(),
            assigned_to: contact.assigned_to.as_deref(),
        }
    }
}

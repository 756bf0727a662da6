//! What is sent to create and to update a contact.
//!
//! One shape serves both, with every member optional: an update leaves out what
//! `UpdateContactDto` lacks (`locationId`, `companyName`, `gender`), and both leave out `dnd`, which
//! would silence calls and SMS too. `tags` go with a create only, since an update's would replace
//! the whole set.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::unified::{Assign, ContactDraft, ContactEdit, EmailDnd};

use super::body;
use super::custom::{self, CustomField};

/// `CreateContactDto` and `UpdateContactDto`. What is to be cleared is sent as null.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Contact<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    location_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Assign::is_keep", serialize_with = "assigned")]
    email: Assign<&'a str>,
    #[serde(skip_serializing_if = "Assign::is_keep", serialize_with = "assigned")]
    phone: Assign<&'a str>,
    #[serde(skip_serializing_if = "Assign::is_keep", serialize_with = "assigned")]
    first_name: Assign<&'a str>,
    #[serde(skip_serializing_if = "Assign::is_keep", serialize_with = "assigned")]
    last_name: Assign<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company_name: Option<&'a str>,
    /// `1990-09-25`, one of the documented forms.
    #[serde(skip_serializing_if = "Assign::is_keep", serialize_with = "assigned")]
    date_of_birth: Assign<String>,
    #[serde(skip_serializing_if = "Assign::is_keep", serialize_with = "assigned")]
    address1: Assign<&'a str>,
    #[serde(skip_serializing_if = "Assign::is_keep", serialize_with = "assigned")]
    city: Assign<&'a str>,
    #[serde(skip_serializing_if = "Assign::is_keep", serialize_with = "assigned")]
    state: Assign<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    #[serde(skip_serializing_if = "Assign::is_keep", serialize_with = "assigned")]
    source: Assign<&'a str>,
    #[serde(skip_serializing_if = "Assign::is_keep", serialize_with = "assigned")]
    assigned_to: Assign<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    dnd_settings: BTreeMap<&'a str, Channel<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    custom_fields: Vec<CustomField<'a>>,
}

/// One channel of `DndSettingsSchema`.
#[derive(Serialize)]
struct Channel<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
}

impl<'a> Contact<'a> {
    /// The error names the custom field that cannot be written so.
    pub(super) fn create(location: &'a str, draft: &'a ContactDraft) -> Result<Self, String> {
        let sent = |value: &'a Option<String>| value.as_deref().map_or(Assign::Keep, Assign::Set);
        let address = &draft.address;
        Ok(Self {
            location_id: Some(location),
            email: sent(&draft.email),
            phone: sent(&draft.phone),
            first_name: sent(&draft.first_name),
            last_name: sent(&draft.last_name),
            company_name: draft.company_name.as_deref(),
            date_of_birth: draft.birthday.map_or(Assign::Keep, |day| Assign::Set(day.to_string())),
            address1: sent(&address.line1),
            city: sent(&address.city),
            state: sent(&address.state),
            postal_code: address.postal_code.as_deref(),
            country: address.country.as_deref(),
            source: sent(&draft.source),
            assigned_to: sent(&draft.assigned_to),
            tags: body::lower(&draft.tags),
            dnd_settings: draft.email_dnd.map(|on| ("Email", email(on))).into_iter().collect(),
            custom_fields: custom::encode(&draft.custom_fields)?,
        })
    }

    /// The error names the custom field that cannot be written so.
    pub(super) fn update(edit: &'a ContactEdit) -> Result<Self, String> {
        let sent = |value: &'a Assign<String>| value.as_ref().map(String::as_str);
        Ok(Self {
            email: sent(&edit.email),
            phone: sent(&edit.phone),
            first_name: sent(&edit.first_name),
            last_name: sent(&edit.last_name),
            date_of_birth: edit.birthday.as_ref().map(ToString::to_string),
            address1: sent(&edit.address_line1),
            city: sent(&edit.city),
            state: sent(&edit.state),
            postal_code: edit.postal_code.as_deref(),
            country: edit.country.as_deref(),
            source: sent(&edit.source),
            assigned_to: sent(&edit.assigned_to),
            dnd_settings: edit.email_dnd.as_ref().map(channels).unwrap_or_default(),
            custom_fields: custom::encode(&edit.custom_fields)?,
            ..Self::default()
        })
    }
}

fn assigned<T: Serialize, S: Serializer>(member: &Assign<T>, to: S) -> Result<S::Ok, S::Error> {
    match member {
        Assign::Set(value) => value.serialize(to),
        Assign::Keep | Assign::Clear => to.serialize_none(),
    }
}

fn email(on: bool) -> Channel<'static> {
    Channel { status: if on { "active" } else { "inactive" }, message: None, code: None }
}

/// The e-mail channel and those that are sent back as they were read, all of them on.
fn channels(dnd: &EmailDnd) -> BTreeMap<&str, Channel<'_>> {
    let beside = dnd.beside().map(|(name, setting)| {
        let text = |member: &str| setting.get(member).and_then(Value::as_str);
        (name, Channel { status: "active", message: text("message"), code: text("code") })
    });
    beside.chain([("Email", email(dnd.on()))]).collect()
}

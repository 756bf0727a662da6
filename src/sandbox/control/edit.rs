//! What a person does inside one system (`POST /control/edit`), parsed and checked for shape.
//!
//! Each fake decides which operations it knows and what they do. To add one: a variant of
//! [`Change`] and an arm in each fake.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::sandbox::shared::System;

/// One edit.
#[derive(Clone, Debug, PartialEq)]
pub struct EditOp {
    /// Where the person works.
    pub system: System,
    /// Whose record. `None` where the operation needs none (`deleteField`, `install`, ...).
    pub target: Option<Target>,
    /// What is done.
    pub change: Change,
}

/// Names one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// By e-mail address, compared without case.
    Email(String),
    /// By HighLevel's contact id.
    ContactId(String),
}

/// The operations, named as in the contract's `op`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "op", rename_all = "camelCase", deny_unknown_fields)]
pub enum Change {
    /// Creates the record or sets the given fields (that system's own names); `null` clears.
    Upsert {
        /// By the system's own field names.
        #[serde(default)]
        fields: Map<String, Value>,
        /// Replaces the tags.
        #[serde(default)]
        tags: Option<Vec<String>>,
        /// Also subscribes to this list, by name or id.
        #[serde(default, deserialize_with = "text_or_number")]
        list: Option<String>,
    },
    /// Removes the record.
    Delete {},
    /// Merges the record into another one, which survives.
    Merge {
        /// An e-mail address or a contact id.
        into: String,
    },
    /// Gives the record another address.
    #[serde(rename_all = "camelCase")]
    ChangeEmail {
        /// The new address.
        to: String,
    },
    /// Adds tags.
    Tag {
        /// At least one.
        tags: Vec<String>,
    },
    /// Takes tags away.
    Untag {
        /// At least one.
        tags: Vec<String>,
    },
    /// Writes a note.
    Note {
        /// The text.
        body: String,
    },
    /// Adds a task.
    Task {
        /// What to do.
        title: String,
    },
    /// Books an appointment, or changes or deletes one that is booked.
    #[serde(rename_all = "camelCase")]
    Appointment {
        /// Which one to change; absent: a new one.
        #[serde(default)]
        appointment_id: Option<String>,
        /// Whether it is deleted.
        #[serde(default)]
        delete: bool,
        /// For example `cancelled`.
        #[serde(default)]
        status: Option<String>,
        /// What it is about.
        #[serde(default)]
        title: Option<String>,
        /// RFC 3339; absent: tomorrow.
        #[serde(default)]
        start_time: Option<String>,
        /// RFC 3339; absent: an hour after the start.
        #[serde(default)]
        end_time: Option<String>,
    },
    /// The person opts out.
    Unsubscribe {
        /// Doppler: an `unsubscriptionType`. HighLevel: a channel, `Email` when absent, or `all`.
        #[serde(default, rename = "type")]
        kind: Option<String>,
    },
    /// The person opts in again.
    Resubscribe {},
    /// Joins a list.
    Subscribe {
        /// By name or id.
        #[serde(deserialize_with = "some_text_or_number")]
        list: String,
    },
    /// Opens a campaign.
    #[serde(rename_all = "camelCase")]
    Open {
        /// Absent: the newest campaign sent to the person.
        #[serde(default)]
        campaign_id: Option<u64>,
    },
    /// Clicks in a campaign, which also opens it.
    #[serde(rename_all = "camelCase")]
    Click {
        /// Absent: the newest campaign sent to the person.
        #[serde(default)]
        campaign_id: Option<u64>,
    },
    /// A campaign bounces hard.
    #[serde(rename_all = "camelCase")]
    Bounce {
        /// Absent: the newest campaign sent to the person.
        #[serde(default)]
        campaign_id: Option<u64>,
    },
    /// Removes a custom field from the account or location, with all its values.
    DeleteField {
        /// The field's name or key.
        name: String,
    },
    /// Removes a list, or in HighLevel a tag of the location.
    DeleteList {
        /// By name or id.
        #[serde(deserialize_with = "some_text_or_number")]
        list: String,
    },
    /// Installs the app on the location.
    Install {},
    /// Removes the app from the location.
    Uninstall {
        /// The agency does, so the event names it and no location.
        #[serde(default)]
        agency: bool,
    },
}

impl EditOp {
    /// Reads a posted body; an error is one clear line.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let Value::Object(mut members) = value else {
            return Err("the body must be a JSON object".to_owned());
        };
        let system = members.remove("system").ok_or("`system` is missing")?;
        let system = serde_json::from_value(system)
            .map_err(|_| "`system` must be \"DOPPLER\" or \"HIGHLEVEL\"")?;
        let target = match (text(&mut members, "email")?, text(&mut members, "contactId")?) {
            (Some(_), Some(_)) => return Err("give `email` or `contactId`, not both".to_owned()),
            (Some(email), None) => Some(Target::Email(email)),
            (None, Some(id)) => Some(Target::ContactId(id)),
            (None, None) => None,
        };
        let change =
            serde_json::from_value(Value::Object(members)).map_err(|error| error.to_string())?;
        Ok(Self { system, target, change })
    }
}

fn text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(format!("`{name}` must be a text")),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrNumber {
    Text(String),
    Number(u64),
}

fn some_text_or_number<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match TextOrNumber::deserialize(from)? {
        TextOrNumber::Text(text) => text,
        TextOrNumber::Number(number) => number.to_string(),
    })
}

fn text_or_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    some_text_or_number(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_read() {
        let body = br#"{"system":"DOPPLER","op":"subscribe","email":"a@b.co","list":3}"#;
        let edit = EditOp::parse(body).unwrap();
        assert_eq!(edit.target, Some(Target::Email("a@b.co".to_owned())));
        assert_eq!(edit.change, Change::Subscribe { list: "3".to_owned() });
    }

    #[test]
    fn a_bad_edit_is_one_line() {
        for body in [
            r"[]",
            r#"{"op":"delete"}"#,
            r#"{"system":"BREVO","op":"delete"}"#,
            r#"{"system":"DOPPLER","op":"explode","email":"a@b.co"}"#,
            r#"{"system":"DOPPLER","op":"delete","email":"a@b.co","contactId":"x"}"#,
            r#"{"system":"DOPPLER","op":"delete","email":"a@b.co","fast":true}"#,
            r#"{"system":"DOPPLER","op":"subscribe","email":"a@b.co"}"#,
        ] {
            let error = EditOp::parse(body.as_bytes()).unwrap_err();
            assert!(!error.contains('\n') && !error.is_empty(), "{body}: {error}");
        }
    }
}

//! Custom fields: their definitions and their values.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::System;

/// A field of a system as its owner defined it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FieldDefinition {
    pub system: System,
    /// The stable key: a HighLevel `fieldKey` such as `contact.plan`, or Doppler's field name.
    pub key: String,
    /// HighLevel's field id, by which its values are addressed; `None` for Doppler.
    pub id: Option<String>,
    pub name: String,
    /// The system's own type name (`TEXT`, `MULTIPLE_OPTIONS`, `string`, `country`, …).
    pub kind: String,
    pub options: Vec<String>,
    pub read_only: bool,
    /// Doppler's built-in fields; always false for HighLevel.
    pub predefined: bool,
}

/// The value of a HighLevel custom field, addressed by the field's id.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CustomFieldValue {
    pub id: String,
    pub value: Value,
}

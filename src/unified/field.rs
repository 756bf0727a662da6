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

/// The fields of both systems, as far as they are known.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Definitions {
    /// `None`: could not be read.
    pub doppler: Option<Vec<FieldDefinition>>,
    /// `None`: could not be read.
    pub highlevel: Option<Vec<FieldDefinition>>,
}

impl Definitions {
    /// One system's fields.
    pub fn of(&self, system: System) -> Option<&[FieldDefinition]> {
        match system {
            System::Doppler => self.doppler.as_deref(),
            System::HighLevel => self.highlevel.as_deref(),
        }
    }

    /// A field by its key, in any case.
    pub fn find(&self, system: System, key: &str) -> Lookup<'_> {
        let Some(known) = self.of(system) else { return Lookup::Unknown };
        let found = known.iter().find(|definition| definition.key.eq_ignore_ascii_case(key));
        found.map_or(Lookup::Missing, Lookup::Found)
    }
}

/// What is known of a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lookup<'a> {
    Found(&'a FieldDefinition),
    /// The system has no such field.
    Missing,
    /// The system's fields could not be read.
    Unknown,
}

impl<'a> Lookup<'a> {
    /// The definition, if there is one that is known.
    pub fn found(self) -> Option<&'a FieldDefinition> {
        match self {
            Self::Found(definition) => Some(definition),
            Self::Missing | Self::Unknown => None,
        }
    }
}

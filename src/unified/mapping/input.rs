//! A mapping as a person proposes it. What is left out keeps its present value.

use serde::{Deserialize, Serialize};

use super::{MappingDirection, MappingRule};
use crate::unified::System;

/// A proposed mapping.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MappingInput {
    /// All rows; `None`: as they are.
    pub fields: Option<Vec<FieldInput>>,
    pub tags: Option<TagsInput>,
    pub notes: Option<NotesInput>,
    pub create_in: Option<Vec<CreateRuleInput>>,
}

/// A proposed row. `highlevel` may be left out for a field that every HighLevel contact has.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldInput {
    pub field: String,
    pub doppler: Option<String>,
    pub highlevel: Option<String>,
    pub direction: Option<MappingDirection>,
    pub rule: Option<MappingRule>,
    pub owner: Option<System>,
    pub initial_owner: Option<System>,
    pub expression: Option<String>,
}

/// How tags are to be kept in Doppler.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TagsInput {
    #[serde(rename = "as")]
    pub representation: TagsAs,
    pub field: Option<String>,
    pub separator: Option<String>,
    pub prefix: Option<String>,
}

/// The ways to keep tags in Doppler.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TagsAs {
    Field,
    Lists,
    Off,
}

/// What of notes is to be shown or made.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotesInput {
    pub last_note_field: Option<String>,
    pub note_from_field: Option<String>,
    pub engagement_notes: Option<bool>,
}

/// Who is to be created where.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateRuleInput {
    pub system: System,
    pub when: Option<String>,
    /// The id of a Doppler list.
    pub list: Option<String>,
}

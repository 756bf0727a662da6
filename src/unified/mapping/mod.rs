//! Which field here is which field there, in which direction, and whose value counts.
//!
//! A [`Mapping`] belongs to a workspace and has a revision. [`Mapping::default`] works without any
//! setting; what a person proposes instead is a [`MappingInput`], which [`validate()`] turns into a
//! mapping or into a list of what is wrong with it.

mod input;
mod validate;
mod validate_fields;
#[cfg(test)]
mod validate_tests;

use serde::{Deserialize, Serialize};

use super::System;

pub use input::{CreateRuleInput, FieldInput, MappingInput, NotesInput, TagsAs, TagsInput};
pub use validate::{Ground, validate};

/// A workspace's mapping.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mapping {
    /// Counts up with every change; 0 for the default.
    pub revision: i64,
    pub fields: Vec<FieldMapping>,
    pub tags: TagRepresentation,
    #[serde(default)]
    pub notes: NoteMapping,
    #[serde(default)]
    pub create_in: Vec<CreateRule>,
}

/// One mapped field.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldMapping {
    /// The unified name, such as `firstName` or `address.city`; for a custom field, any name.
    pub field: String,
    /// Doppler's field name; `None`: not kept there.
    pub doppler: Option<String>,
    /// HighLevel's own name: a member of its contact (`firstName`, `address1`) or a custom field's
    /// key (`contact.plan`); `None`: not kept there.
    pub highlevel: Option<String>,
    #[serde(default)]
    pub direction: MappingDirection,
    #[serde(default)]
    pub rule: MappingRule,
    /// Whose value counts in a conflict, and where evidence does not decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<System>,
    /// Whose value counts when the two systems meet for the first time; `None`: the owner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_owner: Option<System>,
    /// A CEL expression that makes the value out of other fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    #[serde(default)]
    pub paused: bool,
}

/// Which way the values of a field travel between the systems.
///
/// A client's edit is no side's value: it is written to every system that has the field.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MappingDirection {
    #[default]
    Both,
    ToDoppler,
    #[serde(rename = "TO_HIGHLEVEL")]
    ToHighLevel,
    /// Not at all; the field is only shown.
    Off,
}

/// Who wins when both systems changed a field.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MappingRule {
    /// The owner's value.
    #[default]
    Owner,
    /// The later change as far as times prove it, else the owner's.
    Newest,
    /// Sets: both.
    Merge,
    /// Nobody, until a person decides.
    Hold,
}

/// How Doppler, which has no tags, represents them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE", tag = "as")]
pub enum TagRepresentation {
    /// One custom text field holds them, joined by the separator.
    Field { field: String, separator: String },
    /// One list a tag, named with the prefix.
    Lists { prefix: String },
    /// Not at all.
    Off,
}

/// What of HighLevel's notes Doppler shows, and what of Doppler becomes a note. Off by default.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NoteMapping {
    /// The Doppler field that shows the last note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_note_field: Option<String>,
    /// The Doppler field each new value of which becomes a note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note_from_field: Option<String>,
    /// Whether opens and clicks become notes.
    #[serde(default)]
    pub engagement_notes: bool,
}

/// Who may be created in a system. Doppler's first matching rule chooses the list; without one,
/// nobody is created there. HighLevel takes everybody unless a rule is given for it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateRule {
    pub system: System,
    /// A CEL condition; `None`: everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The id of a Doppler list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
}

impl FieldMapping {
    /// A field that HighLevel owns, as all do unless a workspace says otherwise.
    pub fn new(
        field: impl Into<String>,
        doppler: impl Into<String>,
        highlevel: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            doppler: Some(doppler.into()),
            highlevel: Some(highlevel.into()),
            direction: MappingDirection::Both,
            rule: MappingRule::Owner,
            owner: Some(System::HighLevel),
            initial_owner: None,
            expression: None,
            paused: false,
        }
    }

    /// The same with another owner.
    #[cfg(test)]
    #[must_use]
    pub fn owned_by(self, owner: System) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// Whose value counts where evidence does not decide.
    pub fn owner(&self) -> System {
        self.owner.unwrap_or(System::HighLevel)
    }

    /// The field's name in a system.
    pub fn name_in(&self, system: System) -> Option<&str> {
        match system {
            System::Doppler => self.doppler.as_deref(),
            System::HighLevel => self.highlevel.as_deref(),
        }
    }
}

impl MappingDirection {
    /// Whether values travel to a system.
    pub fn leads_to(self, system: System) -> bool {
        match self {
            Self::Both => true,
            Self::ToDoppler => system == System::Doppler,
            Self::ToHighLevel => system == System::HighLevel,
            Self::Off => false,
        }
    }
}

impl Mapping {
    /// The row of a unified field; without one, only HighLevel has a say about it.
    pub fn field(&self, field: &str) -> Option<&FieldMapping> {
        self.fields.iter().find(|mapping| mapping.field == field)
    }

    /// The Doppler field that a unified field is kept in.
    pub fn doppler_field(&self, field: &str) -> Option<&str> {
        self.field(field)?.doppler.as_deref()
    }
}

/// HighLevel owns every profile field: it is where people are edited one by one, while a Doppler
/// value mostly dates from a form or an import. `FIRSTNAME`, `LASTNAME`, `BIRTHDAY` and `COUNTRY`
/// are predefined in every Doppler account, the other names are custom fields to be made there;
/// until they are, they are left out. Nobody is created in Doppler, which is a matter of consent.
impl Default for Mapping {
    fn default() -> Self {
        let fields = [
            ("firstName", "FIRSTNAME", "firstName"),
            ("lastName", "LASTNAME", "lastName"),
            ("phone", "PHONE", "phone"),
            ("companyName", "COMPANY", "companyName"),
            ("birthday", "BIRTHDAY", "dateOfBirth"),
            ("country", "COUNTRY", "country"),
            ("address.line1", "ADDRESS", "address1"),
            ("address.city", "CITY", "city"),
            ("address.state", "STATE", "state"),
            ("address.postalCode", "ZIP", "postalCode"),
        ];
        let row = |(field, doppler, highlevel)| FieldMapping::new(field, doppler, highlevel);
        Self {
            revision: 0,
            fields: fields.map(row).to_vec(),
            tags: TagRepresentation::Field { field: "TAGS".to_owned(), separator: ", ".to_owned() },
            notes: NoteMapping::default(),
            create_in: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unified::value::SHAPES;

    #[test]
    fn every_field_that_can_be_mapped_is_mapped_once() {
        let mapping = Mapping::default();
        let mapped: Vec<_> =
            mapping.fields.iter().map(|m| (&*m.field, m.highlevel.as_deref())).collect();
        let known: Vec<_> = SHAPES.iter().map(|shape| (shape.field, Some(shape.name))).collect();
        assert_eq!(mapped, known);
    }

    #[test]
    fn it_is_stored_in_the_words_of_the_schema_and_read_back() {
        let mut mapping = Mapping::default();
        mapping.fields.truncate(1);
        mapping.fields[0].direction = MappingDirection::ToHighLevel;
        mapping.create_in.push(CreateRule {
            system: System::Doppler,
            when: Some("'vip' in tags".to_owned()),
            list: Some("7".to_owned()),
        });
        let text = serde_json::to_string(&mapping).unwrap();
        let row = r#"{"revision":0,"fields":[{"field":"firstName","doppler":"FIRSTNAME","highlevel":"firstName","direction":"TO_HIGHLEVEL","rule":"OWNER","owner":"HIGHLEVEL","paused":false}],"tags":{"as":"FIELD","field":"TAGS","separator":", "},"notes":{"engagementNotes":false},"createIn":[{"system":"DOPPLER","when":"'vip' in tags","list":"7"}]}"#;
        assert_eq!(text, row);
        assert_eq!(serde_json::from_str::<Mapping>(&text).unwrap(), mapping);
    }
}

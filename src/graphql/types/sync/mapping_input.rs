//! A mapping as a client proposes it.

use async_graphql::{ID, InputObject};

use super::enums::{MappingDirection, TagRepresentation};
use crate::contacts::Error;
use crate::graphql::ids::GlobalId;
use crate::graphql::types::{MappingRule, SystemName};
use crate::unified::{self, System};

/// A proposed mapping. What is not given stays as it is.
#[derive(InputObject)]
pub struct MappingInput {
    /// All mapped fields, in place of the present ones.
    fields: Option<Vec<FieldMappingInput>>,
    /// How Doppler is to hold tags.
    tags: Option<TagMappingInput>,
    /// What of notes is to be shown or made.
    notes: Option<NoteMappingInput>,
    /// All rules of who may be created where, in place of the present ones.
    create_in: Option<Vec<CreateRuleInput>>,
}

/// One mapped field.
#[derive(InputObject)]
pub struct FieldMappingInput {
    /// The unified name, for example `firstName`; of a custom field, any name.
    field: String,
    /// Doppler's field name, for example `FIRSTNAME`.
    doppler: Option<String>,
    /// HighLevel's own name or a custom field's key; not needed for a field that every contact has.
    highlevel: Option<String>,
    /// Which way changes go; `BOTH` if not given.
    direction: Option<MappingDirection>,
    /// Who wins when both systems changed it; `OWNER` if not given.
    rule: Option<MappingRule>,
    /// Whose value counts when both changed; as before if not given. A new row that goes both ways needs
    /// it with the rules `OWNER` and `NEWEST`.
    owner: Option<SystemName>,
    /// Whose value counts when the systems meet for the first time; the owner's if not given.
    initial_owner: Option<SystemName>,
    /// A CEL expression that makes the value out of other fields.
    expression: Option<String>,
}

/// How Doppler, which has no tags, is to hold them.
#[derive(InputObject)]
pub struct TagMappingInput {
    /// In which way.
    #[graphql(name = "as")]
    representation: TagRepresentation,
    /// The text field that holds them all.
    field: Option<String>,
    /// What stands between two of them.
    separator: Option<String>,
    /// What the lists' names begin with.
    prefix: Option<String>,
}

/// What of HighLevel's notes Doppler is to show, and what of Doppler is to become a note.
#[derive(InputObject)]
pub struct NoteMappingInput {
    /// The Doppler field that shows the last note.
    last_note_field: Option<String>,
    /// The Doppler field each new value of which becomes a note.
    note_from_field: Option<String>,
    /// Whether opens and clicks become notes.
    engagement_notes: Option<bool>,
}

/// Who may be created in a system.
#[derive(InputObject)]
pub struct CreateRuleInput {
    /// In which.
    system: SystemName,
    /// A CEL condition on the person; everybody if not given.
    when: Option<String>,
    /// The Doppler list that they join.
    list: Option<ID>,
}

impl TryFrom<MappingInput> for unified::MappingInput {
    type Error = Error;

    fn try_from(input: MappingInput) -> Result<Self, Error> {
        let rules = input.create_in.map(|rules| rules.into_iter().map(TryInto::try_into).collect());
        Ok(Self {
            fields: input.fields.map(|rows| rows.into_iter().map(Into::into).collect()),
            tags: input.tags.map(Into::into),
            notes: input.notes.map(Into::into),
            create_in: rules.transpose()?,
        })
    }
}

impl From<FieldMappingInput> for unified::FieldInput {
    fn from(row: FieldMappingInput) -> Self {
        Self {
            field: row.field,
            doppler: row.doppler,
            highlevel: row.highlevel,
            direction: row.direction.map(Into::into),
            rule: row.rule.map(Into::into),
            owner: row.owner.map(System::from),
            initial_owner: row.initial_owner.map(System::from),
            expression: row.expression,
        }
    }
}

impl From<TagMappingInput> for unified::TagsInput {
    fn from(tags: TagMappingInput) -> Self {
        let representation = match tags.representation {
            TagRepresentation::Field => unified::TagsAs::Field,
            TagRepresentation::Lists => unified::TagsAs::Lists,
            TagRepresentation::Off => unified::TagsAs::Off,
        };
        let TagMappingInput { field, separator, prefix, .. } = tags;
        Self { representation, field, separator, prefix }
    }
}

impl From<NoteMappingInput> for unified::NotesInput {
    fn from(notes: NoteMappingInput) -> Self {
        let NoteMappingInput { last_note_field, note_from_field, engagement_notes } = notes;
        Self { last_note_field, note_from_field, engagement_notes }
    }
}

impl TryFrom<CreateRuleInput> for unified::CreateRuleInput {
    type Error = Error;

    fn try_from(rule: CreateRuleInput) -> Result<Self, Error> {
        let list = match rule.list.as_ref().map(|id| GlobalId::decode(id)) {
            None => None,
            Some(Some(GlobalId::List(list))) => Some(list.to_string()),
            Some(_) => return Err(Error::invalid("list", "not the id of a list")),
        };
        Ok(Self { system: rule.system.into(), when: rule.when, list })
    }
}

//! Which field here is which field there.

use std::sync::Arc;

use async_graphql::{Context, Object, Result, SimpleObject};

use super::enums::{MappingDirection, TagRepresentation};
use crate::graphql::context::ContextExt;
use crate::graphql::types::{DopplerList, MappingRule, SystemName};
use crate::unified;

/// Which field here is which field there, in which direction, and whose value counts.
pub struct Mapping(pub Arc<unified::Mapping>);

/// Which field here is which field there, in which direction, and whose value counts.
#[Object]
impl Mapping {
    /// Counts up with every change; for `ifRevision` of `updateMapping`.
    async fn revision(&self) -> i32 {
        i32::try_from(self.0.revision).unwrap_or(i32::MAX)
    }

    /// The mapped fields.
    async fn fields(&self) -> Vec<FieldMapping> {
        self.0.fields.iter().cloned().map(Into::into).collect()
    }

    /// How Doppler, which has no tags, holds them.
    async fn tags(&self) -> TagMapping {
        self.0.tags.clone().into()
    }

    /// What of HighLevel's notes Doppler shows, and what of Doppler becomes a note.
    async fn notes(&self) -> NoteMapping {
        self.0.notes.clone().into()
    }

    /// Who may be created in which system. Without a rule nobody is created in Doppler.
    async fn create_in(&self) -> Vec<CreateRule> {
        self.0.create_in.iter().cloned().map(CreateRule).collect()
    }
}

/// One mapped field.
#[derive(SimpleObject)]
pub struct FieldMapping {
    /// The unified name, for example `firstName` or `address.city`; of a custom field, any name.
    field: String,
    /// Doppler's field name, for example `FIRSTNAME`.
    doppler: Option<String>,
    /// HighLevel's own name, for example `firstName`, or a custom field's key, for example
    /// `contact.plan`.
    highlevel: Option<String>,
    /// Which way changes go.
    direction: MappingDirection,
    /// Who wins when both systems changed it.
    rule: MappingRule,
    /// Whose value counts under the rule `OWNER`, and where times do not decide.
    owner: Option<SystemName>,
    /// Whose value counts when the systems meet for the first time; the owner's if null.
    initial_owner: Option<SystemName>,
    /// A CEL expression that makes the value out of other fields.
    expression: Option<String>,
    /// Whether the field is left alone for now.
    paused: bool,
}

/// How Doppler, which has no tags, holds them.
#[derive(SimpleObject)]
pub struct TagMapping {
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

/// What of HighLevel's notes Doppler shows, and what of Doppler becomes a note.
#[derive(SimpleObject)]
pub struct NoteMapping {
    /// The Doppler field that shows the last note.
    last_note_field: Option<String>,
    /// The Doppler field each new value of which becomes a note.
    note_from_field: Option<String>,
    /// Whether opens and clicks become notes.
    engagement_notes: bool,
}

/// Who may be created in a system.
pub struct CreateRule(unified::CreateRule);

/// Who may be created in a system.
#[Object]
impl CreateRule {
    /// In which.
    async fn system(&self) -> SystemName {
        self.0.system.into()
    }

    /// A CEL condition on the person; everybody if null.
    async fn when(&self) -> Option<&str> {
        self.0.when.as_deref()
    }

    /// The Doppler list that they join.
    async fn list(&self, context: &Context<'_>) -> Result<Option<DopplerList>> {
        let Some(wanted) = self.0.list.as_deref() else { return Ok(None) };
        let lists = context.reader()?.lists().await?;
        let found = lists.iter().find(|list| list.id.to_string() == wanted);
        Ok(found.map(|list| DopplerList(list.clone())))
    }
}

impl From<unified::FieldMapping> for FieldMapping {
    fn from(row: unified::FieldMapping) -> Self {
        Self {
            field: row.field,
            doppler: row.doppler,
            highlevel: row.highlevel,
            direction: row.direction.into(),
            rule: row.rule.into(),
            owner: row.owner.map(Into::into),
            initial_owner: row.initial_owner.map(Into::into),
            expression: row.expression,
            paused: row.paused,
        }
    }
}

impl From<unified::TagRepresentation> for TagMapping {
    fn from(tags: unified::TagRepresentation) -> Self {
        let none =
            |representation| Self { representation, field: None, separator: None, prefix: None };
        match tags {
            unified::TagRepresentation::Field { field, separator } => Self {
                field: Some(field),
                separator: Some(separator),
                ..none(TagRepresentation::Field)
            },
            unified::TagRepresentation::Lists { prefix } => {
                Self { prefix: Some(prefix), ..none(TagRepresentation::Lists) }
            }
            unified::TagRepresentation::Off => none(TagRepresentation::Off),
        }
    }
}

impl From<unified::NoteMapping> for NoteMapping {
    fn from(notes: unified::NoteMapping) -> Self {
        let unified::NoteMapping { last_note_field, note_from_field, engagement_notes } = notes;
        Self { last_note_field, note_from_field, engagement_notes }
    }
}

//! Which field here is which field there, and who owns it.
//!
//! These are the rows that reading needs; a workspace's own mapping, with directions and
//! expressions, builds on the same rows.

use super::System;

/// A workspace's mapping.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mapping {
    pub fields: Vec<FieldRule>,
    pub tags: TagRepresentation,
}

/// One mapped field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldRule {
    /// The unified name, such as `firstName` or `address.city`.
    pub field: &'static str,
    /// Doppler's field name.
    pub doppler: String,
    pub rule: MappingRule,
    pub owner: System,
}

/// Who wins when the systems disagree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MappingRule {
    /// The owner's value.
    Owner,
    /// Sets: both.
    Merge,
}

/// How Doppler, which has no tags, represents them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TagRepresentation {
    /// One custom text field holds them, joined by the separator.
    Field { field: String, separator: String },
    /// One list a tag, named with the prefix.
    Lists { prefix: String },
    /// Not at all.
    Off,
}

impl FieldRule {
    /// A field that HighLevel owns, as all do unless a workspace says otherwise.
    pub fn new(field: &'static str, doppler: impl Into<String>) -> Self {
        Self { field, doppler: doppler.into(), rule: MappingRule::Owner, owner: System::HighLevel }
    }

    /// The same with another owner, which is what a workspace's own mapping will say.
    #[cfg(test)]
    #[must_use]
    pub fn owned_by(self, owner: System) -> Self {
        Self { owner, ..self }
    }
}

impl Mapping {
    /// The row of a unified field; without one, only HighLevel has a say about it.
    pub fn field(&self, field: &str) -> Option<&FieldRule> {
        self.fields.iter().find(|rule| rule.field == field)
    }
}

/// HighLevel owns every profile field: it is where people are edited one by one, while a Doppler
/// value mostly dates from a form or an import. `FIRSTNAME`, `LASTNAME`, `BIRTHDAY` and `COUNTRY`
/// are predefined in every Doppler account, the other names are custom fields to be made there.
impl Default for Mapping {
    fn default() -> Self {
        let fields = [
            ("firstName", "FIRSTNAME"),
            ("lastName", "LASTNAME"),
            ("phone", "PHONE"),
            ("companyName", "COMPANY"),
            ("birthday", "BIRTHDAY"),
            ("country", "COUNTRY"),
            ("address.line1", "ADDRESS"),
            ("address.city", "CITY"),
            ("address.state", "STATE"),
            ("address.postalCode", "ZIP"),
        ];
        Self {
            fields: fields.map(|(field, doppler)| FieldRule::new(field, doppler)).to_vec(),
            tags: TagRepresentation::Field { field: "TAGS".to_owned(), separator: ", ".to_owned() },
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
        let mapped: Vec<_> = mapping.fields.iter().map(|rule| rule.field).collect();
        let known: Vec<_> = SHAPES.iter().map(|shape| shape.field).collect();
        assert_eq!(mapped, known);
    }
}

//! Which field here is which field there, and who owns it.
//!
//! These are the defaults that reading needs; a workspace's own mapping, with directions and
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

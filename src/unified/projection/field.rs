//! A mapped field with its place in both systems.

use std::borrow::Cow;

use super::Slot;
use crate::unified::value::{shape, shape_named};
use crate::unified::{
    Definitions, FieldMapping, Kind, Lookup, Mapping, MappingDirection, MappingRule, System,
};

/// A mapped field with its place in both systems.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    pub mapping: Cow<'a, FieldMapping>,
    /// What its values are, whatever each system makes of them.
    pub kind: Kind,
    pub doppler: Option<Slot<'a>>,
    pub highlevel: Option<Slot<'a>>,
    /// Where the mapping names a field that cannot be used.
    pub missing: Vec<(System, Missing)>,
}

/// Why a field cannot be used in a system.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Missing {
    /// The system has no such field (any more).
    Gone,
    /// The system's fields could not be read.
    Unknown,
}

impl<'a> Field<'a> {
    /// The person's address, which both systems have whatever the mapping says.
    pub fn email() -> Self {
        let mapping = FieldMapping::new("email", "EMAIL", "email");
        Self {
            mapping: Cow::Owned(mapping),
            kind: Kind::Email,
            doppler: Some(Slot::address()),
            highlevel: Slot::email(),
            missing: Vec::new(),
        }
    }

    /// Looks the places of a row up.
    pub fn resolve(mapping: &'a FieldMapping, definitions: &'a Definitions) -> Self {
        Self::with(Cow::Borrowed(mapping), definitions)
    }

    /// A field by name: a row of the mapping, or something that only one system has: a member of
    /// HighLevel's contact that is not mapped, or a custom field by its key. `None`: no such field.
    pub fn find(name: &str, mapping: &'a Mapping, definitions: &'a Definitions) -> Option<Self> {
        if name == "email" {
            return Some(Self::email());
        }
        if let Some(row) = mapping.field(name) {
            return Some(Self::resolve(row, definitions));
        }
        let alone = |doppler: Option<&str>, highlevel: Option<&str>| {
            let row = FieldMapping {
                doppler: doppler.map(str::to_owned),
                highlevel: highlevel.map(str::to_owned),
                direction: MappingDirection::Off,
                rule: MappingRule::Owner,
                ..FieldMapping::new(name, "", "")
            };
            Self::with(Cow::Owned(row), definitions)
        };
        if let Some(shape) = shape(name) {
            return Some(alone(None, Some(shape.name)));
        }
        // A mapped field may be called by its key in either system.
        let mapped = mapping.fields.iter().find(|row| {
            [&row.highlevel, &row.doppler].into_iter().any(|key| key.as_deref() == Some(name))
        });
        if let Some(row) = mapped {
            return Some(Self::resolve(row, definitions));
        }
        let found = |system| definitions.find(system, name).found();
        if let Some(definition) = found(System::HighLevel) {
            return Some(alone(None, Some(&definition.key)));
        }
        found(System::Doppler).map(|definition| alone(Some(&definition.key), None))
    }

    fn with(mapping: Cow<'a, FieldMapping>, definitions: &'a Definitions) -> Self {
        let mut missing = Vec::new();
        let mut look = |system: System, name: Option<&str>| {
            let name = name?;
            if system == System::HighLevel
                && let Some(shape) = shape_named(name)
            {
                return Slot::member(shape);
            }
            match definitions.find(system, name) {
                Lookup::Found(definition) => return Some(Slot::defined(definition)),
                Lookup::Missing => missing.push((system, Missing::Gone)),
                Lookup::Unknown => missing.push((system, Missing::Unknown)),
            }
            None
        };
        let doppler = look(System::Doppler, mapping.doppler.as_deref());
        let highlevel = look(System::HighLevel, mapping.highlevel.as_deref());
        let own = shape(&mapping.field).map(|shape| shape.kind);
        let kind = own.unwrap_or_else(|| match (&doppler, &highlevel) {
            (Some(doppler), Some(highlevel)) => joint_kind(doppler.kind(), highlevel.kind()),
            (Some(slot), None) | (None, Some(slot)) => slot.kind(),
            (None, None) => Kind::Text,
        });
        Self { mapping, kind, doppler, highlevel, missing }
    }

    /// The unified name.
    pub fn name(&self) -> &str {
        &self.mapping.field
    }

    /// Its place in a system.
    pub fn slot(&self, system: System) -> Option<&Slot<'a>> {
        match system {
            System::Doppler => self.doppler.as_ref(),
            System::HighLevel => self.highlevel.as_ref(),
        }
    }
}

/// Whether two kinds can be kept in step: one of them is text, or both are the same.
pub fn kinds_agree(a: Kind, b: Kind) -> bool {
    a == b || a == Kind::Text || b == Kind::Text
}

/// The more particular of two kinds.
fn joint_kind(a: Kind, b: Kind) -> Kind {
    match (a, b) {
        (Kind::Text, other) | (other, Kind::Text) => other,
        (a, b) if a == b => a,
        _ => Kind::Text,
    }
}

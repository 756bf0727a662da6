//! The rows of a proposed mapping.

use std::collections::HashMap;

use super::validate::{Ground, Problems, faults, filled};
use super::{FieldInput, FieldMapping, Mapping, MappingDirection, MappingRule, TagRepresentation};
use crate::unified::projection::{Slot, kinds_agree};
use crate::unified::value::{shape, shape_named};
use crate::unified::{CustomKind, Kind, Lookup, System, UserErrorCode, Writable};

/// Names that are no row's: both systems have them whatever the mapping says.
const RESERVED: [&str; 5] = ["email", "tags", "status", "lists", "fields"];

/// The rows that a proposal makes.
pub(super) fn all(
    inputs: &[FieldInput],
    present: &Mapping,
    (ground, problems): (Ground<'_>, &mut Problems),
) -> Vec<FieldMapping> {
    let mut rows = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        let row = row(input, present, ground);
        name(&row, at, problems);
        places(&row, at, (ground, problems));
        rule(&row, at, (ground, problems));
        rows.push(row);
    }
    rows
}

/// The row with what was left out filled in: from the present row of that name, if there is one.
fn row(input: &FieldInput, present: &Mapping, ground: Ground<'_>) -> FieldMapping {
    let old = present.field(&input.field);
    let exact = |system: System, name: Option<String>| {
        let name = name?;
        let found = ground.definitions.find(system, &name).found();
        Some(found.map_or(name, |definition| definition.key.clone()))
    };
    let own = shape(&input.field).map(|shape| shape.name.to_owned());
    let highlevel = filled(input.highlevel.as_ref()).or(own);
    FieldMapping {
        field: input.field.trim().to_owned(),
        doppler: exact(System::Doppler, filled(input.doppler.as_ref())),
        highlevel: exact(System::HighLevel, highlevel),
        direction: input.direction.or(old.map(|old| old.direction)).unwrap_or_default(),
        rule: input.rule.or(old.map(|old| old.rule)).unwrap_or_default(),
        owner: input.owner.or(old.and_then(|old| old.owner)),
        initial_owner: input.initial_owner.or(old.and_then(|old| old.initial_owner)),
        expression: filled(input.expression.as_ref()),
        paused: old.is_some_and(|old| old.paused),
    }
}

fn name(row: &FieldMapping, at: usize, problems: &mut Problems) {
    let path = format!("fields.{at}.field");
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let begins = row.field.starts_with(|c: char| c.is_ascii_alphabetic());
    if !begins || row.field.len() > 100 || !row.field.chars().all(plain) {
        let message = "call the field by letters, digits, `_` and `.`, beginning with a letter";
        problems.invalid(&path, message);
    } else if RESERVED.contains(&row.field.as_str()) {
        problems
            .invalid(&path, format!("{} is kept in step without a row: take it out", row.field));
    }
}

/// Whether both places exist, can be written and go together.
fn places(row: &FieldMapping, at: usize, (ground, problems): (Ground<'_>, &mut Problems)) {
    let mut slots = Vec::new();
    for system in System::ALL {
        let Some(name) = row.name_in(system) else { continue };
        let member = if system == System::Doppler { "doppler" } else { "highlevel" };
        let path = format!("fields.{at}.{member}");
        let system_name = system.name();
        let slot = match shape_named(name).filter(|_| system == System::HighLevel) {
            Some(shape) => Slot::member(shape),
            None => match ground.definitions.find(system, name) {
                Lookup::Unknown => continue,
                Lookup::Missing => {
                    let message = format!(
                        "{system_name} has no field {name}: make it there or choose one that is there"
                    );
                    problems.add(UserErrorCode::NotFound, &path, message);
                    continue;
                }
                Lookup::Found(definition) => {
                    let opaque = system == System::HighLevel
                        && CustomKind::of(&definition.kind) == CustomKind::Opaque;
                    if opaque {
                        let message = format!(
                            "HighLevel's fields of the type {} cannot be kept in step: choose another",
                            definition.kind
                        );
                        problems.add(UserErrorCode::NotSupported, &path, message);
                        continue;
                    }
                    Some(Slot::of(definition))
                }
            },
        };
        let Some(slot) = slot else { continue };
        let written = row.direction.leads_to(system);
        if written && slot.capability.writable == Writable::Never {
            let reason = slot.capability.reason.unwrap_or("it is read-only");
            let message = format!("{reason}: choose another field or turn the direction round");
            problems.invalid(&path, message);
        }
        slots.push(slot);
    }
    if let [doppler, highlevel] = slots.as_slice()
        && !kinds_agree(doppler.kind(), highlevel.kind())
    {
        let message = format!(
            "the two fields hold different things ({} and {}): choose fields of the same type, or \
             a text field on one side",
            words(doppler.kind()),
            words(highlevel.kind())
        );
        problems.invalid(&format!("fields.{at}"), message);
    }
    if row.doppler.is_none() && row.highlevel.is_none() {
        problems.invalid(&format!("fields.{at}"), "name a field of at least one system");
    }
}

const fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Email => "e-mail addresses",
        Kind::Phone => "phone numbers",
        Kind::Date => "dates",
        Kind::Country => "countries",
        Kind::Number => "numbers",
        Kind::Boolean => "true or false",
        Kind::Gender => "genders",
        Kind::Options => "options",
    }
}

/// Whether the rule has what it needs.
fn rule(row: &FieldMapping, at: usize, (ground, problems): (Ground<'_>, &mut Problems)) {
    let both = row.doppler.is_some() && row.highlevel.is_some();
    let needs_owner = matches!(row.rule, MappingRule::Owner | MappingRule::Newest)
        && row.direction == MappingDirection::Both
        && both
        && row.expression.is_none();
    if needs_owner && row.owner.is_none() {
        let message = "say whose value counts (DOPPLER or HIGHLEVEL) when both changed; the rule \
                       needs it";
        problems.invalid(&format!("fields.{at}.owner"), message);
    }
    let sets = [System::Doppler, System::HighLevel].into_iter().any(|system| {
        let definition =
            row.name_in(system).and_then(|n| ground.definitions.find(system, n).found());
        definition.is_some_and(|definition| Slot::of(definition).kind() == Kind::Options)
    });
    if row.rule == MappingRule::Merge && ground.definitions.highlevel.is_some() && !sets {
        let message = "only lists of options can be merged: choose OWNER, NEWEST or HOLD";
        problems.invalid(&format!("fields.{at}.rule"), message);
    }
    if row.expression.is_some() && row.direction == MappingDirection::Both && both {
        let message = "a value that is worked out is written to one system: choose TO_DOPPLER or \
                       TO_HIGHLEVEL, or name one field only";
        problems.invalid(&format!("fields.{at}.direction"), message);
    }
}

/// No field of a system may be written by two rows, and no name stands for two rows.
pub(super) fn taken_twice(mapping: &Mapping, problems: &mut Problems) {
    let mut taken: HashMap<(&str, String), String> = HashMap::new();
    let mut take = |system: &'static str, name: &str, path: String, problems: &mut Problems| {
        if let Some(other) = taken.get(&(system, name.to_lowercase())) {
            let message = format!("{name} is already used by {other}: use each field once");
            problems.add(UserErrorCode::Duplicate, &path, message);
        } else {
            taken.insert((system, name.to_lowercase()), path);
        }
    };
    for (at, row) in mapping.fields.iter().enumerate() {
        take("name", &row.field, format!("fields.{at}.field"), problems);
        if let Some(name) = &row.doppler {
            take("Doppler", name, format!("fields.{at}.doppler"), problems);
        }
        if let Some(name) = &row.highlevel {
            take("HighLevel", name, format!("fields.{at}.highlevel"), problems);
        }
    }
    if let TagRepresentation::Field { field, .. } = &mapping.tags {
        take("Doppler", field, "tags.field".to_owned(), problems);
    }
    if let Some(field) = &mapping.notes.last_note_field {
        take("Doppler", field, "notes.lastNoteField".to_owned(), problems);
    }
    if let Some(field) = &mapping.notes.note_from_field {
        take("Doppler", field, "notes.noteFromField".to_owned(), problems);
    }
}

/// What is wrong with the rows' expressions.
pub(super) fn expressions(mapping: &Mapping, problems: &mut Problems) {
    for (at, row) in mapping.fields.iter().enumerate() {
        if let Some(source) = &row.expression {
            faults(source, &format!("fields.{at}.expression"), mapping, problems);
        }
    }
}

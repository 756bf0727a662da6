//! Whether a proposed mapping can work, against the fields and lists that both systems have.
//!
//! Everything that is wrong is told at once, with the path of the input's member and what to do. To
//! add a check: in the file of the part that it is about.

use super::{CreateRuleInput, FieldMapping, Mapping, MappingInput, NotesInput, TagsAs, TagsInput};
use super::{NoteMapping, TagRepresentation};
use crate::unified::{
    Definitions, FieldDefinition, List, Lookup, System, UserError, UserErrorCode, expression,
};

use super::validate_fields;

/// What a mapping is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    pub definitions: &'a Definitions,
    /// `None`: could not be read, so that a list's id is taken as it is.
    pub lists: Option<&'a [List]>,
}

/// The mapping that a proposal makes of the present one, with the next revision; or what is wrong.
pub fn validate(
    input: &MappingInput,
    present: &Mapping,
    ground: Ground<'_>,
) -> Result<Mapping, Vec<UserError>> {
    let mut problems = Problems(Vec::new());
    let mut mapping = present.clone();
    mapping.revision += 1;
    if let Some(fields) = &input.fields {
        mapping.fields = validate_fields::all(fields, present, (ground, &mut problems));
    }
    if let Some(tags) = &input.tags {
        mapping.tags = tag_representation(tags, &mapping, (ground, &mut problems));
    }
    if let Some(notes) = &input.notes {
        mapping.notes = note_mapping(notes, (ground, &mut problems));
    }
    if let Some(rules) = &input.create_in {
        for (at, rule) in rules.iter().enumerate() {
            create_rule(rule, at, &mapping, (ground, &mut problems));
        }
        let rule = |rule: &CreateRuleInput| super::CreateRule {
            system: rule.system,
            when: filled(rule.when.as_ref()),
            list: filled(rule.list.as_ref()),
        };
        mapping.create_in = rules.iter().map(rule).collect();
    }
    validate_fields::taken_twice(&mapping, &mut problems);
    validate_fields::expressions(&mapping, &mut problems);
    if problems.0.is_empty() { Ok(mapping) } else { Err(problems.0) }
}

/// What is wrong so far.
pub(super) struct Problems(Vec<UserError>);

impl Problems {
    pub fn add(&mut self, code: UserErrorCode, path: &str, message: impl Into<String>) {
        self.0.push(UserError::new(
            code,
            message,
            std::iter::once("mapping").chain(path.split('.')),
        ));
    }

    pub fn invalid(&mut self, path: &str, message: impl Into<String>) {
        self.add(UserErrorCode::Invalid, path, message);
    }
}

/// A text with something in it.
pub(super) fn filled(text: Option<&String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Looks a Doppler text field up that something other than a row wants to write.
fn doppler_text<'a>(
    name: &str,
    path: &str,
    (ground, problems): (Ground<'a>, &mut Problems),
) -> Option<&'a FieldDefinition> {
    match ground.definitions.find(System::Doppler, name) {
        Lookup::Missing => {
            let message = format!(
                "Doppler has no field {name}: make a text field of that name in Doppler first"
            );
            problems.add(UserErrorCode::NotFound, path, message);
            None
        }
        Lookup::Found(definition) if definition.read_only || definition.kind == "email" => {
            problems
                .invalid(path, format!("Doppler's field {name} cannot be written: choose another"));
            None
        }
        Lookup::Found(definition) if definition.kind != "string" => {
            let message = format!(
                "Doppler's field {name} is of the type {}: choose a text field",
                definition.kind
            );
            problems.invalid(path, message);
            None
        }
        Lookup::Found(definition) => Some(definition),
        Lookup::Unknown => None,
    }
}

fn tag_representation(
    tags: &TagsInput,
    present: &Mapping,
    (ground, problems): (Ground<'_>, &mut Problems),
) -> TagRepresentation {
    match tags.representation {
        TagsAs::Off => TagRepresentation::Off,
        TagsAs::Lists => {
            let prefix = tags.prefix.clone().unwrap_or_default();
            if prefix.trim().is_empty() {
                let message = "say how the lists that stand for tags begin, such as `tag: `; without \
                               it every list would be a tag";
                problems.invalid("tags.prefix", message);
            }
            TagRepresentation::Lists { prefix }
        }
        TagsAs::Field => {
            let before = match &present.tags {
                TagRepresentation::Field { field, separator } => Some((field, separator)),
                TagRepresentation::Lists { .. } | TagRepresentation::Off => None,
            };
            let field = filled(tags.field.as_ref()).or(before.map(|(field, _)| field.clone()));
            let separator = tags.separator.clone().or(before.map(|(_, s)| s.clone()));
            let separator = separator.unwrap_or_else(|| ", ".to_owned());
            if separator.trim().is_empty() {
                let message = "choose a separator that is more than white space, such as `, `";
                problems.invalid("tags.separator", message);
            }
            let Some(field) = field else {
                problems.invalid("tags.field", "name the Doppler text field that holds the tags");
                return TagRepresentation::Off;
            };
            let found = doppler_text(&field, "tags.field", (ground, problems));
            let field = found.map_or(field, |definition| definition.key.clone());
            TagRepresentation::Field { field, separator }
        }
    }
}

fn note_mapping(
    notes: &NotesInput,
    (ground, problems): (Ground<'_>, &mut Problems),
) -> NoteMapping {
    let mut place = |name: Option<&String>, path: &str| {
        let name = filled(name)?;
        let found = doppler_text(&name, path, (ground, problems));
        Some(found.map_or(name, |definition| definition.key.clone()))
    };
    NoteMapping {
        last_note_field: place(notes.last_note_field.as_ref(), "notes.lastNoteField"),
        note_from_field: place(notes.note_from_field.as_ref(), "notes.noteFromField"),
        engagement_notes: notes.engagement_notes.unwrap_or_default(),
    }
}

fn create_rule(
    rule: &CreateRuleInput,
    at: usize,
    mapping: &Mapping,
    (ground, problems): (Ground<'_>, &mut Problems),
) {
    let path = |member: &str| format!("createIn.{at}.{member}");
    match (rule.system, filled(rule.list.as_ref()), ground.lists) {
        (System::Doppler, None, _) => {
            let message = "choose the list that new people are put into";
            problems.invalid(&path("list"), message);
        }
        (System::Doppler, Some(list), Some(lists))
            if lists.iter().all(|known| known.id.to_string() != list) =>
        {
            let message = "there is no such list in Doppler: choose one that is there";
            problems.add(UserErrorCode::NotFound, &path("list"), message);
        }
        (System::HighLevel, Some(_), _) => {
            problems.invalid(&path("list"), "HighLevel has no lists: leave it out");
        }
        _ => {}
    }
    if let Some(when) = filled(rule.when.as_ref()) {
        faults(&when, &path("when"), mapping, problems);
    }
}

/// What is wrong with an expression, with where in it.
pub(super) fn faults(source: &str, path: &str, mapping: &Mapping, problems: &mut Problems) {
    let plain = |row: &&FieldMapping| row.expression.is_none();
    let names = mapping.fields.iter().filter(plain).map(|row| row.field.clone());
    let names = names.chain(["email".to_owned()]).collect();
    for fault in expression::check(source, &names) {
        let place = fault
            .position
            .map_or_else(String::new, |(line, column)| format!(" (line {line}, column {column})"));
        problems.invalid(path, format!("the expression is wrong{place}: {}", fault.message));
    }
}

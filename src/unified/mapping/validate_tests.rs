//! What is wrong with a proposal, and where.

use super::*;
use crate::unified::{Definitions, FieldDefinition, List, UserErrorCode};

fn definition(system: System, key: &str, kind: &str) -> FieldDefinition {
    FieldDefinition {
        system,
        key: key.to_owned(),
        id: Some(key.to_owned()),
        name: key.to_owned(),
        kind: kind.to_owned(),
        options: Vec::new(),
        read_only: kind == "email",
        predefined: false,
    }
}

fn definitions() -> Definitions {
    let doppler = [
        ("EMAIL", "email"),
        ("FIRSTNAME", "string"),
        ("BIRTHDAY", "date"),
        ("TAGS", "string"),
        ("Plan", "string"),
        ("SEATS", "number"),
        ("AGREED", "consent"),
    ];
    let highlevel = [
        ("contact.plan", "SINGLE_OPTIONS"),
        ("contact.topics", "MULTIPLE_OPTIONS"),
        ("contact.since", "DATE"),
        ("contact.papers", "FILE_UPLOAD"),
    ];
    Definitions {
        doppler: Some(doppler.map(|(k, t)| definition(System::Doppler, k, t)).to_vec()),
        highlevel: Some(highlevel.map(|(k, t)| definition(System::HighLevel, k, t)).to_vec()),
    }
}

fn row(field: &str, doppler: &str, highlevel: &str) -> FieldInput {
    let name = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    FieldInput {
        field: field.to_owned(),
        doppler: name(doppler),
        highlevel: name(highlevel),
        owner: Some(System::HighLevel),
        ..FieldInput::default()
    }
}

/// The codes and paths of what is wrong.
fn wrong(input: &MappingInput) -> Vec<(UserErrorCode, String)> {
    let lists = [List { id: 7, name: "Newsletter".to_owned(), subscribers_count: None }];
    let ground = Ground { definitions: &definitions(), lists: Some(&lists) };
    let present = Mapping { fields: Vec::new(), ..Mapping::default() };
    match validate(input, &present, ground) {
        Ok(mapping) => {
            assert_eq!(mapping.revision, 1);
            Vec::new()
        }
        Err(problems) => {
            assert!(problems.iter().all(|problem| !problem.message.is_empty()));
            problems.into_iter().map(|p| (p.code, p.field[1..].join("."))).collect()
        }
    }
}

fn rows(rows: Vec<FieldInput>) -> MappingInput {
    MappingInput { fields: Some(rows), ..MappingInput::default() }
}

#[test]
fn what_can_work_is_taken_and_names_get_the_accounts_spelling() {
    let mut derived = row("greeting", "Plan", "");
    derived.expression = Some("'Dear ' + firstName".to_owned());
    derived.direction = Some(MappingDirection::ToDoppler);
    let input = MappingInput {
        fields: Some(vec![row("firstName", "firstname", ""), derived]),
        tags: Some(TagsInput {
            representation: TagsAs::Lists,
            field: None,
            separator: None,
            prefix: Some("tag: ".to_owned()),
        }),
        notes: None,
        create_in: Some(vec![CreateRuleInput {
            system: System::Doppler,
            when: Some("'vip' in tags".to_owned()),
            list: Some("7".to_owned()),
        }]),
    };
    let ground = Ground { definitions: &definitions(), lists: None };
    let present = Mapping { fields: Vec::new(), ..Mapping::default() };
    let mapping = validate(&input, &present, ground).unwrap();
    assert_eq!(mapping.fields[0].doppler.as_deref(), Some("FIRSTNAME"));
    assert_eq!(mapping.fields[0].highlevel.as_deref(), Some("firstName"));
    assert_eq!(wrong(&input), []);
    assert_eq!(wrong(&MappingInput::default()), []);
}

#[test]
fn everything_that_is_wrong_is_told_with_its_place() {
    use UserErrorCode::{Duplicate, Invalid, NotFound, NotSupported};
    let one = |row: FieldInput| wrong(&rows(vec![row]));
    let at = |code, path: &str| vec![(code, path.to_owned())];
    assert_eq!(one(row("plan", "PLANS", "contact.plan")), at(NotFound, "fields.0.doppler"));
    assert_eq!(one(row("plan", "Plan", "contact.plans")), at(NotFound, "fields.0.highlevel"));
    assert_eq!(one(row("plan", "EMAIL", "contact.plan")), at(Invalid, "fields.0.doppler"));
    assert_eq!(one(row("agreed", "AGREED", "contact.plan")), at(Invalid, "fields.0.doppler"));
    assert_eq!(
        one(row("papers", "Plan", "contact.papers")),
        at(NotSupported, "fields.0.highlevel")
    );
    assert_eq!(one(row("since", "SEATS", "contact.since")), at(Invalid, "fields.0"));
    assert_eq!(one(row("email", "Plan", "contact.plan")), at(Invalid, "fields.0.field"));
    assert_eq!(one(row("1st", "Plan", "contact.plan")), at(Invalid, "fields.0.field"));
    assert_eq!(
        one(FieldInput { owner: None, ..row("plan", "Plan", "contact.plan") }),
        at(Invalid, "fields.0.owner")
    );
    let merged =
        FieldInput { rule: Some(MappingRule::Merge), ..row("plan", "Plan", "contact.plan") };
    assert_eq!(one(merged), at(Invalid, "fields.0.rule"));
    let both = FieldInput {
        expression: Some("firstName".to_owned()),
        ..row("plan", "Plan", "contact.plan")
    };
    assert!(one(both).contains(&(Invalid, "fields.0.direction".to_owned())));

    let twice = rows(vec![row("a", "Plan", "contact.plan"), row("b", "plan", "contact.topics")]);
    assert_eq!(wrong(&twice), at(Duplicate, "fields.1.doppler"));
    let tags = rows(vec![row("a", "TAGS", "contact.plan")]);
    assert_eq!(wrong(&tags), at(Duplicate, "tags.field"));
    let expression = FieldInput {
        expression: Some("firstName + surname".to_owned()),
        direction: Some(MappingDirection::ToDoppler),
        ..row("plan", "Plan", "")
    };
    let found = wrong(&rows(vec![row("firstName", "FIRSTNAME", ""), expression]));
    assert_eq!(found, at(Invalid, "fields.1.expression"));
}

#[test]
fn tags_notes_and_create_rules_are_checked_too() {
    use UserErrorCode::{Invalid, NotFound};
    let tags = |representation, field: Option<&str>, separator: Option<&str>| MappingInput {
        tags: Some(TagsInput {
            representation,
            field: field.map(str::to_owned),
            separator: separator.map(str::to_owned),
            prefix: None,
        }),
        ..MappingInput::default()
    };
    let at = |code, path: &str| vec![(code, path.to_owned())];
    assert_eq!(wrong(&tags(TagsAs::Lists, None, None)), at(Invalid, "tags.prefix"));
    assert_eq!(wrong(&tags(TagsAs::Field, Some("LABELS"), None)), at(NotFound, "tags.field"));
    assert_eq!(wrong(&tags(TagsAs::Field, Some("SEATS"), None)), at(Invalid, "tags.field"));
    assert_eq!(wrong(&tags(TagsAs::Field, Some("TAGS"), Some(" "))), at(Invalid, "tags.separator"));
    assert_eq!(wrong(&tags(TagsAs::Off, None, None)), []);

    let notes = NotesInput { last_note_field: Some("NOTE".to_owned()), ..NotesInput::default() };
    let notes = MappingInput { notes: Some(notes), ..MappingInput::default() };
    assert_eq!(wrong(&notes), at(NotFound, "notes.lastNoteField"));

    let rule = |system, list: Option<&str>, when: Option<&str>| MappingInput {
        create_in: Some(vec![CreateRuleInput {
            system,
            when: when.map(str::to_owned),
            list: list.map(str::to_owned),
        }]),
        ..MappingInput::default()
    };
    assert_eq!(wrong(&rule(System::Doppler, None, None)), at(Invalid, "createIn.0.list"));
    assert_eq!(wrong(&rule(System::Doppler, Some("8"), None)), at(NotFound, "createIn.0.list"));
    assert_eq!(wrong(&rule(System::HighLevel, Some("7"), None)), at(Invalid, "createIn.0.list"));
    assert_eq!(
        wrong(&rule(System::Doppler, Some("7"), Some("vip in"))),
        at(Invalid, "createIn.0.when")
    );
}

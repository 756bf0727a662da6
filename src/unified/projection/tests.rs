//! The laws of the projection, for every type on both sides.

use proptest::prelude::*;

use super::*;
use crate::unified::fixture::{contact, subscriber};
use crate::unified::{
    ContactDraft, ContactEdit, CustomFieldValue, CustomValue, Definitions, FieldDefinition,
    FieldMapping, Mapping, System,
};

const DOPPLER: [&str; 7] = ["string", "number", "boolean", "date", "gender", "country", "phone"];
const HIGHLEVEL: [&str; 9] = [
    "TEXT",
    "LARGE_TEXT",
    "NUMERICAL",
    "MONETORY",
    "PHONE",
    "SINGLE_OPTIONS",
    "MULTIPLE_OPTIONS",
    "CHECKBOX",
    "DATE",
];

fn definition(system: System, kind: &str) -> FieldDefinition {
    let options = ["Gold", "Silver, old", "m"].map(str::to_owned).to_vec();
    FieldDefinition {
        system,
        key: kind.to_owned(),
        id: Some(format!("id-{kind}")),
        name: kind.to_owned(),
        kind: kind.to_owned(),
        options: if kind == "SINGLE_OPTIONS" || kind == "CHECKBOX" { options } else { Vec::new() },
        read_only: false,
        predefined: false,
    }
}

fn definitions() -> Definitions {
    Definitions {
        doppler: Some(DOPPLER.map(|kind| definition(System::Doppler, kind)).to_vec()),
        highlevel: Some(HIGHLEVEL.map(|kind| definition(System::HighLevel, kind)).to_vec()),
    }
}

/// Every pair of types, and every member of a contact.
fn mappings() -> Vec<FieldMapping> {
    let pairs = DOPPLER.iter().flat_map(|doppler| {
        HIGHLEVEL.iter().map(move |highlevel| {
            let name = format!("{doppler}.{highlevel}");
            FieldMapping::new(name, *doppler, *highlevel)
        })
    });
    let members = Mapping::default().fields;
    let members = members.into_iter().flat_map(|member| {
        DOPPLER.map(|doppler| FieldMapping { doppler: Some(doppler.to_owned()), ..member.clone() })
    });
    pairs.chain(members).collect()
}

fn value() -> impl Strategy<Value = Canonical> {
    let text = prop_oneof![
        "\\PC{0,20}",
        "[ \t\n]{0,3}",
        "-?0{0,3}[0-9]{1,18}(\\.[0-9]{1,6}0{0,2})?",
        "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9](T00:00:00Z)?",
        "\\+?[0-9 ()-]{5,18}",
        "[a-zA-Z]{2}",
        prop::sample::select(vec![
            "true",
            "FALSE",
            "m",
            "Male",
            "N/A",
            "gold",
            "Gold, silver",
            "1e300",
            "NaN"
        ])
        .prop_map(str::to_owned),
        (395usize..406).prop_map(|length| "ñ".repeat(length)),
    ];
    let set = prop::collection::vec(
        prop_oneof![
            "[a-c]{0,3}",
            "\\PC{0,8}",
            Just("silver, OLD".to_owned()),
            Just("x".repeat(250))
        ],
        0..4,
    );
    prop_oneof![
        1 => Just(Canonical::Null),
        6 => text.prop_map(Canonical::Text),
        2 => set.prop_map(Canonical::Set),
    ]
}

/// What a system holds after the value was written to it, by the same model that is sent.
fn written(slot: &Slot<'_>, kind: Kind, value: &Canonical) -> Canonical {
    if let Place::Doppler { name, .. } = &slot.place {
        let text = slot.doppler_text(value).unwrap();
        return slot.of_subscriber(kind, &subscriber(&[(*name, text.as_str())]));
    }
    let mut draft = ContactDraft::default();
    into_draft(&mut draft, slot, value).unwrap();
    let custom = draft.custom_fields.iter().filter_map(|edit| {
        let value = match edit.value.clone()? {
            CustomValue::Text(text) => serde_json::json!(text),
            CustomValue::Number(number) => serde_json::json!(number),
            CustomValue::Date(day) => serde_json::json!(format!("{day}T00:00:00.000Z")),
            CustomValue::Texts(texts) => serde_json::json!(texts),
        };
        Some(CustomFieldValue { id: edit.id.clone(), value })
    });
    let held = crate::unified::HighLevelContact {
        phone: draft.phone.clone(),
        first_name: draft.first_name.clone(),
        last_name: draft.last_name.clone(),
        company_name: draft.company_name.clone(),
        birthday: draft.birthday,
        address: draft.address.clone(),
        custom_fields: custom.collect(),
        ..contact()
    };
    slot.of_contact(kind, &held).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn projecting_twice_is_projecting_once_and_what_is_written_is_what_was_projected(value in value()) {
        let definitions = definitions();
        for mapping in mappings() {
            let field = Field::resolve(&mapping, &definitions);
            let canon = field.kind.normalize(&value);
            prop_assert_eq!(&field.kind.normalize(&canon), &canon, "{}", field.name());
            for system in System::ALL {
                let slot = field.slot(system).unwrap();
                let Ok(once) = slot.project(field.kind, &canon, false) else { continue };
                let again = slot.project(field.kind, &once, false);
                prop_assert_eq!(again.as_ref(), Ok(&once), "{} in {}", field.name(), system);
                let held = written(slot, field.kind, &canon);
                prop_assert!(field.kind.agrees(&held, &once), "{} in {}: {:?} {:?}", field.name(), system, held, once);
                // Empty stays empty and nothing else becomes so.
                prop_assert_eq!(once.is_empty(), canon.is_empty() || canon.to_string().trim().is_empty());
            }
        }
    }

    #[test]
    fn nothing_that_doppler_cannot_hold_is_cut(length in 401usize..2_000, kind in prop::sample::select(HIGHLEVEL.to_vec())) {
        let definitions = definitions();
        let mapping = FieldMapping::new("long", "string", kind);
        let field = Field::resolve(&mapping, &definitions);
        let long = Canonical::Text("x".repeat(length));
        let misfit = field.doppler.unwrap().project(Kind::Text, &long, true).unwrap_err();
        prop_assert_eq!(&misfit, &Misfit::Overflow { characters: length, limit: 400 });
        prop_assert!(misfit.is_of_the_value());
    }

    #[test]
    fn tags_come_back_in_both_representations(tags in prop::collection::vec("\\PC{0,30}", 0..30)) {
        let field = TagRepresentation::Field { field: "TAGS".to_owned(), separator: ", ".to_owned() };
        let lists = TagRepresentation::Lists { prefix: "tag: ".to_owned() };
        for representation in [field, lists, TagRepresentation::Off] {
            let Ok(once) = project_tags(&tags, &representation) else { continue };
            prop_assert_eq!(project_tags(items(&once), &representation), Ok(once.clone()));
            if representation != TagRepresentation::Off {
                prop_assert!(Kind::Options.agrees(&once, &Kind::Options.normalize(&Canonical::Set(tags.clone()))));
            }
        }
    }
}

#[test]
fn what_a_system_cannot_hold_is_told() {
    let definitions = definitions();
    let text = |text: &str| Canonical::Text(text.to_owned());
    for (doppler, highlevel, value, system) in [
        ("number", "TEXT", "twelve", System::Doppler),
        ("date", "TEXT", "soon", System::Doppler),
        ("date", "TEXT", "2001-02-30", System::Doppler),
        ("boolean", "TEXT", "maybe", System::Doppler),
        ("gender", "TEXT", "x", System::Doppler),
        ("country", "TEXT", "Argentina", System::Doppler),
        ("phone", "TEXT", "5555-1234", System::Doppler),
        ("string", "NUMERICAL", "twelve", System::HighLevel),
        ("string", "DATE", "soon", System::HighLevel),
        ("string", "SINGLE_OPTIONS", "bronze", System::HighLevel),
        ("string", "phone", "11 5555 1234", System::HighLevel),
        ("string", "country", "Argentina", System::HighLevel),
    ] {
        let mapping = FieldMapping::new("f", doppler, highlevel);
        let field = Field::resolve(&mapping, &definitions);
        let value = field.kind.normalize(&text(value));
        let misfit = field.slot(system).unwrap().project(field.kind, &value, true);
        assert!(matches!(misfit, Err(Misfit::Invalid(_))), "{doppler} {highlevel}: {misfit:?}");
    }
    let mapping = FieldMapping::new("f", "string", "SINGLE_OPTIONS");
    let field = Field::resolve(&mapping, &definitions);
    let known = field.highlevel.unwrap().project(field.kind, &text("gold"), true);
    assert_eq!(known, Ok(text("Gold")), "an option gets the spelling of the field's own list");
}

#[test]
fn what_a_system_does_not_let_be_done_is_told_with_the_reason() {
    let (definitions, mapping) = (definitions(), Mapping::default());
    let try_it = |name: &str, value: &Canonical, exists: bool| {
        let field = Field::find(name, &mapping, &definitions).unwrap();
        field.highlevel.unwrap().project(field.kind, value, exists)
    };
    let acme = Canonical::Text("Acme".to_owned());
    assert_eq!(
        try_it("companyName", &acme, true),
        Err(Misfit::Fixed("HighLevel cannot update companyName"))
    );
    assert_eq!(try_it("companyName", &acme, false), Ok(acme.clone()));
    assert!(matches!(try_it("country", &Canonical::Null, true), Err(Misfit::Fixed(_))));
    assert_eq!(try_it("firstName", &Canonical::Null, true), Ok(Canonical::Null));
    assert!(!Misfit::Fixed("").is_of_the_value());

    let email = Field::email();
    let cleared = email.doppler.unwrap().project(Kind::Email, &Canonical::Null, true);
    assert!(matches!(cleared, Err(Misfit::Fixed(_))), "an address cannot be taken away");
}

#[test]
fn an_edit_clears_what_it_is_given_nothing_for() {
    let (definitions, mapping) = (definitions(), Mapping::default());
    let mut edit = ContactEdit::default();
    for name in ["firstName", "birthday", "address.city"] {
        let field = Field::find(name, &mapping, &definitions).unwrap();
        into_edit(&mut edit, &field.highlevel.unwrap(), &Canonical::Null).unwrap();
    }
    assert_eq!(edit.first_name, crate::unified::Assign::Clear);
    assert_eq!(edit.birthday, crate::unified::Assign::Clear);
    assert!(edit.last_name.is_keep() && edit.postal_code.is_none());
}

#[test]
fn a_listing_row_without_a_birthday_does_not_say_that_there_is_none() {
    let (definitions, mapping) = (definitions(), Mapping::default());
    let field = Field::find("birthday", &mapping, &definitions).unwrap();
    let slot = field.highlevel.unwrap();
    assert_eq!(slot.of_contact(field.kind, &contact()), Some(Canonical::Null));
    let row = crate::unified::HighLevelContact { complete: false, ..contact() };
    assert_eq!(slot.of_contact(field.kind, &row), None);
}

//! Whatever is to be written: the body holds to the official schema, and never carries what an
//! update would do harm with.

use chrono::NaiveDate;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::unified::{
    Address, Assign, ContactDraft, ContactEdit, CustomFieldEdit, CustomKind, CustomValue, EmailDnd,
};

use super::super::contact_body::Contact;
use super::super::convert;
use super::super::wire;
use super::openapi::Validator;

const TYPES: [&str; 12] = [
    "TEXT",
    "LARGE_TEXT",
    "PHONE",
    "TIME",
    "SINGLE_OPTIONS",
    "RADIO",
    "NUMERICAL",
    "MONETORY",
    "FLOAT",
    "DATE",
    "CHECKBOX",
    "MULTIPLE_OPTIONS",
];

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,12}"
}

fn assign() -> impl Strategy<Value = Assign<String>> {
    prop_oneof![Just(Assign::Keep), Just(Assign::Clear), text().prop_map(Assign::Set)]
}

fn day() -> impl Strategy<Value = NaiveDate> {
    (1900..2100_i32, 1..=365_u32).prop_map(|(year, day)| NaiveDate::from_yo_opt(year, day).unwrap())
}

fn custom() -> impl Strategy<Value = Vec<CustomFieldEdit>> {
    let field = (prop::sample::select(&TYPES[..]), text(), any::<i64>(), day(), any::<bool>());
    let field = field.prop_map(|(kind, text, number, day, clears)| {
        let value = match CustomKind::of(kind) {
            CustomKind::Number => CustomValue::Number(number.into()),
            CustomKind::Date => CustomValue::Date(day),
            CustomKind::Texts => CustomValue::Texts(vec![text]),
            CustomKind::Text | CustomKind::Opaque => CustomValue::Text(text),
        };
        let value = (!clears).then_some(value);
        CustomFieldEdit { id: "f".to_owned(), kind: kind.to_owned(), value }
    });
    prop::collection::vec(field, 0..4)
}

/// Do-not-disturb of a contact whose channels are anything, channels that no request takes included.
fn dnd() -> impl Strategy<Value = EmailDnd> {
    let status = prop::sample::select(&["active", "inactive", "permanent", "odd"][..]);
    let channel =
        prop::sample::select(&["Call", "Email", "SMS", "WhatsApp", "GMB", "FB", "RCS"][..]);
    let settings = prop::collection::btree_map(channel, (status, prop::option::of(text())), 0..7);
    (any::<bool>(), settings).prop_map(|(on, settings)| {
        let setting = |(status, message)| json!({"status": status, "message": message, "odd": 1});
        let settings: serde_json::Map<String, Value> = settings
            .into_iter()
            .map(|(channel, held)| (channel.to_owned(), setting(held)))
            .collect();
        let read = json!({"id": "c1", "dndSettings": settings});
        let read: wire::Contact = serde_json::from_value(read).unwrap();
        EmailDnd::new(on, &convert::contact(read, "location").unwrap())
    })
}

fn edit() -> impl Strategy<Value = ContactEdit> {
    let texts = prop::collection::vec(assign(), 8);
    let fixed = (prop::option::of(text()), prop::option::of(text()));
    let birthday =
        prop_oneof![Just(Assign::Keep), Just(Assign::Clear), day().prop_map(Assign::Set)];
    (texts, fixed, birthday, prop::option::of(dnd()), custom()).prop_map(
        |(texts, (postal_code, country), birthday, email_dnd, custom_fields)| {
            let mut texts = texts.into_iter();
            let mut next = || texts.next().unwrap();
            ContactEdit {
                email: next(),
                phone: next(),
                first_name: next(),
                last_name: next(),
                address_line1: next(),
                city: next(),
                source: next(),
                assigned_to: next(),
                postal_code,
                country,
                birthday,
                email_dnd,
                custom_fields,
                ..ContactEdit::default()
            }
        },
    )
}

fn draft() -> impl Strategy<Value = ContactDraft> {
    let texts = prop::collection::vec(prop::option::of(text()), 9);
    let tags = prop::collection::vec(text(), 0..3);
    let dnd = prop::option::of(any::<bool>());
    (texts, prop::option::of(day()), tags, dnd, custom()).prop_map(
        |(texts, birthday, tags, email_dnd, custom_fields)| {
            let mut texts = texts.into_iter();
            let mut next = || texts.next().unwrap();
            ContactDraft {
                email: next(),
                phone: next(),
                first_name: next(),
                last_name: next(),
                company_name: next(),
                address: Address {
                    line1: next(),
                    postal_code: next(),
                    country: next(),
                    ..Address::default()
                },
                source: next(),
                assigned_to: None,
                birthday,
                tags,
                email_dnd,
                custom_fields,
            }
        },
    )
}

/// What is wrong with a body by the official schema.
fn violations(method: &str, route: &str, body: &Value) -> Vec<String> {
    Validator::new().check_request(method, route, Some(body))
}

proptest! {
    #[test]
    fn any_update_holds_to_the_schema_and_overwrites_nothing_else(edit in edit()) {
        let body = serde_json::to_value(Contact::update(&edit).unwrap()).unwrap();
        prop_assert_eq!(violations("PUT", "/contacts/{contactId}", &body), Vec::<String>::new());
        for never in ["locationId", "companyName", "gender", "tags", "dnd", "inboundDndSettings"] {
            prop_assert!(body.get(never).is_none(), "{}", never);
        }
        prop_assert_eq!(body == json!({}), edit == ContactEdit::default());
        let channels = body["dndSettings"].as_object();
        let beside = channels.into_iter().flatten().filter(|(channel, _)| *channel != "Email");
        for (channel, setting) in beside {
            prop_assert_eq!(&setting["status"], "active", "{}", channel);
        }
        prop_assert_eq!(channels.is_some(), edit.email_dnd.is_some());
    }

    #[test]
    fn any_create_holds_to_the_schema(draft in draft()) {
        let body = Contact::create("location", &draft).unwrap();
        let body = serde_json::to_value(body).unwrap();
        prop_assert_eq!(violations("POST", "/contacts/", &body), Vec::<String>::new());
        prop_assert!(body.get("dnd").is_none());
        prop_assert_eq!(&body["locationId"], "location");
    }
}

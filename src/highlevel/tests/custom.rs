//! Custom fields, type by type: what is written is taken, and reads back as the same value.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::unified::{
    ContactDraft, ContactEdit, CustomFieldEdit, CustomValue, FieldDefinition, HighLevelId,
};
use crate::upstream::script::call;
use crate::upstream::{Crm as _, Kind};

use super::lab::Lab;
use super::*;

/// Two values of each type, and the shape that each has in a request.
fn samples(kind: &str) -> Vec<(CustomValue, Value)> {
    let text = |text: &str| (CustomValue::Text(text.to_owned()), json!(text));
    let number = |text: &str, shape| (CustomValue::number(text).unwrap(), shape);
    let day = |text: &str| (CustomValue::Date(text.parse::<NaiveDate>().unwrap()), json!(text));
    let texts = |texts: &[&str]| {
        let owned = texts.iter().map(|&text| text.to_owned()).collect();
        (CustomValue::Texts(owned), json!(texts))
    };
    match kind {
        "TEXT" => vec![text("Córdoba"), text("0")],
        "LARGE_TEXT" => vec![text("first line\nsecond, \"quoted\""), text(&"ñ".repeat(5_000))],
        "PHONE" => vec![text("+5491155550101"), text("+34600000000")],
        "SINGLE_OPTIONS" => vec![text("gold"), text("free")],
        "RADIO" => vec![text("chat"), text("email")],
        "NUMERICAL" => vec![number("100", json!(100)), number("-7", json!(-7))],
        "MONETORY" => vec![number("100.5", json!(100.5)), number("12.00", json!(12))],
        "FLOAT" => vec![number("0.25", json!(0.25)), number(" 3 ", json!(3))],
        "DATE" => vec![day("2026-12-31"), day("1969-02-28")],
        "CHECKBOX" => vec![texts(&["offers", "news"]), texts(&["events"])],
        "MULTIPLE_OPTIONS" => vec![texts(&["travel"]), texts(&["music", "sport"])],
        _ => Vec::new(),
    }
}

fn of(field: &FieldDefinition, value: Option<CustomValue>) -> CustomFieldEdit {
    CustomFieldEdit { id: field.id.clone().unwrap(), kind: field.kind.clone(), value }
}

async fn read(client: &Client, id: &HighLevelId, field: &FieldDefinition) -> Option<CustomValue> {
    let contact = client.contact(&call(), id).await.unwrap().unwrap();
    let held = contact.custom_fields.iter().find(|held| Some(&held.id) == field.id.as_ref());
    CustomValue::read(&field.kind, &held?.value)
}

#[tokio::test]
async fn every_type_reads_back_as_it_was_written_and_is_cleared_again() {
    let lab = Lab::start(false).await;
    let (client, call) = (lab.client(|_| {}), call());
    let mut types = Vec::new();
    for field in client.fields(&call).await.unwrap() {
        let samples = samples(&field.kind);
        if samples.is_empty() {
            continue;
        }
        let draft = ContactDraft {
            first_name: Some(field.kind.clone()),
            custom_fields: vec![of(&field, Some(samples[1].0.clone()))],
            ..ContactDraft::default()
        };
        let id = client.create_contact(&call, &draft).await.unwrap().id;
        assert_eq!(read(&client, &id, &field).await.as_ref(), Some(&samples[1].0));
        lab.journal();
        for (value, shape) in samples {
            let edit = ContactEdit {
                custom_fields: vec![of(&field, Some(value.clone()))],
                ..ContactEdit::default()
            };
            client.update_contact(&call, &id, &edit).await.unwrap();
            let sent = lab.journal().pop().unwrap().request_body.unwrap();
            let sent: Value = serde_json::from_str(&sent).unwrap();
            let expected = json!({"customFields": [{"id": field.id, "field_value": shape}]});
            assert_eq!(sent, expected, "{}", field.kind);
            assert_eq!(read(&client, &id, &field).await, Some(value), "{}", field.kind);
        }
        let clear = ContactEdit { custom_fields: vec![of(&field, None)], ..ContactEdit::default() };
        client.update_contact(&call, &id, &clear).await.unwrap();
        assert_eq!(read(&client, &id, &field).await, None, "{}", field.kind);
        types.push(field.kind);
    }
    types.sort();
    let expected = [
        "CHECKBOX",
        "DATE",
        "FLOAT",
        "LARGE_TEXT",
        "MONETORY",
        "MULTIPLE_OPTIONS",
        "NUMERICAL",
        "PHONE",
        "RADIO",
        "SINGLE_OPTIONS",
        "TEXT",
    ];
    assert_eq!(types, expected);
}

#[tokio::test]
async fn what_a_type_does_not_take_is_refused_without_a_call() {
    let lab = Lab::start(false).await;
    let client = lab.client(|_| {});
    let text = || Some(CustomValue::Text("x".to_owned()));
    for (kind, value) in [
        ("FILE_UPLOAD", text()),
        ("FILE_UPLOAD", None),
        ("SIGNATURE", text()),
        ("TEXTBOX_LIST", Some(CustomValue::Texts(vec!["x".to_owned()]))),
        ("SOMETHING_NEW", text()),
        ("NUMERICAL", text()),
        ("DATE", text()),
        ("CHECKBOX", text()),
        ("TEXT", CustomValue::number("1")),
        ("RADIO", Some(CustomValue::Texts(vec!["x".to_owned()]))),
    ] {
        let custom_fields =
            vec![CustomFieldEdit { id: "f1".to_owned(), kind: kind.to_owned(), value }];
        let edit = ContactEdit { custom_fields: custom_fields.clone(), ..ContactEdit::default() };
        let error = client.update_contact(&call(), &"c1".into(), &edit).await.unwrap_err();
        let refused = Kind::Rejected { fields: vec!["f1".to_owned()] };
        assert_eq!((&error.kind, error.in_doubt()), (&refused, false), "{kind}");
        let draft = ContactDraft { custom_fields, ..ContactDraft::default() };
        let error = client.create_contact(&call(), &draft).await.unwrap_err();
        assert_eq!((&error.kind, error.in_doubt()), (&refused, false), "{kind}");
    }
    assert!(lab.journal().is_empty());
}

/// What an encoder that mistook the type would send.
#[tokio::test]
async fn the_fake_takes_no_other_shape_and_the_refused_field_is_named() {
    let lab = Lab::start(false).await;
    let (client, call) = (lab.client(|_| {}), call());
    let fields = client.fields(&call).await.unwrap();
    let draft = ContactDraft { first_name: Some("Ana".to_owned()), ..ContactDraft::default() };
    let contact = client.create_contact(&call, &draft).await.unwrap().id;
    for (right, mistaken, value) in [
        ("NUMERICAL", "TEXT", CustomValue::Text("many".to_owned())),
        ("CHECKBOX", "TEXT", CustomValue::Text("offers".to_owned())),
        ("TEXT", "NUMERICAL", CustomValue::number("7").unwrap()),
        ("DATE", "MULTIPLE_OPTIONS", CustomValue::Texts(vec!["2026-12-31".to_owned()])),
    ] {
        let field = fields.iter().find(|field| field.kind == right).unwrap();
        let good = fields.iter().find(|field| field.kind == "LARGE_TEXT").unwrap();
        let wrong = CustomFieldEdit { kind: mistaken.to_owned(), ..of(field, Some(value)) };
        let custom_fields = vec![of(good, Some(CustomValue::Text("x".to_owned()))), wrong];
        let edit = ContactEdit { custom_fields, ..ContactEdit::default() };
        let error = client.update_contact(&call, &contact, &edit).await.unwrap_err();
        assert_eq!(error.kind, Kind::Rejected { fields: vec![field.id.clone().unwrap()] });
        assert_eq!(read(&client, &contact, good).await, None, "a refused update changes nothing");
    }
}

#[tokio::test]
async fn a_field_that_is_gone_is_not_a_contact_that_is_gone() {
    let lab = Lab::start(false).await;
    let (client, call) = (lab.client(|_| {}), call());
    let draft = ContactDraft { first_name: Some("Ana".to_owned()), ..ContactDraft::default() };
    let contact = client.create_contact(&call, &draft).await.unwrap().id;
    let gone = CustomFieldEdit { id: "zzzz".to_owned(), kind: "TEXT".to_owned(), value: None };
    let edit = ContactEdit { custom_fields: vec![gone], ..ContactEdit::default() };
    let error = client.update_contact(&call, &contact, &edit).await.unwrap_err();
    assert_eq!(error.kind, Kind::Rejected { fields: vec!["zzzz".to_owned()] });
}

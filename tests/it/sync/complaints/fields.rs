//! Custom fields, numbers without an address, and fields that are deleted.

use serde_json::{Value, json};

use super::super::keeping::{keeping, settled, status};
use super::super::{ANA, contact, outcome, subscriber, upsert, with_a_rule};
use super::{comes, edit};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn custom_fields_of_every_type_are_written() {
    let world = World::start().await;
    let values = [
        ("contact.plan", json!("silver")),
        ("contact.birthplace", json!("Salta")),
        ("contact.remarks", json!("Two\nlines")),
        ("contact.orders", json!(13)),
        ("contact.lifetime_value", json!(99.5)),
        ("contact.interests", json!(["sport", "travel"])),
        ("contact.topics", json!(["news"])),
        ("contact.preferred_channel", json!("phone")),
        ("contact.renewal_date", json!("2027-01-31")),
        ("contact.second_phone", json!("+5491155550199")),
        ("contact.score", json!(4.5)),
    ];
    let given: Vec<Value> =
        values.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    let written = upsert(&world, json!({"email": ANA, "customFields": given})).await;
    assert_eq!(written["userErrors"], json!([]), "{written:#}");
    assert_eq!(outcome(&written, "HIGHLEVEL"), "APPLIED", "{written:#}");
    let held = contact(&world, ANA).await.unwrap()["customFields"].clone();
    for (key, value) in &values {
        assert_eq!(held[key], *value, "{key}: {held:#}");
    }
    let cleared: Vec<Value> =
        values.iter().map(|(key, _)| json!({"key": key, "value": null})).collect();
    let written = upsert(&world, json!({"email": ANA, "customFields": cleared})).await;
    assert_eq!(outcome(&written, "HIGHLEVEL"), "APPLIED", "{written:#}");
    let held = contact(&world, ANA).await.unwrap()["customFields"].clone();
    for (key, _) in &values {
        let empty = [json!(null), json!(""), json!([])];
        assert!(empty.contains(&held[key]), "{key}: {held:#}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_alone_is_enough_for_an_upsert() {
    let world = with_a_rule().start().await;
    let number = "+5491155559876";
    let made = upsert(&world, json!({"phone": number, "firstName": "Nur"})).await;
    assert_eq!(made["userErrors"], json!([]), "{made:#}");
    assert_eq!(outcome(&made, "HIGHLEVEL"), "APPLIED", "{made:#}");
    let changed = upsert(&world, json!({"phone": number, "firstName": "Noor"})).await;
    assert_eq!(changed["contact"]["id"], made["contact"]["id"]);
    let state = world.state().await;
    let contacts = state["highlevel"]["contacts"].as_array().unwrap().iter();
    let found: Vec<_> = contacts.filter(|contact| contact["phone"] == number).collect();
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["firstName"], "Noor");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_was_deleted_stops_itself_and_nothing_else() {
    let world = keeping().contacts(10).start().await;
    settled(&world).await;
    world
        .control("/edit", json!({"system": "DOPPLER", "op": "deleteField", "name": "COMPANY"}))
        .await;
    // What a field's definition says is believed for some minutes.
    world.pass(std::time::Duration::from_secs(600)).await;
    edit(&world, "HIGHLEVEL", ANA, ("upsert", json!({"fields": {"firstName": "Anabel"}}))).await;
    let arrived =
        async || subscriber(&world, ANA).await.unwrap()["fields"]["FIRSTNAME"] == "Anabel";
    comes(&world, "another field", arrived).await;
    settled(&world).await;
    let query = "{ holds(first: 50) { nodes { kind field } } }";
    let data = world.data(query, json!({})).await;
    let holds = data["holds"]["nodes"].as_array().unwrap().clone();
    let about = |hold: &&Value| hold["field"] == "companyName";
    assert_eq!(holds.iter().filter(about).count(), 1, "one question for everybody: {holds:#?}");
    assert_eq!(status(&world).await["failed"], 0);
    world.end().await;
}

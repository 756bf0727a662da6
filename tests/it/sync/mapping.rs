//! `updateMapping`: over the revision it was made from, checked against the real fields.

use serde_json::{Value, json};

use super::{ANA, contact, outcome, subscriber, upsert};
use crate::world::World;

const UPDATE: &str = "mutation($input: UpdateMappingInput!) { updateMapping(input: $input) { \
    mapping { revision fields { field doppler } createIn { system } } \
    userErrors { code message field } } }";

async fn update(world: &World, revision: i64, mapping: Value) -> Value {
    let input = json!({"mapping": mapping, "ifRevision": revision});
    world.data(UPDATE, json!({"input": input})).await["updateMapping"].clone()
}

/// Waits until every gateway works by the new mapping; the one that stored it does at once.
async fn is_in_force(world: &World, updated: &Value) {
    let new = &updated["mapping"]["revision"];
    let shown = || async move {
        world.data("{ mapping { revision } }", json!({})).await["mapping"]["revision"] == *new
    };
    world.shows("the new mapping", shown).await;
}

async fn revision(world: &World) -> i64 {
    let data = world.data("{ mapping { revision } }", json!({})).await;
    data["mapping"]["revision"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_revision_is_stale_and_a_wrong_field_is_named() {
    let world = World::start().await;
    let present = revision(&world).await;
    let stale = update(&world, present + 7, json!({"createIn": []})).await;
    assert_eq!(stale["userErrors"][0]["code"], "STALE", "{stale:#}");
    let row = |doppler: &str, expression: &str| {
        let both = json!({"field": "firstName", "doppler": doppler, "highlevel": "firstName"});
        let derived = json!({"field": "lastName", "doppler": "LASTNAME", "expression": expression});
        json!({"fields": [both, derived]})
    };
    let bad = update(&world, present, row("NOWHERE", "1 +")).await;
    let errors = bad["userErrors"].as_array().unwrap();
    let told = |code: &str, row: &str, member: &str| {
        let path = json!(["mapping", "fields", row, member]);
        errors.iter().any(|error| error["code"] == code && error["field"] == path)
    };
    assert!(told("NOT_FOUND", "0", "doppler"), "{bad:#}");
    assert!(told("INVALID", "1", "expression"), "{bad:#}");
    assert!(bad["mapping"].is_null());
    assert_eq!(revision(&world).await, present);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_rule_takes_effect_at_once() {
    let mut world = World::start().await;
    let present = revision(&world).await;
    let rule = json!({"system": "DOPPLER", "list": super::first_list()});
    let updated = update(&world, present, json!({"createIn": [rule]})).await;
    assert_eq!(updated["userErrors"], json!([]), "{updated:#}");
    assert!(updated["mapping"]["revision"].as_i64().unwrap() > present);
    is_in_force(&world, &updated).await;
    let made = upsert(&world, json!({"email": "ruled@example.com", "firstName": "R"})).await;
    assert_eq!(outcome(&made, "DOPPLER"), "APPLIED", "{made:#}");
    let second = update(&world, present, json!({"createIn": []})).await;
    assert_eq!(second["userErrors"][0]["code"], "STALE", "{second:#}");
    world.restart().await;
    let made = upsert(&world, json!({"email": "ruled.too@example.com", "firstName": "R"})).await;
    assert_eq!(outcome(&made, "DOPPLER"), "APPLIED", "{made:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_goes_where_the_mapping_says() {
    let world = World::start().await;
    let present = revision(&world).await;
    let row = json!({"field": "firstName", "doppler": "CITY", "highlevel": "firstName"});
    let updated = update(&world, present, json!({"fields": [row]})).await;
    assert_eq!(updated["userErrors"], json!([]), "{updated:#}");
    is_in_force(&world, &updated).await;
    upsert(&world, json!({"email": ANA, "firstName": "Anita"})).await;
    let there = subscriber(&world, ANA).await.unwrap();
    assert_eq!(
        (&there["fields"]["CITY"], &there["fields"]["FIRSTNAME"]),
        (&json!("Anita"), &json!("Ana"))
    );
    assert_eq!(contact(&world, ANA).await.unwrap()["firstName"], "Anita");
    world.end().await;
}

//! `upsertContact`: made, linked, changed, and nothing written that is there already.

use serde_json::{Value, json};

use super::{ANA, UPSERT, contact, mutate, outcome, reason, subscriber, upsert, with_a_rule};
use crate::world::World;

const NEW: &str = "nora.neu@example.com";

fn nora() -> Value {
    json!({"email": NEW, "firstName": "Nora", "lastName": "Neu"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_person_is_made_in_both_systems_once() {
    let world = with_a_rule().start().await;
    let made = upsert(&world, nora()).await;
    assert_eq!(made["userErrors"], json!([]));
    assert_eq!(outcome(&made, "DOPPLER"), "APPLIED", "{made:#}");
    assert_eq!(outcome(&made, "HIGHLEVEL"), "APPLIED", "{made:#}");
    assert_eq!(made["contact"]["systems"], json!(["DOPPLER", "HIGHLEVEL"]));
    let there = subscriber(&world, NEW).await.unwrap();
    assert_eq!(there["status"], "active");
    assert_eq!(there["lists"], json!(["Newsletter"]));
    assert_eq!(there["fields"]["FIRSTNAME"], "Nora");
    assert_eq!(contact(&world, NEW).await.unwrap()["lastName"], "Neu");

    let before = world.state().await;
    world.forget_calls().await;
    let again = upsert(&world, nora()).await;
    assert_eq!(again["contact"]["id"], made["contact"]["id"]);
    assert_eq!(outcome(&again, "DOPPLER"), "UNCHANGED", "{again:#}");
    assert_eq!(outcome(&again, "HIGHLEVEL"), "UNCHANGED", "{again:#}");
    let synced = mutate(&world, "syncContact", json!({"contact": {"email": NEW}})).await;
    assert_eq!(synced["contact"]["id"], made["contact"]["id"]);
    assert_eq!(world.writes().await, 0, "{:#?}", world.calls().await);
    assert_eq!(world.state().await, before);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_rule_nobody_is_made_in_doppler() {
    let world = World::start().await;
    let made = upsert(&world, nora()).await;
    assert_eq!(outcome(&made, "HIGHLEVEL"), "APPLIED", "{made:#}");
    assert_eq!(outcome(&made, "DOPPLER"), "SKIPPED", "{made:#}");
    assert_eq!(reason(&made, "DOPPLER"), "no list chosen");
    assert_eq!(made["contact"]["systems"], json!(["HIGHLEVEL"]));
    assert_eq!(subscriber(&world, NEW).await, None);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_input_says_where_a_new_person_goes() {
    let world = with_a_rule().start().await;
    let mut input = nora();
    input["systems"] = json!(["DOPPLER"]);
    let made = upsert(&world, input).await;
    assert_eq!(outcome(&made, "DOPPLER"), "APPLIED", "{made:#}");
    assert_eq!(outcome(&made, "HIGHLEVEL"), "SKIPPED", "{made:#}");
    assert_eq!(contact(&world, NEW).await, None);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_person_is_changed_in_both() {
    let world = World::start().await;
    let input = json!({"email": "Ana.Paz@Example.com", "lastName": "Paz Vega"});
    let changed = upsert(&world, input).await;
    assert_eq!(outcome(&changed, "DOPPLER"), "APPLIED", "{changed:#}");
    assert_eq!(outcome(&changed, "HIGHLEVEL"), "APPLIED", "{changed:#}");
    let query = "query($id: ID!) { contact(by: {id: $id}) { lastName } }";
    let shown = world.data(query, json!({"id": changed["contact"]["id"]})).await;
    assert_eq!(shown["contact"]["lastName"], "Paz Vega", "no older copy is shown");
    let there = subscriber(&world, ANA).await.unwrap();
    assert_eq!(there["fields"]["LASTNAME"], "Paz Vega");
    assert_eq!(there["fields"]["FIRSTNAME"], "Ana", "what is not given stays");
    let there = contact(&world, ANA).await.unwrap();
    assert_eq!((&there["lastName"], &there["firstName"]), (&json!("Paz Vega"), &json!("Ana")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn null_clears() {
    let world = World::start().await;
    let cleared = upsert(&world, json!({"email": ANA, "lastName": null})).await;
    assert_eq!(cleared["userErrors"], json!([]), "{cleared:#}");
    let empty = |value: &Value| value.is_null() || value == "";
    let there = subscriber(&world, ANA).await.unwrap();
    assert!(empty(&there["fields"]["LASTNAME"]), "{cleared:#} {there:#}");
    assert_eq!(there["fields"]["CITY"], "Buenos Aires");
    let there = contact(&world, ANA).await.unwrap();
    assert!(empty(&there["lastName"]), "{cleared:#} {there:#}");
    assert_eq!(there["firstName"], "Ana");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers_to_an_unknown_name() {
    let world = World::start().await;
    let before = world.state().await;
    let by = json!({"email": "nobody@example.com"});
    let refused = upsert(&world, json!({"contact": by, "firstName": "No"})).await;
    assert_eq!(refused["userErrors"][0]["code"], "NOT_FOUND", "{refused:#}");
    assert_eq!(refused["userErrors"][0]["field"], json!(["contact"]));
    let nameless = upsert(&world, json!({"firstName": "No"})).await;
    assert_eq!(nameless["userErrors"][0]["code"], "INVALID", "{nameless:#}");
    assert_eq!(world.state().await, before);
    assert_eq!(world.writes().await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_answer_are_ambiguous() {
    let world = World::start().await;
    world.control("/settings", json!({"allowDuplicates": true})).await;
    let phone = "+5491155550999";
    for email in ["one@example.com", "two@example.com"] {
        let fields = json!({"phone": phone, "firstName": "Same"});
        let edit = json!({"system": "HIGHLEVEL", "op": "upsert", "email": email, "fields": fields});
        world.control("/edit", edit).await;
    }
    let before = world.state().await;
    let refused = upsert(&world, json!({"contact": {"phone": phone}, "firstName": "Who"})).await;
    assert_eq!(refused["userErrors"][0]["code"], "AMBIGUOUS", "{refused:#}");
    assert_eq!(world.state().await, before);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_writes_once_and_answers_alike() {
    let world = with_a_rule().start().await;
    let mut input = nora();
    input["idempotencyKey"] = json!("key-1");
    let first = upsert(&world, input.clone()).await;
    assert_eq!(outcome(&first, "DOPPLER"), "APPLIED", "{first:#}");
    // What somebody else did meanwhile is not undone by a retry.
    let fields = json!({"firstName": "Leonora"});
    let edit = json!({"system": "HIGHLEVEL", "op": "upsert", "email": NEW, "fields": fields});
    world.control("/edit", edit).await;
    world.forget_calls().await;
    let second = upsert(&world, input.clone()).await;
    assert_eq!(second["writes"], first["writes"]);
    assert_eq!(second["contact"]["id"], first["contact"]["id"]);
    assert_eq!(world.writes().await, 0);
    input["firstName"] = json!("Other");
    let answer = world.ask(UPSERT, json!({"input": input})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(world.writes().await, 0);
    assert_eq!(contact(&world, NEW).await.unwrap()["firstName"], "Leonora");
    world.end().await;
}

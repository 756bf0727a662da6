//! Before a first sync is approved a mutation writes what its input names and nothing else.

use serde_json::{Value, json};

use super::{ANA, contact, mutate, outcome, subscriber, upsert};
use crate::connecting::{grant, with_app};
use crate::world::World;

async fn companies(world: &World) -> (Value, Value) {
    let there = subscriber(world, ANA).await.unwrap();
    let here = contact(world, ANA).await.unwrap();
    (there["fields"]["COMPANY"].clone(), here["companyName"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_input_names_is_written() {
    let world = World::start().await;
    let before = companies(&world).await;
    assert_ne!(before.0, before.1);
    let changed = upsert(&world, json!({"email": ANA, "firstName": "Anita"})).await;
    assert_eq!(outcome(&changed, "DOPPLER"), "APPLIED", "{changed:#}");
    assert_eq!(companies(&world).await, before);
    assert_eq!(contact(&world, ANA).await.unwrap()["firstName"], "Anita");
    mutate(&world, "addTags", json!({"contact": {"email": ANA}, "tags": ["new"]})).await;
    assert_eq!(companies(&world).await, before);
    world.forget_calls().await;
    mutate(&world, "syncContact", json!({"contact": {"email": ANA}})).await;
    assert_eq!(world.writes().await, 0);
    assert_eq!(companies(&world).await, before);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_named_system_is_written() {
    let world = World::start().await;
    let doppler = subscriber(&world, ANA).await;
    let note = json!({"contact": {"email": ANA}, "body": "Only here"});
    mutate(&world, "createNote", note).await;
    let gone = json!({"contact": {"email": ANA}, "systems": ["HIGHLEVEL"]});
    let deleted = mutate(&world, "deleteContact", gone).await;
    assert_eq!(outcome(&deleted, "HIGHLEVEL"), "APPLIED", "{deleted:#}");
    assert_eq!(outcome(&deleted, "DOPPLER"), "none", "{deleted:#}");
    assert_eq!(subscriber(&world, ANA).await, doppler);
    let calls = world.calls().await;
    assert!(calls.iter().all(|call| call.system != "DOPPLER" || call.method == "GET"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_scope_hid_is_written_once_it_is_granted() {
    let world = with_app().alone().contacts(20).start().await;
    let mut scopes = vec!["contacts.readonly", "contacts.write", "locations.readonly"];
    assert_eq!(grant(&world, json!(scopes), &[]).await.0, 200);
    let input = json!({"email": ANA, "customFields": [{"key": "contact.plan", "value": "silver"}]});
    let query = "mutation($input: UpsertContactInput!) { upsertContact(input: $input) \
        { userErrors { message } } }";
    let refused = world.ask(query, json!({"input": input})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "SCOPE_MISSING", "{refused:#}");
    // The engine reads what it may of the fields.
    mutate(&world, "syncContact", json!({"contact": {"email": ANA}})).await;
    scopes.push("locations/customFields.readonly");
    assert_eq!(grant(&world, json!(scopes), &[]).await.0, 200);
    let changed = upsert(&world, input).await;
    assert_eq!(outcome(&changed, "HIGHLEVEL"), "APPLIED", "{changed:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_is_not_asked_for_with_each_person() {
    let scopes = json!(["contacts.readonly", "contacts.write", "locations.readonly"]);
    let world = World::builder().set("highlevel.scopes", scopes).alone().start().await;
    let found = world.data("{ contacts(first: 9) { nodes { email } } }", json!({})).await;
    let people = found["contacts"]["nodes"].as_array().unwrap().iter();
    let people: Vec<_> = people.map(|one| one["email"].clone()).filter(Value::is_string).collect();
    assert!(people.len() > 5, "{people:?}");
    world.forget_calls().await;
    for email in people {
        mutate(&world, "syncContact", json!({"contact": {"email": email}})).await;
    }
    let calls = world.calls().await;
    let of = |end: &str| calls.iter().filter(|call| call.route_ends_with(end)).count();
    assert_eq!(["/lists", "/accounts/{accountName}/fields"].map(of), [1, 1], "{calls:#?}");
    world.end().await;
}

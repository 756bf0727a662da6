//! A field that is deleted in one system while its definition is believed here: everybody's record looks as if
//! somebody had emptied it, and nobody's value in the other system may go with it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::breakers::{change, held, map_the_plan, shown, until};
use super::keeping::{hearing, journal, keeping, reads, settled};
use crate::world::{Builder, World};

/// A world in which definitions are believed for longer than a test takes.
fn believing() -> Builder {
    keeping().contacts(20).set("cache.ttl.definitions", "1d")
}

/// What everybody in a system has of a field.
async fn values(
    world: &World,
    system: &str,
    of: impl Fn(&Value) -> Value,
) -> BTreeMap<String, Value> {
    let state = world.state().await;
    let people = if system == "DOPPLER" {
        &state["doppler"]["subscribers"]
    } else {
        &state["highlevel"]["contacts"]
    };
    let people = people.as_array().unwrap().iter();
    people.map(|one| (one["email"].to_string(), of(one))).collect()
}

async fn cities(world: &World) -> BTreeMap<String, Value> {
    values(world, "HIGHLEVEL", |one| one["city"].clone()).await
}

async fn tags(world: &World) -> BTreeMap<String, Value> {
    values(world, "HIGHLEVEL", |one| one["tags"].clone()).await
}

async fn delete(world: &World, system: &str, name: &str) {
    world.control("/edit", json!({"system": system, "op": "deleteField", "name": name})).await;
}

/// How often a system's fields were read since the journal was forgotten.
async fn definitions_read(world: &World, system: &str) -> usize {
    let route = if system == "DOPPLER" { "/fields" } else { "/customFields" };
    reads(&journal(world, 0).await.0, system, route)
}

async fn failures(world: &World) -> Value {
    let query = "{ failures { nodes { system code } } }";
    world.data(query, json!({})).await["failures"]["nodes"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_deleted_in_doppler_empties_nobody_in_highlevel() {
    let world = believing().alone().start().await;
    settled(&world).await;
    let before = cities(&world).await;
    assert!(before.values().filter(|city| city.is_string()).count() > 10, "{before:#?}");
    world.forget_calls().await;
    delete(&world, "DOPPLER", "CITY").await;
    held(&world, "REMOTE_FIELD_GONE").await;
    settled(&world).await;
    assert_eq!(cities(&world).await, before);
    let read = definitions_read(&world, "DOPPLER").await;
    assert!((1..=5).contains(&read), "once for many, not {read} times");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_field_of_the_tags_takes_nobodys_tags_along() {
    let world = believing().start().await;
    settled(&world).await;
    let before = tags(&world).await;
    assert!(before.values().any(|tags| *tags != json!([])), "{before:#?}");
    delete(&world, "DOPPLER", "TAGS").await;
    settled(&world).await;
    assert_eq!(tags(&world).await, before);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_fields_cannot_be_read_what_looks_emptied_waits() {
    let world = believing().start().await;
    settled(&world).await;
    let before = cities(&world).await;
    let fault = json!({"system": "DOPPLER", "route": "/accounts/{accountName}/fields",
        "method": "GET", "kind": "status", "status": 503});
    world.fault(fault).await;
    delete(&world, "DOPPLER", "CITY").await;
    let waits = json!({"system": "DOPPLER", "code": "UPSTREAM_UNAVAILABLE"});
    let told = async || {
        let all = failures(&world).await;
        all.as_array().unwrap().iter().filter(|one| **one == waits).count() > 10
    };
    until(&world, "they wait", told).await;
    assert_eq!(cities(&world).await, before);
    world.clear_faults().await;
    held(&world, "REMOTE_FIELD_GONE").await;
    // Each waits as long as it failed often; who does keeps nobody else from being settled.
    until(&world, "nobody waits", async || failures(&world).await == json!([])).await;
    settled(&world).await;
    assert_eq!((cities(&world).await, failures(&world).await), (before, json!([])));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_deleted_in_highlevel_empties_nobody_in_doppler() {
    let world = hearing(believing()).await;
    map_the_plan(&world).await;
    change(&world, json!({"lastName": "Pazos"})).await;
    until(&world, "the plan", async || shown(&world, "NroCliente").await == "gold").await;
    settled(&world).await;
    delete(&world, "HIGHLEVEL", "contact.plan").await;
    change(&world, json!({"lastName": "Paz"})).await;
    until(&world, "the name", async || shown(&world, "LASTNAME").await == "Paz").await;
    held(&world, "REMOTE_FIELD_GONE").await;
    settled(&world).await;
    assert_eq!(shown(&world, "NroCliente").await, "gold");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_empties_for_everybody_is_emptied_without_asking_for_each() {
    let world = believing().alone().start().await;
    settled(&world).await;
    map_the_plan(&world).await;
    let touch = async |plan: &str| {
        let people = values(&world, "HIGHLEVEL", |one| one["email"].clone()).await;
        for email in people.into_values().filter(Value::is_string) {
            let plan = json!([{"key": "contact.plan", "field_value": plan}]);
            let body = json!({"system": "HIGHLEVEL", "op": "upsert", "email": email,
                "fields": {"customFields": plan}});
            world.control("/edit", body).await;
        }
    };
    let silver = async || {
        let all = values(&world, "DOPPLER", |one| one["fields"]["NroCliente"].clone()).await;
        all.values().filter(|plan| **plan == "silver").count()
    };
    touch("silver").await;
    settled(&world).await;
    let had = silver().await;
    assert!(had > 10, "{had}");
    world.forget_calls().await;
    touch("").await;
    until(&world, "they are emptied", async || silver().await == 0).await;
    let read = definitions_read(&world, "HIGHLEVEL").await;
    assert!((1..=5).contains(&read), "once for many, not {read} times");
    world.end().await;
}

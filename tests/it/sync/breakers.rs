//! What stops by itself and goes on by itself: a field that is gone, a value that is fought over, a
//! credential that is refused.

use std::time::Duration;

use serde_json::{Value, json};
use tandem::sandbox::credentials::{DOPPLER_ACCOUNT, DOPPLER_API_KEY};

use super::keeping::{connect, edit, hearing, keeping, settled, tick};
use super::{ANA, contact, subscriber};
use crate::world::{Builder, World};

fn at_rest() -> Builder {
    keeping().contacts(20).set("cache.ttl.definitions", "1s")
}

async fn holds(world: &World) -> Value {
    let query = "{ holds(first: 50) { nodes { kind field system } } }";
    world.data(query, json!({})).await["holds"]["nodes"].clone()
}

pub async fn held(world: &World, kind: &str) {
    let there = async || {
        tick(world).await;
        holds(world).await.to_string().contains(kind)
    };
    world.until(kind, there).await;
}

pub async fn until(world: &World, what: &str, condition: impl AsyncFn() -> bool) {
    let there = async || {
        tick(world).await;
        condition().await
    };
    world.until(what, there).await;
}

pub async fn shown(world: &World, field: &str) -> Value {
    subscriber(world, ANA).await.unwrap()["fields"][field].clone()
}

/// Changes Ana in HighLevel.
pub async fn change(world: &World, fields: Value) {
    edit(world, "HIGHLEVEL", "upsert", json!({"fields": fields})).await;
}

/// Keeps a custom field of HighLevel in step, too.
pub async fn map_the_plan(world: &World) {
    let query = "mutation($input: UpdateMappingInput!) { updateMapping(input: $input) { \
        userErrors { message } } }";
    let fields = json!([{"field": "lastName", "doppler": "LASTNAME", "owner": "HIGHLEVEL"},
        {"field": "plan", "doppler": "NroCliente", "highlevel": "contact.plan",
            "owner": "HIGHLEVEL"}]);
    let input = json!({"ifRevision": 0, "mapping": {"fields": fields}});
    let answer = world.data(query, json!({"input": input})).await;
    assert_eq!(answer["updateMapping"]["userErrors"], json!([]), "{answer:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_gone_stops_itself_and_nothing_else() {
    let world = hearing(at_rest()).await;
    let gone = json!({"system": "DOPPLER", "op": "deleteField", "name": "CITY"});
    world.control("/edit", gone).await;
    change(&world, json!({"city": "Rosario", "lastName": "Pazos"})).await;
    until(&world, "the name", async || shown(&world, "LASTNAME").await == "Pazos").await;
    held(&world, "REMOTE_FIELD_GONE").await;
    let status = world.data("{ syncStatus { state failed } }", json!({})).await;
    assert_eq!(status["syncStatus"], json!({"state": "RUNNING", "failed": 0}));
    let url = format!("{}/accounts/{DOPPLER_ACCOUNT}/fields", world.sandbox.doppler_url());
    let made = world.http().post(url).header("Authorization", format!("token {DOPPLER_API_KEY}"));
    let made = made.json(&json!({"name": "CITY", "type": "string"})).send().await.unwrap();
    assert!(made.status().is_success(), "{made:?}");
    change(&world, json!({"lastName": "Paz"})).await;
    until(&world, "it goes on", async || shown(&world, "CITY").await == "Rosario").await;
    let over = async || !holds(&world).await.to_string().contains("REMOTE_FIELD_GONE");
    until(&world, "the question is over", over).await;
    // That the new field was empty cleared nothing.
    assert_eq!(
        contact(&world, ANA).await.unwrap()["city"].as_str().unwrap_or("Rosario"),
        "Rosario"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_of_highlevel_that_is_gone_stops_itself_too() {
    let world = hearing(at_rest()).await;
    map_the_plan(&world).await;
    change(&world, json!({"lastName": "Pazos"})).await;
    until(&world, "the plan", async || shown(&world, "NroCliente").await == "gold").await;
    settled(&world).await;
    let gone = json!({"system": "HIGHLEVEL", "op": "deleteField", "name": "contact.plan"});
    world.control("/edit", gone).await;
    change(&world, json!({"lastName": "Paz"})).await;
    until(&world, "the name", async || shown(&world, "LASTNAME").await == "Paz").await;
    held(&world, "REMOTE_FIELD_GONE").await;
    assert_eq!(shown(&world, "NroCliente").await, "gold", "nothing is cleared by it");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_overwrite_each_other_are_stopped() {
    let world = hearing(at_rest()).await;
    let frozen = async || holds(&world).await.to_string().contains("OSCILLATION");
    let mut rounds = 0;
    // An automation inside each system sets its own value whenever it sees the other's.
    while !frozen().await {
        rounds += 1;
        assert!(rounds <= 8, "they go on for ever");
        edit(&world, "DOPPLER", "upsert", json!({"fields": {"FIRSTNAME": "Ada"}})).await;
        let ada =
            async || contact(&world, ANA).await.unwrap()["firstName"] == "Ada" || frozen().await;
        until(&world, "Doppler's value in HighLevel", ada).await;
        if frozen().await {
            break;
        }
        change(&world, json!({"firstName": "Eva"})).await;
        let eva = async || shown(&world, "FIRSTNAME").await == "Eva" || frozen().await;
        until(&world, "HighLevel's value in Doppler", eva).await;
        settled(&world).await;
    }
    assert!(rounds >= 2, "a change there and back is no fight");
    settled(&world).await;
    world.forget_calls().await;
    edit(&world, "DOPPLER", "upsert", json!({"fields": {"FIRSTNAME": "Ida"}})).await;
    settled(&world).await;
    assert_eq!(world.writes().await, 0, "{:?}", world.calls().await);
    world.end().await;
}

async fn state(world: &World, system: &str) -> Value {
    let upstreams = world.data("{ upstreams { system state } }", json!({})).await;
    let all = upstreams["upstreams"].as_array().unwrap().clone();
    all.iter().find(|one| one["system"] == system).unwrap()["state"].clone()
}

async fn told(world: &World, what: &str) -> bool {
    let query = "{ syncEvents(filter: {kinds: [UPSTREAM_CHANGED]}, first: 20) { \
        nodes { message } } }";
    world.data(query, json!({})).await["syncEvents"]["nodes"].to_string().contains(what)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_credential_stops_its_system_loudly_and_nothing_is_lost() {
    let mut world = hearing(at_rest().alone()).await;
    world.fault(json!({"system": "DOPPLER", "kind": "status", "status": 401})).await;
    change(&world, json!({"lastName": "Pazos"})).await;
    let refused = async || state(&world, "DOPPLER").await == "NEEDS_REAUTHORIZATION";
    until(&world, "it is shown", refused).await;
    until(&world, "it is told", async || told(&world, "refuses the credential").await).await;
    let failure = "{ failures { nodes { system code attempts dead } } }";
    let waits = async || {
        let failures = world.data(failure, json!({})).await["failures"]["nodes"].clone();
        failures.to_string().contains("UPSTREAM_UNAUTHORIZED")
    };
    until(&world, "it waits", waits).await;
    // Hours pass.
    for _ in 0..30 {
        world.pass(Duration::from_mins(11)).await;
    }
    let failures = world.data(failure, json!({})).await["failures"]["nodes"].clone();
    for one in failures.as_array().unwrap() {
        assert_eq!((&one["dead"], &one["attempts"]), (&json!(false), &json!(1)), "{failures:#}");
    }
    world.restart().await;
    connect(&world).await;
    world.clear_faults().await;
    until(&world, "it lands", async || shown(&world, "LASTNAME").await == "Pazos").await;
    settled(&world).await;
    assert_eq!(world.data(failure, json!({})).await["failures"]["nodes"], json!([]));
    assert_eq!(state(&world, "DOPPLER").await, "CONNECTED");
    world.end().await;
}

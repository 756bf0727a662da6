//! A system that is down, slow, limiting or talking nonsense costs its own fields and nothing else.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ana, codes};
use crate::world::World;

const BOTH: &str = "query($id: ID!) { contact(by: {id: $id}) { id \
    doppler { email status } highlevel { contactId email } } }";
const FRESH: [(&str, &str); 1] = [("cache-control", "no-cache")];

/// Every way in which the sandbox can fail, with the code that it must come to.
fn faults() -> Vec<(Value, &'static [&'static str])> {
    vec![
        (json!({"kind": "status", "status": 500}), &["UPSTREAM_UNAVAILABLE"]),
        (json!({"kind": "status", "status": 503}), &["UPSTREAM_UNAVAILABLE"]),
        (json!({"kind": "status", "status": 401}), &["UPSTREAM_UNAUTHORIZED"]),
        (
            json!({"kind": "delay", "delayMs": 20_000}),
            &["UPSTREAM_TIMEOUT", "UPSTREAM_UNAVAILABLE"],
        ),
        (json!({"kind": "hang"}), &["UPSTREAM_TIMEOUT", "UPSTREAM_UNAVAILABLE"]),
        (json!({"kind": "drop"}), &["UPSTREAM_UNAVAILABLE"]),
        (json!({"kind": "html"}), &["UPSTREAM_UNAVAILABLE"]),
        (json!({"kind": "bad-json"}), &["UPSTREAM_UNAVAILABLE"]),
        (json!({"kind": "rate-limit", "retryAfter": 30}), &["UPSTREAM_RATE_LIMITED"]),
        (json!({"kind": "daily-exhausted"}), &["UPSTREAM_RATE_LIMITED"]),
    ]
}

/// Patient for so long only, and long enough for the system that answers on a busy machine.
async fn hardly_patient() -> World {
    World::builder()
        .contacts(20)
        .set("doppler.timeout", "3s")
        .set("highlevel.timeout", "3s")
        .set("server.request_timeout", "15s")
        .start()
        .await
}

async fn one_side_fails(system: &str, side: &str, other: &str) {
    for (mut fault, expected) in faults() {
        if system == "DOPPLER" && fault["kind"] == "daily-exhausted" {
            continue;
        }
        let world = hardly_patient().await;
        let id = ana(&world).await;
        let kind = fault["kind"].to_string();
        fault["system"] = json!(system);
        world.fault(fault).await;
        let answer = world.ask_with(BOTH, json!({"id": id}), &FRESH).await;
        let contact = &answer["data"]["contact"];
        assert_eq!(contact["id"], json!(id), "{kind}: {answer:#}");
        assert!(contact[side].is_null(), "{kind}: {answer:#}");
        assert!(contact[other].is_object(), "{kind}: {answer:#}");
        let codes = codes(&answer);
        assert_eq!(codes.len(), 1, "{kind}: {answer:#}");
        assert!(expected.contains(&codes[0].0.as_str()), "{kind}: {codes:?}");
        assert_eq!(codes[0].1, format!("contact.{side}"), "{kind}");
        assert_eq!(answer["errors"][0]["extensions"]["system"], system);
        tells_nothing_of_the_system(&world, &answer);
        recovers(&world, &id).await;
        world.end().await;
    }
}

/// Nothing of the upstream's address, path, headers or body is in an answer.
fn tells_nothing_of_the_system(world: &World, answer: &Value) {
    let text = answer["errors"].to_string();
    let port = world.sandbox.addr().port().to_string();
    let telltales = [
        port.as_str(),
        "http://",
        "127.0.0.1",
        "/contacts",
        "/accounts",
        "<html",
        "x-ratelimit",
        "pit-",
    ];
    for telltale in telltales {
        assert!(!text.to_lowercase().contains(telltale), "{telltale} in {text}");
    }
}

async fn recovers(world: &World, id: &str) {
    world.clear_faults().await;
    // What a limit or a refused credential asked for is over by then.
    world.clock.advance(Duration::from_secs(90_000));
    world
        .until("recovered", || async {
            let answer = world.ask_with(BOTH, json!({"id": id}), &FRESH).await;
            answer.get("errors").is_none()
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn highlevel_failing_costs_only_its_own_fields() {
    one_side_fails("HIGHLEVEL", "highlevel", "doppler").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doppler_failing_costs_only_its_own_fields() {
    one_side_fails("DOPPLER", "doppler", "highlevel").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_last_stands_in_and_says_so() {
    let mut world = World::start().await;
    let id = ana(&world).await;
    let query = "query($id: ID!) { contact(by: {id: $id}) { firstName status \
        notes { nodes { body } } freshness { stale source fetchedAt } } }";
    let before = world.data(query, json!({"id": id})).await;
    assert_eq!(before["contact"]["freshness"]["stale"], false);
    // Copies are written behind the reads, and all of them before the gateway ends.
    world.restart().await;
    world.clock.advance(Duration::from_secs(3600));
    for system in ["HIGHLEVEL", "DOPPLER"] {
        world.fault(json!({"system": system, "kind": "status", "status": 500})).await;
    }
    let after = world.data(query, json!({"id": id})).await;
    assert_eq!(after["contact"]["firstName"], before["contact"]["firstName"]);
    assert_eq!(after["contact"]["status"], before["contact"]["status"]);
    assert_eq!(after["contact"]["notes"], before["contact"]["notes"]);
    assert_eq!(after["contact"]["freshness"]["stale"], true);
    assert_eq!(after["contact"]["freshness"]["source"], "LAST_KNOWN");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_found_by_address_while_highlevel_is_down() {
    let world = World::start().await;
    let id = ana(&world).await;
    world.clock.advance(Duration::from_secs(3600));
    world.fault(json!({"system": "HIGHLEVEL", "kind": "status", "status": 500})).await;
    assert_eq!(ana(&world).await, id);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_that_hangs_leaves_the_other_its_time() {
    let by_address = "{ contact(by: {email: \"ana.paz@example.com\"}) { id \
        notes { nodes { id } } deliveries { nodes { id } } } }";
    for (system, gone, there) in
        [("DOPPLER", "deliveries", "notes"), ("HIGHLEVEL", "notes", "deliveries")]
    {
        let world = World::builder().set("server.request_timeout", "4s").start().await;
        ana(&world).await;
        world.fault(json!({"system": system, "kind": "hang"})).await;
        let mut answer = world.ask_with(by_address, json!({}), &FRESH).await;
        // What is kept back to put an answer together may be too little on a busy machine.
        for _ in 0..9 {
            if answer["data"]["contact"].is_object() {
                break;
            }
            answer = world.ask_with(by_address, json!({}), &FRESH).await;
        }
        assert!(answer["data"]["contact"][there].is_object(), "{system}: {answer:#}");
        assert_eq!(codes(&answer).len(), 1, "{system}: {answer:#}");
        assert_eq!(codes(&answer)[0].1, format!("contact.{gone}"));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_is_not_guessed_while_a_system_cannot_be_read() {
    let world = World::start().await;
    let id = ana(&world).await;
    world.fault(json!({"system": "HIGHLEVEL", "kind": "status", "status": 500})).await;
    let query = "query($id: ID!) { contact(by: {id: $id}) { status } }";
    let answer = world.ask_with(query, json!({"id": id}), &FRESH).await;
    assert!(answer["data"]["contact"]["status"].is_null());
    assert_eq!(codes(&answer), [("UPSTREAM_UNAVAILABLE".to_owned(), "contact.status".to_owned())]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_thing_that_cannot_be_read_costs_the_other_things_nothing() {
    let world = World::start().await;
    let id = ana(&world).await;
    let query = "query($id: ID!) { contact(by: {id: $id}) { notes { nodes { id } } } }";
    let data = world.data(query, json!({"id": id})).await;
    let note = data["contact"]["notes"]["nodes"][0]["id"].clone();
    let route = "/contacts/{contactId}/notes";
    world
        .fault(json!({"system": "HIGHLEVEL", "route": route, "kind": "status", "status": 500}))
        .await;
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let answer = world.ask_with(query, json!({"ids": [note, id]}), &FRESH).await;
    assert_eq!(answer["data"]["nodes"], json!([null, {"id": id}]), "{answer:#}");
    assert_eq!(codes(&answer), [("UPSTREAM_UNAVAILABLE".to_owned(), "nodes.0".to_owned())]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_listing_makes_nobody_disappear() {
    let world = World::start().await;
    let page = "{ contacts(first: 20, source: HIGHLEVEL) { nodes { id doppler { email } highlevel { contactId } } } }";
    let before = world.data(page, json!({})).await;
    world.clock.advance(Duration::from_secs(3600));
    let route = "/accounts/{accountName}/subscribers";
    world.fault(json!({"system": "DOPPLER", "route": route, "kind": "empty-list"})).await;
    assert_eq!(world.data(page, json!({})).await, before);
    world.clear_faults().await;
    world.clock.advance(Duration::from_secs(3600));
    world
        .fault(json!({"system": "HIGHLEVEL", "route": "/contacts/search", "kind": "empty-list"}))
        .await;
    let mut world = world;
    world.restart().await;
    assert_eq!(ana(&world).await.len(), "contact_".len() + 32);
    let both = world.ask_with(BOTH, json!({"id": ana(&world).await}), &FRESH).await;
    assert!(both["data"]["contact"]["highlevel"].is_object(), "{both:#}");
    world.end().await;
}

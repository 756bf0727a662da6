//! Somebody whom a system does not show, however often it is asked: said as a failure, and nobody looks for
//! ever. What is only away is looked at again for as long as it is.

use serde_json::{Value, json};

use super::keeping::{STEP, edit, journal, keeping, settled, status};
use super::{ANA, contact, mutate, outcome, upsert};
use crate::world::World;

const SUBSCRIBER: &str = "/accounts/{accountName}/subscribers/{email}";
const STRANGE: &str = "strange@example.com";

async fn failures(world: &World) -> Value {
    let query = "{ failures { nodes { id system code action message dead } } }";
    world.data(query, json!({})).await["failures"]["nodes"].clone()
}

/// Has Doppler answer so to whoever asks for one subscriber.
async fn shows_nobody(world: &World, status: u16) {
    let fault = json!({"system": "DOPPLER", "route": SUBSCRIBER, "method": "GET",
        "kind": "status", "status": status});
    world.fault(fault).await;
}

/// Waits until somebody is given up and nothing is left to be done; the failure.
async fn given_up(world: &World) -> Value {
    let told = async || {
        let failures = failures(world).await;
        failures[0]["dead"] == true && status(world).await["pending"] == 0
    };
    world.comes("the failure", STEP, told).await;
    let all = failures(world).await;
    assert_eq!(all.as_array().unwrap().len(), 1, "{all:#}");
    all[0].clone()
}

/// How often somebody's subscriber was asked for meanwhile.
async fn asked(world: &World) -> usize {
    let since = journal(world, 0).await.1;
    for _ in 0..5 {
        world.pass(STEP).await;
    }
    let (calls, _) = journal(world, since).await;
    calls.iter().filter(|call| call["route"] == SUBSCRIBER).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_a_system_refuses_to_tell_of_is_a_failure_until_it_tells() {
    let world = keeping().set("mapping.create_in", json!([])).contacts(20).start().await;
    settled(&world).await;
    shows_nobody(&world, 400).await;
    edit(&world, "HIGHLEVEL", "upsert", json!({"email": STRANGE})).await;
    let failure = given_up(&world).await;
    assert_eq!(failure["code"], "UPSTREAM_REJECTED", "{failure:#}");
    assert_eq!((&failure["system"], &failure["action"]), (&json!("DOPPLER"), &json!("LINK")));
    assert_eq!(asked(&world).await, 0, "nobody looks again by themselves");
    let retry = "mutation { retryFailures(input: {}) { retried } }";
    world.data(retry, json!({})).await;
    given_up(&world).await;

    world.clear_faults().await;
    world.data(retry, json!({})).await;
    world.comes("it is over", STEP, async || failures(&world).await == json!([])).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_let_be_is_not_told_of_again() {
    let world = keeping().set("mapping.create_in", json!([])).contacts(20).start().await;
    settled(&world).await;
    shows_nobody(&world, 400).await;
    edit(&world, "HIGHLEVEL", "upsert", json!({"email": STRANGE})).await;
    let failure = given_up(&world).await;
    let discard =
        "mutation($id: ID!) { discardFailure(input: {failure: $id}) { userErrors { code } } }";
    let gone = world.data(discard, json!({"id": failure["id"]})).await;
    assert_eq!(gone["discardFailure"]["userErrors"], json!([]), "{gone:#}");
    world.comes("it is looked at", STEP, async || status(&world).await["pending"] == 0).await;
    let name = json!({"email": STRANGE, "fields": {"firstName": "Strange"}});
    edit(&world, "HIGHLEVEL", "upsert", name).await;
    assert!(asked(&world).await > 0);
    assert_eq!(failures(&world).await, json!([]));
    assert_eq!(status(&world).await["pending"], 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_shown_while_others_are_is_given_up_after_a_while() {
    let world = keeping().set("sync.most_attempts", 3).contacts(20).start().await;
    settled(&world).await;
    shows_nobody(&world, 503).await;
    edit(&world, "DOPPLER", "upsert", json!({"fields": {"FIRSTNAME": "Anabel"}})).await;
    let failure = given_up(&world).await;
    assert_eq!(failure["code"], "UPSTREAM_UNAVAILABLE", "{failure:#}");
    world.clear_faults().await;
    world.data("mutation { retryFailures(input: {}) { retried } }", json!({})).await;
    let arrives = async || contact(&world, ANA).await.unwrap()["firstName"] == "Anabel";
    world.comes("the change", STEP, arrives).await;
    assert_eq!(failures(&world).await, json!([]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_given_up_while_a_system_is_away() {
    let world = keeping().set("sync.most_attempts", 3).contacts(20).start().await;
    settled(&world).await;
    shows_nobody(&world, 503).await;
    edit(&world, "DOPPLER", "upsert", json!({"fields": {"FIRSTNAME": "Anabel"}})).await;
    let asks = async || {
        world.pass(STEP).await;
        let calls = journal(&world, 0).await.0;
        calls.iter().any(|call| call["route"] == SUBSCRIBER && call["status"] == 503)
    };
    world.until("it is read", asks).await;
    world.fault(json!({"system": "DOPPLER", "kind": "status", "status": 503})).await;
    for _ in 0..12 {
        world.pass(STEP).await;
    }
    assert_eq!(failures(&world).await, json!([]));
    world.clear_faults().await;
    let arrives = async || contact(&world, ANA).await.unwrap()["firstName"] == "Anabel";
    world.comes("the change", STEP, arrives).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_waits_for_its_own_system_whatever_stands_in_the_other() {
    let world = World::builder().start().await;
    let email = "only.doppler@example.com";
    edit(&world, "DOPPLER", "upsert", json!({"email": email, "list": "Newsletter"})).await;
    let long = json!({"email": email, "firstName": "long".repeat(101)});
    let answer = upsert(&world, long).await;
    assert_eq!(outcome(&answer, "DOPPLER"), "QUEUED", "{answer:#}");
    let holds = world.data("{ holds { nodes { kind system } } }", json!({})).await;
    let overflow = json!([{"kind": "OVERFLOW", "system": "DOPPLER"}]);
    assert_eq!(holds["holds"]["nodes"], overflow);

    world.fault(json!({"system": "HIGHLEVEL", "kind": "status", "status": 503})).await;
    let note = json!({"contact": {"email": email}, "body": "Wants a call"});
    let answer = mutate(&world, "createNote", note).await;
    assert_eq!(outcome(&answer, "HIGHLEVEL"), "QUEUED", "{answer:#}");
    edit(&world, "HIGHLEVEL", "upsert", json!({"email": email})).await;
    world.pass(STEP).await;
    world.clear_faults().await;
    let is_there = async || {
        let notes = contact(&world, email).await.unwrap()["notes"].to_string();
        notes.contains("Wants a call")
    };
    world.comes("the note", STEP, is_there).await;
    world.end().await;
}

//! Somebody whom a system does not show, however often it is asked: said as a failure, and looked at again, as
//! whatever is only away.

use std::time::Duration;

use serde_json::{Value, json};

use super::keeping::{STEP, edit, journal, keeping, settled, status};
use super::{ANA, contact, mutate, outcome, subscriber, upsert};
use crate::world::World;

const SUBSCRIBER: &str = "/accounts/{accountName}/subscribers/{email}";
const STRANGE: &str = "strange@example.com";

async fn failures(world: &World) -> Value {
    let query =
        "{ failures { nodes { id system code action message dead attempts nextAttemptAt } } }";
    world.data(query, json!({})).await["failures"]["nodes"].clone()
}

/// Has Doppler answer so to whoever asks for one subscriber.
async fn shows_nobody(world: &World, status: u16) {
    let fault = json!({"system": "DOPPLER", "route": SUBSCRIBER, "method": "GET",
        "kind": "status", "status": status});
    world.fault(fault).await;
}

/// Waits until somebody cannot be read; the failure.
async fn told(world: &World) -> Value {
    let comes = async || failures(world).await != json!([]);
    world.comes("the failure", STEP, comes).await;
    let all = failures(world).await;
    assert_eq!(all.as_array().unwrap().len(), 1, "{all:#}");
    assert_eq!((&all[0]["action"], &all[0]["dead"]), (&json!("LINK"), &json!(false)));
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
    let build = keeping().set("mapping.create_in", json!([])).set("sync.most_attempts", 3);
    let world = build.contacts(20).start().await;
    settled(&world).await;
    shows_nobody(&world, 400).await;
    edit(&world, "HIGHLEVEL", "upsert", json!({"email": STRANGE})).await;
    let failure = told(&world).await;
    assert_eq!(failure["code"], "UPSTREAM_REJECTED", "{failure:#}");
    assert_eq!(failure["system"], "DOPPLER");
    let is_late = async || {
        world.pass(STEP).await;
        asked(&world).await == 0
    };
    world.until("it is asked about ever more seldom", is_late).await;

    let before = failures(&world).await;
    upsert(&world, json!({"email": STRANGE, "firstName": "Strange"})).await;
    assert_eq!(failures(&world).await, before, "what is asked meanwhile does not put it off");

    world.clear_faults().await;
    // News from the other system, all the time, do not put it off.
    for n in 0..12 {
        let name = json!({"email": STRANGE, "fields": {"firstName": format!("Strange {n}")}});
        edit(&world, "HIGHLEVEL", "upsert", name).await;
        world.pass(Duration::from_mins(10)).await;
        world.pass(STEP).await;
    }
    assert_eq!(failures(&world).await, json!([]));
    world.comes("it is over", STEP, async || failures(&world).await == json!([])).await;
    world.comes("nothing is left", STEP, async || status(&world).await["pending"] == 0).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_shown_is_told_of_after_a_while_and_looked_at_for_as_long_as_it_takes() {
    let world = keeping().set("sync.most_attempts", 3).contacts(20).start().await;
    settled(&world).await;
    shows_nobody(&world, 503).await;
    edit(&world, "DOPPLER", "upsert", json!({"fields": {"FIRSTNAME": "Anabel"}})).await;
    let failure = told(&world).await;
    assert_eq!(failure["code"], "UPSTREAM_UNAVAILABLE", "{failure:#}");
    for _ in 0..12 {
        world.pass(STEP).await;
    }
    told(&world).await;
    world.clear_faults().await;
    let arrives = async || contact(&world, ANA).await.unwrap()["firstName"] == "Anabel";
    world.comes("the change", STEP, arrives).await;
    world.comes("it is over", STEP, async || failures(&world).await == json!([])).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_written_outlasts_that_its_system_is_away() {
    let world = keeping().set("sync.most_attempts", 3).contacts(20).start().await;
    settled(&world).await;
    world.fault(json!({"system": "DOPPLER", "kind": "status", "status": 503})).await;
    let answer = upsert(&world, json!({"email": ANA, "firstName": "Anabel"})).await;
    assert_eq!(outcome(&answer, "DOPPLER"), "QUEUED", "{answer:#}");
    for _ in 0..30 {
        world.pass(STEP).await;
        let all = failures(&world).await;
        assert!(all.as_array().unwrap().iter().all(|one| one["dead"] == false), "{all:#}");
    }
    world.clear_faults().await;
    let arrives = async || {
        let found = subscriber(&world, ANA).await.unwrap();
        found["fields"]["FIRSTNAME"] == "Anabel"
    };
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

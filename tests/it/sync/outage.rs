//! One system is down: the other is written, the rest lands later, and it is told.

use serde_json::{Value, json};

use super::keeping::{STEP, edit, journal, keeping, settled};
use super::{ANA, contact, outcome, subscriber, upsert, with_a_rule};
use crate::world::World;

const NEW: &str = "patient@example.com";
const FAILURES: &str = "{ failures { nodes { system code action dead } } }";

async fn failures(world: &World) -> Value {
    world.data(FAILURES, json!({})).await["failures"]["nodes"].clone()
}

async fn kinds(world: &World) -> Vec<String> {
    let query = "{ syncEvents(first: 100) { nodes { kind system } } }";
    let data = world.data(query, json!({})).await;
    let events = data["syncEvents"]["nodes"].as_array().unwrap().clone();
    let name = |event: &Value| format!("{} {}", event["kind"], event["system"]).replace('"', "");
    events.iter().map(name).collect()
}

async fn lands_later(world: World, fault: Value) {
    world.fault(fault).await;
    let input = json!({"email": NEW, "firstName": "Pat"});
    let answer = upsert(&world, input).await;
    assert_eq!(outcome(&answer, "HIGHLEVEL"), "APPLIED", "{answer:#}");
    assert_eq!(outcome(&answer, "DOPPLER"), "QUEUED", "{answer:#}");
    assert!(contact(&world, NEW).await.is_some());
    world
        .until("a failure is shown", || async {
            failures(&world).await.as_array().unwrap().iter().any(|one| one["system"] == "DOPPLER")
        })
        .await;
    assert_eq!(subscriber(&world, NEW).await, None);

    world.clear_faults().await;
    world.forget_calls().await;
    world
        .comes("the rest has landed", STEP, || async {
            subscriber(&world, NEW).await.is_some() && failures(&world).await == json!([])
        })
        .await;
    let there = subscriber(&world, NEW).await.unwrap();
    assert_eq!(
        (&there["status"], &there["fields"]["FIRSTNAME"]),
        (&json!("active"), &json!("Pat"))
    );
    assert_eq!(contact(&world, NEW).await.unwrap()["firstName"], "Pat");
    assert_eq!(world.writes().await, 1, "{:#?}", world.calls().await);
    let kinds = kinds(&world).await;
    assert!(kinds.contains(&"CREATED DOPPLER".to_owned()), "{kinds:?}");
    assert!(kinds.contains(&"CREATED HIGHLEVEL".to_owned()), "{kinds:?}");
    let data = world
        .data(
            "query($e: EmailAddress!) { contact(by: {email: $e}) { systems sync { state } } }",
            json!({"e": NEW}),
        )
        .await;
    assert_eq!(data["contact"]["systems"], json!(["DOPPLER", "HIGHLEVEL"]));
    assert_eq!(data["contact"]["sync"]["state"], "IN_SYNC");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_doppler_refuses_while_it_is_down_lands_later() {
    let world = with_a_rule().start().await;
    lands_later(world, json!({"system": "DOPPLER", "kind": "status", "status": 503})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_in_doppler_is_not_waited_for() {
    let world = with_a_rule().set("doppler.timeout", "1s").start().await;
    lands_later(world, json!({"system": "DOPPLER", "kind": "hang"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_answers_by_its_deadline_while_a_system_hangs() {
    let world = with_a_rule()
        .set("doppler.timeout", "15s")
        .set("sync.mutation_deadline", "1s")
        .start()
        .await;
    let hang = json!({"system": "HIGHLEVEL", "method": "PUT", "kind": "hang"});
    world.fault(hang).await;
    let input = json!({"email": ANA, "lastName": "Later"});
    let answer = upsert(&world, input).await;
    assert_eq!(outcome(&answer, "HIGHLEVEL"), "QUEUED", "{answer:#}");
    assert_eq!(contact(&world, ANA).await.unwrap()["lastName"], "Paz");
    world.clear_faults().await;
    world
        .comes("the rest has landed", STEP, || async {
            contact(&world, ANA).await.unwrap()["lastName"] == "Later"
        })
        .await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_is_told_of_once_however_often_it_is_tried() {
    let world = with_a_rule().set("sync.most_attempts", 5).start().await;
    let fault = json!({"system": "DOPPLER", "method": "POST", "kind": "status", "status": 503});
    world.fault(fault).await;
    upsert(&world, json!({"email": NEW, "firstName": "Pat"})).await;
    world
        .comes("it is given up", STEP, || async { failures(&world).await[0]["dead"] == true })
        .await;
    let trouble = |kinds: Vec<String>| {
        let of = ["PLANNED DOPPLER", "FAILED DOPPLER"];
        kinds.into_iter().filter(|kind| of.contains(&kind.as_str())).collect::<Vec<_>>()
    };
    // That it failed, and that it was given up.
    assert_eq!(trouble(kinds(&world).await), ["FAILED DOPPLER"; 2]);
    world.clear_faults().await;
    world.data("mutation { retryFailures(input: {}) { retried } }", json!({})).await;
    world.until("it is over", || async { failures(&world).await == json!([]) }).await;
    assert!(kinds(&world).await.contains(&"CREATED DOPPLER".to_owned()));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_could_not_be_read_when_it_was_told_of_is_looked_at_again() {
    let world = keeping().contacts(20).start().await;
    settled(&world).await;
    let route = "/accounts/{accountName}/subscribers/{email}";
    let fault = json!({"system": "DOPPLER", "route": route, "method": "GET", "kind": "status",
        "status": 503});
    world.forget_calls().await;
    world.fault(fault).await;
    edit(&world, "DOPPLER", "upsert", json!({"fields": {"FIRSTNAME": "Anabel"}})).await;
    let refused = async || {
        world.pass(STEP).await;
        journal(&world, 0).await.0.iter().any(|call| call["status"] == 503)
    };
    world.until("it is read", refused).await;
    for _ in 0..5 {
        world.pass(STEP).await;
    }
    world.clear_faults().await;
    let arrives = async || contact(&world, ANA).await.unwrap()["firstName"] == "Anabel";
    world.comes("the change", STEP, arrives).await;
    settled(&world).await;
    world.end().await;
}

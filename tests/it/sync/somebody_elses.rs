//! An address or a number that another person has: asked about once, and never tried again till then.

use serde_json::{Value, json};

use super::keeping::tick;
use super::{ANA, contact, outcome, reason, subscriber, upsert, with_a_rule};
use crate::world::World;

const THEIRS: &str = "their.owner@example.com";
const NEW: &str = "late.comer@example.com";
const NUMBER: &str = "+5491155550321";

const HOLDS: &str = "{ holds { nodes { id kind system field reason candidates { id label } \
    resolutions { choice } contacts { id } } } failures { nodes { id } } \
    syncStatus { pending } }";

async fn owned() -> World {
    let world = with_a_rule().start().await;
    let fields = json!({"phone": NUMBER, "firstName": "Their"});
    let edit = json!({"system": "HIGHLEVEL", "op": "upsert", "email": THEIRS, "fields": fields});
    world.control("/edit", edit).await;
    let known = "query($e: EmailAddress!) { contact(by: {email: $e}) { id } }";
    world.data(known, json!({"e": THEIRS})).await;
    world
}

/// The one hold there is, when nothing is tried any more.
async fn only_hold(world: &World) -> Value {
    world
        .until("it is at rest", || async {
            world.data(HOLDS, json!({})).await["syncStatus"]["pending"] == 0
        })
        .await;
    world.forget_calls().await;
    for _ in 0..4 {
        tick(world).await;
    }
    assert_eq!(world.calls().await.len(), 0, "nothing is tried again");
    let data = world.data(HOLDS, json!({})).await;
    assert_eq!(data["failures"]["nodes"], json!([]));
    let holds = data["holds"]["nodes"].as_array().unwrap().clone();
    assert_eq!(holds.len(), 1, "{holds:#?}");
    assert_eq!(holds[0]["kind"], "AMBIGUOUS_MATCH");
    assert_eq!(holds[0]["system"], "HIGHLEVEL");
    assert_eq!(holds[0]["contacts"].as_array().unwrap().len(), 2, "{holds:#?}");
    assert_eq!(holds[0]["candidates"].as_array().unwrap().len(), 2, "{holds:#?}");
    holds[0].clone()
}

async fn resolve(world: &World, hold: &Value, choice: &str) {
    let query = "mutation($i: ResolveHoldInput!) { resolveHold(input: $i) { \
        hold { id } userErrors { code message } } }";
    let input = json!({"hold": hold["id"], "choice": choice});
    let data = world.data(query, json!({"i": input})).await["resolveHold"].clone();
    assert_eq!(data["userErrors"], json!([]), "{data:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_person_with_a_known_number_waits_for_a_decision() {
    let world = owned().await;
    let mut input = json!({"email": NEW, "phone": NUMBER, "firstName": "Late"});
    input["idempotencyKey"] = json!("late");
    let made = upsert(&world, input.clone()).await;
    assert_eq!(outcome(&made, "DOPPLER"), "APPLIED", "{made:#}");
    assert_eq!(outcome(&made, "HIGHLEVEL"), "QUEUED", "{made:#}");
    assert!(reason(&made, "HIGHLEVEL").contains("decision"), "{made:#}");
    let hold = only_hold(&world).await;
    assert_eq!(contact(&world, NEW).await, None);
    assert_eq!(contact(&world, THEIRS).await.unwrap()["firstName"], "Their");
    resolve(&world, &hold, "LEAVE").await;
    world
        .until("the decision is carried out", || async {
            outcome(&upsert(&world, input.clone()).await, "HIGHLEVEL") == "SKIPPED"
        })
        .await;
    assert_eq!(contact(&world, NEW).await, None);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_makes_the_person_once_the_number_is_free() {
    let world = owned().await;
    upsert(&world, json!({"email": NEW, "phone": NUMBER, "firstName": "Late"})).await;
    let hold = only_hold(&world).await;
    let gone = json!({"system": "HIGHLEVEL", "op": "delete", "email": THEIRS});
    world.control("/edit", gone).await;
    resolve(&world, &hold, "RETRY").await;
    world.until("the person is made", || async { contact(&world, NEW).await.is_some() }).await;
    assert_eq!(contact(&world, NEW).await.unwrap()["phone"], NUMBER);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_else_was_asked_for_is_written() {
    let world = owned().await;
    let input = json!({"email": ANA, "phone": NUMBER, "lastName": "Nueva"});
    let changed = upsert(&world, input).await;
    assert_eq!(outcome(&changed, "DOPPLER"), "APPLIED", "{changed:#}");
    let hold = only_hold(&world).await;
    assert_eq!(hold["field"], "phone");
    let here = contact(&world, ANA).await.unwrap();
    assert_eq!(here["lastName"], "Nueva");
    assert_ne!(here["phone"], NUMBER);
    assert_eq!(subscriber(&world, ANA).await.unwrap()["fields"]["LASTNAME"], "Nueva");
    // Another number is another question.
    let other = json!({"email": ANA, "phone": "+5491155550322"});
    assert_eq!(outcome(&upsert(&world, other).await, "HIGHLEVEL"), "APPLIED");
    assert_eq!(contact(&world, ANA).await.unwrap()["phone"], "+5491155550322");
    world.end().await;
}

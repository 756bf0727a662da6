//! Runs of a workspace whose systems are not both connected.

use std::time::Duration;

use serde_json::{Value, json};
use tandem::sandbox::credentials::HIGHLEVEL_TOKEN;

use super::keeping::STEP;
use super::runs::{calm, decide, previewed, reaches};
use crate::connecting::KEY;
use crate::world::World;

const CURRENT: &str = "{ syncStatus { inSync total currentRun { id state error } } }";

async fn disconnect(world: &World) {
    let gone = "mutation { disconnect(input: {system: HIGHLEVEL}) { upstream { state scopes } } }";
    let gone = world.data(gone, json!({})).await["disconnect"]["upstream"].clone();
    assert_eq!(gone, json!({"state": "NOT_CONNECTED", "scopes": []}));
}

async fn current(world: &World) -> Value {
    world.data(CURRENT, json!({})).await["syncStatus"]["currentRun"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_does_not_begin_before_both_are_connected() {
    let world = calm().set("vault.keys", KEY).contacts(20).start().await;
    disconnect(&world).await;
    for input in ["{kind: BACKFILL}", "{kind: BACKFILL, dryRun: true}"] {
        let start = format!("mutation {{ startSync(input: {input}) {{ run {{ id }} }} }}");
        let error = world.ask(&start, json!({})).await["errors"][0].clone();
        assert_eq!(error["extensions"]["code"], "NOT_CONNECTED", "{error:#}");
        assert_eq!(error["extensions"]["system"], "HIGHLEVEL");
        assert_eq!(error["message"], "HighLevel is not connected");
    }
    assert_eq!(current(&world).await, Value::Null);
    let ready = world.http().get(world.url("/health/ready")).send().await.unwrap();
    assert_eq!(ready.status(), 200);
    let ready: Value = ready.json().await.unwrap();
    assert_eq!(ready["checks"]["highlevel credential"], "failing", "{ready:#}");
    assert_eq!(ready["checks"]["doppler credential"], "ok", "{ready:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_says_that_it_waits_for_a_connection_and_goes_on_with_it() {
    // Another gateway learns two seconds later that the credential is gone, and may have read to the end.
    let world = calm().set("vault.keys", KEY).contacts(20).alone().start().await;
    // The run is held at its first page until the system behind it is gone.
    world.fault(json!({"system": "HIGHLEVEL", "kind": "status", "status": 503})).await;
    let start = "mutation { startSync(input: {kind: BACKFILL, dryRun: true}) { run { id } } }";
    let id = world.data(start, json!({})).await["startSync"]["run"]["id"].clone();
    disconnect(&world).await;
    world.clear_faults().await;
    let says = async || current(&world).await["error"] == "HighLevel is not connected";
    world.comes("it says so", STEP, says).await;
    assert_eq!(current(&world).await["state"], "PREVIEWING");
    let connect = "mutation($t: String!) { connectHighLevel(input: {privateIntegrationToken: $t}) { userErrors { code } } }";
    let connected = world.data(connect, json!({"t": HIGHLEVEL_TOKEN})).await;
    assert_eq!(connected["connectHighLevel"]["userErrors"], json!([]), "{connected:#}");
    // Without another minute: it looks every other second.
    let over = async || current(&world).await.is_null();
    world.comes("it is over", Duration::from_secs(1), over).await;
    let run = reaches(&world, &id, "FINISHED").await;
    assert_eq!(run["error"], Value::Null, "{run:#}");
    let status = world.data(CURRENT, json!({})).await["syncStatus"].clone();
    assert!(status["total"].as_u64() > Some(0), "{status:#}");
    assert_eq!(status["inSync"], 0, "nothing was brought into agreement: {status:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_a_credential_that_is_refused_as_long_as_it_takes() {
    // The polls have a row of their own.
    let world = calm().contacts(20).alone().start().await;
    let run = previewed(&world).await;
    world.fault(json!({"system": "HIGHLEVEL", "kind": "status", "status": 401})).await;
    // It reads what changed since it was listed.
    decide(&world, "approveSync", &run).await;
    let why = "HighLevel refused its credential; connect it anew";
    let says = async || current(&world).await["error"] == why;
    world.comes("it says so", STEP, says).await;
    for _ in 0..30 {
        world.pass(Duration::from_mins(11)).await;
    }
    let waits = current(&world).await;
    assert_eq!((&waits["state"], &waits["error"]), (&json!("RUNNING"), &json!(why)), "{waits:#}");
    let told =
        "query($id: ID!) { syncEvents(first: 100, filter: {run: $id}) { nodes { message } } }";
    let told = world.data(told, json!({"id": run["id"]})).await.to_string();
    assert_eq!(told.matches(why).count(), 1, "{told}");
    world.clear_faults().await;
    let over = async || current(&world).await.is_null();
    world.comes("it goes on by itself", STEP, over).await;
    let run = reaches(&world, &run["id"], "FINISHED").await;
    assert_eq!(run["error"], Value::Null, "{run:#}");
    assert!(run["created"].as_u64() > Some(0), "everybody was marked: {run:#}");
    world.end().await;
}

//! A workspace whose HighLevel credential may only read: nothing is written to either system, and what waits
//! is done once writing is granted.

use std::time::Duration;

use serde_json::{Value, json};
use tandem::sandbox::credentials::{DOPPLER_FIRST_LIST, HIGHLEVEL_READ_ONLY_TOKEN};

use super::keeping::{STEP, edit};
use super::runs::{calm, decide, previewed, reaches, start};
use super::{ANA, subscriber};
use crate::connecting::{grant, upstream, with_app};
use crate::world::{Builder, World};

/// A gateway that finds changes by itself, before its first consent.
fn app() -> Builder {
    let rule = json!([{"system": "DOPPLER", "list": DOPPLER_FIRST_LIST}]);
    with_app()
        .contacts(40)
        .set("mapping.create_in", rule)
        .set("highlevel.index_delay", "0s")
        .set("doppler.poll_interval", "5s")
        .set("highlevel.poll_interval", "5s")
}

async fn becomes(world: &World, state: &str) {
    let is_it = || async { upstream(world, "HIGHLEVEL").await["state"] == state };
    world.until(state, is_it).await;
}

async fn grant_reading(world: &World) {
    assert_eq!(grant(world, Value::Null, &[]).await.0, 200);
    becomes(world, "READ_ONLY").await;
}

async fn grant_writing(world: &World) {
    let scopes = json!([
        "contacts.readonly",
        "contacts.write",
        "locations.readonly",
        "locations/customFields.readonly",
        "locations/tags.readonly",
        "locations/tasks.readonly",
        "calendars/events.readonly"
    ]);
    assert_eq!(grant(world, scopes, &[]).await.0, 200);
    becomes(world, "CONNECTED").await;
}

/// What the API says of a mutation that begins to write.
async fn refusal(world: &World, mutation: &str) -> Value {
    world.ask(mutation, json!({})).await["errors"][0].clone()
}

fn says_so(refusal: &Value) {
    assert_eq!(refusal["extensions"]["code"], "READ_ONLY", "{refusal:#}");
    assert!(refusal["message"].as_str().unwrap().contains("a second consent"), "{refusal:#}");
}

async fn failures(world: &World) -> Value {
    let query = "{ failures(first: 100) { nodes { system code dead attempts } } }";
    world.data(query, json!({})).await["failures"]["nodes"].clone()
}

pub async fn told(world: &World, words: &str) -> usize {
    let query =
        "{ syncEvents(first: 100, filter: {kinds: [UPSTREAM_CHANGED]}) { nodes { message } } }";
    world.data(query, json!({})).await.to_string().matches(words).count()
}

/// What a workspace's people are in both systems.
pub async fn people(world: &World) -> (Value, Value) {
    let state = world.state().await;
    (state["doppler"].clone(), state["highlevel"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_run_is_previewed_and_not_approved_before_a_second_consent() {
    let world = app().start().await;
    grant_reading(&world).await;
    let before = people(&world).await;
    let dry = start(&world, "BACKFILL", true).await;
    assert_eq!(dry["userErrors"], json!([]), "{dry:#}");
    reaches(&world, &dry["run"]["id"], "FINISHED").await;
    let run = previewed(&world).await;
    let id = run["id"].as_str().unwrap();
    let approve =
        format!("mutation {{ approveSync(input: {{run: \"{id}\"}}) {{ run {{ id }} }} }}");
    says_so(&refusal(&world, &approve).await);
    assert_eq!(people(&world).await, before);
    grant_writing(&world).await;
    assert_eq!(decide(&world, "approveSync", &run).await["userErrors"], json!([]));
    let done = reaches(&world, &run["id"], "FINISHED").await;
    assert_eq!(done["failed"], 0, "{done:#}");
    assert_ne!(people(&world).await, before);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_may_not_write_any_more_waits_and_goes_on_by_itself() {
    // Each gateway tells what it learns of a credential.
    let world = app().alone().start().await;
    grant_writing(&world).await;
    world.run_sync().await;
    grant_reading(&world).await;
    world.until("it is told", || async { told(&world, "may only read").await == 1 }).await;
    for begins in [
        "mutation { startSync(input: {kind: POLL}) { run { id } } }",
        "mutation { startSync(input: {kind: FULL_COMPARE}) { run { id } } }",
    ] {
        says_so(&refusal(&world, begins).await);
    }
    edit(&world, "HIGHLEVEL", "upsert", json!({"fields": {"lastName": "Pazos"}})).await;
    let before = people(&world).await;
    // The poll has found her, and she waits.
    let waits = async || {
        let query = "{ syncStatus { state pending } }";
        let status = world.data(query, json!({})).await["syncStatus"].clone();
        status["state"] == "READ_ONLY" && status["pending"].as_u64() > Some(0)
    };
    world.comes("the change waits", STEP, waits).await;
    world.pass(Duration::from_mins(20)).await;
    world.data("mutation { pauseSync(input: {}) { userErrors { code } } }", json!({})).await;
    says_so(&refusal(&world, "mutation { resumeSync(input: {}) { status { state } } }").await);
    assert_eq!(people(&world).await, before);
    assert_eq!(failures(&world).await, json!([]));
    grant_writing(&world).await;
    world.data("mutation { resumeSync(input: {}) { userErrors { code } } }", json!({})).await;
    let arrived = async || subscriber(&world, ANA).await.unwrap()["fields"]["LASTNAME"] == "Pazos";
    world.comes("the name in Doppler", STEP, arrived).await;
    assert_eq!(failures(&world).await, json!([]));
    assert_eq!(told(&world, "may only read").await, 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_turns_out_to_only_read_gives_nobody_up() {
    // A gateway learns that by its own calls.
    let builder = calm().contacts(40).set("highlevel.token", HIGHLEVEL_READ_ONLY_TOKEN);
    let world = builder.alone().start().await;
    let highlevel = people(&world).await.1;
    let run = previewed(&world).await;
    assert_eq!(decide(&world, "approveSync", &run).await["userErrors"], json!([]));
    world.until("it is told", || async { told(&world, "may only read").await == 1 }).await;
    let now = failures(&world).await;
    let all = now.as_array().unwrap();
    assert!(!all.is_empty() && all.len() < 40, "those that were tried first: {now:#}");
    for failure in all {
        assert_eq!((&failure["code"], &failure["dead"]), (&json!("SCOPE_MISSING"), &json!(false)));
    }
    assert_eq!(people(&world).await.1, highlevel);
    let cancelled = decide(&world, "cancelSync", &run).await;
    assert_eq!(cancelled["userErrors"], json!([]), "{cancelled:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_written_is_put_off_together() {
    let scopes = json!(["contacts.readonly", "locations.readonly"]);
    let builder = calm()
        .contacts(40)
        .set("sync.workers", 2)
        .set("highlevel.token", HIGHLEVEL_READ_ONLY_TOKEN)
        .set("highlevel.scopes", scopes);
    // Each gateway has workers of its own.
    let world = builder.alone().start().await;
    world.data("{ contacts(first: 100) { nodes { id } } }", json!({})).await;
    world.switch_sync_on().await;
    world
        .run(
            "INSERT INTO work (workspace, kind, key, priority, gen, due_at)
             SELECT workspace, 'contact', id, 1, 1, 1 FROM contact WHERE survivor IS NULL",
        )
        .await;
    let rests = async || {
        let query = "{ syncStatus { pending lagSeconds } }";
        let status = world.data(query, json!({})).await["syncStatus"].clone();
        assert!(status["pending"].as_u64() >= Some(40), "{status:#}");
        status["lagSeconds"].is_null()
    };
    world.until("all is put off", rests).await;
    // Whoever is put off with others is not looked at. The first polls mark all of them again, each at once.
    world
        .run(
            "UPDATE workspace SET name =
               (SELECT 'Looked at ' || count(*) || ' of them' FROM work
                WHERE kind = 'contact' AND done_gen > 0)",
        )
        .await;
    let mut few = false;
    for count in 1..20 {
        let text = format!("Looked at {count} of them");
        few |= !world.find_stored(&text).await.is_empty();
    }
    assert!(few, "nearly all were looked at");
    world.end().await;
}

//! What the gateway does after a change inside HighLevel.

use std::time::Duration;

use serde_json::{Value, json};

use super::{connected, counted};
use crate::world::World;

const ANA: &str = "ana.paz@example.com";

const READ: &str = "query($email: EmailAddress!) { contact(by: {email: $email}) { id firstName tags \
    notes { nodes { body } } tasks { nodes { title } } } }";

async fn read(world: &World) -> Value {
    world.data(READ, json!({"email": ANA})).await["contact"].clone()
}

/// How many people are known.
async fn total(world: &World) -> u64 {
    let answer = world.data("{ syncStatus { total } }", json!({})).await;
    answer["syncStatus"]["total"].as_u64().unwrap()
}

async fn edit(world: &World, op: &str, more: Value) {
    let mut body = json!({"system": "HIGHLEVEL", "op": op, "email": ANA});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.control("/edit", body).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_inside_highlevel_shows_at_once() {
    let world = connected(World::builder()).await;
    let before = read(&world).await;
    edit(&world, "upsert", json!({"fields": {"firstName": "Anabel"}})).await;
    world.until("the name", async || read(&world).await["firstName"] == "Anabel").await;
    edit(&world, "tag", json!({"tags": ["heard"]})).await;
    let tagged = async || read(&world).await["tags"].to_string().contains("heard");
    world.until("the tag", tagged).await;
    edit(&world, "note", json!({"body": "Written there"})).await;
    let noted = async || read(&world).await["notes"].to_string().contains("Written there");
    world.until("the note", noted).await;
    edit(&world, "task", json!({"title": "Made there"})).await;
    let tasked = async || read(&world).await["tasks"].to_string().contains("Made there");
    world.until("the task, of which is not told whose it is", tasked).await;
    assert_eq!(read(&world).await["id"], before["id"]);
    // Sync was never switched on, so nobody waits for it.
    let status = world.data("{ syncStatus { state pending } }", json!({})).await;
    assert_eq!(status["syncStatus"], json!({"state": "NOT_SET_UP", "pending": 0}));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_gets_to_be_known() {
    let world = connected(World::builder()).await;
    let before = total(&world).await;
    let made = json!({"system": "HIGHLEVEL", "op": "upsert", "email": "new@example.com",
        "fields": {"firstName": "New"}});
    world.control("/edit", made).await;
    let known = async || total(&world).await == before + 1;
    world.comes("known", Duration::from_secs(1), known).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_highlevel_cannot_be_asked_nothing_is_lost() {
    let world = connected(World::builder()).await;
    let before = total(&world).await;
    world.fault(json!({"system": "HIGHLEVEL", "kind": "status", "status": 503})).await;
    let made = json!({"system": "HIGHLEVEL", "op": "upsert", "email": "new@example.com"});
    world.control("/edit", made).await;
    world.until("it came", async || counted(&world, "stored").await >= 1).await;
    world.clear_faults().await;
    let known = async || total(&world).await == before + 1;
    world.comes("known", Duration::from_secs(5), known).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_says_when_the_app_goes() {
    let world = connected(World::builder()).await;
    world.control("/edit", json!({"system": "HIGHLEVEL", "op": "uninstall"})).await;
    let query = "{ syncEvents(first: 10) { nodes { kind message } } }";
    let said = async || {
        let events = world.data(query, json!({})).await;
        events["syncEvents"]["nodes"].to_string().contains("taken off")
    };
    world.until("said", said).await;
    world.end().await;
}

/// How often a task was searched for.
async fn searches(world: &World) -> usize {
    let calls = world.calls().await;
    calls.iter().filter(|call| call.route_ends_with("/tasks/search")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_holds_up_nothing_else() {
    let world = connected(World::builder().alone().still()).await;
    let name = "query($email: EmailAddress!) { contact(by: {email: $email}) { firstName } }";
    let is = async |wanted: &str| {
        world.data(name, json!({"email": ANA})).await["contact"]["firstName"] == wanted
    };
    assert!(!is("Anabel").await);
    let route = "/locations/{locationId}/tasks/search";
    let down = json!({"system": "HIGHLEVEL", "route": route, "kind": "status", "status": 500});
    world.fault(down).await;
    edit(&world, "task", json!({"title": "Made there"})).await;
    world.until("it is asked whose the task is", async || searches(&world).await > 0).await;
    edit(&world, "upsert", json!({"fields": {"firstName": "Anabel"}})).await;
    world.until("the name", async || is("Anabel").await).await;
    // And it is still asked, once HighLevel answers.
    let before = searches(&world).await;
    world.clear_faults().await;
    let again = async || searches(&world).await > before;
    world.comes("it is asked again", Duration::from_secs(10), again).await;
    world.pass(Duration::from_secs(10)).await;
    let asked = searches(&world).await;
    for _ in 0..3 {
        world.pass(Duration::from_secs(10)).await;
    }
    assert_eq!(searches(&world).await, asked, "it waits no longer");
    world.end().await;
}

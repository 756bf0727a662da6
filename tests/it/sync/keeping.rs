//! Keeping both systems in step by itself: changes made inside either one.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::{ANA, contact, subscriber, with_a_rule};
use crate::world::{Builder, World};

/// A world that keeps its systems in step from the start.
pub fn keeping() -> Builder {
    with_a_rule()
        .set("sync.first_run", "auto")
        .set("doppler.poll_interval", "5s")
        .set("highlevel.poll_interval", "5s")
        .set("highlevel.index_delay", "0s")
}

/// A world that hears of HighLevel's changes by webhooks alone, each of them twice; at rest.
pub async fn hearing(builder: Builder) -> World {
    let world = builder.set("highlevel.poll_interval", "12h").hearing().start().await;
    connect(&world).await;
    settled(&world).await;
    world
}

/// How far time goes at once: as long as a poll waits for the next.
pub const STEP: Duration = Duration::from_secs(5);

/// Lets time pass, and what is due then be done.
pub async fn tick(world: &World) {
    world.pass(STEP).await;
}

/// Has HighLevel's webhooks sent to the gateway, which after a restart has another address.
pub async fn connect(world: &World) {
    let hook = json!({"url": world.url("/webhooks/highlevel"), "duplicate": 1.0});
    world.control("/webhooks", hook).await;
}

pub async fn status(world: &World) -> Value {
    let query = "{ syncStatus { state pending failed held total } }";
    world.data(query, json!({})).await["syncStatus"].clone()
}

/// Goes on for a while, in which nothing may be written and nothing changed from what was.
pub async fn stays(world: &World, before: &Value) {
    world.forget_calls().await;
    settled(world).await;
    assert_eq!(world.writes().await, 0, "{:?}", world.calls().await);
    assert_eq!(world.state().await, *before);
}

/// Waits until nothing is left to be done, by polls of both systems that found nothing new.
pub async fn settled(world: &World) {
    // The first run goes on by itself; time does not race ahead of its lease.
    let begun = async || {
        let query = "{ syncStatus { state currentRun { id } } }";
        let status = world.data(query, json!({})).await["syncStatus"].clone();
        status["state"] != "NOT_SET_UP" && status["currentRun"].is_null()
    };
    world.until("the first run is over", begun).await;
    let since = std::cell::Cell::new(journal(world, 0).await.1);
    let quiet = async || {
        let (calls, next) = journal(world, since.get()).await;
        if !is_polled_twice(world, &calls) {
            return false;
        }
        since.set(next);
        let status = status(world).await;
        let told = world.control_get("/webhooks").await["pending"] == 0;
        let idle = calls.iter().all(is_read) && told;
        idle && status["pending"] == 0 && status["total"].as_u64() > Some(0)
    };
    world.comes("settled", STEP, quiet).await;
}

/// The calls from a place in the journal on, and the place after them.
pub async fn journal(world: &World, since: u64) -> (Vec<Value>, u64) {
    let journal = world.control_get(&format!("/journal?since={since}")).await;
    (journal["calls"].as_array().unwrap().clone(), journal["next"].as_u64().unwrap())
}

/// Whether a call changes nothing.
pub fn is_read(call: &Value) -> bool {
    let searches = call["route"].as_str().is_some_and(|route| route.ends_with("/search"));
    call["method"] == "GET" || searches
}

/// How often a system was read to the end of what a route shows.
pub fn reads(calls: &[Value], system: &str, route: &str) -> usize {
    let is_one = |call: &&Value| {
        let called = call["route"].as_str().unwrap_or_default();
        let is_it = call["system"] == system && called.ends_with(route);
        is_it && is_read(call) && call["status"] == 200
    };
    calls.iter().filter(is_one).count()
}

/// Whether each system that is polled was polled twice, so once at least from its beginning to its end.
/// HighLevel is not where webhooks tell of it.
fn is_polled_twice(world: &World, calls: &[Value]) -> bool {
    let highlevel = world.is_hearing || reads(calls, "HIGHLEVEL", "/contacts/search") >= 2;
    highlevel && reads(calls, "DOPPLER", "/unsubscribed") >= 2
}

pub async fn edit(world: &World, system: &str, op: &str, more: Value) {
    let mut body = json!({"system": system, "op": op, "email": ANA});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.control("/edit", body).await;
}

/// How many people of each address a system holds.
fn addresses(people: &Value) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for person in people.as_array().unwrap() {
        if let Some(email) = person["email"].as_str() {
            *found.entry(email.to_lowercase()).or_default() += 1;
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_on_it_doubles_nobody_and_then_rests() {
    let world = keeping().contacts(40).start().await;
    let before = world.state().await;
    settled(&world).await;
    assert_eq!(status(&world).await["state"], "RUNNING");
    let after = world.state().await;
    let people = |state: &Value| {
        (addresses(&state["doppler"]["subscribers"]), addresses(&state["highlevel"]["contacts"]))
    };
    let ((doppler, highlevel), (doppler_now, highlevel_now)) = (people(&before), people(&after));
    for (email, count) in &highlevel_now {
        let was = highlevel.get(email).copied().unwrap_or_default();
        assert!(*count == was.max(1), "{email} is there {count} times, was {was}");
    }
    assert!(doppler_now.values().all(|count| *count == 1));
    assert!(doppler.keys().all(|email| doppler_now.contains_key(email)), "nobody is lost");
    assert!(highlevel.keys().all(|email| highlevel_now.contains_key(email)), "nobody is lost");
    stays(&world, &after).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_in_doppler_reaches_highlevel() {
    let world = keeping().contacts(20).start().await;
    settled(&world).await;
    edit(&world, "DOPPLER", "upsert", json!({"fields": {"FIRSTNAME": "Anabel"}})).await;
    let arrived = async || contact(&world, ANA).await.unwrap()["firstName"] == "Anabel";
    world.comes("the name in HighLevel", STEP, arrived).await;
    edit(&world, "DOPPLER", "unsubscribe", json!({})).await;
    let arrived = async || {
        let ana = contact(&world, ANA).await.unwrap();
        ana["dndSettings"]["Email"]["status"] == "active"
    };
    world.comes("the opt-out in HighLevel", STEP, arrived).await;
    assert_eq!(contact(&world, ANA).await.unwrap()["dnd"], false);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_in_highlevel_reaches_doppler_though_no_webhook_came() {
    let world = keeping().contacts(20).start().await;
    settled(&world).await;
    edit(&world, "HIGHLEVEL", "upsert", json!({"fields": {"lastName": "Pazos"}})).await;
    let arrived = async || subscriber(&world, ANA).await.unwrap()["fields"]["LASTNAME"] == "Pazos";
    world.comes("the name in Doppler", STEP, arrived).await;
    settled(&world).await;
    world.forget_calls().await;
    settled(&world).await;
    assert_eq!(world.writes().await, 0, "what we wrote comes back and is written no more");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_goes_on_where_a_restart_left_it() {
    let mut world = keeping().contacts(40).start().await;
    world.restart().await;
    settled(&world).await;
    let (_, since) = journal(&world, 0).await;
    world.restart().await;
    settled(&world).await;
    // How often it polls until then is no matter.
    let (calls, _) = journal(&world, since).await;
    let alone = reads(&calls, "HIGHLEVEL", "/contacts/{contactId}")
        + reads(&calls, "DOPPLER", "/subscribers/{email}");
    let people = usize::try_from(status(&world).await["total"].as_u64().unwrap()).unwrap();
    assert!(alone * 4 < people, "nobody is read again: {alone} of {people}");
    world.end().await;
}

/// What was done to a person inside both systems while it was paused arrives when it is resumed.
async fn accumulates_and_drains(world: &World, pause: Value) {
    settled(world).await;
    let paused =
        "mutation($input: PauseSyncInput!) { pauseSync(input: $input) { userErrors { message } } }";
    world.data(paused, json!({"input": pause})).await;
    edit(world, "DOPPLER", "upsert", json!({"fields": {"FIRSTNAME": "Anabel"}})).await;
    for _ in 0..5 {
        tick(world).await;
    }
    let input = json!({"email": ANA, "lastName": "Pazos"});
    super::upsert(world, input).await;
    assert_ne!(contact(world, ANA).await.unwrap()["firstName"], "Anabel", "it is paused");
    let resumed = "mutation($input: ResumeSyncInput!) { resumeSync(input: $input) { userErrors { message } } }";
    world.data(resumed, json!({"input": pause})).await;
    let arrived = async || contact(world, ANA).await.unwrap()["firstName"] == "Anabel";
    world.comes("what changed while it was paused", STEP, arrived).await;
    settled(world).await;
    assert_eq!(subscriber(world, ANA).await.unwrap()["fields"]["LASTNAME"], "Pazos");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_sync_is_paused_is_not_lost() {
    for pause in [json!({}), json!({"direction": "TO_HIGHLEVEL"}), json!({"field": "firstName"})] {
        let world = keeping().contacts(20).start().await;
        accumulates_and_drains(&world, pause).await;
        world.end().await;
    }
}

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

/// Lets time pass, and what is due then be begun: leases run out by the same clock.
pub async fn tick(world: &World) {
    world.clock.advance(Duration::from_secs(5));
    tokio::time::sleep(Duration::from_millis(200)).await;
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
    let quiet = async || {
        world.clock.advance(Duration::from_secs(5));
        let status = status(world).await;
        status["pending"] == 0 && status["total"].as_u64() > Some(0)
    };
    // Twice, since a poll may be about to find what the first look did not see.
    for _ in 0..2 {
        world.until("settled", quiet).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    world.until("settled", quiet).await;
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
    let arrived = async || {
        world.clock.advance(Duration::from_secs(5));
        contact(&world, ANA).await.unwrap()["firstName"] == "Anabel"
    };
    world.until("the name in HighLevel", arrived).await;
    edit(&world, "DOPPLER", "unsubscribe", json!({})).await;
    let arrived = async || {
        world.clock.advance(Duration::from_secs(5));
        let ana = contact(&world, ANA).await.unwrap();
        ana["dndSettings"]["Email"]["status"] == "active"
    };
    world.until("the opt-out in HighLevel", arrived).await;
    assert_eq!(contact(&world, ANA).await.unwrap()["dnd"], false);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_in_highlevel_reaches_doppler_though_no_webhook_came() {
    let world = keeping().contacts(20).start().await;
    settled(&world).await;
    edit(&world, "HIGHLEVEL", "upsert", json!({"fields": {"lastName": "Pazos"}})).await;
    let arrived = async || {
        world.clock.advance(Duration::from_secs(5));
        subscriber(&world, ANA).await.unwrap()["fields"]["LASTNAME"] == "Pazos"
    };
    world.until("the name in Doppler", arrived).await;
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
    let before = world.count("HIGHLEVEL").await + world.count("DOPPLER").await;
    world.restart().await;
    settled(&world).await;
    let reads = world.count("HIGHLEVEL").await + world.count("DOPPLER").await - before;
    let people = status(&world).await["total"].as_u64().unwrap();
    assert!(reads < usize::try_from(people).unwrap(), "nobody is read again: {reads}");
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
        world.clock.advance(Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let input = json!({"email": ANA, "lastName": "Pazos"});
    super::upsert(world, input).await;
    assert_ne!(contact(world, ANA).await.unwrap()["firstName"], "Anabel", "it is paused");
    let resumed = "mutation($input: ResumeSyncInput!) { resumeSync(input: $input) { userErrors { message } } }";
    world.data(resumed, json!({"input": pause})).await;
    let arrived = async || {
        world.clock.advance(Duration::from_secs(5));
        contact(world, ANA).await.unwrap()["firstName"] == "Anabel"
    };
    world.until("what changed while it was paused", arrived).await;
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

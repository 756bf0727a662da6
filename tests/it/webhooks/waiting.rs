//! What waits because HighLevel cannot be asked about it: it holds up nobody, and few calls are lost on it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::{connected, event, send, trusting};
use crate::world::World;

const ANA: &str = "ana.paz@example.com";
const PERSON: &str = "/contacts/{contactId}";
const TASKS: &str = "/locations/{locationId}/tasks/search";

/// How many people are known.
async fn total(world: &World) -> u64 {
    let answer = world.data("{ syncStatus { total } }", json!({})).await;
    answer["syncStatus"]["total"].as_u64().unwrap()
}

async fn fails(world: &World, route: &str) {
    let fault = json!({"system": "HIGHLEVEL", "route": route, "kind": "status", "status": 500});
    world.fault(fault).await;
}

/// Has the gateway hear of somebody whom nobody knows.
async fn hears_of(world: &World, who: usize) {
    let event = event(world, &format!("of-{who}"), &format!("who-{who}"));
    assert_eq!(send(world, &event).await.0, 200);
}

/// About whom of those HighLevel was asked.
async fn asked(world: &World) -> BTreeSet<String> {
    let calls = world.calls().await.into_iter();
    let of_them = calls.filter(|call| call.path.contains("/who-"));
    of_them.map(|call| call.path).collect()
}

/// Whether so many webhooks wait, or did when somebody last asked.
async fn are_waiting(world: &World, count: usize) -> bool {
    world
        .run(
            "UPDATE workspace SET name =
               (SELECT 'So many wait: ' || count(*) FROM webhook WHERE waits = 1)",
        )
        .await;
    !world.find_stored(&format!("So many wait: {count}")).await.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_cannot_be_searched_for_hold_up_nobody_new() {
    let world = connected(World::builder().alone().still()).await;
    let before = total(&world).await;
    fails(&world, TASKS).await;
    for title in ["first", "second", "third"] {
        let task = json!({"system": "HIGHLEVEL", "op": "task", "email": ANA, "title": title});
        world.control("/edit", task).await;
    }
    let searched = async || {
        let calls = world.calls().await;
        calls.iter().filter(|call| call.route.as_deref() == Some(TASKS)).count() >= 3
    };
    world.until("it is asked whose the tasks are", searched).await;
    let made = json!({"system": "HIGHLEVEL", "op": "upsert", "email": "new@example.com"});
    world.control("/edit", made).await;
    let known = async || total(&world).await == before + 1;
    world.comes("somebody new", Duration::from_secs(1), known).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn however_much_waits_few_are_asked_about_and_who_is_known_waits_for_nobody() {
    let world = trusting().alone().start().await;
    let people = world.state().await["highlevel"]["contacts"].clone();
    let is_ana = |one: &&Value| one["email"] == ANA;
    let ana = people.as_array().unwrap().iter().find(is_ana).unwrap()["id"].clone();
    let query = "query($e: EmailAddress!) { contact(by: {email: $e}) { id systems } }";
    world.data(query, json!({"e": ANA})).await;
    fails(&world, PERSON).await;
    // More than are looked at together.
    for who in 0..250 {
        hears_of(&world, who).await;
    }
    world.pass(Duration::from_secs(30)).await;
    world.pass(Duration::from_secs(1)).await;
    assert!(are_waiting(&world, 250).await);
    world.forget_calls().await;
    send(&world, &event(&world, "of-ana", ana.as_str().unwrap())).await;
    world.pass(Duration::from_secs(2)).await;
    assert!(!are_waiting(&world, 251).await, "Ana is known");
    let asked = asked(&world).await;
    assert!(asked.len() <= 3, "{asked:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_can_never_be_read_hold_up_others_only_for_a_while() {
    let world = trusting().alone().start().await;
    fails(&world, PERSON).await;
    for who in 0..6 {
        hears_of(&world, who).await;
    }
    let all = async || asked(&world).await.len() == 6;
    world.comes("everybody is asked about", Duration::from_secs(10), all).await;
    world.end().await;
}

//! Another e-mail address in HighLevel, of which a webhook tells: another subscriber in Doppler.

use serde_json::{Value, json};

use super::keeping::{connect, edit, hearing, journal, keeping, settled, tick};
use super::runs::resolve;
use super::{ANA, contact, mutate, subscriber};
use crate::world::World;

const NEW: &str = "ana.new@example.com";

async fn id(world: &World, email: &str) -> Value {
    let query = "query($e: EmailAddress!) { contact(by: {email: $e}) { id } }";
    world.data(query, json!({"e": email})).await["contact"]["id"].clone()
}

/// Waits until the new address has taken the old one's place.
async fn moved(world: &World, lists: &Value) {
    let there = async || {
        tick(world).await;
        let new = subscriber(world, NEW).await;
        let old = subscriber(world, ANA).await.unwrap();
        new.is_some_and(|new| new["lists"] == *lists) && old["lists"] == json!([])
    };
    world.until("the new address has the old one's place", there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_address_is_one_step_and_the_same_contact() {
    let world = hearing(keeping().contacts(20)).await;
    let (before, lists) =
        (id(&world, ANA).await, subscriber(&world, ANA).await.unwrap()["lists"].clone());
    edit(&world, "HIGHLEVEL", "changeEmail", json!({"to": NEW})).await;
    moved(&world, &lists).await;
    settled(&world).await;
    assert_eq!(id(&world, NEW).await, before);
    let query = "{ syncEvents(filter: {systems: [DOPPLER]}, first: 100) { nodes { message } } }";
    let events = world.data(query, json!({})).await["syncEvents"]["nodes"].to_string();
    assert_eq!(events.matches("e-mail address changed in Doppler").count(), 1, "{events}");
    assert_eq!(subscriber(&world, ANA).await.unwrap()["status"], "active", "and may come back");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_could_not_be_looked_up_once_is_not_forgotten() {
    let world = hearing(keeping().contacts(20)).await;
    let lists = subscriber(&world, ANA).await.unwrap()["lists"].clone();
    // The old address can be read, the new one cannot.
    let route = "/accounts/{accountName}/subscribers/{email}";
    let fault = json!({"system": "DOPPLER", "route": route, "method": "GET", "kind": "status",
        "status": 503, "skip": 1});
    world.forget_calls().await;
    world.fault(fault).await;
    edit(&world, "HIGHLEVEL", "changeEmail", json!({"to": NEW})).await;
    let refused = async || {
        tick(&world).await;
        let calls = journal(&world, 0).await.0;
        let is_it =
            |call: &Value| call["status"] == 503 && call["path"].to_string().contains("ana.new");
        calls.iter().any(is_it)
    };
    world.until("it is looked up", refused).await;
    world.clear_faults().await;
    moved(&world, &lists).await;
    settled(&world).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_between_the_new_address_and_the_old_is_finished() {
    let mut world = hearing(keeping().contacts(20)).await;
    let lists = subscriber(&world, ANA).await.unwrap()["lists"].clone();
    let route = "/accounts/{accountName}/lists/{listId}/subscribers/{email}";
    let fault = json!({"system": "DOPPLER", "route": route, "method": "DELETE",
        "kind": "status", "status": 503});
    world.fault(fault).await;
    edit(&world, "HIGHLEVEL", "changeEmail", json!({"to": NEW})).await;
    let made = async || {
        tick(&world).await;
        subscriber(&world, NEW).await.is_some()
    };
    world.until("the new one is there", made).await;
    assert_eq!(subscriber(&world, ANA).await.unwrap()["lists"], lists, "and so is the old one");
    world.restart().await;
    connect(&world).await;
    world.clear_faults().await;
    moved(&world, &lists).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opted_out_is_not_subscribed_under_another_address() {
    let world = hearing(keeping().contacts(20)).await;
    edit(&world, "DOPPLER", "unsubscribe", json!({})).await;
    settled(&world).await;
    edit(&world, "HIGHLEVEL", "changeEmail", json!({"to": NEW})).await;
    settled(&world).await;
    assert_eq!(subscriber(&world, NEW).await, None);
    let ana = contact(&world, NEW).await.unwrap();
    assert_eq!(ana["dndSettings"]["Email"]["status"], "active");
    world.end().await;
}

/// The subscriber of before has no list any more, but mails that were sent to it can still be answered.
#[tokio::test(flavor = "multi_thread")]
async fn who_opts_out_under_the_address_of_before_is_opted_out() {
    let world = hearing(keeping().contacts(20)).await;
    let lists = subscriber(&world, ANA).await.unwrap()["lists"].clone();
    edit(&world, "HIGHLEVEL", "changeEmail", json!({"to": NEW})).await;
    moved(&world, &lists).await;
    settled(&world).await;
    edit(&world, "DOPPLER", "unsubscribe", json!({})).await;
    let out = async || {
        tick(&world).await;
        let ana = contact(&world, NEW).await.unwrap();
        let subscriber = subscriber(&world, NEW).await.unwrap();
        ana["dndSettings"]["Email"]["status"] == "active" && subscriber["status"] == "unsubscribed"
    };
    world.until("she gets no mail under the new one", out).await;
    settled(&world).await;
    // Once she asks for it again and somebody believes it, that is not held against her any more.
    let again = json!({"system": "DOPPLER", "op": "resubscribe", "email": NEW});
    world.control("/edit", again).await;
    let query = "{ holds(first: 100) { nodes { id kind contact { email } } } }";
    let hold = async || {
        tick(&world).await;
        let holds = world.data(query, json!({})).await["holds"]["nodes"].clone();
        let holds = holds.as_array().unwrap().clone();
        holds.into_iter().find(|one| one["kind"] == "CONSENT" && one["contact"]["email"] == NEW)
    };
    world.until("it is asked about", async || hold().await.is_some()).await;
    resolve(&world, &hold().await.unwrap(), "OPT_IN").await;
    let is_out =
        async || contact(&world, NEW).await.unwrap()["dndSettings"]["Email"]["status"] == "active";
    let lifted = async || {
        tick(&world).await;
        !is_out().await
    };
    world.until("HighLevel may mail her, too", lifted).await;
    mutate(&world, "syncContact", json!({"contact": {"email": NEW}})).await;
    settled(&world).await;
    assert!(!is_out().await);
    assert_eq!(subscriber(&world, NEW).await.unwrap()["status"], "active");
    world.end().await;
}

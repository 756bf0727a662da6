//! Opting out: of e-mail and nothing else, and for good.

use serde_json::{Value, json};

use super::{ANA, contact, first_list, mutate, outcome, subscriber, upsert, with_a_rule};
use crate::world::World;

fn ana() -> Value {
    json!({"contact": {"email": ANA}})
}

async fn is_opted_out(world: &World) {
    let there = subscriber(world, ANA).await.unwrap();
    assert_eq!(there["status"], "unsubscribed");
    let here = contact(world, ANA).await.unwrap();
    assert_eq!(here["dndSettings"]["Email"]["status"], "active", "{here:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_messages_are_none_of_it() {
    let world = World::start().await;
    let before = contact(&world, ANA).await.unwrap();
    let done = mutate(&world, "unsubscribe", ana()).await;
    assert_eq!(outcome(&done, "DOPPLER"), "APPLIED", "{done:#}");
    assert_eq!(outcome(&done, "HIGHLEVEL"), "APPLIED", "{done:#}");
    is_opted_out(&world).await;
    let after = contact(&world, ANA).await.unwrap();
    assert_eq!(after["dnd"], json!(false), "{after:#}");
    let other = |contact: &Value| {
        let mut channels = contact["dndSettings"].as_object().cloned().unwrap_or_default();
        channels.remove("Email");
        channels.retain(|_, channel| channel["status"] == "active");
        channels
    };
    assert_eq!(other(&after), other(&before));
    world.forget_calls().await;
    let again = mutate(&world, "unsubscribe", ana()).await;
    assert_eq!(outcome(&again, "DOPPLER"), "UNCHANGED", "{again:#}");
    assert_eq!(outcome(&again, "HIGHLEVEL"), "UNCHANGED", "{again:#}");
    assert_eq!(world.writes().await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_makes_them_mailable_again() {
    let world = with_a_rule().start().await;
    mutate(&world, "unsubscribe", ana()).await;
    is_opted_out(&world).await;
    let before = world.state().await;
    let mut input = ana();
    input["list"] = json!(first_list());
    let refused = mutate(&world, "addToList", input).await;
    assert_eq!(refused["userErrors"][0]["code"], "OPTED_OUT", "{refused:#}");
    assert_eq!(outcome(&refused, "DOPPLER"), "REJECTED", "{refused:#}");
    let refused = upsert(&world, json!({"email": ANA, "lists": [first_list()]})).await;
    assert_eq!(refused["userErrors"][0]["code"], "OPTED_OUT", "{refused:#}");
    mutate(&world, "syncContact", ana()).await;
    assert_eq!(world.state().await, before);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_an_opted_out_person_leaves_them_so() {
    let world = with_a_rule().start().await;
    mutate(&world, "unsubscribe", ana()).await;
    upsert(&world, json!({"email": ANA, "lastName": "Silent", "tags": ["quiet"]})).await;
    is_opted_out(&world).await;
    assert_eq!(contact(&world, ANA).await.unwrap()["lastName"], "Silent");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opted_out_in_highlevel_is_not_made_in_doppler() {
    let world = with_a_rule().start().await;
    let email = "silent@example.com";
    for edit in [
        json!({"system": "HIGHLEVEL", "op": "upsert", "email": email, "fields": {"firstName": "Si"}}),
        json!({"system": "HIGHLEVEL", "op": "unsubscribe", "email": email}),
    ] {
        world.control("/edit", edit).await;
    }
    let input = json!({"email": email, "firstName": "Silent", "lists": [first_list()]});
    let answer = upsert(&world, input).await;
    assert_eq!(outcome(&answer, "HIGHLEVEL"), "APPLIED", "{answer:#}");
    assert_eq!(answer["userErrors"][0]["code"], "OPTED_OUT", "{answer:#}");
    assert_eq!(subscriber(&world, email).await, None);
    world.end().await;
}

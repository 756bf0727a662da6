//! "Changing the e-mail address creates a duplicate and mails the old address."

use serde_json::{Value, json};

use super::super::keeping::{keeping, settled};
use super::super::{ANA, contact, subscriber, upsert};
use super::{comes, edit};
use crate::world::World;

const NEW: &str = "ana.nueva@example.com";

/// Ana has the new address in both systems, is there once, and is mailed at no other one.
async fn is_renamed(world: &World, old: &str, people: usize) {
    let moved = async || subscriber(world, NEW).await.is_some_and(|it| it["lists"] != json!([]));
    comes(world, "the new address in Doppler", moved).await;
    settled(world).await;
    let retired = subscriber(world, old).await;
    let retired = retired.unwrap_or_else(|| panic!("{old} is not there any more"));
    assert_eq!(retired["lists"], json!([]), "the old address is mailed: {retired:#}");
    let state = world.state().await;
    let contacts = state["highlevel"]["contacts"].as_array().unwrap();
    assert_eq!(contacts.len(), people, "somebody was made: {contacts:#?}");
    assert_eq!(contact(world, NEW).await.unwrap()["lastName"], "Paz");
    world.forget_calls().await;
    settled(world).await;
    assert_eq!(world.writes().await, 0, "{:?}", world.calls().await);
}

async fn people(world: &World) -> usize {
    world.state().await["highlevel"]["contacts"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_address_in_highlevel_doubles_nobody_and_the_old_one_is_mailed_no_more() {
    let world = keeping().contacts(10).start().await;
    settled(&world).await;
    let before = people(&world).await;
    // So that nothing but the address ties the two together.
    edit(&world, "DOPPLER", ANA, ("upsert", json!({"fields": {"PHONE": null}}))).await;
    settled(&world).await;
    edit(&world, "HIGHLEVEL", ANA, ("changeEmail", json!({"to": NEW}))).await;
    is_renamed(&world, ANA, before).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_address_by_a_mutation_doubles_nobody() {
    let world = keeping().contacts(10).start().await;
    settled(&world).await;
    let before = people(&world).await;
    let renamed = upsert(&world, json!({"contact": {"email": ANA}, "email": NEW})).await;
    assert_eq!(renamed["userErrors"], json!([]), "{renamed:#}");
    is_renamed(&world, ANA, before).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_doppler_holds_in_capitals_is_changed_like_any_other() {
    let world = keeping().contacts(10).start().await;
    let shouted = "Carla.GOMEZ@Example.com";
    let fields = json!({"fields": {"FIRSTNAME": "Carla", "LASTNAME": "Paz"}, "list": "Newsletter"});
    edit(&world, "DOPPLER", shouted, ("upsert", fields)).await;
    let quiet = "carla.gomez@example.com";
    comes(&world, "Carla in HighLevel", async || contact(&world, quiet).await.is_some()).await;
    settled(&world).await;
    let before = people(&world).await;
    edit(&world, "HIGHLEVEL", quiet, ("changeEmail", json!({"to": NEW}))).await;
    is_renamed(&world, shouted, before).await;
    let query = "query($e: EmailAddress!) { contact(by: {email: $e}) { id } }";
    let id = async |email: &str| -> Value {
        world.data(query, json!({"e": email})).await["contact"]["id"].clone()
    };
    assert_eq!(id(shouted).await, id(NEW).await, "the old address still leads to her");
    world.end().await;
}

//! Who opted out is never mailed again by anything that we do, from whatever side it comes.

use serde_json::{Value, json};

use super::keeping::{STEP, connect, edit, hearing, keeping, settled, tick};
use super::{ANA, contact, first_list, mutate, subscriber, upsert};
use crate::world::World;

/// A world in which Ana opted out in Doppler, and both systems know.
async fn opted_out() -> World {
    let world = hearing(keeping().contacts(20)).await;
    edit(&world, "DOPPLER", "unsubscribe", json!({})).await;
    is_out(&world).await;
    world
}

/// Deletes Ana in both systems.
async fn goes(world: &World) {
    for system in ["HIGHLEVEL", "DOPPLER"] {
        edit(world, system, "delete", json!({})).await;
    }
    settled(world).await;
    mutate(world, "syncContact", json!({"contact": {"email": ANA}})).await;
    settled(world).await;
}

fn dnd(contact: &Value) -> bool {
    ["active", "permanent"].iter().any(|on| contact["dndSettings"]["Email"]["status"] == *on)
}

/// Waits until both systems that know Ana forbid mail to her, and looks again when all is at rest.
async fn is_out(world: &World) {
    let out = async || {
        tick(world).await;
        let there = subscriber(world, ANA).await.is_none_or(|ana| ana["status"] == "unsubscribed");
        there && contact(world, ANA).await.is_none_or(|ana| dnd(&ana))
    };
    world.until("opted out", out).await;
    settled(world).await;
    assert!(out().await, "and it stays so");
}

#[tokio::test(flavor = "multi_thread")]
async fn not_by_a_client_and_not_by_edits_on_both_sides() {
    let world = opted_out().await;
    upsert(&world, json!({"email": ANA, "firstName": "Anabel", "lists": [first_list()]})).await;
    mutate(&world, "syncContact", json!({"contact": {"email": ANA}})).await;
    is_out(&world).await;
    edit(&world, "HIGHLEVEL", "upsert", json!({"fields": {"lastName": "Pazos"}})).await;
    edit(&world, "HIGHLEVEL", "resubscribe", json!({})).await;
    settled(&world).await;
    assert_eq!(subscriber(&world, ANA).await.unwrap()["status"], "unsubscribed");
    assert_eq!(subscriber(&world, ANA).await.unwrap()["lists"], json!([]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn not_by_being_deleted_in_highlevel_and_made_again() {
    let mut world = opted_out().await;
    edit(&world, "HIGHLEVEL", "delete", json!({})).await;
    settled(&world).await;
    world.restart().await;
    connect(&world).await;
    edit(&world, "HIGHLEVEL", "upsert", json!({"fields": {"firstName": "Ana"}})).await;
    is_out(&world).await;
    assert!(contact(&world, ANA).await.is_some_and(|ana| dnd(&ana)));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn not_by_being_deleted_and_made_again_at_once() {
    let world = opted_out().await;
    edit(&world, "HIGHLEVEL", "delete", json!({})).await;
    edit(&world, "HIGHLEVEL", "upsert", json!({"fields": {"firstName": "Ana"}})).await;
    is_out(&world).await;
    assert!(contact(&world, ANA).await.is_some_and(|ana| dnd(&ana)));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn not_by_being_deleted_everywhere_and_made_again() {
    let world = opted_out().await;
    goes(&world).await;
    edit(
        &world,
        "DOPPLER",
        "upsert",
        json!({"fields": {"FIRSTNAME": "Ana"}, "list": "Newsletter"}),
    )
    .await;
    let known = async || {
        tick(&world).await;
        subscriber(&world, ANA).await.is_some_and(|ana| ana["status"] == "unsubscribed")
    };
    world.until("opted out again", known).await;
    is_out(&world).await;
    world.end().await;
}

const EVA: &str = "eva@example.org";

/// Ana opted out and was deleted everywhere, and Eva, who is mailed, is about to get her address.
async fn address_is_free() -> World {
    let world = opted_out().await;
    goes(&world).await;
    let fields = json!({"email": EVA, "list": "Newsletter", "fields": {"FIRSTNAME": "Eva"}});
    edit(&world, "DOPPLER", "upsert", fields).await;
    let known = async || {
        tick(&world).await;
        contact(&world, EVA).await.is_some()
    };
    world.until("both know Eva", known).await;
    settled(&world).await;
    assert_eq!(subscriber(&world, EVA).await.unwrap()["status"], "active");
    world
}

/// The address is as it was left, whoever has it.
async fn address_is_out(world: &World) {
    is_out(world).await;
    let eva = async || {
        tick(world).await;
        subscriber(world, EVA).await.unwrap()["status"] == "unsubscribed"
    };
    world.until("who has the address is out, too", eva).await;
    settled(world).await;
    assert!(subscriber(world, ANA).await.is_none_or(|ana| ana["lists"] == json!([])));
    assert!(contact(world, ANA).await.is_some_and(|ana| dnd(&ana)));
}

#[tokio::test(flavor = "multi_thread")]
async fn not_by_somebody_else_getting_the_address_in_highlevel() {
    let world = address_is_free().await;
    edit(&world, "HIGHLEVEL", "changeEmail", json!({"email": EVA, "to": ANA})).await;
    let moved = async || contact(&world, ANA).await.is_some_and(|ana| dnd(&ana));
    world.comes("the opt-out", STEP, moved).await;
    address_is_out(&world).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn not_by_a_client_giving_somebody_else_the_address() {
    let world = address_is_free().await;
    upsert(&world, json!({"contact": {"email": EVA}, "email": ANA})).await;
    address_is_out(&world).await;
    world.end().await;
}

//! People who are deleted inside one system: what becomes of them in the other.

use serde_json::{Value, json};

use super::keeping::{connect, edit, hearing, keeping, settled, tick};
use super::{ANA, contact, mutate, subscriber};
use crate::world::World;

/// A world at rest with a policy for those who are deleted.
async fn with_policy(deleted: &'static str, changed: &'static str) -> World {
    let builder = keeping().contacts(20).set("sync.deleted", deleted);
    hearing(builder.set("sync.deleted_but_changed", changed)).await
}

async fn systems(world: &World) -> Value {
    let query = "query($e: EmailAddress!) { contact(by: {email: $e}) { systems } }";
    world.data(query, json!({"e": ANA})).await["contact"]["systems"].clone()
}

/// Waits until Ana's link into a system is gone.
async fn unlinked(world: &World, system: &str) {
    let query = "{ syncEvents(filter: {kinds: [UNLINKED]}, first: 50) { nodes { system } } }";
    let gone = async || {
        tick(world).await;
        let events = world.data(query, json!({})).await;
        events["syncEvents"]["nodes"].to_string().contains(system)
    };
    world.until("unlinked", gone).await;
    settled(world).await;
}

/// Deletes Ana inside Doppler, of which nothing tells, and has somebody ask.
async fn delete_in_doppler(world: &World) {
    edit(world, "DOPPLER", "delete", json!({})).await;
    mutate(world, "syncContact", json!({"contact": {"email": ANA}})).await;
    settled(world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_itself_nobody_else_is_deleted_and_nobody_comes_back() {
    let mut world = with_policy("unlink", "keep").await;
    let before = subscriber(&world, ANA).await;
    edit(&world, "HIGHLEVEL", "delete", json!({})).await;
    unlinked(&world, "HIGHLEVEL").await;
    assert_eq!(subscriber(&world, ANA).await, before);
    assert_eq!(systems(&world).await, json!(["DOPPLER"]));
    // Neither a restart nor a change in the other system makes the person again.
    world.restart().await;
    connect(&world).await;
    edit(&world, "DOPPLER", "upsert", json!({"fields": {"LASTNAME": "Pazos"}})).await;
    settled(&world).await;
    mutate(&world, "syncContact", json!({"contact": {"email": ANA}})).await;
    settled(&world).await;
    assert_eq!(contact(&world, ANA).await, None);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_in_highlevel_can_be_tagged_or_opted_out_in_doppler() {
    for policy in ["tag", "unsubscribe", "delete"] {
        let world = with_policy(policy, "keep").await;
        edit(&world, "HIGHLEVEL", "delete", json!({})).await;
        unlinked(&world, "HIGHLEVEL").await;
        let ana = subscriber(&world, ANA).await.unwrap();
        if policy == "tag" {
            assert!(ana["fields"]["TAGS"].as_str().unwrap().contains("deleted in highlevel"));
            assert_eq!(ana["status"], "active");
        } else {
            assert_eq!((&ana["status"], &ana["lists"]), (&json!("unsubscribed"), &json!([])));
        }
        assert_eq!(contact(&world, ANA).await, None, "{policy}");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_in_doppler_can_be_opted_out_or_deleted_in_highlevel() {
    for policy in ["unlink", "unsubscribe", "delete"] {
        let world = with_policy(policy, "keep").await;
        delete_in_doppler(&world).await;
        assert_eq!(subscriber(&world, ANA).await, None);
        let ana = contact(&world, ANA).await;
        match policy {
            "delete" => assert_eq!(ana, None),
            "unsubscribe" => assert_eq!(ana.unwrap()["dndSettings"]["Email"]["status"], "active"),
            _ => assert_ne!(ana.unwrap()["dndSettings"]["Email"]["status"], "active"),
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_done_when_somebody_was_deleted_is_done_later() {
    let mut world = with_policy("unsubscribe", "keep").await;
    let route = "/accounts/{accountName}/unsubscribed";
    let fault = json!({"system": "DOPPLER", "route": route, "method": "POST", "kind": "status",
        "status": 503});
    world.fault(fault).await;
    edit(&world, "HIGHLEVEL", "delete", json!({})).await;
    let failed = async || {
        tick(&world).await;
        world.data("{ syncStatus { failed } }", json!({})).await["syncStatus"]["failed"] != 0
    };
    world.until("it failed", failed).await;
    world.restart().await;
    connect(&world).await;
    world.clear_faults().await;
    unlinked(&world, "HIGHLEVEL").await;
    assert_eq!(subscriber(&world, ANA).await.unwrap()["status"], "unsubscribed");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changed_meanwhile_can_be_made_again() {
    let world = with_policy("delete", "recreate").await;
    let old = contact(&world, ANA).await.unwrap()["id"].clone();
    // Both happen before anybody looks.
    edit(&world, "DOPPLER", "upsert", json!({"fields": {"LASTNAME": "Pazos"}})).await;
    edit(&world, "HIGHLEVEL", "delete", json!({})).await;
    let again = async || {
        tick(&world).await;
        contact(&world, ANA).await.is_some()
    };
    world.until("made again", again).await;
    settled(&world).await;
    let new = contact(&world, ANA).await.unwrap();
    assert_eq!(new["lastName"], "Pazos");
    assert_ne!(new["id"], old);
    assert_eq!(systems(&world).await, json!(["DOPPLER", "HIGHLEVEL"]));
    world.end().await;
}

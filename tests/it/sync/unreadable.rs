//! Somebody whom a system does not show.

use serde_json::json;

use super::keeping::{STEP, edit};
use super::{contact, mutate, outcome, upsert};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_note_waits_for_its_own_system_whatever_stands_in_the_other() {
    let world = World::builder().start().await;
    let email = "only.doppler@example.com";
    edit(&world, "DOPPLER", "upsert", json!({"email": email, "list": "Newsletter"})).await;
    let long = json!({"email": email, "firstName": "long".repeat(101)});
    let answer = upsert(&world, long).await;
    assert_eq!(outcome(&answer, "DOPPLER"), "QUEUED", "{answer:#}");
    let holds = world.data("{ holds { nodes { kind system } } }", json!({})).await;
    let overflow = json!([{"kind": "OVERFLOW", "system": "DOPPLER"}]);
    assert_eq!(holds["holds"]["nodes"], overflow);

    world.fault(json!({"system": "HIGHLEVEL", "kind": "status", "status": 503})).await;
    let note = json!({"contact": {"email": email}, "body": "Wants a call"});
    let answer = mutate(&world, "createNote", note).await;
    assert_eq!(outcome(&answer, "HIGHLEVEL"), "QUEUED", "{answer:#}");
    edit(&world, "HIGHLEVEL", "upsert", json!({"email": email})).await;
    world.pass(STEP).await;
    world.clear_faults().await;
    let is_there = async || {
        let notes = contact(&world, email).await.unwrap()["notes"].to_string();
        notes.contains("Wants a call")
    };
    world.comes("the note", STEP, is_there).await;
    world.end().await;
}

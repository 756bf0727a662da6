//! Notes from Doppler: what becomes of a field's value there, and what of a note is shown there.

use std::time::Duration;

use serde_json::{Value, json};
use tandem::sandbox::credentials::HIGHLEVEL_TOKEN;

use super::keeping::{connect, edit, hearing, keeping, settled, tick};
use super::{ANA, contact, subscriber};
use crate::world::World;

/// A Doppler field that nothing else is kept in.
const FIELD: &str = "NroCliente";

/// A world that hears of HighLevel's changes by webhooks alone, with such notes.
async fn with_notes(notes: Value) -> World {
    let world = hearing(keeping().contacts(20)).await;
    let query = "mutation($input: UpdateMappingInput!) { updateMapping(input: $input) { \
        userErrors { message } } }";
    let input = json!({"ifRevision": 0, "mapping": {"notes": notes}});
    let answer = world.data(query, json!({"input": input})).await;
    assert_eq!(answer["updateMapping"]["userErrors"], json!([]), "{answer:#}");
    reconciled(&world).await;
    world
}

/// Has Ana looked at, so that the mapping meets her.
async fn reconciled(world: &World) {
    super::mutate(world, "syncContact", json!({"contact": {"email": ANA}})).await;
    settled(world).await;
}

async fn bodies(world: &World) -> Vec<String> {
    let ana = contact(world, ANA).await.unwrap();
    let notes = ana["notes"].as_array().unwrap().iter();
    notes.map(|note| note["body"].as_str().unwrap().to_owned()).collect()
}

async fn shown(world: &World) -> Value {
    subscriber(world, ANA).await.unwrap()["fields"][FIELD].clone()
}

async fn set(world: &World, value: &str) {
    edit(world, "DOPPLER", "upsert", json!({"fields": {FIELD: value}})).await;
}

async fn becomes(world: &World, what: &str, count: usize) {
    let there = async || {
        tick(world).await;
        bodies(world).await.iter().filter(|body| *body == what).count() == count
    };
    world.until("the note", there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_value_of_the_field_is_one_note() {
    let mut world = with_notes(json!({"noteFromField": FIELD})).await;
    let before = bodies(&world).await;
    assert!(!before.iter().any(|body| body == "C-000001"), "what was there is no news");
    set(&world, "Wants a call").await;
    becomes(&world, "Wants a call", 1).await;
    set(&world, "Was called").await;
    becomes(&world, "Was called", 1).await;
    settled(&world).await;
    world.restart().await;
    connect(&world).await;
    reconciled(&world).await;
    world.forget_calls().await;
    // Something else of the person changes, and nothing of it is repeated.
    edit(&world, "DOPPLER", "upsert", json!({"fields": {"LASTNAME": "Pazos"}})).await;
    let arrived = async || {
        tick(&world).await;
        contact(&world, ANA).await.unwrap()["lastName"] == "Pazos"
    };
    world.until("the name", arrived).await;
    settled(&world).await;
    assert_eq!(bodies(&world).await.len(), before.len() + 2);
    assert_eq!(shown(&world).await, "Was called", "and nothing comes back");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_whose_answer_was_lost_is_not_written_twice() {
    let world = with_notes(json!({"noteFromField": FIELD})).await;
    let route = "/contacts/{contactId}/notes";
    let fault = json!({"system": "HIGHLEVEL", "route": route, "method": "POST", "kind": "drop",
        "times": 1});
    world.fault(fault).await;
    set(&world, "Wants a call").await;
    becomes(&world, "Wants a call", 1).await;
    settled(&world).await;
    assert_eq!(bodies(&world).await.iter().filter(|body| *body == "Wants a call").count(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_note_is_shown_and_shortened_and_goes_with_its_note() {
    let world = with_notes(json!({"lastNoteField": FIELD})).await;
    let shows = async |what: &str| {
        tick(&world).await;
        shown(&world).await == what
    };
    let before = bodies(&world).await;
    let last = "Prefers to be called in the afternoon.";
    world.until("the last of those that were there", async || shows(last).await).await;
    world.pass(Duration::from_secs(60)).await;
    edit(&world, "HIGHLEVEL", "note", json!({"body": "long ".repeat(200)})).await;
    let shortened = async || {
        tick(&world).await;
        let now = shown(&world).await;
        let text = now.as_str().unwrap_or_default();
        text.starts_with("long long") && text.ends_with(" […]") && text.chars().count() <= 400
    };
    world.until("the new one, marked as shortened", shortened).await;
    settled(&world).await;
    world.forget_calls().await;
    reconciled(&world).await;
    assert_eq!(world.writes().await, 0, "{:?}", world.calls().await);
    assert_eq!(bodies(&world).await.len(), before.len() + 1, "the copy is no note");
    delete(&world, "long").await;
    world.until("the one before", async || shows(last).await).await;
    delete(&world, last).await;
    world.until("the first", async || shows("Asked for the price list.").await).await;
    delete(&world, "Asked").await;
    let nothing = async || {
        tick(&world).await;
        shown(&world).await.as_str().unwrap_or_default().is_empty()
    };
    world.until("none is left", nothing).await;
    world.end().await;
}

/// Deletes a note of Ana's inside HighLevel, by how it begins.
async fn delete(world: &World, beginning: &str) {
    let ana = contact(world, ANA).await.unwrap();
    let notes = ana["notes"].as_array().unwrap();
    let is_it = |note: &&Value| note["body"].as_str().unwrap().starts_with(beginning);
    let note = notes.iter().find(is_it).unwrap()["id"].as_str().unwrap();
    let id = ana["id"].as_str().unwrap();
    let url = format!("{}/contacts/{id}/notes/{note}", world.sandbox.highlevel_url());
    let request = world.http().delete(url).bearer_auth(HIGHLEVEL_TOKEN);
    let answer = request.header("Version", "2021-07-28").send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

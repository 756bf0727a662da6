//! Notes whose answer got lost: looked up, not written again.

use serde_json::{Value, json};

use super::keeping::STEP;
use super::{ANA, contact, mutate, outcome};
use crate::world::World;

const BODY: &str = "Asked for the price list";

async fn copies(world: &World) -> usize {
    let ana = contact(world, ANA).await.unwrap();
    let notes = ana["notes"].as_array().unwrap().clone();
    notes.iter().filter(|note| note["body"] == BODY).count()
}

async fn written_once(fault: Value, there_at_once: usize) {
    let world = World::builder().set("highlevel.timeout", "4s").start().await;
    world.fault(fault).await;
    let input = json!({"contact": {"email": ANA}, "body": BODY, "idempotencyKey": "lost"});
    let lost = mutate(&world, "createNote", input.clone()).await;
    assert_eq!(outcome(&lost, "HIGHLEVEL"), "QUEUED", "{lost:#}");
    assert_eq!(copies(&world).await, there_at_once);
    world.clear_faults().await;
    world
        .comes("the note is known to be there", STEP, || async {
            let again = mutate(&world, "createNote", input.clone()).await;
            outcome(&again, "HIGHLEVEL") == "APPLIED"
        })
        .await;
    assert_eq!(copies(&world).await, 1);
    let query =
        "mutation($input: CreateNoteInput!) { createNote(input: $input) { note { body } } }";
    let data = world.data(query, json!({"input": input})).await;
    assert_eq!(data["createNote"]["note"]["body"], BODY);
    world.end().await;
}

/// Also of looking for the note: a worker may do so before the client is answered.
fn fault(kind: &str) -> Value {
    json!({"system": "HIGHLEVEL", "route": "/contacts/{contactId}/notes", "kind": kind})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_broke_off_is_looked_up() {
    written_once(fault("drop"), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_made_no_sense_is_looked_up() {
    written_once(fault("bad-json"), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_that_never_arrived_is_written() {
    written_once(fault("hang"), 0).await;
}

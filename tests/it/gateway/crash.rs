//! A process that dies in the middle of a mutation, and the retry that follows.

use std::time::Duration;

use serde_json::json;

use super::ana;
use crate::world::World;

const CREATE: &str = "mutation($contact: ContactBy!, $key: String) { \
    createNote(input: {contact: $contact, body: \"Once\", idempotencyKey: $key}) { \
    note { id body } writes { system outcome } userErrors { code } } }";
const NOTES: &str =
    "query($id: ID!) { contact(by: {id: $id}) { notes(first: 100) { nodes { body } } } }";

async fn count(world: &World, id: &str) -> usize {
    let data = world.data(NOTES, json!({"id": id})).await;
    let nodes = data["contact"]["notes"]["nodes"].as_array().unwrap().clone();
    nodes.iter().filter(|note| note["body"] == "Once").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_answers_as_the_dead_process_would_have_and_the_write_is_made_once() {
    // The drain gives up at once, so that the gateway goes down with the mutation under way.
    let mut world = World::builder()
        .set("sync.mutation_deadline", "500ms")
        .set("server.drain_timeout", "10ms")
        .start()
        .await;
    let id = ana(&world).await;
    let route = "/contacts/{contactId}/notes";
    let fault = json!({"system": "HIGHLEVEL", "route": route, "method": "POST", "kind": "hang"});
    world.fault(fault).await;
    let input = json!({"contact": {"id": id}, "key": "k-crash"});
    let body = json!({"query": CREATE, "variables": input});
    let request = world.http().post(world.url("/graphql")).json(&body);
    let dying = tokio::spawn(request.send());
    world
        .until("the note is on its way", || async {
            let calls = world.calls().await;
            calls.iter().any(|call| call.method == "POST" && call.route.as_deref() == Some(route))
        })
        .await;
    world.restart().await;
    let _ = dying.await;
    world.clear_faults().await;

    // The dead process holds the contact until its lease has run out.
    let told = world.data(CREATE, input.clone()).await["createNote"].clone();
    assert_eq!(told["writes"], json!([{"system": "HIGHLEVEL", "outcome": "QUEUED"}]));
    assert_eq!(count(&world, &id).await, 0);
    world.clock.advance(Duration::from_secs(61));
    world.until("the note is written", || async { count(&world, &id).await == 1 }).await;
    let again = world.data(CREATE, input).await["createNote"].clone();
    assert_eq!(again["note"]["body"], "Once");
    world.shows("the note is there once", || async { count(&world, &id).await == 1 }).await;
    world.end().await;
}

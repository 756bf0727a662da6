//! A process that dies in the middle of a mutation, and the retry that follows.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ana, codes};
use crate::world::World;

const CREATE: &str = "mutation($contact: ContactBy!, $key: String) { \
    createNote(input: {contact: $contact, body: \"Once\", idempotencyKey: $key}) { \
    note { id body } userErrors { code } } }";
const NOTES: &str =
    "query($id: ID!) { contact(by: {id: $id}) { notes(first: 100) { nodes { body } } } }";

async fn count(world: &World, id: &str) -> usize {
    let data = world.data(NOTES, json!({"id": id})).await;
    let nodes = data["contact"]["notes"]["nodes"].as_array().unwrap().clone();
    nodes.iter().filter(|note| note["body"] == "Once").count()
}

/// The refusal's wait in milliseconds.
fn wait(answer: &Value) -> u64 {
    assert_eq!(codes(answer), [("REQUEST_TIMEOUT".to_owned(), "createNote".to_owned())]);
    let extensions = &answer["errors"][0]["extensions"];
    extensions["retryAfterMs"].as_u64().unwrap_or_else(|| panic!("{answer:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_told_how_long_the_dead_claim_holds_and_then_takes_it_up() {
    // The drain gives up at once, so that the gateway goes down with the mutation under way.
    let mut world = World::builder()
        .set("server.request_timeout", "2s")
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

    let told = wait(&world.ask(CREATE, input.clone()).await);
    // The request's time and ten seconds, less what has passed.
    assert!((1..=12_001).contains(&told), "{told} ms");
    world.clock.advance(Duration::from_millis(told / 2));
    assert!(wait(&world.ask(CREATE, input.clone()).await) < told);
    assert_eq!(count(&world, &id).await, 0);
    world.clock.advance(Duration::from_millis(told));
    let created = world.data(CREATE, input.clone()).await;
    assert_eq!(world.data(CREATE, input).await, created);
    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(count(&world, &id).await, 1);
    world.end().await;
}

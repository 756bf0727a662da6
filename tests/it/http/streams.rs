//! `contactChanged` reaches every kind of client after a note was written.

use serde_json::{Value, json};
use tokio::time::{Duration, timeout};

use super::client::{Events, Socket};
use crate::world::World;

const WATCH: &str = "subscription($by: ContactBy!) {
    contactChanged(by: $by) { email notes(first: 100) { nodes { body } } }
}";
const WRITE: &str = "mutation($input: CreateNoteInput!) {
    createNote(input: $input) { note { id body } userErrors { message } }
}";

/// How long a note is waited for before the next is written.
const AGAIN: Duration = Duration::from_secs(1);

fn ana() -> Value {
    json!({"by": {"email": "ana.paz@example.com"}})
}

fn note(body: &str) -> Value {
    json!({"input": {"contact": {"email": "ana.paz@example.com"}, "body": body}})
}

/// Writes until the change is heard of: when a subscription began to listen cannot be seen.
async fn write_until<T>(world: &World, body: &str, heard: impl Future<Output = T>) -> T {
    let mut heard = Box::pin(heard);
    // As many as the subscription shows.
    for _ in 0..100 {
        let written = world.data(WRITE, note(body)).await;
        assert_eq!(written["createNote"]["note"]["body"], body);
        if let Ok(heard) = timeout(AGAIN, &mut heard).await {
            return heard;
        }
    }
    panic!("never heard of the note");
}

fn has_note(event: &Value, body: &str) -> bool {
    let contact = &event["data"]["contactChanged"];
    assert_eq!(contact["email"], "ana.paz@example.com", "{event:#}");
    contact["notes"]["nodes"].as_array().unwrap().iter().any(|note| note["body"] == body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_hears_of_a_note() {
    let world = World::start().await;
    let mut socket = Socket::open(&world).await;
    socket.subscribe("watch", WATCH, ana()).await;
    let event = write_until(&world, "over the socket", socket.next()).await;
    assert_eq!((&event["id"], &event["type"]), (&json!("watch"), &json!("next")));
    assert!(has_note(&event["payload"], "over the socket"), "{event:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn server_sent_events_tell_of_a_note() {
    let world = World::start().await;
    let mut events = Events::open(&world, WATCH, ana()).await;
    let (name, event) = write_until(&world, "by event", events.next()).await.unwrap();
    assert_eq!(name, "next");
    assert!(has_note(&event, "by event"), "{event:#}");
    drop(events);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_and_mutations_go_over_every_transport() {
    let world = World::start().await;
    let mut socket = Socket::open(&world).await;
    socket.subscribe("1", WRITE, note("written on the socket")).await;
    let written = socket.next().await;
    let body = &written["payload"]["data"]["createNote"]["note"]["body"];
    assert_eq!(body, "written on the socket", "{written:#}");
    assert_eq!(socket.next().await, json!({"id": "1", "type": "complete"}));

    let query = "query($by: ContactBy!) { contact(by: $by) { notes { nodes { body } } } }";
    let mut events = Events::open(&world, query, ana()).await;
    let (_, answer) = events.next().await.unwrap();
    let notes = answer["data"]["contact"]["notes"]["nodes"].as_array().unwrap().clone();
    assert!(notes.iter().any(|note| note["body"] == "written on the socket"), "{answer:#}");
    assert_eq!(events.next().await, Some(("complete".to_owned(), json!({}))));
    assert_eq!(events.next().await, None);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_to_nobody_is_told_so() {
    let world = World::start().await;
    let nobody = json!({"by": {"email": "nobody@example.com"}});
    let mut socket = Socket::open(&world).await;
    socket.subscribe("1", WATCH, nobody.clone()).await;
    let told = socket.next().await;
    let errors =
        if told["type"] == "error" { &told["payload"] } else { &told["payload"]["errors"] };
    assert_eq!(errors[0]["extensions"]["code"], "BAD_USER_INPUT", "{told:#}");
    let mut events = Events::open(&world, WATCH, nobody).await;
    let (_, event) = events.next().await.unwrap();
    assert_eq!(event["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{event:#}");
    world.end().await;
}

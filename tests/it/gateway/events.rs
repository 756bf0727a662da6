//! `contactChanged`, over server-sent events; `WebSockets` have a client of their own elsewhere.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::ana;
use crate::time::PATIENCE;
use crate::world::World;

const AGAIN: Duration = Duration::from_secs(1);
const FOLLOW: &str =
    "subscription($id: ID!) { contactChanged(by: {id: $id}) { id notes { nodes { body } } } }";
const CREATE: &str = "mutation($id: ID!, $body: String!) { createNote(input: {contact: {id: $id}, body: $body}) { userErrors { code } } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_sees_each_change_as_it_is_by_then() {
    let world = World::start().await;
    let id = ana(&world).await;
    let body = json!({"query": FOLLOW, "variables": {"id": id}});
    let request = world.http().post(world.url("/graphql")).header("accept", "text/event-stream");
    let answer = request.json(&body).send().await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("text/event-stream"), "{kind}");
    let mut stream = answer.bytes_stream();
    let mut text = String::new();
    for body in ["First", "Second", "Third"] {
        world.data(CREATE, json!({"id": id, "body": body})).await;
        let seen = async {
            while !text.contains(body) {
                if let Ok(chunk) = tokio::time::timeout(AGAIN, stream.next()).await {
                    text.push_str(&String::from_utf8_lossy(&chunk.unwrap().unwrap()));
                } else if !text.contains("data:") {
                    // Before the first event nobody can see whether the follower listens yet.
                    world.data(CREATE, json!({"id": id, "body": body})).await;
                }
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.unwrap();
    }
    let first = text.split("data: ").nth(1).unwrap().lines().next().unwrap();
    let event: Value = serde_json::from_str(first).unwrap();
    assert_eq!(event["data"]["contactChanged"]["id"], json!(id));
    drop(stream);
    world.end().await;
}

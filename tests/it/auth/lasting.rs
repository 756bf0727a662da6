//! A subscription ends when its token does.

use futures_util::StreamExt;
use serde_json::json;
use tandem::clock::Clock;

use super::{EVERYTHING, MINUTE, claims, good, guarded, signed};
use crate::http::client::Socket;
use crate::time::PATIENCE;

const FOLLOW: &str = "subscription { syncStatus { state } }";

fn clock() -> Clock {
    Clock::manual("2026-11-24T12:00:00Z".parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_closed_when_the_token_ends() {
    let clock = clock();
    let world = guarded().limited(clock.clone()).start().await;
    let mut socket = Socket::connect(&world).await;
    let payload = json!({"authorization": format!("Bearer {}", good(&world, EVERYTHING))});
    socket.send(&json!({"type": "connection_init", "payload": payload})).await;
    assert_eq!(socket.next().await, json!({"type": "connection_ack"}));
    socket.subscribe("a", FOLLOW, json!({})).await;
    assert_eq!(socket.next().await["type"], "next");
    clock.advance(MINUTE * 11);
    assert_eq!(socket.closed().await, 4403);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_events_says_that_the_token_ended() {
    let clock = clock();
    let world = guarded().limited(clock.clone()).start().await;
    let request = world.http().post(world.url("/graphql"));
    let request = request.bearer_auth(signed(&claims(&clock, EVERYTHING)));
    let request = request.header("accept", "text/event-stream");
    let answer = request.json(&json!({"query": FOLLOW})).send().await.unwrap();
    let mut stream = answer.bytes_stream();
    let mut text = String::new();
    let mut moved = false;
    let read = async {
        while let Some(bytes) = stream.next().await {
            text.push_str(&String::from_utf8_lossy(&bytes.unwrap()));
            if !moved && text.contains("syncStatus") {
                clock.advance(MINUTE * 11);
                moved = true;
            }
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("the stream goes on");
    assert!(text.contains("UNAUTHENTICATED") && text.contains("the token has expired"), "{text}");
    assert!(text.trim_end().ends_with("event: complete\ndata: {}"), "{text}");
    world.end().await;
}

//! No client takes the gateway from the others.

use std::time::Duration;

use serde_json::{Value, json};
use tandem::clock::Clock;

use super::{EVERYTHING, claims, code, guarded, signed, with};
use crate::http::client::Socket;
use crate::world::World;

const ASK: &str = "{ viewer { subject } }";

/// Three operations at once, one a second afterwards; two subscriptions; one socket.
async fn strict(clock: &Clock) -> World {
    // A gateway counts what it is asked itself.
    let world = guarded().alone().limited(clock.clone());
    world
        .set("limits.batch", 3)
        .set("limits.client.operations_per_second", 1)
        .set("limits.client.burst", 3)
        .set("limits.client.subscriptions", 2)
        .set("limits.client.sockets", 1)
        .start()
        .await
}

fn clock() -> Clock {
    Clock::manual("2026-11-24T12:00:00Z".parse().unwrap())
}

fn token(clock: &Clock, subject: &str) -> String {
    signed(&with(claims(clock, EVERYTHING), "sub", subject))
}

async fn post(world: &World, token: &str, body: &Value) -> (u16, Option<u64>, Value) {
    let request = world.http().post(world.url("/graphql")).bearer_auth(token);
    let answer = request.json(body).send().await.unwrap();
    let wait = answer.headers().get("retry-after").map(|it| it.to_str().unwrap().parse().unwrap());
    (answer.status().as_u16(), wait, answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_fast_is_told_when_to_come_again() {
    let clock = clock();
    let world = strict(&clock).await;
    let (greedy, other) = (token(&clock, "greedy"), token(&clock, "other"));
    let batch = json!([{"query": ASK}, {"query": ASK}, {"query": ASK}]);
    assert_eq!(post(&world, &greedy, &batch).await.0, 200);
    // An answer that is at hand counts like any other.
    let (status, wait, refused) = post(&world, &greedy, &json!({"query": ASK})).await;
    assert_eq!((status, code(&refused)), (429, "RATE_LIMITED"), "{refused:#}");
    assert_eq!(refused["errors"][0]["extensions"]["retryAfterMs"], 1000, "{refused:#}");
    assert_eq!(wait, Some(2), "whole seconds, and not too early");
    assert_eq!(post(&world, &other, &json!({"query": ASK})).await.0, 200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(post(&world, &greedy, &json!({"query": ASK})).await.0, 200);
    assert_eq!(post(&world, &greedy, &json!({"query": ASK})).await.0, 429);
    world.end().await;
}

/// A socket that has said whose it is.
async fn socket(world: &World, token: &str) -> Socket {
    let mut socket = Socket::connect(world).await;
    socket.begin(token).await;
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_more_than_the_clients_part_is_closed() {
    let clock = clock();
    let world = strict(&clock).await;
    let (greedy, other) = (token(&clock, "greedy"), token(&clock, "other"));
    let mut first = socket(&world, &greedy).await;
    assert_eq!(first.next().await["type"], "connection_ack");
    assert_eq!(socket(&world, &greedy).await.closed().await, 4429);
    assert_eq!(socket(&world, &other).await.next().await["type"], "connection_ack");
    first.subscribe("1", ASK, json!({})).await;
    assert_eq!(first.next().await["type"], "next", "the one before goes on");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_counts_too_and_goes_on() {
    let clock = clock();
    let world = strict(&clock).await;
    let mut socket = socket(&world, &token(&clock, "greedy")).await;
    assert_eq!(socket.next().await["type"], "connection_ack");
    for id in ["1", "2", "3"] {
        socket.subscribe(id, ASK, json!({})).await;
        assert_eq!(socket.next().await["type"], "next");
        assert_eq!(socket.next().await["type"], "complete");
    }
    socket.subscribe("4", ASK, json!({})).await;
    let refused = socket.next().await;
    assert_eq!(refused["type"], "error", "{refused:#}");
    assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED", "{refused:#}");
    clock.advance(Duration::from_secs(3));
    let follow = "subscription { syncStatus { state } }";
    for id in ["5", "6"] {
        socket.subscribe(id, follow, json!({})).await;
        assert_eq!(socket.next().await["type"], "next");
    }
    socket.subscribe("7", follow, json!({})).await;
    let refused = socket.next().await;
    assert_eq!(refused["payload"][0]["extensions"]["limit"], 2, "{refused:#}");
    // One that ends makes room.
    socket.send(&json!({"id": "5", "type": "complete"})).await;
    clock.advance(Duration::from_secs(3));
    socket.subscribe("8", follow, json!({})).await;
    assert_eq!(socket.next().await["type"], "next");
    world.end().await;
}

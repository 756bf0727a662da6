//! The end: what is under way is finished, what is open is closed.

use std::sync::Arc;

use serde_json::{Value, json};

use super::client::Socket;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn requests_finish_and_sockets_are_closed() {
    let world = World::start().await;
    world.fault(json!({"system": "HIGHLEVEL", "kind": "delay", "delayMs": 500})).await;
    let mut socket = Socket::open(&world).await;
    let by = json!({"by": {"id": "contact_x"}});
    socket
        .subscribe("1", "subscription($by: ContactBy!) { contactChanged(by: $by) { id } }", by)
        .await;
    socket.next().await;
    let url = world.url("/graphql");
    let client = Arc::new(world.http().clone());
    let query = json!({"query": "{ contacts(first: 3) { nodes { id } } }"});
    let asked = tokio::spawn(async move {
        let answer = client.post(url).json(&query).send().await.unwrap();
        answer.json::<Value>().await.unwrap()
    });
    world.until("the request is under way", || async { !world.calls().await.is_empty() }).await;
    world.end().await;
    let answer = asked.await.unwrap();
    assert_eq!(answer["data"]["contacts"]["nodes"].as_array().unwrap().len(), 3, "{answer:#}");
    assert_eq!(socket.closed().await, 1001);
}

//! Credentials that end and that nothing can renew.

use std::time::Duration;

use serde_json::{Value, json};
use tandem::sandbox::credentials::HIGHLEVEL_TOKEN;

use super::{KEY, upstream};
use crate::world::World;

const DAY: Duration = Duration::from_hours(24);

/// What the history says of it, the oldest first.
async fn told(world: &World) -> Vec<String> {
    let query = "{ syncEvents(first: 100, filter: {kinds: [CREDENTIAL_EXPIRING]}) { \
        nodes { system message } } }";
    let nodes = world.data(query, json!({})).await["syncEvents"]["nodes"].clone();
    let nodes = nodes.as_array().unwrap().iter();
    let mut said: Vec<String> = nodes
        .map(|node| format!("{} {}", node["system"].as_str().unwrap(), node["message"]))
        .collect();
    said.sort();
    said
}

async fn until_told(world: &World, count: usize) -> Vec<String> {
    let step = Duration::from_secs(2);
    world.comes("told", step, || async { told(world).await.len() >= count }).await;
    // And no more than that, however often it is looked.
    for _ in 0..5 {
        world.pass(step).await;
    }
    let said = told(world).await;
    assert_eq!(said.len(), count, "{said:?}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_announced_ahead_and_once_a_step() {
    let mut world = World::builder().set("vault.keys", KEY).start().await;
    let ends = (world.clock.now() + 20 * DAY).to_rfc3339();
    let connect = "mutation($t: String!, $e: DateTime) { connectHighLevel(input: \
        {privateIntegrationToken: $t, expiresAt: $e}) { userErrors { message } } }";
    let answer = world.data(connect, json!({"t": HIGHLEVEL_TOKEN, "e": ends})).await;
    assert_eq!(answer["connectHighLevel"]["userErrors"], json!([]), "{answer:#}");
    let shown = upstream(&world, "HIGHLEVEL").await;
    assert!(shown["credential"]["expiresAt"].is_string(), "{shown:#}");
    let said = until_told(&world, 1).await;
    assert!(said[0].starts_with("HIGHLEVEL") && said[0].contains("cannot be renewed"), "{said:?}");
    world.clock.advance(14 * DAY);
    until_told(&world, 2).await;
    // What was told is remembered.
    world.restart().await;
    until_told(&world, 2).await;
    world.clock.advance(7 * DAY);
    let said = until_told(&world, 3).await;
    assert!(said.iter().any(|one| one.contains("ended")), "{said:?}");
    // One without an end says nothing.
    let forever = world.data(connect, json!({"t": HIGHLEVEL_TOKEN, "e": Value::Null})).await;
    assert_eq!(forever["connectHighLevel"]["userErrors"], json!([]));
    until_told(&world, 3).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_may_tell_the_day() {
    let world = World::builder()
        .set("doppler.api_key_expires", "2020-01-31")
        .set("highlevel.token_expires", "2199-01-31")
        .start()
        .await;
    let said = until_told(&world, 1).await;
    assert!(said[0].starts_with("DOPPLER") && said[0].contains("2020-01-31"), "{said:?}");
    world.end().await;
}

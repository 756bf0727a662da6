//! What is kept, for how long, and what the request's `Cache-Control` makes of it.
//!
//! A cache is one gateway's own, so each test has one gateway.

use std::time::Duration;

use serde_json::json;

use super::{ana, codes};
use crate::world::World;

const NAME: &str = "query($id: ID!) { contact(by: {id: $id}) { highlevel { firstName } } }";
const FRESHNESS: &str = "query($id: ID!) { contact(by: {id: $id}) { freshness { source stale } } }";

async fn rename(world: &World, name: &str) {
    let fields = json!({"firstName": name});
    let edit =
        json!({"system": "HIGHLEVEL", "op": "upsert", "email": super::ANA, "fields": fields});
    world.control("/edit", edit).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_cache_asks_again_and_everyone_sees_it_afterwards() {
    let world = World::still().await;
    let id = ana(&world).await;
    let first = world.data(NAME, json!({"id": id})).await;
    rename(&world, "Anita").await;
    assert_eq!(world.data(NAME, json!({"id": id})).await, first);
    let fresh = world.ask_with(NAME, json!({"id": id}), &[("cache-control", "no-cache")]).await;
    assert_eq!(fresh["data"]["contact"]["highlevel"]["firstName"], "Anita");
    let after = world.data(NAME, json!({"id": id})).await;
    assert_eq!(after["contact"]["highlevel"]["firstName"], "Anita");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_kept_for_their_time_to_live() {
    let world = World::still().await;
    let id = ana(&world).await;
    world.data(NAME, json!({"id": id})).await;
    rename(&world, "Anita").await;
    world.clock.advance(Duration::from_secs(59));
    assert_ne!(
        world.data(NAME, json!({"id": id})).await["contact"]["highlevel"]["firstName"],
        "Anita"
    );
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(
        world.data(NAME, json!({"id": id})).await["contact"]["highlevel"]["firstName"],
        "Anita"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn max_age_bounds_what_counts() {
    let world = World::still().await;
    let id = ana(&world).await;
    world.data(NAME, json!({"id": id})).await;
    world.clock.advance(Duration::from_secs(10));
    world.forget_calls().await;
    world.ask_with(NAME, json!({"id": id}), &[("cache-control", "max-age=20")]).await;
    assert_eq!(world.calls().await.len(), 0);
    world.ask_with(NAME, json!({"id": id}), &[("cache-control", "max-age=5")]).await;
    assert_eq!(world.calls().await.len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_if_cached_makes_no_call() {
    let world = World::still().await;
    let id = ana(&world).await;
    let query = "query($id: ID!) { contact(by: {id: $id}) { notes { nodes { id } } highlevel { contactId } } }";
    world.data(NAME, json!({"id": id})).await;
    world.forget_calls().await;
    let answer =
        world.ask_with(query, json!({"id": id}), &[("cache-control", "only-if-cached")]).await;
    assert_eq!(codes(&answer), [("NOT_CACHED".to_owned(), "contact.notes".to_owned())]);
    assert!(answer["data"]["contact"]["highlevel"].is_object());
    assert!(world.calls().await.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn freshness_tells_live_from_cache() {
    let world = World::still().await;
    let id = ana(&world).await;
    let fresh =
        world.ask_with(FRESHNESS, json!({"id": id}), &[("cache-control", "no-cache")]).await;
    assert_eq!(fresh["data"]["contact"]["freshness"]["source"], "LIVE");
    world.clock.advance(Duration::from_secs(1));
    let kept = world.data(FRESHNESS, json!({"id": id})).await;
    assert_eq!(kept["contact"]["freshness"], json!({"source": "CACHE", "stale": false}));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn absence_is_believed_for_a_while_only() {
    let world = World::still().await;
    let query = "{ contact(by: {email: \"late@example.com\"}) { id } }";
    assert!(world.data(query, json!({})).await["contact"].is_null());
    world.forget_calls().await;
    assert!(world.data(query, json!({})).await["contact"].is_null());
    assert!(world.calls().await.is_empty());
    let fields = json!({"email": "late@example.com", "firstName": "Late"});
    let edit = json!({"system": "HIGHLEVEL", "op": "upsert", "email": "late@example.com", "fields": fields});
    world.control("/edit", edit).await;
    world.clock.advance(Duration::from_secs(61));
    assert!(world.data(query, json!({})).await["contact"]["id"].is_string());
    world.end().await;
}

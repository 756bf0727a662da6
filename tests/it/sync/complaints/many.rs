//! More people than a page holds, runs that fail half way, and what is switched on unseen.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::keeping::{keeping, settled, status, tick};
use super::comes;
use crate::world::World;

/// Everybody whom a listing shows, each of whom it must show once.
async fn listed(world: &World) -> BTreeSet<String> {
    let query = "query($after: String) { contacts(source: HIGHLEVEL, first: 100, after: $after) { \
        nodes { id } pageInfo { hasNextPage endCursor } } }";
    let (mut all, mut after) = (BTreeSet::new(), Value::Null);
    loop {
        let page = world.data(query, json!({"after": after})).await["contacts"].clone();
        for node in page["nodes"].as_array().unwrap() {
            let id = node["id"].as_str().unwrap().to_owned();
            assert!(all.insert(id), "somebody is listed twice");
        }
        if page["pageInfo"]["hasNextPage"] != true {
            return all;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// How many contacts HighLevel has, made to be so many.
async fn with_contacts(count: usize) -> World {
    let world = World::builder().contacts(count).start().await;
    let have = world.state().await["highlevel"]["contacts"].as_array().unwrap().len();
    for number in have..count {
        let email = format!("one.more.{number}@example.com");
        world
            .control("/edit", json!({"system": "HIGHLEVEL", "op": "upsert", "email": email}))
            .await;
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_listed_past_a_page() {
    for count in [101, 250] {
        let world = with_contacts(count).await;
        assert_eq!(listed(&world).await.len(), count);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fails_half_way_deletes_nobody() {
    // Two pages each.
    let world = keeping().contacts(130).start().await;
    settled(&world).await;
    let (before, total) = (world.state().await, status(&world).await["total"].clone());
    for (system, route) in
        [("HIGHLEVEL", "/contacts/search"), ("DOPPLER", "/accounts/{accountName}/subscribers")]
    {
        // Every other page fails.
        let fault = json!({"system": system, "route": route, "kind": "status", "status": 500,
            "probability": 0.5});
        world.fault(fault).await;
        let empty = json!({"system": system, "kind": "empty-list", "times": 1});
        world.fault(empty).await;
    }
    for _ in 0..20 {
        tick(&world).await;
    }
    world.clear_faults().await;
    settled(&world).await;
    assert_eq!(world.state().await, before);
    assert_eq!(status(&world).await["total"], total);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_before_somebody_says_so() {
    // Everything as it comes.
    let world = World::builder().contacts(40).start().await;
    let before = world.state().await;
    for _ in 0..20 {
        world.pass(Duration::from_secs(60)).await;
    }
    assert_eq!(status(&world).await["state"], "NOT_SET_UP");
    assert_eq!(world.calls().await.len(), 0, "nobody is even read");
    assert_eq!(world.state().await, before);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_rule_nobody_is_made_in_doppler() {
    let world = keeping().set("mapping.create_in", json!([])).contacts(40).start().await;
    let addresses = |state: Value| -> BTreeSet<String> {
        let all = state["doppler"]["subscribers"].as_array().unwrap().clone();
        all.iter().map(|one| one["email"].to_string()).collect()
    };
    let before = addresses(world.state().await);
    settled(&world).await;
    comes(&world, "the first run", async || status(&world).await["total"].as_u64() > Some(30))
        .await;
    settled(&world).await;
    assert_eq!(addresses(world.state().await), before);
    world.end().await;
}

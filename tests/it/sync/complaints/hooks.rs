//! Webhooks that arrive together, in the wrong order, or about what we wrote ourselves.

use serde_json::{Value, json};

use super::super::keeping::{keeping, settled, status};
use super::super::{ANA, contact, subscriber};
use super::{comes, edit};
use crate::world::World;

/// A world that keeps both systems in step and hears of HighLevel by webhooks alone.
async fn hearing(more: Value) -> World {
    let builder = keeping().contacts(10).set("highlevel.poll_interval", "1h").hearing();
    let world = builder.start().await;
    settled(&world).await;
    let mut settings = json!({"url": world.url("/webhooks/highlevel")});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.control("/webhooks", settings).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_arrive_together_make_one_person() {
    let world = hearing(json!({"duplicate": 1.0})).await;
    let before = status(&world).await["total"].as_u64().unwrap();
    let new = "two.at.once@example.com";
    // Each of these is told twice, all at once.
    let fields = json!({"fields": {"firstName": "Two"}, "tags": ["vip"]});
    edit(&world, "HIGHLEVEL", new, ("upsert", fields)).await;
    edit(&world, "HIGHLEVEL", new, ("tag", json!({"tags": ["expo 2026"]}))).await;
    comes(&world, "in Doppler", async || subscriber(&world, new).await.is_some()).await;
    settled(&world).await;
    assert!(contact(&world, new).await.is_some(), "and once: `contact` asserts it");
    assert_eq!(status(&world).await["total"].as_u64().unwrap(), before + 1);
    let tags = subscriber(&world, new).await.unwrap()["fields"]["TAGS"].clone();
    assert!(tags.as_str().unwrap().contains("expo 2026"), "{tags}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_in_the_wrong_order_leave_the_latest_value() {
    let world = hearing(json!({"reorder": 1.0})).await;
    for name in ["First", "Second", "Third", "Fourth"] {
        edit(&world, "HIGHLEVEL", ANA, ("upsert", json!({"fields": {"firstName": name}}))).await;
    }
    let last = async || subscriber(&world, ANA).await.unwrap()["fields"]["FIRSTNAME"] == "Fourth";
    comes(&world, "the latest name in Doppler", last).await;
    settled(&world).await;
    assert!(last().await, "and it stays");
    assert_eq!(contact(&world, ANA).await.unwrap()["firstName"], "Fourth");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_comes_back_and_writes_nothing() {
    let world = hearing(json!({})).await;
    world.forget_calls().await;
    edit(&world, "DOPPLER", ANA, ("upsert", json!({"fields": {"LASTNAME": "Pazos"}}))).await;
    let arrived = async || contact(&world, ANA).await.unwrap()["lastName"] == "Pazos";
    comes(&world, "the name in HighLevel", arrived).await;
    // What we wrote there is told to us.
    let delivered = async || {
        let told = world.control_get("/webhooks").await;
        let all = told["deliveries"].as_array().unwrap().clone();
        !all.is_empty() && all.iter().all(|one| one["outcome"] == "delivered")
    };
    comes(&world, "the webhook of our own write", delivered).await;
    settled(&world).await;
    let puts = world.calls().await.into_iter().filter(|call| call.method == "PUT").count();
    assert_eq!(puts, 1, "one change, one write");
    world.forget_calls().await;
    settled(&world).await;
    assert_eq!(world.writes().await, 0, "{:?}", world.calls().await);
    world.end().await;
}

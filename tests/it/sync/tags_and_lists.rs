//! Tags in both systems, lists in Doppler.

use serde_json::{Value, json};

use super::{ANA, contact, mutate, outcome, subscriber};
use crate::world::World;

fn ana(member: &str, value: Value) -> Value {
    let mut input = json!({"contact": {"email": ANA}});
    input[member] = value;
    input
}

/// Ana's tags in both systems, in order.
async fn tags(world: &World) -> (Vec<String>, Vec<String>) {
    let there = subscriber(world, ANA).await.unwrap();
    let text = there["fields"]["TAGS"].as_str().unwrap_or_default().to_owned();
    let mut there: Vec<String> = text.split(", ").map(str::to_owned).collect();
    there.sort();
    let here = contact(world, ANA).await.unwrap();
    let here = here["tags"].as_array().unwrap().iter();
    (there, here.map(|tag| tag.as_str().unwrap().to_owned()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_come_and_go_in_both() {
    let world = World::start().await;
    let added = mutate(&world, "addTags", ana("tags", json!(["expo 2026", "VIP"]))).await;
    assert_eq!(outcome(&added, "DOPPLER"), "APPLIED", "{added:#}");
    assert_eq!(outcome(&added, "HIGHLEVEL"), "APPLIED", "{added:#}");
    let (there, here) = tags(&world).await;
    assert_eq!(there, ["expo 2026", "newsletter", "vip"]);
    assert_eq!(here, there);
    world.forget_calls().await;
    let again = mutate(&world, "addTags", ana("tags", json!(["Expo 2026"]))).await;
    assert_eq!(outcome(&again, "HIGHLEVEL"), "UNCHANGED", "{again:#}");
    assert_eq!(world.writes().await, 0);
    let gone = ana("tags", json!(["vip", "never there"]));
    let removed = mutate(&world, "removeTags", gone).await;
    assert_eq!(outcome(&removed, "DOPPLER"), "APPLIED", "{removed:#}");
    let (there, here) = tags(&world).await;
    assert_eq!(there, ["expo 2026", "newsletter"]);
    assert_eq!(here, there);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_joined_and_left() {
    let world = World::start().await;
    let state = world.state().await;
    let lists = state["doppler"]["lists"].as_array().unwrap().clone();
    let events = lists.iter().find(|list| list["name"] == "Events").unwrap();
    let id = json!(format!("list_{}", events["id"]));
    let before = subscriber(&world, ANA).await.unwrap();
    let has = |person: &Value| person["lists"].as_array().unwrap().contains(&json!("Events"));
    assert!(!has(&before), "{before:#}");
    let joined = mutate(&world, "addToList", ana("list", id.clone())).await;
    assert_eq!(outcome(&joined, "DOPPLER"), "APPLIED", "{joined:#}");
    assert_eq!(outcome(&joined, "HIGHLEVEL"), "none");
    assert!(has(&subscriber(&world, ANA).await.unwrap()));
    world.forget_calls().await;
    let again = mutate(&world, "addToList", ana("list", id.clone())).await;
    assert_eq!(outcome(&again, "DOPPLER"), "UNCHANGED", "{again:#}");
    assert_eq!(world.writes().await, 0);
    let left = mutate(&world, "removeFromList", ana("list", id)).await;
    assert_eq!(outcome(&left, "DOPPLER"), "APPLIED", "{left:#}");
    assert_eq!(subscriber(&world, ANA).await.unwrap(), before);
    let nowhere = mutate(&world, "addToList", ana("list", json!("list_1"))).await;
    assert_eq!(nowhere["userErrors"][0]["code"], "NOT_FOUND", "{nowhere:#}");
    world.end().await;
}

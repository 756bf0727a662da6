//! The tasks of many people, by one search.

use std::time::Duration;

use serde_json::{Value, json};
use tandem::sandbox::credentials::HIGHLEVEL_READ_ONLY_TOKEN;

use super::{ana, codes};
use crate::world::World;

const PAGE: &str = "{ contacts(first: 20, source: HIGHLEVEL) { nodes { id tasks { nodes { id title dueAt \
    completed } } notes { nodes { id } } } } }";
const SEARCH: &str = "/locations/{locationId}/tasks/search";
const SINGLE: &str = "/contacts/{contactId}/tasks";
const FRESH: [(&str, &str); 1] = [("cache-control", "no-cache")];

async fn count(world: &World, route: &str) -> usize {
    let calls = world.calls().await;
    calls.iter().filter(|call| call.route.as_deref() == Some(route)).count()
}

/// The page with each person's tasks asked for by itself.
async fn singly(world: &World) -> Value {
    let mut page =
        world.data("{ contacts(first: 20, source: HIGHLEVEL) { nodes { id } } }", json!({})).await;
    let one = "query($id: ID!) { contact(by: {id: $id}) { tasks { nodes { id title \
        dueAt completed } } notes { nodes { id } } } }";
    for node in page["contacts"]["nodes"].as_array_mut().unwrap() {
        let data = world.data(one, json!({"id": node["id"]})).await;
        node["tasks"] = data["contact"]["tasks"].clone();
        node["notes"] = data["contact"]["notes"].clone();
    }
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_answers_as_single_reads_do() {
    let world = World::start().await;
    let together = world.data(PAGE, json!({})).await;
    assert_eq!((count(&world, SEARCH).await, count(&world, SINGLE).await), (1, 0));
    world.clock.advance(Duration::from_secs(3600));
    let alone = singly(&world).await;
    assert_eq!((count(&world, SEARCH).await, count(&world, SINGLE).await), (1, 20));
    assert_eq!(together, alone);
    let mut tasks = together["contacts"]["nodes"].as_array().unwrap().iter();
    assert!(tasks.any(|node| !node["tasks"]["nodes"].as_array().unwrap().is_empty()));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_search_brought_is_at_hand_for_one_person() {
    // In the cache, which is one gateway's own.
    let world = World::still().await;
    let page = world.data(PAGE, json!({})).await;
    world.forget_calls().await;
    let node = &page["contacts"]["nodes"][3];
    let query = "query($id: ID!) { contact(by: {id: $id}) { tasks { nodes { id } } } }";
    world.data(query, json!({"id": node["id"]})).await;
    assert!(world.calls().await.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_tasks_than_a_page_holds_are_all_there() {
    let world = World::start().await;
    let people = world.data(PAGE, json!({})).await;
    let ids = "{ contacts(first: 20, source: HIGHLEVEL) { nodes { highlevel { contactId } } } }";
    let ids = world.data(ids, json!({})).await;
    for node in ids["contacts"]["nodes"].as_array().unwrap() {
        let id = &node["highlevel"]["contactId"];
        for number in 0..5 {
            let title = format!("Call {number}");
            let edit =
                json!({"system": "HIGHLEVEL", "op": "task", "contactId": id, "title": title});
            world.control("/edit", edit).await;
        }
    }
    world.forget_calls().await;
    let all = world.ask_with(PAGE, json!({}), &FRESH).await;
    let lengths = |page: &Value| -> Vec<usize> {
        let nodes = page["contacts"]["nodes"].as_array().unwrap().iter();
        nodes.map(|node| node["tasks"]["nodes"].as_array().unwrap().len()).collect()
    };
    let (before, after) = (lengths(&people), lengths(&all["data"]));
    assert!(before.iter().zip(&after).all(|(before, after)| before + 5 == *after), "{after:?}");
    assert!((101..200).contains(&after.iter().sum::<usize>()), "{after:?}");
    assert_eq!((count(&world, SEARCH).await, count(&world, SINGLE).await), (2, 0));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_scope_everybody_is_asked_singly_and_the_search_is_left_for_a_while() {
    // What its token may do a gateway learns by its own calls.
    let builder = World::builder().set("highlevel.token", HIGHLEVEL_READ_ONLY_TOKEN);
    let world = builder.alone().still().start().await;
    let page = world.data(PAGE, json!({})).await;
    assert_eq!((count(&world, SEARCH).await, count(&world, SINGLE).await), (1, 20));
    world.clock.advance(Duration::from_secs(240));
    assert_eq!(world.data(PAGE, json!({})).await, page);
    assert_eq!((count(&world, SEARCH).await, count(&world, SINGLE).await), (1, 40));
    world.clock.advance(Duration::from_secs(120));
    assert_eq!(world.data(PAGE, json!({})).await, page);
    assert_eq!(count(&world, SEARCH).await, 2);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_is_refused_or_not_understood_costs_nobody_an_answer() {
    for fault in [
        json!({"kind": "status", "status": 401}),
        json!({"kind": "status", "status": 422}),
        json!({"kind": "status", "status": 404}),
        json!({"kind": "bad-json"}),
    ] {
        let world = World::start().await;
        let mut fault = fault;
        fault["system"] = json!("HIGHLEVEL");
        fault["route"] = json!(SEARCH);
        let kind = fault.to_string();
        world.fault(fault).await;
        world.data(PAGE, json!({})).await;
        assert_eq!(count(&world, SINGLE).await, 20, "{kind}");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_fails_costs_the_tasks_and_nothing_else() {
    let world = World::start().await;
    world
        .fault(json!({"system": "HIGHLEVEL", "route": SEARCH, "kind": "status", "status": 500}))
        .await;
    let answer = world.ask(PAGE, json!({})).await;
    let codes = codes(&answer);
    assert_eq!(codes.len(), 20, "{answer:#}");
    for (place, (code, path)) in codes.iter().enumerate() {
        assert_eq!(code, "UPSTREAM_UNAVAILABLE");
        assert_eq!(*path, format!("contacts.nodes.{place}.tasks"));
    }
    let nodes = answer["data"]["contacts"]["nodes"].as_array().unwrap();
    assert!(nodes.iter().all(|node| node["notes"].is_object() && node["tasks"].is_null()));
    assert_eq!(count(&world, SINGLE).await, 0);
    world.clear_faults().await;
    world.data(PAGE, json!({})).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_last_stands_in_for_a_search_that_fails() {
    let mut world = World::start().await;
    let before = world.data(PAGE, json!({})).await;
    // Copies are written behind the reads, and all of them before the gateway ends.
    world.restart().await;
    world.clock.advance(Duration::from_secs(3600));
    world
        .fault(json!({"system": "HIGHLEVEL", "route": SEARCH, "kind": "status", "status": 500}))
        .await;
    assert_eq!(world.data(PAGE, json!({})).await, before);
    let fresh = world.ask_with(PAGE, json!({}), &FRESH).await;
    assert_eq!(codes(&fresh).len(), 20, "no-cache wants no older copy");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_tasks_were_just_written_is_asked_singly() {
    let world = World::builder().still().start().await;
    let page = world.data(PAGE, json!({})).await;
    let who = page["contacts"]["nodes"][0]["id"].clone();
    let create = "mutation($id: ID!) { createTask(input: {contact: {id: $id}, title: \"Call\", \
        dueAt: \"2027-01-02T10:00:00Z\"}) { task { id } } }";
    let made = world.data(create, json!({"id": who})).await["createTask"]["task"]["id"].clone();
    let asked_singly = || async {
        world.forget_calls().await;
        let fresh = world.ask_with(PAGE, json!({}), &FRESH).await;
        let tasks = fresh["data"]["contacts"]["nodes"][0]["tasks"]["nodes"].as_array().unwrap();
        assert!(tasks.iter().any(|task| task["id"] == made), "{fresh:#}");
        (count(&world, SEARCH).await, count(&world, SINGLE).await) == (1, 1)
    };
    world.shows("one search and one person's own tasks", asked_singly).await;
    world.clock.advance(Duration::from_secs(11));
    world.forget_calls().await;
    world.ask_with(PAGE, json!({}), &FRESH).await;
    assert_eq!((count(&world, SEARCH).await, count(&world, SINGLE).await), (1, 0));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_is_gone_has_no_tasks_and_is_not_taken_for_idle() {
    let world = World::start().await;
    let id = ana(&world).await;
    let page =
        world.data("{ contacts(first: 5, source: HIGHLEVEL) { nodes { id } } }", json!({})).await;
    let mut ids = vec![json!(id)];
    let nodes = page["contacts"]["nodes"].as_array().unwrap().iter();
    ids.extend(nodes.map(|node| node["id"].clone()).filter(|other| *other != json!(id)));
    let edit = json!({"system": "HIGHLEVEL", "op": "delete", "email": super::ANA});
    world.control("/edit", edit).await;
    world.clock.advance(Duration::from_secs(3600));
    let query =
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Contact { tasks { nodes { id } } } } }";
    let answer = world.data(query, json!({"ids": ids})).await;
    let nodes = answer["nodes"].as_array().unwrap();
    assert!(nodes[0]["tasks"].is_null(), "{answer:#}");
    assert!(nodes[1..].iter().all(|node| node["tasks"].is_object()), "{answer:#}");
    assert_eq!(count(&world, SEARCH).await, 1);
    world.end().await;
}

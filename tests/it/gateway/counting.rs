//! How many upstream calls a query costs, by the sandbox's journal.
//!
//! Where it matters what was asked before, there is one gateway: its cache is its own.

use futures_util::{StreamExt, stream};
use serde_json::json;

use crate::world::World;

const PAGE: &str = "{ contacts(first: 20, source: HIGHLEVEL) { nodes { id highlevel { email } \
    notes { nodes { body } } tasks { nodes { title } } } } }";
const PAGE_WITH_DOPPLER: &str =
    "{ contacts(first: 20, source: HIGHLEVEL) { nodes { id doppler { status } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_page_with_notes_and_tasks_is_22_calls_cold_and_none_warm() {
    let world = World::still().await;
    let cold = world.data(PAGE, json!({})).await;
    assert_eq!(cold["contacts"]["nodes"].as_array().unwrap().len(), 20);
    // The page, twenty contacts' notes, and everybody's tasks.
    assert_eq!(world.count("HIGHLEVEL").await, 22);
    assert_eq!(world.count("DOPPLER").await, 0);
    world.forget_calls().await;
    assert_eq!(world.data(PAGE, json!({})).await, cold);
    // Another document over the same things is not a kept answer, and costs nothing either.
    world.data(&PAGE.replace("body", "body title"), json!({})).await;
    assert!(world.calls().await.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_account_is_scanned_rather_than_asked_one_by_one() {
    let world = World::builder().contacts(300).start().await;
    let data = world.data(PAGE_WITH_DOPPLER, json!({})).await;
    let in_doppler = data["contacts"]["nodes"].as_array().unwrap().iter();
    assert!(in_doppler.filter(|node| !node["doppler"].is_null()).count() > 5);
    let calls = world.count("DOPPLER").await;
    assert!(calls <= 3, "{calls} calls for an account of three pages");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_account_is_asked_one_call_a_person() {
    let world = World::builder().contacts(300).set("doppler.scan_up_to", 0).start().await;
    world.data(PAGE_WITH_DOPPLER, json!({})).await;
    let calls = world.calls().await;
    let doppler: Vec<_> = calls.iter().filter(|call| call.system == "DOPPLER").collect();
    assert!((1..=20).contains(&doppler.len()), "{} calls", doppler.len());
    let single = "/accounts/{accountName}/subscribers/{email}";
    assert!(doppler.iter().all(|call| call.route.as_deref() == Some(single)), "{doppler:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_equal_queries_make_the_calls_of_one() {
    let one = World::still().await;
    one.data(PAGE, json!({})).await;
    let alone = one.calls().await.len();
    one.end().await;
    // What a thousand take on a slow machine is not what is asked here.
    let world = World::builder().alone().still().set("server.request_timeout", "5m").start().await;
    let queries = (0..1000).map(|_| world.data(PAGE, json!({})));
    // A few hundred at once, so that no machine runs out of files or of patience.
    let answers: Vec<_> = stream::iter(queries).buffer_unordered(250).collect().await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let calls = world.calls().await;
    assert_eq!(calls.len(), alone, "{calls:#?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_subscribers_finds_their_highlevel_side_by_one_search() {
    let world = World::start().await;
    let query = "{ contacts(first: 20, source: DOPPLER) { nodes { id highlevel { email } } } }";
    let data = world.data(query, json!({})).await;
    let nodes = data["contacts"]["nodes"].as_array().unwrap();
    let unknown = nodes.iter().filter(|node| node["highlevel"].is_null()).count();
    assert!(unknown < 15, "{data:#}");
    let calls = world.calls().await;
    let searches = |call: &&crate::world::Call| call.route.as_deref() == Some("/contacts/search");
    assert_eq!(calls.iter().filter(searches).count(), 1);
    // Only those whom the search left out are asked for singly, by address and by number; who is
    // known by number alone was asked for by address first.
    let by_number = nodes.iter().filter(|node| node["highlevel"]["email"].is_null()).count();
    let highlevel = calls.iter().filter(|call| call.system == "HIGHLEVEL").count();
    assert!(highlevel <= 1 + unknown + by_number, "{highlevel} calls: {calls:#?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_says_what_it_cost_when_asked() {
    let world = World::still().await;
    let answer = world.ask_with(PAGE, json!({}), &[("tandem-cost", "true")]).await;
    let cost = &answer["extensions"]["cost"];
    assert_eq!(cost["calls"]["HIGHLEVEL"], world.count("HIGHLEVEL").await);
    assert_eq!(cost["calls"]["DOPPLER"], 0);
    let again = world.ask_with(PAGE, json!({}), &[("tandem-cost", "true")]).await;
    assert_eq!(again["extensions"]["cost"]["calls"]["HIGHLEVEL"], 0);
    assert!(again["extensions"]["cost"]["callsSaved"].as_u64().unwrap() >= 41);
    assert!(world.ask(PAGE, json!({})).await.get("extensions").is_none());
    world.end().await;
}

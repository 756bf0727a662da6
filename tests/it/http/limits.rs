//! A query that asks for too much is refused on every transport before the first call.

use std::fmt::Write as _;

use serde_json::{Value, json};
use url::Url;

use super::client::{Events, Socket};
use crate::world::World;

const DEAR: &str = "{ contacts(first: 100) { nodes {
    notes { nodes { body } } tasks { nodes { title } }
} } }";

/// The first error, however the query is sent.
async fn errors(world: &World, query: &str) -> [Value; 4] {
    let by_post = world.ask(query, json!({})).await["errors"][0].clone();

    let by_get = Url::parse_with_params(&world.url("/graphql"), [("query", query)]).unwrap();
    let by_get: Value = world.http().get(by_get).send().await.unwrap().json().await.unwrap();

    let mut socket = Socket::open(world).await;
    socket.subscribe("1", query, json!({})).await;
    let by_socket = socket.next().await;
    assert_eq!(by_socket["type"], "error", "{by_socket:#}");

    let mut events = Events::open(world, query, json!({})).await;
    let (_, by_event) = events.next().await.unwrap();
    [
        by_post,
        by_get["errors"][0].clone(),
        by_socket["payload"][0].clone(),
        by_event["errors"][0].clone(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_asks_for_too_much_is_refused_everywhere() {
    let world = World::start().await;
    let mut bomb = "{ ...F0 }".to_owned();
    for n in 0..55 {
        write!(bomb, " fragment F{n} on Query {{ ...F{0} ...F{0} }}", n + 1).unwrap();
    }
    bomb.push_str(" fragment F55 on Query { viewer { subject } }");
    let deep = format!("{} id {}", "{ contacts { nodes ".repeat(40), "} }".repeat(40));
    let many = format!("{{ {} }}", "__typename ".repeat(30));
    let first = "{ contacts(first: 1000) { nodes { id } } }";
    for (query, code) in [
        (DEAR, "QUERY_TOO_EXPENSIVE"),
        (&bomb, "QUERY_TOO_COMPLEX"),
        (&deep, "QUERY_TOO_DEEP"),
        (&many, "QUERY_TOO_COMPLEX"),
        (first, "BAD_USER_INPUT"),
    ] {
        for error in errors(&world, query).await {
            assert_eq!(error["extensions"]["code"], code, "{error:#}");
            assert!(error["extensions"]["requestId"].is_string(), "{error:#}");
        }
    }
    assert_eq!(world.calls().await.len(), 0, "nothing was asked of the systems");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_are_in_the_answer() {
    let world = World::start().await;
    let [error, ..] = errors(&world, DEAR).await;
    let extensions = &error["extensions"];
    assert_eq!((&extensions["needed"], &extensions["allowed"]), (&json!(103), &json!(100)));
    assert!(error["message"].as_str().unwrap().contains("103"), "{error:#}");

    let request = world.http().post(world.url("/graphql"));
    let request = request.header("accept", "application/graphql-response+json");
    let refused = request.json(&json!({"query": DEAR})).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    let body: Value = refused.json().await.unwrap();
    assert!(body.get("data").is_none(), "{body:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worst_case_is_not_exceeded() {
    let world = World::start().await;
    let page = "email notes { nodes { body } } tasks { nodes { title } }";
    let more = "appointments { nodes { startsAt } } customFields { name definition { key } }";
    for (first, fields, most) in [(20, page, 41), (10, more, 13)] {
        let query = format!("{{ contacts(first: {first}) {{ nodes {{ {fields} }} }} }}");
        world.forget_calls().await;
        world.data(&query, json!({})).await;
        let calls = world.count("HIGHLEVEL").await;
        assert!(calls > first && calls <= most, "{calls} calls: {query}");
    }
    world.end().await;
}

//! Requests that are refused before anything is called.

use serde_json::{Value, json};

use super::codes;
use crate::world::World;

async fn refused(world: &World, query: &str, variables: Value) -> (String, String) {
    let answer = world.ask(query, variables).await;
    let message = answer["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
    (codes(&answer).first().map_or(String::new(), |(code, _)| code.clone()), message)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_speaks_before_the_first_call() {
    let world = World::start().await;
    let expensive =
        "{ contacts(first: 100) { nodes { notes { nodes { body } } tasks { nodes { title } } } } }";
    let (code, message) = refused(&world, expensive, json!({})).await;
    assert_eq!(code, "QUERY_TOO_EXPENSIVE");
    assert!(message.contains("103") && message.contains("100"), "{message}");
    let deep = format!(
        "{{ contacts {{ nodes {{ {} id {} }} }} }}",
        "notes { nodes { contact {".repeat(6),
        "} } }".repeat(6)
    );
    assert_eq!(refused(&world, &deep, json!({})).await.0, "QUERY_TOO_DEEP");
    let aliases: Vec<String> = (0..60).map(|n| format!("a{n}: __typename")).collect();
    let aliases = aliases.join(" ");
    assert_eq!(
        refused(&world, &format!("{{ {aliases} }}"), json!({})).await.0,
        "QUERY_TOO_COMPLEX"
    );
    let (code, message) =
        refused(&world, "{ contacts(first: 101) { nodes { id } } }", json!({})).await;
    assert_eq!(code, "BAD_USER_INPUT");
    assert!(message.contains("101") && message.contains("100"), "{message}");
    let ids: Vec<String> = (0..101).map(|n| format!("contact_{n:032x}")).collect();
    let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    assert_eq!(refused(&world, nodes, json!({"ids": ids})).await.0, "BAD_USER_INPUT");
    assert!(world.calls().await.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_source_cannot_serve_is_said() {
    let world = World::start().await;
    for (query, word) in [
        ("{ contacts(source: DOPPLER, filter: {tagsAny: [\"vip\"]}) { nodes { id } } }", "tagsAny"),
        ("{ contacts(filter: {status: [ACTIVE]}) { nodes { id } } }", "status"),
        ("{ contacts(source: DOPPLER, orderBy: EMAIL_ASC) { nodes { id } } }", "orderBy"),
        ("{ contacts(after: \"nonsense\") { nodes { id } } }", "after"),
        ("{ contact(by: {id: \"note_abc\"}) { id } }", "id"),
    ] {
        let (code, message) = refused(&world, query, json!({})).await;
        assert_eq!(code, "BAD_USER_INPUT", "{query}");
        assert!(message.contains(word), "{message}");
    }
    assert!(world.calls().await.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_documents_have_their_codes() {
    let world = World::start().await;
    assert_eq!(refused(&world, "{ contact(", json!({})).await.0, "GRAPHQL_PARSE_FAILED");
    assert_eq!(refused(&world, "{ nonsense }", json!({})).await.0, "GRAPHQL_VALIDATION_FAILED");
    let two = "{ contact(by: {id: \"x\", email: \"a@example.com\"}) { id } }";
    assert_ne!(refused(&world, two, json!({})).await.0, "");
    world.end().await;
}

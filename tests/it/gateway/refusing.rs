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
async fn what_only_a_system_finds_out_is_blamed_on_the_argument() {
    let world = World::start().await;
    // `{"h":[]}`, which continues after no row.
    let (code, message) =
        refused(&world, "{ contacts(after: \"eyJoIjpbXX0\") { nodes { id } } }", json!({})).await;
    assert_eq!((code.as_str(), message.starts_with("after: ")), ("BAD_USER_INPUT", true));
    let note = "node(id: \"note_YwpuMQ\") { id }";
    for (route, query, field) in [
        ("/contacts/search", "contacts(filter: {query: \"a\"}) { nodes { id } }", "query"),
        ("/contacts/search", "contacts(filter: {tagsAll: [\"a\"]}) { nodes { id } }", "filter"),
        ("/contacts/{contactId}", "contact(by: {highlevelId: \"c\"}) { id }", "highlevelId"),
        ("/contacts/{contactId}/notes", note, "id"),
    ] {
        world
            .fault(json!({"system": "HIGHLEVEL", "route": route, "kind": "status", "status": 422}))
            .await;
        let answer = world.ask(&format!("{{ {query} }}"), json!({})).await;
        let extensions = &answer["errors"][0]["extensions"];
        assert_eq!(extensions["code"], "BAD_USER_INPUT", "{query}: {answer:#}");
        assert_eq!(extensions["field"], field, "{query}: {answer:#}");
        world.clear_faults().await;
    }
    let many: Vec<String> = (0..51).map(|n| format!("t{n}")).collect();
    let query = "query($tags: [String!]) { contacts(filter: {tagsAny: $tags}) { nodes { id } } }";
    for tags in [json!(many), json!(["x".repeat(76)]), json!([""])] {
        let (code, message) = refused(&world, query, json!({"tags": tags})).await;
        assert_eq!((code.as_str(), message.starts_with("tagsAny: ")), ("BAD_USER_INPUT", true));
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_refused_for_what_its_operations_need_together() {
    let world = World::start().await;
    let page = |first: u32| {
        let notes = "nodes { notes { nodes { body } } }";
        json!({"query": format!("{{ contacts(first: {first}) {{ {notes} }} }}")})
    };
    let send = async |batch: Value| {
        let request = world.http().post(world.url("/graphql")).json(&batch);
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let refused = send(json!([page(30), page(40), page(50)])).await;
    let error = &refused["errors"][0];
    assert_eq!(error["extensions"]["code"], "QUERY_TOO_EXPENSIVE", "{refused:#}");
    assert_eq!(error["extensions"]["needed"], 31 + 41 + 51);
    assert_eq!(error["extensions"]["allowed"], 100);
    assert!(error["extensions"]["requestId"].is_string());
    assert!(world.calls().await.is_empty());
    // What may not run by itself is refused by itself, and keeps its variables until then.
    let query = "query($first: Int = 1) { contacts(first: $first) { nodes { id } } }";
    let long = json!({"query": query, "variables": {"first": 1000}});
    let answers = send(json!([page(30), page(40), long, page(10)])).await;
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 4, "{answers:?}");
    assert!(answers[0].get("errors").is_none(), "{}", answers[0]);
    assert_eq!(answers[2]["errors"][0]["extensions"]["found"], 1000, "{}", answers[2]);
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

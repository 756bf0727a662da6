//! What the specification says of documents and answers where the library does otherwise.

use serde_json::{Value, json};

use super::{ANA, codes};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_which_nothing_is_shown_is_there() {
    let world = World::start().await;
    let whole = "query($email: EmailAddress!) { contact(by: {email: $email}) { id notes { nodes { id } } } }";
    let ana = world.data(whole, json!({"email": ANA})).await["contact"].clone();
    let note = ana["notes"]["nodes"][0]["id"].clone();
    let variables = json!({"email": ANA, "contact": ana["id"], "note": note, "show": false});
    let by = "contact(by: {email: $email})";
    for (operation, expected) in [
        ("{ __typename @skip(if: true) }".to_owned(), json!({})),
        ("query($show: Boolean!) { __typename @include(if: $show) }".to_owned(), json!({})),
        (
            "{ ...F } fragment F on Query { a: __typename @include(if: false) }".to_owned(),
            json!({}),
        ),
        ("mutation { __typename @skip(if: true) }".to_owned(), json!({})),
        (
            "{ a: __typename @skip(if: false) ... @skip(if: true) { b: __typename } }".to_owned(),
            json!({"a": "Query"}),
        ),
        (
            format!("query($email: EmailAddress!) {{ {by} {{ id @skip(if: true) }} }}"),
            json!({"contact": {}}),
        ),
        (
            format!(
                "query($email: EmailAddress!) {{ {by} {{ notes(first: 1) @skip(if: false) {{ \
                 nodes {{ id @skip(if: true) }} }} }} }}"
            ),
            json!({"contact": {"notes": {"nodes": [{}]}}}),
        ),
        (
            "query($note: ID!) { node(id: $note) { ... on Task { id } } }".to_owned(),
            json!({"node": {}}),
        ),
        (
            "query($contact: ID!, $note: ID!) { nodes(ids: [$note, $contact]) { ...F } } \
             fragment F on Note { __typename @skip(if: false) }"
                .to_owned(),
            json!({"nodes": [{"__typename": "Note"}, {}]}),
        ),
        (
            "{ contact(by: {email: \"nobody@example.com\"}) { id @skip(if: true) } }".to_owned(),
            json!({"contact": null}),
        ),
        (
            "{ __schema { queryType { name @skip(if: true) } } }".to_owned(),
            json!({"__schema": {"queryType": {}}}),
        ),
    ] {
        let answer = world.ask(&operation, variables.clone()).await;
        assert_eq!(answer, json!({"data": expected}), "{operation}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn directives_are_validated_wherever_they_stand() {
    let world = World::start().await;
    let refused = async |query: &str| -> Vec<Value> {
        let answer = world.ask(query, json!({"a": true})).await;
        assert!(answer.get("data").is_none_or(Value::is_null), "{query}: {answer:#}");
        for (code, _) in codes(&answer) {
            assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{query}: {answer:#}");
        }
        let errors = answer["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["message"].clone()).collect()
    };
    let twice = "Duplicate directive \"skip\"";
    let unknown = "Unknown directive \"nothing\"";
    for (query, message) in [
        ("{ __typename @skip(if: false) @skip(if: false) }", twice),
        ("{ viewer @skip(if: false) @skip(if: false) { subject } }", twice),
        ("{ ... @skip(if: false) @skip(if: false) { __typename } }", twice),
        ("{ ...F @skip(if: false) @skip(if: false) } fragment F on Query { __typename }", twice),
        ("{ __typename @nothing }", unknown),
        ("{ viewer { subject @nothing } }", unknown),
        ("{ ... @nothing { __typename } }", unknown),
        ("{ ...F } fragment F on Query @nothing { __typename }", unknown),
        ("query @nothing { __typename }", unknown),
        (
            "query($a: Boolean @nothing) { __typename @skip(if: $a) }",
            "the directive @nothing may not stand on a variable",
        ),
        ("{ __typename(a: 1) }", "__typename has neither arguments nor fields"),
        ("{ viewer { __typename { subject } } }", "__typename has neither arguments nor fields"),
    ] {
        assert_eq!(refused(query).await, [message], "{query}");
    }
    for query in
        ["{ __typename @skip }", "{ __typename @skip(if: 1) }", "{ __typename @skip(if: $b) }"]
    {
        assert_ne!(refused(query).await, Vec::<Value>::new(), "{query}");
    }
    // A variable that stands nowhere else is used.
    let answer =
        world.ask("query($a: Boolean!) { __typename @include(if: $a) }", json!({"a": true}));
    assert_eq!(answer.await, json!({"data": {"__typename": "Query"}}));
    assert!(world.calls().await.is_empty());
    world.end().await;
}

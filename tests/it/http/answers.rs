//! One request, one answer: what is the same whatever the query is.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use url::Url;

use crate::world::World;

const ANA: &str = "{ contact(by: {email: \"ana.paz@example.com\"}) { id email } }";

async fn post(world: &World, headers: &[(&str, &str)], body: String) -> reqwest::Response {
    let mut map = HeaderMap::new();
    map.insert("content-type", HeaderValue::from_static("application/json"));
    for (name, value) in headers {
        map.insert(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    world.http().post(world.url("/graphql")).headers(map).body(body).send().await.unwrap()
}

fn body(query: &str) -> String {
    json!({"query": query}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_answer_needs_no_call_and_keeps_to_its_media_type() {
    // What is kept is kept by one gateway.
    let world = World::still().await;
    let first = post(&world, &[], body(ANA)).await.text().await.unwrap();
    assert!(!world.calls().await.is_empty());
    world.forget_calls().await;
    for (accept, kind) in [
        ("application/json", "application/json; charset=utf-8"),
        ("application/graphql-response+json", "application/graphql-response+json; charset=utf-8"),
    ] {
        let again = post(&world, &[("accept", accept)], body(ANA)).await;
        assert_eq!(again.headers()["content-type"], kind);
        assert!(again.headers().contains_key("x-request-id"));
        assert_eq!(again.text().await.unwrap(), first);
    }
    assert_eq!(world.calls().await.len(), 0);
    let fresh = post(&world, &[("cache-control", "no-cache")], body(ANA)).await;
    assert_eq!(fresh.text().await.unwrap(), first);
    assert!(!world.calls().await.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cost_is_told_when_asked_for() {
    // What is kept is kept by one gateway.
    let world = World::still().await;
    let cost = |answer: &Value| answer["extensions"]["cost"]["calls"]["HIGHLEVEL"].as_u64();
    let by_header: Value =
        post(&world, &[("tandem-cost", "true")], body(ANA)).await.json().await.unwrap();
    assert!(cost(&by_header) > Some(0), "{by_header:#}");
    let asked = json!({"query": ANA, "extensions": {"cost": true}}).to_string();
    for _ in 0..2 {
        let by_body: Value = post(&world, &[], asked.clone()).await.json().await.unwrap();
        assert_eq!(cost(&by_body), Some(0), "{by_body:#}");
    }
    let not_asked: Value = post(&world, &[], body(ANA)).await.json().await.unwrap();
    assert_eq!(not_asked.get("extensions"), None);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_cached_is_said_so() {
    // What is kept is kept by one gateway.
    let world = World::still().await;
    let only = [("cache-control", "only-if-cached")];
    let notes = ANA.replace("email }", "notes { nodes { body } } }");
    let answer: Value = post(&world, &only, body(&notes)).await.json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_CACHED", "{answer:#}");
    assert_eq!(world.calls().await.len(), 0);
    post(&world, &[], body(&notes)).await;
    let answer: Value = post(&world, &only, body(&notes)).await.json().await.unwrap();
    assert_eq!(answer.get("errors"), None, "{answer:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_carries_the_request_id_of_its_header() {
    let world = World::start().await;
    let refused = body("{ contacts(first: 1, after: \"x\") { nodes { id } } }");
    for (given, kept) in [("my.id-1_2", true), ("no spaces please", false)] {
        let answer = post(&world, &[("x-request-id", given)], refused.clone()).await;
        let header = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(header == given, kept);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["errors"][0]["extensions"]["requestId"], header.as_str());
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_elsewhere_gets_nothing() {
    let world = World::start().await;
    let write = "mutation { createNote(input: {contact: {email: \"ana.paz@example.com\"}, body: \"x\"}) { note { id } } }";
    // What a form or a script without asking could send.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let headers = [("content-type", kind), ("origin", "https://evil.example")];
        assert_eq!(post(&world, &headers, body(write)).await.status(), 415, "{kind}");
    }
    let url = format!("{}?query={}", world.url("/graphql"), "%7Bviewer%7Bsubject%7D%7D");
    let by_image = world.http().get(&url).header("sec-fetch-site", "cross-site");
    assert_eq!(by_image.send().await.unwrap().status(), 403);
    let mutation = Url::parse_with_params(&world.url("/graphql"), [("query", write)]).unwrap();
    let mutation = world.http().get(mutation).send().await.unwrap();
    assert_eq!(
        (mutation.status().as_u16(), &mutation.headers()["allow"]),
        (405, &HeaderValue::from_static("POST"))
    );
    // A name that somebody points at this machine.
    let rebound = post(&world, &[("host", "evil.example")], body(ANA)).await;
    assert_eq!(rebound.status(), 421);
    assert_eq!(world.calls().await.len(), 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_and_batches_have_their_limits() {
    let world =
        World::builder().set("server.max_body_bytes", 2_000).set("limits.batch", 2).start().await;
    let long = body(&format!("{{ viewer {{ subject }} }} # {}", "x".repeat(2_000)));
    assert_eq!(post(&world, &[], long).await.status(), 413);
    // Its sender is told, too, and not cut off.
    for _ in 0..5 {
        let longer = body(&"x".repeat(31_000));
        assert_eq!(post(&world, &[], longer).await.status(), 413);
    }
    let one = json!({"query": "{ viewer { scopes } }"});
    let two = post(&world, &[], json!([one, one]).to_string()).await;
    assert_eq!(two.json::<Value>().await.unwrap().as_array().unwrap().len(), 2);
    let three = post(&world, &[], json!([one, one, one]).to_string()).await;
    assert_eq!(three.status(), 400);
    let three: Value = three.json().await.unwrap();
    assert_eq!(three["errors"][0]["extensions"]["limit"], 2);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_failed_is_null_and_not_missing() {
    let world = World::start().await;
    let by = json!({"by": {"email": "ana.paz@example.com"}});
    let id = world.data("query($by: ContactBy!) { contact(by: $by) { id } }", by).await;
    world.fault(json!({"system": "HIGHLEVEL", "kind": "status", "status": 500})).await;
    let query = "query($id: ID!) {
        contact(by: {id: $id}) { notes { nodes { id } } deliveries { nodes { id } } }
        only: contact(by: {id: $id}) { tasks { nodes { id } } }
        contacts(first: 1, filter: {query: \"zz\"}) { nodes { id } }
    }";
    let answer = world.ask(query, json!({"id": id["contact"]["id"]})).await;
    let data = answer["data"].as_object().unwrap();
    assert_eq!(data.get("contacts"), Some(&Value::Null), "{answer:#}");
    assert_eq!(data["contact"].get("notes"), Some(&Value::Null), "{answer:#}");
    assert!(data["contact"]["deliveries"]["nodes"].is_array(), "{answer:#}");
    assert_eq!(data["only"], json!({"tasks": null}), "{answer:#}");
    let paths: Vec<_> = answer["errors"].as_array().unwrap().iter().map(|it| &it["path"]).collect();
    assert!(paths.contains(&&json!(["contact", "notes"])), "{answer:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_faults_the_first_ones_are_told() {
    let world = World::start().await;
    let unknown = |count: usize| {
        let fields: Vec<String> = (0..count).map(|number| format!("no{number}")).collect();
        body(&format!("{{ viewer {{ {} }} }}", fields.join(" ")))
    };
    let told = async |count| {
        let answer: Value = post(&world, &[], unknown(count)).await.json().await.unwrap();
        answer["errors"].as_array().unwrap().clone()
    };
    assert_eq!(told(8).await.len(), 8);
    let many = told(300).await;
    assert_eq!((many.len(), &many[8]["message"]), (9, &json!("292 more are left out")));
    let codes = many.iter().map(|error| &error["extensions"]["code"]);
    assert!(codes.clone().all(|code| code == "GRAPHQL_VALIDATION_FAILED"), "{many:#?}");
    world.end().await;
}

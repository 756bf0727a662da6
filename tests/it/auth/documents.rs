//! Documents that are named, listed or refused, and who may look at the schema.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use super::{code, good, guarded};
use crate::http::client::{Events, Socket};
use crate::world::World;

const TAGS: &str = "query Tags { tags { name } }";
const LISTS: &str = "query Lists { lists { name } }";

fn hash(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

fn persisted(text: &str) -> Value {
    json!({"persistedQuery": {"version": 1, "sha256Hash": hash(text)}})
}

/// The status and answer of a body sent with a token for `scope`.
async fn post(world: &World, scope: &str, body: &Value) -> (u16, Value) {
    let request = world.http().post(world.url("/graphql")).bearer_auth(good(world, scope));
    let answer = request.json(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// A file that lists documents, as graphql-codegen writes it.
fn listing(documents: &[(&str, &str)]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let map: serde_json::Map<String, Value> =
        documents.iter().map(|(id, text)| ((*id).to_owned(), json!(text))).collect();
    std::fs::write(file.path(), Value::Object(map).to_string()).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_sent_once_and_named_afterwards() {
    // What one gateway was sent another one asks for again.
    let world = World::alone().await;
    let named = json!({"extensions": persisted(TAGS)});
    let ask = async |body: &Value| -> Value {
        let request = world.http().post(world.url("/graphql"));
        request.json(body).send().await.unwrap().json().await.unwrap()
    };
    let unknown = ask(&named).await;
    assert_eq!(unknown["errors"][0]["message"], "PersistedQueryNotFound", "{unknown:#}");
    assert_eq!(code(&unknown), "PERSISTED_QUERY_NOT_FOUND");
    let sent = ask(&json!({"query": TAGS, "extensions": persisted(TAGS)})).await;
    assert!(sent["data"]["tags"].is_array(), "{sent:#}");
    assert_eq!(ask(&named).await, sent);
    let id = format!("sha256:{}", hash(TAGS));
    assert_eq!(ask(&json!({"documentId": id})).await, sent);

    // In an address, on a socket and as a stream alike.
    let parts = [("extensions", persisted(TAGS).to_string())];
    let url = Url::parse_with_params(&world.url("/graphql"), parts).unwrap();
    let got: Value = world.http().get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(got, sent);
    let mut socket = Socket::open(&world).await;
    socket.send(&json!({"id": "1", "type": "subscribe", "payload": named})).await;
    assert_eq!(socket.next().await["payload"]["data"], sent["data"]);

    let lie = ask(&json!({"query": LISTS, "extensions": persisted(TAGS)})).await;
    assert_eq!(code(&lie), "BAD_USER_INPUT", "{lie:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_listed_documents_is_run_for_those_who_do_not_manage() {
    let file = listing(&[("tags-1", TAGS)]);
    let world = guarded()
        .set("documents.trusted", file.path().to_str().unwrap())
        .set("documents.only_trusted", true)
        .set("limits.batch", 2)
        .start()
        .await;
    let reader = "contacts.readonly";
    for body in [
        json!({"documentId": "tags-1"}),
        json!({"query": TAGS}),
        json!({"extensions": persisted(TAGS)}),
    ] {
        let (_, answer) = post(&world, reader, &body).await;
        assert!(answer["data"]["tags"].is_array(), "{body}: {answer:#}");
    }
    world.forget_calls().await;
    // Neither written out, nor smuggled in as a persisted one.
    let smuggled = json!({"query": LISTS, "extensions": persisted(LISTS)});
    for body in [json!({"query": LISTS}), smuggled, json!({"extensions": persisted(LISTS)})] {
        let (_, answer) = post(&world, reader, &body).await;
        assert_eq!(code(&answer), "PERSISTED_QUERY_REQUIRED", "{body}: {answer:#}");
    }
    let (_, batch) = post(&world, reader, &json!([{"query": LISTS}, {"query": TAGS}])).await;
    assert_eq!(code(&batch[0]), "PERSISTED_QUERY_REQUIRED", "{batch:#}");
    assert!(batch[1]["data"]["tags"].is_array(), "{batch:#}");
    assert_eq!(world.count("DOPPLER").await, 0);

    let (_, answer) =
        post(&world, "contacts.readonly workspace.manage", &json!({"query": LISTS})).await;
    assert!(answer["data"]["lists"].is_array(), "{answer:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_only_listed_documents_are_run_a_batch_is_refused() {
    let file = listing(&[("tags-1", TAGS)]);
    let world = guarded()
        .set("documents.trusted", file.path().to_str().unwrap())
        .set("documents.only_trusted", true)
        .start()
        .await;
    let listed = json!({"documentId": "tags-1"});
    for one in [&listed, &json!({"query": LISTS})] {
        let (status, answer) = post(&world, "contacts.readonly", &json!([one, one])).await;
        assert_eq!((status, code(&answer)), (400, "BAD_USER_INPUT"), "{answer:#}");
    }
    let (_, answer) = post(&world, "contacts.readonly", &json!([listed])).await;
    assert!(answer[0]["data"]["tags"].is_array(), "{answer:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_shown_to_managers_only_if_so_configured() {
    let world = guarded().set("documents.introspection", "managers").start().await;
    let look = json!({"query": "{ __schema { queryType { name } } }"});
    let misspelt = json!({"query": "{ contcts(first: 1) { nodes { id } } }"});
    let (_, answer) = post(&world, "contacts.readonly", &look).await;
    assert_eq!(code(&answer), "FORBIDDEN", "{answer:#}");
    let (_, answer) = post(&world, "contacts.readonly", &misspelt).await;
    let message = answer["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("contcts") && !message.contains("contacts"), "{message}");
    let (_, answer) = post(&world, "workspace.manage", &look).await;
    assert_eq!(answer["data"]["__schema"]["queryType"]["name"], "Query");
    let (_, answer) = post(&world, "workspace.manage", &misspelt).await;
    assert!(
        answer["errors"][0]["message"].as_str().unwrap().contains("\"contacts\""),
        "{answer:#}"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_may_name_its_document_too() {
    let file = listing(&[("state", "subscription { syncStatus { state } }")]);
    let world =
        World::builder().set("documents.trusted", file.path().to_str().unwrap()).start().await;
    let mut events = Events::ask(&world, &json!({"documentId": "state"})).await;
    let (_, first) = events.next().await.unwrap();
    assert!(first["data"]["syncStatus"]["state"].is_string(), "{first:#}");
    drop(events);
    world.end().await;
}

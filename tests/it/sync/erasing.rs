//! Erasing a person: nothing of them is left in the store, and nothing brings them back.

use serde_json::{Value, json};

use super::keeping::{connect, edit, hearing, keeping, settled, tick};
use super::{ANA, UPSERT, contact, mutate, upsert};
use crate::connecting::KEY;
use crate::world::{Builder, World};

const ERASE: &str = "mutation($by: ContactBy!) { eraseContact(input: {contact: $by}) { \
    erasedContactId userErrors { code message field } } }";
const NOTE: &str = "prefers to be called at noon on Sundays";
const NEW_NAME: &str = "Anastasiabel";

fn world() -> Builder {
    keeping().contacts(20).set("vault.keys", KEY)
}

pub async fn erase(world: &World, by: Value) -> Value {
    world.data(ERASE, json!({"by": by})).await["eraseContact"].clone()
}

/// Ana with a note and another name, known here as well as can be.
async fn known() -> (World, Value, String) {
    let world = hearing(world()).await;
    let by = json!({"email": ANA});
    let named = json!({"contact": by, "firstName": NEW_NAME, "phone": "+541155550342"});
    assert_eq!(upsert(&world, named).await["userErrors"], json!([]));
    let note = json!({"contact": by, "body": NOTE});
    assert_eq!(mutate(&world, "createNote", note).await["userErrors"], json!([]));
    settled(&world).await;
    let query = "query($by: ContactBy!) { contact(by: $by) { id highlevel { contactId } \
        notes(first: 5) { nodes { id body } } } }";
    let shown = world.data(query, json!({"by": by})).await["contact"].clone();
    let note = shown["notes"]["nodes"][0]["id"].as_str().unwrap().to_owned();
    // Last known copies are written behind.
    for text in [ANA, NEW_NAME, NOTE] {
        let stored = || async { !world.find_stored(text).await.is_empty() };
        world.until("stored", stored).await;
    }
    (world, shown, note)
}

/// Nothing of her is stored or shown, in whatever way she is asked for.
async fn is_nowhere(world: &World, ana: &Value, note: &str) {
    let highlevel = ana["highlevel"]["contactId"].as_str().unwrap();
    for text in [ANA, NEW_NAME, NOTE, "+541155550342", highlevel] {
        assert_eq!(world.find_stored(text).await, Vec::<String>::new(), "{text}");
    }
    let query = "query($by: ContactBy!) { contact(by: $by) { id } }";
    for by in [json!({"id": ana["id"]}), json!({"email": ANA}), json!({"highlevelId": highlevel})] {
        let shown = world.data(query, json!({"by": by})).await;
        assert_eq!(shown["contact"], Value::Null, "{by}");
    }
    let by_id = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(world.data(by_id, json!({"id": note})).await["node"], Value::Null);
    for source in ["INDEX", "HIGHLEVEL", "DOPPLER"] {
        let query = "query($s: ContactSource!) { contacts(source: $s, first: 100) { \
            nodes { id email } } }";
        let page = world.data(query, json!({"s": source})).await["contacts"].clone();
        let people = page["nodes"].as_array().unwrap();
        assert!(!people.is_empty());
        assert!(people.iter().all(|one| one["email"] != ANA && one["id"] != ana["id"]), "{source}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_her_is_left_and_nothing_brings_her_back() {
    let (mut world, ana, note) = known().await;
    let erased = erase(&world, json!({"email": ANA})).await;
    assert_eq!(erased, json!({"erasedContactId": ana["id"], "userErrors": []}));
    is_nowhere(&world, &ana, &note).await;
    // It is done however often it is asked for, by whatever she was known by.
    for by in [json!({"email": ANA}), json!({"id": ana["id"]})] {
        assert_eq!(erase(&world, by).await, erased);
    }
    let events = "query($c: ID!) { syncEvents(first: 100, filter: {contact: $c}) { \
        nodes { kind message contact { id } } } }";
    let events = world.data(events, json!({"c": ana["id"]})).await["syncEvents"]["nodes"].clone();
    let events = events.as_array().unwrap();
    assert_eq!(events.iter().filter(|event| event["kind"] == "ERASED").count(), 1);
    assert!(events.iter().all(|event| event["contact"] == Value::Null));

    // Both systems still have her, and tell of her.
    world.forget_calls().await;
    edit(&world, "HIGHLEVEL", "upsert", json!({"fields": {"lastName": "Pazos"}})).await;
    edit(&world, "DOPPLER", "upsert", json!({"fields": {"FIRSTNAME": NEW_NAME}})).await;
    settled(&world).await;
    world.restart().await;
    connect(&world).await;
    world.run_sync().await;
    edit(&world, "HIGHLEVEL", "upsert", json!({"fields": {"lastName": "Pazo"}})).await;
    settled(&world).await;
    is_nowhere(&world, &ana, &note).await;
    assert_eq!(world.writes().await, 0, "{:?}", world.calls().await);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_told_and_nobody_else_gets_her_address() {
    let (world, ana, _) = known().await;
    erase(&world, json!({"id": ana["id"]})).await;
    world.forget_calls().await;
    let refused = upsert(&world, json!({"email": ANA, "firstName": "Ana"})).await;
    assert_eq!(refused["userErrors"][0]["code"], "ERASED", "{refused:#}");
    assert_eq!(refused["userErrors"][0]["field"], json!(["email"]));
    let other = "mia.gomez@example.com";
    upsert(&world, json!({"email": other, "firstName": "Mia", "systems": ["HIGHLEVEL"]})).await;
    let renamed = json!({"contact": {"email": other}, "email": ANA});
    let refused = upsert(&world, renamed).await;
    assert_eq!(refused["userErrors"][0]["code"], "ERASED", "{refused:#}");
    for name in ["deleteContact", "syncContact", "unsubscribe"] {
        let answer = mutate(&world, name, json!({"contact": {"id": ana["id"]}})).await;
        assert_eq!(answer["userErrors"][0]["code"], "NOT_FOUND", "{name}");
    }
    // HighLevel gives her address to another record.
    settled(&world).await;
    edit(&world, "HIGHLEVEL", "delete", json!({})).await;
    world.forget_calls().await;
    edit(&world, "HIGHLEVEL", "changeEmail", json!({"email": other, "to": ANA})).await;
    settled(&world).await;
    assert!(contact(&world, ANA).await.is_some_and(|mia| mia["firstName"] == "Mia"));
    assert_eq!(world.writes().await, 0, "{:?}", world.calls().await);
    assert_eq!(world.find_stored(ANA).await, Vec::<String>::new());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconcile_under_way_writes_nothing_of_her() {
    let (world, ana, note) = known().await;
    let slow = json!({"system": "HIGHLEVEL", "kind": "delay", "delayMs": 1500});
    world.fault(slow).await;
    world.forget_calls().await;
    let input = json!({"contact": {"id": ana["id"]}, "lastName": "Pazzi"});
    let (answer, erased) = tokio::join!(world.ask(UPSERT, json!({"input": input})), async {
        let begun = || async { world.count("HIGHLEVEL").await > 0 };
        world.until("HighLevel is asked", begun).await;
        erase(&world, json!({"id": ana["id"]})).await
    });
    assert_eq!(erased["userErrors"], json!([]));
    world.clear_faults().await;
    let errors = &answer["data"]["upsertContact"]["userErrors"];
    assert_eq!(errors[0]["code"], "ERASED", "{answer:#}");
    tick(&world).await;
    settled(&world).await;
    is_nowhere(&world, &ana, &note).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_erased_is_said() {
    let without = World::builder().contacts(20).start().await;
    let refused = erase(&without, json!({"email": ANA})).await;
    assert_eq!(refused["userErrors"][0]["code"], "NOT_SUPPORTED", "{refused:#}");
    without.end().await;
    let world = World::builder().contacts(20).set("vault.keys", KEY).start().await;
    let nobody = erase(&world, json!({"email": "nobody@example.com"})).await;
    assert_eq!(nobody["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(nobody["erasedContactId"], Value::Null);
    world.end().await;
}

//! A token that may only read: mutations are refused before a call, plans still work.

use std::time::Duration;

use serde_json::{Value, json};
use tandem::sandbox::credentials::HIGHLEVEL_READ_ONLY_TOKEN;

use super::ungranted::{people, told};
use super::{ANA, first_list, with_a_rule};
use crate::world::{Builder, World};

/// Every mutation of contacts with an input.
fn mutations(note: &Value, task: &Value) -> Vec<(&'static str, Value)> {
    let ana = json!({"email": ANA});
    vec![
        ("upsertContact", json!({"email": ANA, "firstName": "Anita"})),
        ("deleteContact", json!({"contact": ana})),
        ("unsubscribe", json!({"contact": ana})),
        ("addTags", json!({"contact": ana, "tags": ["x"]})),
        ("removeTags", json!({"contact": ana, "tags": ["vip"]})),
        ("addToList", json!({"contact": ana, "list": first_list()})),
        ("removeFromList", json!({"contact": ana, "list": first_list()})),
        ("createNote", json!({"contact": ana, "body": "Hello"})),
        ("updateNote", json!({"note": note, "body": "Hello"})),
        ("deleteNote", json!({"note": note})),
        ("createTask", json!({"contact": ana, "title": "Call", "dueAt": "2027-01-02T10:00:00Z"})),
        ("updateTask", json!({"task": task, "title": "Call back"})),
        ("completeTask", json!({"task": task})),
        ("deleteTask", json!({"task": task})),
        ("syncContact", json!({"contact": ana})),
    ]
}

/// A token that is known to be one of these: the config says which rights it has.
fn reading() -> Builder {
    let scopes = json!(["contacts.readonly", "locations.readonly"]);
    with_a_rule().set("highlevel.token", HIGHLEVEL_READ_ONLY_TOKEN).set("highlevel.scopes", scopes)
}

async fn ask(world: &World, name: &str, input: Value) -> Value {
    let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let query =
        format!("mutation($i: {kind}!) {{ {name}(input: $i) {{ userErrors {{ code }} }} }}");
    world.ask(&query, json!({"i": input})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_is_refused_before_a_call() {
    let world = reading().start().await;
    let note = "query($e: EmailAddress!) { contact(by: {email: $e}) { \
        notes { nodes { id } } tasks { nodes { id } } } }";
    let data = world.data(note, json!({"e": ANA})).await["contact"].clone();
    let (note, task) = (&data["notes"]["nodes"][0]["id"], &data["tasks"]["nodes"][0]["id"]);
    let before = world.state().await;
    world.forget_calls().await;
    for (name, input) in mutations(note, task) {
        let answer = ask(&world, name, input).await;
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_eq!(code, "READ_ONLY", "{name}: {answer:#}");
        assert_eq!(world.calls().await.len(), 0, "{name}");
    }
    assert_eq!(world.state().await, before);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_turns_out_to_be_one_is_known_from_then_on() {
    // A gateway learns that by its own calls.
    let builder = with_a_rule().set("highlevel.token", HIGHLEVEL_READ_ONLY_TOKEN);
    let world = builder.alone().start().await;
    let highlevel = world.state().await["highlevel"].clone();
    let tags = json!({"contact": {"email": ANA}, "tags": ["x"]});
    ask(&world, "addTags", tags).await;
    assert_eq!(world.state().await["highlevel"], highlevel);
    let before = world.state().await;
    world.forget_calls().await;
    let answer = ask(&world, "upsertContact", json!({"email": ANA, "firstName": "Anita"})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "READ_ONLY", "{answer:#}");
    assert_eq!(world.calls().await.len(), 0);
    assert_eq!(world.state().await, before);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_turned_out_to_be_one_is_tried_again_after_ten_minutes() {
    // A gateway learns that by its own calls. Sync is not running: nobody but clients writes.
    let builder = with_a_rule().set("highlevel.token", HIGHLEVEL_READ_ONLY_TOKEN);
    let world = builder.alone().start().await;
    let before = people(&world).await;
    let told = async || told(&world, "credential").await;
    let tries = async || {
        world.forget_calls().await;
        let tags = json!({"contact": {"email": ANA}, "tags": ["x"]});
        let answer = ask(&world, "addTags", tags).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "READ_ONLY", "{answer:#}");
        world.writes().await
    };
    for _ in 0..3 {
        assert!(tries().await > 0, "somebody may have granted it");
        world.until("it is told once", async || told().await == 1).await;
        // Not at once, so that no lease runs out.
        for _ in 0..11 {
            assert_eq!(tries().await, 0);
            world.clock.advance(Duration::from_secs(55));
        }
    }
    assert_eq!(told().await, 1);
    assert_eq!(people(&world).await, before);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_turns_out_to_be_one_leaves_nothing_half_written() {
    let world = with_a_rule().set("highlevel.token", HIGHLEVEL_READ_ONLY_TOKEN).start().await;
    let before = world.state().await;
    for input in [
        json!({"email": ANA, "firstName": "Anita", "tags": ["x"]}),
        json!({"email": "nobody.yet@example.com", "firstName": "No"}),
    ] {
        let answer = ask(&world, "upsertContact", input).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "READ_ONLY", "{answer:#}");
        assert_eq!(world.state().await, before);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_and_previews_still_work() {
    let world = reading().start().await;
    let plan = "query($e: EmailAddress!) { syncPlan(by: {email: $e}) { contact { id } \
        actions { system kind fields { field before after } reason } reasons } \
        mappingPreview(by: {email: $e}) { contact { id } fields { field } problems { code } } \
        syncStatus { state } }";
    let data = world.data(plan, json!({"e": ANA})).await;
    let actions = data["syncPlan"]["actions"].as_array().unwrap().clone();
    let fields = |action: &Value| action["fields"].as_array().cloned().unwrap_or_default();
    let mut planned = actions.iter().flat_map(fields);
    assert!(planned.any(|field| field["field"] == "companyName"), "{data:#}");
    assert_eq!(data["mappingPreview"]["problems"], json!([]));
    assert!(!data["mappingPreview"]["fields"].as_array().unwrap().is_empty());
    assert_eq!(data["syncStatus"]["state"], "READ_ONLY");
    assert_eq!(world.writes().await, 0);
    world.end().await;
}

//! Whatever of one workspace is shown by a client of another: nothing is read, nothing is changed, and
//! no call is made for the workspace that it is of.
//!
//! Each way is gone once between any two workspaces, and then many in any order. `PROPTEST_CASES` says how many
//! histories are tried; what is tried is the same every time otherwise.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use tandem::sandbox::credentials::ACCOUNTS;

use super::connecting::grant;
use super::ways::{Things, WAYS};
use super::{Client, calls_of, with_accounts};
use crate::time::PATIENCE;
use crate::webhooks::{event, pem, send};
use crate::world::World;

/// How many histories are tried where nobody says.
const FEW: u32 = 12;
/// How many workspaces there are.
const WORKSPACES: usize = 3;

/// Somebody of a workspace shows something of another.
#[derive(Clone, Copy, Debug)]
struct Step {
    asks: usize,
    of: usize,
    way: usize,
    which: usize,
}

fn step() -> impl Strategy<Value = Step> {
    let places = (0..WORKSPACES, 1..WORKSPACES, 0..WAYS.len(), any::<usize>());
    places.prop_map(|(asks, further, way, which)| Step {
        asks,
        of: (asks + further) % WORKSPACES,
        way,
        which,
    })
}

const GATHER: &str = "{
    contacts(first: 50, source: HIGHLEVEL) { edges { cursor node { id email
        highlevel { contactId } notes { nodes { id } } tasks { nodes { id } } } } }
    lists { id } syncRuns(first: 1) { nodes { id } } viewer { workspace { id key } }
    syncEvents(first: 1) { edges { cursor } } }";
const MORE: &str = "query($id: ID!) { contact(by: {id: $id}) { appointments { nodes { id } } } }";
const START: &str =
    "mutation { startSync(input: {kind: BACKFILL}) { run { id } userErrors { message } } }";

async fn gather(world: &World, client: &Client<'_>, place: usize) -> Things {
    let started = client.data(START, json!({})).await["startSync"].clone();
    let run = started["run"]["id"].as_str().unwrap().to_owned();
    let state = "query($id: ID!) { node(id: $id) { ... on SyncRun { state } } }";
    let waits = || async {
        client.data(state, json!({"id": run})).await["node"]["state"] == "AWAITING_APPROVAL"
    };
    world.until("the run waits", waits).await;
    let data = client.data(GATHER, json!({})).await;
    let edges = data["contacts"]["edges"].as_array().unwrap();
    let texts = |values: Vec<&Value>| -> Vec<String> {
        values.into_iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    let nested = |name: &str| {
        let all = edges.iter().flat_map(|edge| edge["node"][name]["nodes"].as_array().unwrap());
        texts(all.map(|one| &one["id"]).collect())
    };
    let contacts = texts(edges.iter().map(|edge| &edge["node"]["id"]).collect());
    let mut others = texts(vec![&data["viewer"]["workspace"]["id"]]);
    for contact in contacts.iter().take(5) {
        let more = client.data(MORE, json!({"id": contact})).await;
        let appointments = more["contact"]["appointments"]["nodes"].as_array().cloned();
        others.extend(texts(appointments.iter().flatten().map(|one| &one["id"]).collect()));
    }
    let (hold, failure) = plant(world, client, (place, &contacts[0])).await;
    let chosen = [("from_marketplace", "yes"), ("location_id", ACCOUNTS[place].location)];
    assert_eq!(grant(client, Value::Null, &chosen).await.0, 202);
    let installs = client.data("{ heldInstalls { id } }", json!({})).await["heldInstalls"].clone();
    Things {
        key: client.key.clone(),
        notes: nested("notes"),
        tasks: nested("tasks"),
        lists: texts(data["lists"].as_array().unwrap().iter().map(|one| &one["id"]).collect()),
        highlevel: texts(edges.iter().map(|one| &one["node"]["highlevel"]["contactId"]).collect()),
        emails: texts(edges.iter().map(|edge| &edge["node"]["email"]).collect()),
        cursors: [
            edges[edges.len() / 2]["cursor"].clone(),
            data["syncEvents"]["edges"][0]["cursor"].clone(),
        ],
        install: installs[0]["id"].as_str().unwrap().to_owned(),
        contacts,
        others,
        run,
        hold,
        failure,
    }
}

/// Puts a hold and a failure there; their ids.
async fn plant(
    world: &World,
    client: &Client<'_>,
    (place, contact): (usize, &str),
) -> (String, String) {
    let contact = uuid::Uuid::try_parse(contact.trim_start_matches("contact_")).unwrap();
    let id = uuid::Uuid::from_u128(1_000 + place as u128);
    let (key, simple) = (&client.key, contact.simple());
    let hold = json!({"id": id, "kind": "AMBIGUOUS_MATCH", "contact": contact,
        "contacts": [contact], "run": null, "system": null, "field": null, "candidates": [],
        "resolutions": [{"choice": "LEAVE", "effect": "Nothing is done"}],
        "reason": "planted", "since": "2026-11-24T12:00:00Z"});
    let failure = json!({"contact": contact, "system": "DOPPLER", "action": "UPDATE",
        "code": "UPSTREAM_REJECTED", "message": "planted", "attempts": 1,
        "first_failed_at": "2026-11-24T12:00:00Z", "next_attempt_at": null, "dead": true});
    for statement in [
        format!(
            "INSERT INTO hold (workspace, id, kind, body) \
             VALUES ('{key}', '{}', 'AMBIGUOUS_MATCH', '{hold}')",
            id.simple()
        ),
        format!(
            "INSERT INTO failure (workspace, contact, system, code, dead, body) \
             VALUES ('{key}', '{simple}', 'DOPPLER', 'UPSTREAM_REJECTED', 1, '{failure}')"
        ),
    ] {
        world.run(&statement).await;
    }
    let found = client
        .data("{ holds(first: 9) { nodes { id } } failures(first: 9) { nodes { id } } }", json!({}))
        .await;
    let first = |name: &str| found[name]["nodes"][0]["id"].as_str().unwrap().to_owned();
    (first("holds"), first("failures"))
}

/// The first answer of a subscription, or of anything else.
async fn ask(client: &Client<'_>, query: &str, variables: Value) -> Value {
    if !query.starts_with("subscription") {
        return client.ask(query, variables).await;
    }
    // A stream of something that is not there ends by itself.
    let text = async { sent(client, query, variables).await.unwrap().text().await.unwrap() };
    let text = tokio::time::timeout(PATIENCE, text).await.expect("it goes on and on");
    let data = text.lines().find_map(|line| line.strip_prefix("data:")).unwrap_or("null");
    serde_json::from_str(data).unwrap_or_default()
}

/// An operation that is answered by a stream of events.
async fn sent(
    client: &Client<'_>,
    query: &str,
    variables: Value,
) -> reqwest::Result<reqwest::Response> {
    let world = client.world;
    let request = world.http().post(world.url("/graphql")).bearer_auth(client.token());
    let request = request.header("accept", "text/event-stream");
    request.json(&json!({"query": query, "variables": variables})).send().await
}

/// Nothing of the other workspace is in an answer that was made for this one.
fn judge(step: Step, things: &[Things], shown: &Value, answer: &Value) {
    let (asks, of) = (&things[step.asks], &things[step.of]);
    let text = answer.to_string();
    let shown = shown.as_str().unwrap_or_default();
    let theirs = of.contacts.iter().chain(&of.notes).chain(&of.tasks).chain(&of.others);
    for id in theirs.chain([&of.run, &of.hold, &of.failure, &of.install]) {
        assert!(!text.contains(id.as_str()), "{step:?} with {shown} shows {id}: {answer:#}");
    }
    for email in of.emails.iter().filter(|email| !asks.emails.contains(email)) {
        assert!(!text.contains(email.as_str()), "{step:?} with {shown} shows {email}: {answer:#}");
    }
    let done = &answer["data"]["r"];
    if done.is_object() {
        let refused = done["userErrors"].as_array().is_some_and(|errors| !errors.is_empty());
        let none = done["retried"] == 0;
        assert!(refused || none, "{step:?} with {shown} was taken: {answer:#}");
    }
    if let Some(code) = answer["errors"][0]["extensions"]["code"].as_str() {
        let expected = ["BAD_USER_INPUT", "CURSOR_EXPIRED", "UPSTREAM_REJECTED"];
        assert!(expected.contains(&code), "{step:?}: {answer:#}");
    }
}

/// Shows it, and looks at what comes of it.
async fn go(step: Step, world: &World, (clients, things): (&[Client<'_>], &[Things])) {
    world.forget_calls().await;
    let (query, take) = WAYS[step.way];
    let shown = take(&things[step.of], step.which);
    let answer = ask(&clients[step.asks], query, json!({"x": shown})).await;
    judge(step, things, &shown, &answer);
    for (place, account) in ACCOUNTS.iter().enumerate().take(WORKSPACES) {
        let calls = calls_of(world, account).await;
        let own = place == step.asks;
        assert!(own || calls.is_empty(), "{step:?} called {account:?}: {calls:?}");
    }
}

/// Every way between any two, each with something else.
fn each_way() -> impl Iterator<Item = Step> {
    let pairs =
        (0..WORKSPACES).flat_map(|asks| (1..WORKSPACES).map(move |further| (asks, further)));
    let steps =
        pairs.flat_map(|(asks, further)| (0..WAYS.len()).map(move |way| (asks, further, way)));
    steps.enumerate().map(|(which, (asks, further, way))| {
        let of = (asks + further) % WORKSPACES;
        Step { asks, of, way, which }
    })
}

/// What belongs to a workspace, as far as clients and systems see it.
async fn state(world: &World, client: &Client<'_>, place: usize) -> Value {
    let query = "{ holds(first: 9) { nodes { id } } failures(first: 9) { nodes { id dead } } \
        syncRuns(first: 9) { nodes { id state } } syncStatus { pending held failed } heldInstalls { id } }";
    let sandbox = world.control_get(&format!("/state?account={}", place + 1)).await;
    json!([client.data(query, json!({})).await, sandbox])
}

#[test]
fn nothing_of_one_workspace_is_read_or_changed_by_another() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.unwrap();
    let (world, things) = runtime.block_on(async {
        let world =
            with_accounts(WORKSPACES).set("highlevel.webhook_public_key", pem()).start().await;
        let operator = Client::operator(&world);
        let mut things = vec![gather(&world, &operator, 0).await];
        for (place, account) in ACCOUNTS.iter().enumerate().take(WORKSPACES).skip(1) {
            let client = operator.create(&format!("Workspace {place}")).await;
            client.connect(account).await;
            things.push(gather(&world, &client, place).await);
        }
        (world, things)
    });
    let clients: Vec<Client<'_>> = things.iter().map(|it| Client::of(&world, &it.key)).collect();
    let all = async || {
        let mut states = Vec::new();
        for (place, client) in clients.iter().enumerate() {
            states.push(state(&world, client, place).await);
        }
        states
    };
    let before = runtime.block_on(all());
    runtime.block_on(async {
        for step in each_way() {
            go(step, &world, (&clients, &things)).await;
        }
    });

    #[expect(clippy::disallowed_methods, reason = "how much is tried is told from outside")]
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    let config = Config {
        cases: cases.unwrap_or(FEW),
        max_shrink_iters: 40,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let histories = prop::collection::vec(step(), 1..8);
    let ended = TestRunner::new_with_rng(config, rng).run(&histories, |history| {
        runtime.block_on(async {
            for step in history {
                go(step, &world, (&clients, &things)).await;
            }
        });
        Ok(())
    });
    ended.unwrap_or_else(|error| panic!("{error}"));

    runtime.block_on(async {
        assert_eq!(before, all().await, "something was changed");
        let heard = subscribed(&clients).await;
        keys_are_each_workspaces_own(&clients, &things).await;
        a_webhook_touches_its_own(&world, &things).await;
        each_hears_its_own(&world, &things, heard).await;
    });
    drop(clients);
    runtime.block_on(world.end());
}

/// The same idempotency key is another's in another workspace.
async fn keys_are_each_workspaces_own(clients: &[Client<'_>], things: &[Things]) {
    let note = "mutation($c: ID!, $b: String!) { createNote(input: {idempotencyKey: \"same\", \
        contact: {id: $c}, body: $b}) { note { body } userErrors { code } } }";
    for _ in 0..2 {
        for (client, things) in clients.iter().zip(things) {
            let body = format!("of {}", client.key);
            let made = client.data(note, json!({"c": things.contacts[0], "b": body})).await;
            assert_eq!(made["createNote"]["note"]["body"], body, "{made:#}");
        }
    }
}

/// A webhook about one location with a person of another calls nobody else's.
async fn a_webhook_touches_its_own(world: &World, things: &[Things]) {
    world.switch_sync_on().await;
    let mut event = event(world, "crossed", &things[0].highlevel[0]);
    event["locationId"] = json!(ACCOUNTS[1].location);
    world.forget_calls().await;
    assert_eq!(send(world, &event).await.1, "stored");
    let path = format!("/contacts/{}", things[0].highlevel[0]);
    let asked =
        || async { calls_of(world, &ACCOUNTS[1]).await.iter().any(|call| call.ends_with(&path)) };
    world.until("its own location is asked", asked).await;
    let foreign = calls_of(world, &ACCOUNTS[0]).await;
    assert!(!foreign.iter().any(|call| call.ends_with(&path)), "{foreign:?}");
}

/// Follows what happens in each workspace, and has happened: what was heard so far.
async fn subscribed(clients: &[Client<'_>]) -> Vec<Arc<Mutex<String>>> {
    let mut heard = Vec::new();
    for client in clients {
        let all = Arc::new(Mutex::new(String::new()));
        for what in [
            "syncEvents(after: \"0\") { cursor message contact { id email } }",
            "syncStatus { pending held failed currentRun { id } }",
        ] {
            let query = format!("subscription {{ {what} }}");
            let mut response = sent(client, &query, json!({})).await.unwrap();
            let all = Arc::clone(&all);
            tokio::spawn(async move {
                while let Ok(Some(chunk)) = response.chunk().await {
                    all.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk));
                }
            });
        }
        heard.push(all);
    }
    heard
}

/// Something happens in each, and nobody hears of it elsewhere.
async fn each_hears_its_own(world: &World, things: &[Things], heard: Vec<Arc<Mutex<String>>>) {
    let text = |place: usize| heard[place].lock().unwrap().clone();
    for (place, own) in things.iter().enumerate() {
        let is_heard = || async {
            let text = text(place);
            // Of the person, and of how things stand.
            text.contains(&own.contacts[0]) && text.contains("\"pending\"")
        };
        world.until("what happens is heard", is_heard).await;
    }
    for (place, own) in things.iter().enumerate() {
        let text = text(place);
        for other in things.iter().filter(|other| other.key != own.key) {
            let theirs = other.contacts.iter().chain(&other.others).chain([&other.run]);
            for id in theirs {
                assert!(!text.contains(id.as_str()), "{} hears of {id}: {text}", own.key);
            }
            for email in other.emails.iter().filter(|email| !own.emails.contains(email)) {
                assert!(!text.contains(email.as_str()), "{} hears of {email}: {text}", own.key);
            }
        }
    }
}

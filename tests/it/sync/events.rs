//! Following sync: what was, then what is, with no gap and no double; and its lists.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{ANA, mutate, upsert, with_a_rule};
use crate::time::PATIENCE;
use crate::world::World;

/// How long news are waited for before something more is done.
const AGAIN: Duration = Duration::from_secs(1);
pub const FOLLOW: &str =
    "subscription($after: String) { syncEvents(after: $after) { cursor kind } }";

/// A subscription over server-sent events.
pub struct Following {
    stream: futures_util::stream::BoxStream<'static, Vec<u8>>,
    text: String,
    taken: usize,
}

impl Following {
    pub async fn start(world: &World, query: &str, variables: Value) -> Self {
        let request = world.http().post(world.url("/graphql"));
        let request = request.header("accept", "text/event-stream");
        let body = json!({"query": query, "variables": variables});
        let answer = request.json(&body).send().await.unwrap();
        let stream = answer.bytes_stream().map(|bytes| bytes.unwrap().to_vec()).boxed();
        Self { stream, text: String::new(), taken: 0 }
    }

    /// The data of the next event.
    pub async fn next(&mut self) -> Value {
        let next = async {
            loop {
                let rest = &self.text[self.taken..];
                if let Some(end) = rest.find("\n\n") {
                    let block = rest[..end].to_owned();
                    self.taken += end + 2;
                    let data = block.lines().find_map(|line| line.strip_prefix("data:"));
                    if let Some(data) = data.filter(|data| !data.trim().is_empty()) {
                        return serde_json::from_str(data).unwrap();
                    }
                    continue;
                }
                let bytes = self.stream.next().await.expect("the stream ended");
                self.text.push_str(&String::from_utf8_lossy(&bytes).replace("\r\n", "\n"));
            }
        };
        let answer: Value = tokio::time::timeout(PATIENCE, next).await.unwrap();
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].clone()
    }
}

/// The cursors of the whole history, the oldest first.
async fn cursors(world: &World) -> Vec<i64> {
    let mut cursors: Vec<i64> = Vec::new();
    let mut after = Value::Null;
    loop {
        let query = "query($after: String) { syncEvents(first: 100, after: $after) { \
            nodes { cursor } pageInfo { hasNextPage endCursor } } }";
        let page = world.data(query, json!({"after": after})).await["syncEvents"].clone();
        cursors.extend(page["nodes"].as_array().unwrap().iter().map(cursor));
        if page["pageInfo"]["hasNextPage"] != true {
            cursors.reverse();
            return cursors;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

pub fn cursor(event: &Value) -> i64 {
    event["cursor"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn history_goes_over_into_news_without_gap_or_double() {
    let world = with_a_rule().start().await;
    let person = |n: usize| json!({"email": format!("p{n}@example.com"), "firstName": "P"});
    for n in 0..4 {
        upsert(&world, person(n)).await;
    }
    let begun = cursors(&world).await[2];
    let mut following = Following::start(&world, FOLLOW, json!({"after": begun.to_string()})).await;
    // Written while the history is still being replayed.
    let more = (4..16).map(|n| upsert(&world, person(n)));
    futures_util::future::join_all(more).await;
    let mut expected = Vec::new();
    world
        .until("all is done", || async {
            world.data("{ syncStatus { pending } }", json!({})).await["syncStatus"]["pending"] == 0
        })
        .await;
    expected.extend(cursors(&world).await.into_iter().filter(|cursor| *cursor > begun));
    assert!(expected.len() > 16 * 2, "{expected:?}");
    let mut seen = Vec::new();
    while seen.len() < expected.len() {
        seen.push(cursor(&following.next().await["syncEvents"]));
    }
    assert_eq!(seen, expected);
    drop(following);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_from_now_on_sees_only_news() {
    let world = with_a_rule().start().await;
    upsert(&world, json!({"email": "old@example.com", "firstName": "Old"})).await;
    let last = *cursors(&world).await.last().unwrap();
    let filtered = "subscription { syncEvents(filter: {kinds: [CREATED], systems: [DOPPLER]}) { \
        cursor kind system fields message contact { id } } }";
    let mut following = Following::start(&world, filtered, json!({})).await;
    // Somebody is made until it is heard of: when a subscription began to listen cannot be seen.
    let mut made = Vec::new();
    let event = loop {
        let email = format!("news{}@example.com", made.len());
        upsert(&world, json!({"email": email, "firstName": "News"})).await;
        made.push(email);
        if let Ok(event) = tokio::time::timeout(AGAIN, following.next()).await {
            break event["syncEvents"].clone();
        }
        assert!(made.len() < 100, "never heard of anybody");
    };
    assert!(cursor(&event) > last);
    assert_eq!((&event["kind"], &event["system"]), (&json!("CREATED"), &json!("DOPPLER")));
    assert!(event["contact"].is_object(), "{event:#}");
    // Whom it is about is told from what was read last, which another gateway may yet have to store.
    let last = "{ syncEvents(first: 1, filter: {kinds: [CREATED], systems: [DOPPLER]}) { \
        nodes { contact { email } } } }";
    let told = || async {
        let answer = world.ask(last, json!({})).await;
        let events = &answer["data"]["syncEvents"]["nodes"];
        events[0]["contact"]["email"] == made.last().unwrap().as_str()
    };
    world.shows("whom it is about", told).await;
    drop(following);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_is_told_at_once_and_when_it_changes() {
    let world = with_a_rule().start().await;
    let query = "subscription { syncStatus { state total inSync pending failed } }";
    let mut following = Following::start(&world, query, json!({})).await;
    let first = following.next().await["syncStatus"].clone();
    assert_eq!(first["state"], "NOT_SET_UP", "{first:#}");
    upsert(&world, json!({"email": "counted@example.com", "firstName": "C"})).await;
    let total = first["total"].as_i64().unwrap();
    loop {
        // A count is not worked out anew for each of many changes.
        world.clock.advance(Duration::from_secs(2));
        mutate(&world, "addTags", json!({"contact": {"email": ANA}, "tags": ["again"]})).await;
        let status = following.next().await["syncStatus"].clone();
        if status["total"].as_i64().unwrap() > total && status["pending"] == 0 {
            break;
        }
    }
    drop(following);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_can_be_listed_and_forgotten() {
    // Given up at once, so that nobody tries again meanwhile.
    let world = with_a_rule().set("sync.most_attempts", 1).start().await;
    let fault = json!({"system": "DOPPLER", "method": "POST", "kind": "status", "status": 503});
    world.fault(fault).await;
    for n in 0..3 {
        upsert(&world, json!({"email": format!("f{n}@example.com"), "firstName": "F"})).await;
    }
    let query = "query($first: Int, $after: String) { failures(first: $first, after: $after) { \
        nodes { id system code message attempts dead contact { email } } \
        pageInfo { hasNextPage endCursor } } holds { nodes { id } } }";
    let page = world.data(query, json!({"first": 2})).await;
    assert_eq!(page["holds"]["nodes"], json!([]));
    assert_eq!(page["failures"]["nodes"].as_array().unwrap().len(), 2, "{page:#}");
    assert_eq!(page["failures"]["pageInfo"]["hasNextPage"], true);
    let failure = page["failures"]["nodes"][0].clone();
    assert_eq!(
        (&failure["system"], &failure["code"]),
        (&json!("DOPPLER"), &json!("UPSTREAM_UNAVAILABLE"))
    );
    assert_eq!(failure["dead"], true);
    let after = page["failures"]["pageInfo"]["endCursor"].clone();
    let rest = world.data(query, json!({"first": 2, "after": after})).await;
    assert_eq!(rest["failures"]["nodes"].as_array().unwrap().len(), 1, "{rest:#}");

    let discard = "mutation($id: ID!) { discardFailure(input: {failure: $id}) { \
        failure { id } userErrors { code } } }";
    let gone = world.data(discard, json!({"id": failure["id"]})).await["discardFailure"].clone();
    assert_eq!(gone["failure"]["id"], failure["id"], "{gone:#}");
    let again = world.data(discard, json!({"id": failure["id"]})).await["discardFailure"].clone();
    assert_eq!(again["userErrors"][0]["code"], "NOT_FOUND", "{again:#}");
    world.clear_faults().await;
    let retry = "mutation { retryFailures(input: {}) { retried userErrors { code } } }";
    let retried = world.data(retry, json!({})).await["retryFailures"].clone();
    assert_eq!(retried["retried"], 2, "{retried:#}");
    world
        .until("what was tried again is done", || async {
            let data =
                world.data("{ failures { nodes { id } } syncStatus { pending } }", json!({}));
            data.await == json!({"failures": {"nodes": []}, "syncStatus": {"pending": 0}})
        })
        .await;
    let state = world.state().await;
    let made = |email: &Value| {
        let all = state["doppler"]["subscribers"].as_array().unwrap();
        all.iter().any(|person| person["email"] == *email)
    };
    let given_up = &failure["contact"]["email"];
    for n in 0..3 {
        let email = json!(format!("f{n}@example.com"));
        assert_eq!(made(&email), email != *given_up, "{email}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_discarded_is_not_written_while_sync_runs() {
    // Nobody else whom a poll could find.
    let world = with_a_rule().contacts(1).set("sync.most_attempts", 1).start().await;
    world.run_sync().await;
    let fault = json!({"system": "DOPPLER", "method": "POST", "kind": "status", "status": 503});
    world.fault(fault).await;
    upsert(&world, json!({"email": ANA, "lastName": "Discarded"})).await;
    upsert(&world, json!({"email": "given.up@example.com", "firstName": "G"})).await;
    let failures = "{ failures { nodes { id } } }";
    let discard = "mutation($id: ID!) { discardFailure(input: {failure: $id}) { \
        userErrors { code } } }";
    let open = || async { world.data(failures, json!({})).await["failures"]["nodes"].clone() };
    world.until("both failed", || async { open().await.as_array().unwrap().len() == 2 }).await;
    let found = open().await;
    for failure in found.as_array().unwrap() {
        world.data(discard, json!({"id": failure["id"]})).await;
    }
    world.clear_faults().await;
    world.forget_calls().await;
    for email in [ANA, "given.up@example.com"] {
        mutate(&world, "syncContact", json!({"contact": {"email": email}})).await;
    }
    let writes = world.calls().await;
    let to_doppler = |call: &&crate::world::Call| call.system == "DOPPLER" && call.method != "GET";
    let last_names = |state: &Value| {
        let all = state["doppler"]["subscribers"].as_array().unwrap().iter();
        all.map(|one| one["fields"]["LASTNAME"].clone()).collect::<Vec<_>>()
    };
    assert!(!last_names(&world.state().await).contains(&json!("Discarded")));
    assert_eq!(super::subscriber(&world, "given.up@example.com").await, None);
    assert_eq!(super::contact(&world, ANA).await.unwrap()["lastName"], "Discarded");
    // What else differs is written as ever: the company, which the two never agreed about.
    assert!(writes.iter().filter(to_doppler).count() <= 1, "{writes:#?}");
    // Who asks again gets it.
    let again = upsert(&world, json!({"email": ANA, "lastName": "Discarded"})).await;
    assert_eq!(super::outcome(&again, "DOPPLER"), "APPLIED", "{again:#}");
    world.end().await;
}

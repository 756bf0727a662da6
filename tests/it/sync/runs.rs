//! Runs: everybody at once, previewed, approved, done, and stopped where a listing lies.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::{ANA, with_a_rule};
use crate::world::{Builder, World};

pub const RUN: &str = "id kind state progress seen matched created updated unchanged held failed \
    estimatedCalls etaSeconds error";

/// How often a run of hundreds is looked at before the test gives it up: minutes on a slow machine.
const MOST_LOOKS: usize = 4_000;

/// A world whose systems are listed as they are at that moment, and polled by nobody meanwhile.
pub fn calm() -> Builder {
    with_a_rule()
        .set("highlevel.index_delay", "0s")
        .set("doppler.poll_interval", "1h")
        .set("highlevel.poll_interval", "1h")
}

pub async fn start(world: &World, kind: &str, dry: bool) -> Value {
    let query = format!(
        "mutation($input: StartSyncInput!) {{ startSync(input: $input) {{ run {{ {RUN} }} \
         userErrors {{ code message }} }} }}"
    );
    let input = json!({"kind": kind, "dryRun": dry});
    world.data(&query, json!({"input": input})).await["startSync"].clone()
}

/// `approveSync` or `cancelSync`.
pub async fn decide(world: &World, what: &str, run: &Value) -> Value {
    let kind = format!("{}{}Input", what[..1].to_uppercase(), &what[1..]);
    let query = format!(
        "mutation($input: {kind}!) {{ {what}(input: $input) {{ run {{ {RUN} }} \
         userErrors {{ code message }} }} }}"
    );
    world.data(&query, json!({"input": {"run": run["id"]}})).await[what].clone()
}

async fn run(world: &World, id: &Value) -> Value {
    let query = format!("query($id: ID!) {{ node(id: $id) {{ ... on SyncRun {{ {RUN} }} }} }}");
    world.data(&query, json!({"id": id})).await["node"].clone()
}

/// Waits until a run is in a state.
pub async fn reaches(world: &World, id: &Value, state: &str) -> Value {
    for _ in 0..MOST_LOOKS {
        let found = run(world, id).await;
        if found["state"] == state {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never {state}: {:#}", run(world, id).await);
}

pub async fn previewed(world: &World) -> Value {
    let begun = start(world, "BACKFILL", false).await;
    assert_eq!(begun["userErrors"], json!([]), "{begun:#}");
    reaches(world, &begun["run"]["id"], "AWAITING_APPROVAL").await
}

pub async fn done(world: &World) -> Value {
    let run = previewed(world).await;
    assert_eq!(decide(world, "approveSync", &run).await["userErrors"], json!([]));
    reaches(world, &run["id"], "FINISHED").await
}

/// How many actions of a kind a preview counts, by system and kind.
async fn counts(world: &World, id: &Value) -> BTreeMap<(String, String), u64> {
    let query = "query($id: ID!) { node(id: $id) { ... on SyncRun { preview { estimatedCalls \
        estimatedSeconds counts { system kind count } } } } }";
    let preview = world.data(query, json!({"id": id})).await["node"]["preview"].clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = preview["counts"].as_array().unwrap().iter();
    all.map(|one| ((text(&one["system"]), text(&one["kind"])), one["count"].as_u64().unwrap()))
        .collect()
}

/// The calls since the journal was forgotten, by system, method and route.
pub async fn calls(world: &World) -> BTreeMap<(String, String, String), u64> {
    let mut found = BTreeMap::new();
    for call in world.calls().await {
        let key = (call.system, call.method, call.route.unwrap_or_default());
        *found.entry(key).or_default() += 1;
    }
    found
}

pub fn of(calls: &BTreeMap<(String, String, String), u64>, method: &str, route: &str) -> u64 {
    let wanted = calls.iter().filter(|((_, m, r), _)| m == method && r == route);
    wanted.map(|(_, count)| count).sum()
}

async fn state(world: &World) -> Value {
    world.data("{ syncStatus { state } }", json!({})).await["syncStatus"]["state"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_costs_listings_only_and_equals_what_is_done() {
    // Each by himself: what imports cost is in `importing`.
    let world = calm().contacts(300).set("sync.import_from", 0).start().await;
    world.forget_calls().await;
    let before = world.state().await;
    let run = previewed(&world).await;
    let listing = calls(&world).await;
    let per_person = ["/contacts/{contactId}", "/contacts/search/duplicate"];
    for route in per_person {
        assert_eq!(of(&listing, "GET", route), 0, "{listing:#?}");
    }
    let total: u64 = listing.values().sum();
    assert!(total < 20, "300 people in pages of 100, lists and fields: {listing:#?}");
    assert_eq!(world.state().await, before);
    assert_eq!(state(&world).await, "PREVIEW");
    let planned = counts(&world, &run["id"]).await;
    let planned = |system: &str, kind: &str| {
        planned.get(&(system.to_owned(), kind.to_owned())).copied().unwrap_or_default()
    };
    assert!(planned("HIGHLEVEL", "CREATE") > 0 && planned("DOPPLER", "CREATE") > 0);

    world.forget_calls().await;
    decide(&world, "approveSync", &run).await;
    let run = reaches(&world, &run["id"], "FINISHED").await;
    assert_eq!(state(&world).await, "RUNNING");
    let done = calls(&world).await;
    assert_eq!(of(&done, "POST", "/contacts/"), planned("HIGHLEVEL", "CREATE"), "{done:#?}");
    // Who opts out and has other values to come, too, is written once.
    let (updates, opt_outs) = (planned("HIGHLEVEL", "UPDATE"), planned("HIGHLEVEL", "UNSUBSCRIBE"));
    let put = of(&done, "PUT", "/contacts/{contactId}");
    assert!(put < updates + opt_outs && put >= updates.max(opt_outs), "{done:#?}\n{run:#}");
    // Of a contact that is written, one read; of the others none. The end of an import of one person is
    // looked at; and who is under way, sixteen at most, may be on a page that a poll reads just then.
    let ended = of(&done, "POST", "/accounts/{accountName}/subscribers/import");
    let written = of(&done, "POST", "/contacts/")
        + of(&done, "PUT", "/contacts/{contactId}")
        + of(&done, "POST", "/contacts/{contactId}/tags");
    let read =
        of(&done, "GET", "/contacts/{contactId}") + of(&done, "GET", "/contacts/search/duplicate");
    assert!(read <= written + ended + 16, "{read} reads for {written} writes: {done:#?}");
    let number = |name: &str| run[name].as_u64().unwrap();
    let sum: u64 =
        ["created", "updated", "unchanged", "held", "failed"].into_iter().map(number).sum();
    let people = world.data("{ syncStatus { total } }", json!({})).await;
    assert_eq!(sum, people["syncStatus"]["total"].as_u64().unwrap(), "{run:#}");
    assert_eq!(number("failed"), 0, "{run:#}");
    assert!(number("unchanged") > 0 && number("created") > 0, "{run:#}");

    // Once done, there is nothing left to be done.
    let again = start(&world, "BACKFILL", true).await;
    let again = reaches(&world, &again["run"]["id"], "FINISHED").await;
    let left = counts(&world, &again["id"]).await;
    let writes = left.keys().filter(|(_, kind)| !["SKIP", "LINK", "HOLD"].contains(&kind.as_str()));
    assert_eq!(writes.count(), 0, "{left:#?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_made_twice_and_a_run_that_is_approved_twice_runs_once() {
    let world = calm().contacts(60).start().await;
    let before = world.state().await;
    let run = previewed(&world).await;
    let twice =
        [decide(&world, "approveSync", &run).await, decide(&world, "approveSync", &run).await];
    let errors: Vec<&Value> = twice.iter().map(|one| &one["userErrors"]).collect();
    assert_eq!(errors[0], &json!([]));
    assert_eq!(errors[1][0]["code"], "STALE");
    reaches(&world, &run["id"], "FINISHED").await;
    let after = world.state().await;
    for (system, people) in [("doppler", "subscribers"), ("highlevel", "contacts")] {
        let emails = |state: &Value| {
            let mut emails = BTreeMap::<String, usize>::new();
            for person in state[system][people].as_array().unwrap() {
                if let Some(email) = person["email"].as_str() {
                    *emails.entry(email.to_lowercase()).or_default() += 1;
                }
            }
            emails
        };
        let (was, is) = (emails(&before), emails(&after));
        assert!(was.keys().all(|email| is.contains_key(email)), "nobody is lost");
        for (email, count) in is {
            let allowed = was.get(&email).copied().unwrap_or(1);
            assert_eq!(count, allowed, "{email} in {system}");
        }
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_writes_nothing_and_leaves_sync_as_it_is() {
    let world = calm().contacts(20).start().await;
    let before = world.state().await;
    world.forget_calls().await;
    let begun = start(&world, "FULL_COMPARE", true).await;
    let run = reaches(&world, &begun["run"]["id"], "FINISHED").await;
    assert!(run["estimatedCalls"].as_u64().unwrap() > 0, "{run:#}");
    assert_eq!(world.writes().await, 0);
    assert_eq!(world.state().await, before);
    assert_eq!(state(&world).await, "NOT_SET_UP");
    let refused = start(&world, "FULL_COMPARE", false).await;
    assert_eq!(refused["userErrors"][0]["code"], "NOT_SUPPORTED", "{refused:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_goes_on_at_a_time_and_can_be_stopped() {
    let world = calm().contacts(20).start().await;
    let run = previewed(&world).await;
    let other = start(&world, "BACKFILL", true).await;
    assert_eq!(other["userErrors"][0]["code"], "DUPLICATE", "{other:#}");
    let query = "{ syncStatus { currentRun { id } } }";
    let current = world.data(query, json!({})).await["syncStatus"]["currentRun"].clone();
    assert_eq!(current["id"], run["id"]);
    let stopped = decide(&world, "cancelSync", &run).await;
    assert_eq!(stopped["run"]["state"], "CANCELLED", "{stopped:#}");
    assert_eq!(decide(&world, "approveSync", &run).await["userErrors"][0]["code"], "STALE");
    assert_eq!(state(&world).await, "NOT_SET_UP");
    let runs = world.data("{ syncRuns { nodes { state } } }", json!({})).await;
    assert_eq!(runs["syncRuns"]["nodes"], json!([{"state": "CANCELLED"}]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_shows_examples_and_the_history_names_the_run() {
    let world = calm().contacts(30).start().await;
    let run = previewed(&world).await;
    let query = "query($id: ID!) { node(id: $id) { ... on SyncRun { preview { \
        samples(kind: CREATE, first: 3) { contact { id email } actions { system kind reason } } } } } }";
    world.forget_calls().await;
    let found = world.data(query, json!({"id": run["id"]})).await;
    let samples = found["node"]["preview"]["samples"].as_array().unwrap();
    assert!(!samples.is_empty() && samples.len() <= 3, "{found:#}");
    for sample in samples {
        let kinds: Vec<&Value> =
            sample["actions"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
        assert!(kinds.contains(&&json!("CREATE")), "{sample:#}");
        assert!(sample["contact"]["id"].is_string(), "{sample:#}");
    }
    assert_eq!(world.calls().await.len(), 0, "what was last known is shown");
    decide(&world, "approveSync", &run).await;
    reaches(&world, &run["id"], "FINISHED").await;
    let query = "query($id: ID!) { syncEvents(first: 100, filter: {run: $id}) { nodes { \
        kind run { id } } } }";
    let events = world.data(query, json!({"id": run["id"]})).await;
    let events = events["syncEvents"]["nodes"].as_array().unwrap();
    assert!(events.iter().all(|event| event["run"]["id"] == run["id"]));
    let has = |kind: &str| events.iter().any(|event| event["kind"] == kind);
    assert!(has("RUN_PROGRESS") && has("CREATED"), "{events:#?}");
    world.end().await;
}

/// Everybody is in step, and then a listing lies.
async fn lies(world: &World, kind: &str) -> Value {
    let run = start(world, "FULL_COMPARE", false).await;
    let run = reaches(world, &run["run"]["id"], "PAUSED").await;
    let query = "{ holds { nodes { id kind run { id state } resolutions { choice } } } }";
    let holds = world.data(query, json!({})).await["holds"]["nodes"].clone();
    let hold = holds.as_array().unwrap().iter().find(|hold| hold["kind"] == kind).cloned();
    let hold = hold.unwrap_or_else(|| panic!("no {kind} among {holds:#}"));
    assert_eq!(hold["run"]["id"], run["id"]);
    hold
}

pub async fn resolve(world: &World, hold: &Value, choice: &str) {
    let query = "mutation($input: ResolveHoldInput!) { resolveHold(input: $input) { \
        userErrors { message } } }";
    let input = json!({"hold": hold["id"], "choice": choice});
    let resolved = world.data(query, json!({"input": input})).await;
    assert_eq!(resolved["resolveHold"]["userErrors"], json!([]), "{resolved:#}");
}

async fn links(world: &World) -> Value {
    let query = "query($e: EmailAddress!) { contact(by: {email: $e}) { systems } }";
    world.data(query, json!({"e": ANA})).await["contact"]["systems"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_listing_stops_a_run_and_unlinks_nobody() {
    let world = calm().contacts(30).start().await;
    done(&world).await;
    let before = world.state().await;
    let empty = json!({"system": "HIGHLEVEL", "route": "/contacts/search", "kind": "empty-list"});
    world.fault(empty).await;
    let hold = lies(&world, "EMPTY_LISTING").await;
    world.clear_faults().await;
    assert_eq!(links(&world).await, json!(["DOPPLER", "HIGHLEVEL"]));
    resolve(&world, &hold, "LEAVE").await;
    assert_eq!(run(&world, &hold["run"]["id"]).await["state"], "CANCELLED");
    assert_eq!(world.state().await, before);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_asks_nothing_any_more_and_one_that_waits_says_what_it_holds_up() {
    let world = calm().contacts(20).set("sync.compare_every", "10m").start().await;
    done(&world).await;
    let empty = json!({"system": "HIGHLEVEL", "route": "/contacts/search", "kind": "empty-list"});
    world.fault(empty).await;
    let hold = lies(&world, "EMPTY_LISTING").await;
    world.clear_faults().await;
    let error = async |id: &Value| run(&world, id).await["error"].clone();
    let says = |error: Value| error.as_str().is_some_and(|why| why.contains("no full comparison"));
    let step = Duration::from_mins(6);
    let told = async || says(error(&hold["run"]["id"]).await);
    world.comes("it says that it holds up comparisons", step, told).await;
    for _ in 0..6 {
        world.pass(step).await;
    }
    let query = "query($id: ID!) { syncEvents(first: 100, filter: {run: $id}) { nodes { kind \
        message } } }";
    let events = world.data(query, json!({"id": hold["run"]["id"]})).await;
    assert_eq!(events.to_string().matches("no full comparison").count(), 1, "{events:#}");
    let stopped = decide(&world, "cancelSync", &hold["run"]).await["run"].clone();
    assert_eq!((&stopped["state"], &stopped["error"]), (&json!("CANCELLED"), &Value::Null));
    let holds = world.data("{ holds { nodes { kind } } }", json!({})).await["holds"].clone();
    assert!(!holds.to_string().contains("EMPTY_LISTING"), "{holds:#}");
    let events = world.data(query, json!({"id": hold["run"]["id"]})).await;
    assert!(events.to_string().contains("RESOLVED"), "{events:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_missing_from_a_listing_is_asked_for_one_by_one() {
    let world = calm().contacts(60).start().await;
    done(&world).await;
    let query = "mutation { pauseSync(input: {}) { userErrors { message } } }";
    world.data(query, json!({})).await;
    let state = world.state().await;
    let people = state["highlevel"]["contacts"].as_array().unwrap();
    let gone: Vec<&Value> = people.iter().take(25).map(|contact| &contact["id"]).collect();
    for id in &gone {
        let edit = json!({"system": "HIGHLEVEL", "op": "delete", "contactId": id});
        world.control("/edit", edit).await;
    }
    let query = "mutation { resumeSync(input: {}) { userErrors { message } } }";
    world.data(query, json!({})).await;
    let hold = lies(&world, "MASS_DELETE").await;
    let unlinked = "{ syncEvents(first: 100, filter: {kinds: [UNLINKED]}) { nodes { kind } } }";
    let events = world.data(unlinked, json!({})).await;
    assert_eq!(events["syncEvents"]["nodes"], json!([]), "nothing is unlinked meanwhile");
    world.forget_calls().await;
    resolve(&world, &hold, "GO_ON").await;
    reaches(&world, &hold["run"]["id"], "FINISHED").await;
    let events = world.data(unlinked, json!({})).await;
    let count = events["syncEvents"]["nodes"].as_array().unwrap().len();
    assert_eq!(count, gone.len());
    // Nobody who was deleted is made again.
    let now = world.state().await;
    let left = now["highlevel"]["contacts"].as_array().unwrap().len();
    assert_eq!(left, people.len() - gone.len());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_finds_what_nobody_told_of_without_reading_everybody() {
    let world = calm().contacts(60).start().await;
    done(&world).await;
    let edit = json!({"system": "DOPPLER", "op": "upsert", "email": ANA,
        "fields": {"FIRSTNAME": "Anabel"}});
    world.control("/edit", edit).await;
    world.forget_calls().await;
    let begun = start(&world, "FULL_COMPARE", false).await;
    assert_eq!(begun["userErrors"], json!([]), "{begun:#}");
    let run = reaches(&world, &begun["run"]["id"], "FINISHED").await;
    assert_eq!((&run["updated"], &run["failed"]), (&json!(1), &json!(0)), "{run:#}");
    assert_eq!(super::contact(&world, ANA).await.unwrap()["firstName"], "Anabel");
    let calls = calls(&world).await;
    // Her, and perhaps one of whom the first run left something to be agreed.
    let read = of(&calls, "GET", "/contacts/{contactId}");
    assert!((1..5).contains(&read), "of 60 people: {calls:#?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_where_a_restart_left_it() {
    let mut world = calm().contacts(300).start().await;
    let begun = start(&world, "BACKFILL", false).await;
    world.restart().await;
    let run = reaches(&world, &begun["run"]["id"], "AWAITING_APPROVAL").await;
    decide(&world, "approveSync", &run).await;
    world.restart().await;
    let run = reaches(&world, &run["id"], "FINISHED").await;
    assert_eq!(run["failed"], 0, "{run:#}");
    let again = start(&world, "BACKFILL", true).await;
    let again = reaches(&world, &again["run"]["id"], "FINISHED").await;
    let left = counts(&world, &again["id"]).await;
    let writes = left.keys().filter(|(_, kind)| !["SKIP", "LINK", "HOLD"].contains(&kind.as_str()));
    assert_eq!(writes.count(), 0, "{left:#?}");
    world.end().await;
}

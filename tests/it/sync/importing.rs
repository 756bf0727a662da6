//! Many people at once: Doppler's bulk import, which tells of nobody whether it took him.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, State};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::runs::{self, decide, reaches};
use super::{contact, outcome, subscriber, upsert};
use crate::world::{Builder, World};

pub const INTO_LIST: &str = "/lists/{listId}/subscribers/import";
const INTO_ACCOUNT: &str = "/accounts/{accountName}/subscribers/import";
/// A world that nobody polls, also for what people did with their mails.
pub fn calm() -> Builder {
    runs::calm()
        .contacts(20)
        .set("doppler.engagement_interval", "0s")
        // An import is sent when everybody of the run is there, and never because a machine was slow.
        .set("sync.import_wait", "10m")
}

pub fn person(number: usize) -> String {
    format!("person.{number}@example.net")
}

pub async fn edit(world: &World, edit: Value) {
    world.control("/edit", edit).await;
}

/// People whom only HighLevel knows.
pub async fn people(world: &World, count: usize) {
    for number in 0..count {
        let fields = json!({"firstName": "Pia", "lastName": format!("N{number}")});
        let op = json!({"system": "HIGHLEVEL", "op": "upsert", "email": person(number),
            "fields": fields});
        edit(world, op).await;
    }
}

/// A run that waits for approval; its id.
pub async fn previewed(world: &World) -> Value {
    runs::previewed(world).await["id"].clone()
}

pub async fn approve(world: &World, run: &Value) {
    let approved = decide(world, "approveSync", &json!({"id": run})).await;
    assert_eq!(approved["userErrors"], json!([]));
}

async fn done(world: &World) -> Value {
    let run = previewed(world).await;
    world.forget_calls().await;
    approve(world, &run).await;
    reaches(world, &run, "FINISHED").await
}

/// Doppler's calls since the journal was forgotten, by method and route.
pub async fn calls(world: &World) -> BTreeMap<(String, String), usize> {
    let mut found = BTreeMap::new();
    for call in world.calls().await.into_iter().filter(|call| call.system == "DOPPLER") {
        *found.entry((call.method, call.route.unwrap_or_default())).or_default() += 1;
    }
    found
}

pub fn of(calls: &BTreeMap<(String, String), usize>, method: &str, end: &str) -> usize {
    let wanted = calls.iter().filter(|((m, route), _)| m == method && route.ends_with(end));
    wanted.map(|(_, count)| count).sum()
}

/// The bodies of the imports that were asked for.
pub async fn imports(world: &World) -> Vec<Value> {
    let journal = world.control_get("/journal?bodies=true").await;
    let calls = journal["calls"].as_array().unwrap().iter();
    let imports = calls.filter(|call| {
        call["method"] == "POST"
            && call["route"].as_str().is_some_and(|route| route.ends_with("/subscribers/import"))
    });
    imports
        .map(|call| serde_json::from_str(call["requestBody"].as_str().unwrap()).unwrap())
        .collect()
}

pub fn addresses(imports: &[Value]) -> BTreeSet<String> {
    let items = imports.iter().flat_map(|import| import["items"].as_array().unwrap());
    items.map(|item| item["email"].as_str().unwrap().to_owned()).collect()
}

pub async fn failures(world: &World) -> Vec<Value> {
    let query = "{ failures { nodes { system code dead message contact { email } } } }";
    world.data(query, json!({})).await["failures"]["nodes"].as_array().unwrap().clone()
}

/// Waits until an import was sent.
pub async fn is_sent(world: &World) {
    let sent = || async { !imports(world).await.is_empty() };
    world.until("an import", sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_are_made_with_few_calls() {
    let world = calm().contacts(0).start().await;
    people(&world, 300).await;
    let run = done(&world).await;
    let calls = calls(&world).await;
    let total: usize = calls.values().sum();
    assert!(total < 60, "{total}: {calls:#?}");
    assert_eq!(of(&calls, "POST", INTO_LIST), 1, "{calls:#?}");
    assert!(of(&calls, "GET", "/tasks/{taskId}") < 10, "{calls:#?}");
    assert_eq!(run["failed"], 0, "{run:#}");
    assert!(run["created"].as_u64().unwrap() >= 300, "{run:#}");
    let state = world.state().await;
    let subscribers = state["doppler"]["subscribers"].as_array().unwrap();
    let of = |email: &str| subscribers.iter().filter(|one| one["email"] == email).count();
    for number in 0..300 {
        assert_eq!(of(&person(number)), 1, "{number}");
    }
    let last = subscriber(&world, &person(299)).await.unwrap();
    assert_eq!((&last["fields"]["LASTNAME"], &last["status"]), (&json!("N299"), &json!("active")));
    assert_eq!(last["lists"], json!(["Newsletter"]));

    let query = "{ syncEvents(first: 100, filter: {kinds: [CREATED]}) { nodes { system message \
        run { id } } } }";
    let events = world.data(query, json!({})).await["syncEvents"]["nodes"].clone();
    let made = events.as_array().unwrap().iter().filter(|one| one["system"] == "DOPPLER");
    assert!(made.clone().count() > 50 && made.clone().all(|one| one["run"]["id"].is_string()));

    // All is agreed: a change in one system is a change in the other, and nothing else is left.
    world.forget_calls().await;
    let changed = json!({"email": person(7), "lastName": "Neu"});
    assert_eq!(outcome(&upsert(&world, changed).await, "DOPPLER"), "APPLIED");
    assert_eq!(subscriber(&world, &person(7)).await.unwrap()["fields"]["LASTNAME"], "Neu");
    let again = done(&world).await;
    assert_eq!((&again["created"], &again["updated"]), (&json!(0), &json!(0)), "{again:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_is_cleared_by_a_column_of_somebody_elses() {
    let world = calm().contacts(90).set("sync.import_from", 2).start().await;
    let before = world.state().await;
    done(&world).await;
    assert!(imports(&world).await.len() > 2, "several sets of fields");
    for import in imports(&world).await {
        let columns: BTreeSet<&str> =
            import["fields"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        for item in import["items"].as_array().unwrap() {
            let fields = item["fields"].as_array().unwrap().iter();
            let own: BTreeSet<&str> = fields.map(|one| one["name"].as_str().unwrap()).collect();
            assert_eq!(own, columns);
        }
    }
    let after = world.state().await;
    let empty = |value: &Value| value.as_str().is_none_or(str::is_empty);
    let people = |state: &Value| state["doppler"]["subscribers"].as_array().unwrap().clone();
    let now: BTreeMap<String, Value> =
        people(&after).into_iter().map(|one| (one["email"].to_string(), one)).collect();
    for was in people(&before) {
        let is = &now[&was["email"].to_string()];
        for (name, value) in was["fields"].as_object().unwrap() {
            assert!(empty(value) || !empty(&is["fields"][name]), "{name} of {was:#} is {is:#}");
        }
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_dropped_without_a_word_has_failed() {
    let world = calm().contacts(0).start().await;
    people(&world, 40).await;
    let odd = "pia@example.com2";
    let fields = json!({"firstName": "Pia", "lastName": "Odd"});
    edit(&world, json!({"system": "HIGHLEVEL", "op": "upsert", "email": odd, "fields": fields}))
        .await;
    done(&world).await;
    assert!(addresses(&imports(&world).await).contains(odd), "Doppler took it without a word");
    assert_eq!(subscriber(&world, odd).await, None);
    assert!(subscriber(&world, &person(39)).await.is_some());
    // Alone it is told why, and that trying again is of no use.
    let told = || async {
        let failures = failures(&world).await;
        failures.len() == 1
            && failures[0]["contact"]["email"] == odd
            && failures[0]["code"] == "UPSTREAM_REJECTED"
            && failures[0]["dead"] == true
    };
    world.until("the failure is told", told).await;
    let calls = calls(&world).await;
    assert_eq!(of(&calls, "POST", "/lists/{listId}/subscribers"), 1, "{calls:#?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opted_out_meanwhile_is_left_out() {
    let world = calm().start().await;
    people(&world, 40).await;
    let run = previewed(&world).await;
    // Nobody told us of it, and it is in no page that the run read.
    let op = json!({"system": "DOPPLER", "op": "upsert", "email": person(3), "fields": {}});
    edit(&world, op).await;
    edit(&world, json!({"system": "DOPPLER", "op": "unsubscribe", "email": person(3)})).await;
    world.forget_calls().await;
    approve(&world, &run).await;
    reaches(&world, &run, "FINISHED").await;
    let sent = addresses(&imports(&world).await);
    assert!(sent.contains(&person(4)) && !sent.contains(&person(3)), "{sent:?}");
    let out = subscriber(&world, &person(3)).await.unwrap();
    assert_eq!((&out["status"], &out["lists"]), (&json!("unsubscribed"), &json!([])));
    let there = contact(&world, &person(3)).await.unwrap();
    assert_eq!(there["dndSettings"]["Email"]["status"], "active", "{there:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_changed_in_doppler_meanwhile_is_not_written_over() {
    let world = calm().start().await;
    people(&world, 40).await;
    let run = previewed(&world).await;
    let op = json!({"system": "DOPPLER", "op": "upsert", "email": person(3), "list": "Newsletter",
        "fields": {"FIRSTNAME": "Pia", "LASTNAME": "Own", "CITY": "Salta"}});
    edit(&world, op).await;
    world.forget_calls().await;
    approve(&world, &run).await;
    reaches(&world, &run, "FINISHED").await;
    assert!(!addresses(&imports(&world).await).contains(&person(3)));
    let held = subscriber(&world, &person(3)).await.unwrap();
    assert_eq!(held["fields"]["CITY"], "Salta", "{held:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_makes_nobody_twice() {
    let mut world = calm().contacts(0).start().await;
    people(&world, 40).await;
    let run = previewed(&world).await;
    world.forget_calls().await;
    let route = format!("/accounts/{{accountName}}{INTO_LIST}");
    world.fault(json!({"system": "DOPPLER", "route": route, "kind": "drop", "times": 1})).await;
    approve(&world, &run).await;
    is_sent(&world).await;
    world.restart().await;
    let run = reaches(&world, &run, "FINISHED").await;
    // Whom the lost one made needs nothing any more, when it is looked at again.
    let done = ["created", "unchanged"].map(|name| run[name].as_u64().unwrap());
    assert!(run["failed"] == 0 && done.into_iter().sum::<u64>() >= 40, "{run:#}");
    let calls = calls(&world).await;
    // Again only if Doppler had not begun with the first one.
    assert!((1..=2).contains(&of(&calls, "POST", INTO_LIST)), "{calls:#?}");
    assert_eq!(of(&calls, "POST", "/lists/{listId}/subscribers"), 0, "{calls:#?}");
    let sent = imports(&world).await;
    assert!(sent.iter().all(|one| *one == sent[0]), "the same values once more");
    for number in 0..40 {
        assert!(subscriber(&world, &person(number)).await.is_some());
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doppler_may_be_down_at_any_step() {
    let world = calm().start().await;
    people(&world, 40).await;
    let run = previewed(&world).await;
    for route in [INTO_LIST, "/tasks/{taskId}", "/subscribers", "/unsubscribed"] {
        for kind in [json!({"kind": "rate-limit", "retryAfter": 1}), json!({"kind": "html"})] {
            let mut fault = kind;
            fault["system"] = json!("DOPPLER");
            fault["route"] = json!(format!("/accounts/{{accountName}}{route}"));
            fault["times"] = json!(1);
            world.fault(fault).await;
        }
    }
    approve(&world, &run).await;
    let run = reaches(&world, &run, "FINISHED").await;
    assert_eq!(run["failed"], 0, "{run:#}");
    for number in 0..40 {
        assert!(subscriber(&world, &person(number)).await.is_some());
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_who_are_in_both_are_made_nowhere() {
    const ALL: usize = 1_000;
    let world = calm().contacts(0).start().await;
    people(&world, ALL).await;
    for number in 0..ALL {
        let fields = json!({"FIRSTNAME": "Pia", "LASTNAME": format!("N{number}")});
        let op = json!({"system": "DOPPLER", "op": "upsert", "email": person(number),
            "list": "Newsletter", "fields": fields});
        edit(&world, op).await;
    }
    let before = world.state().await;
    let run = done(&world).await;
    assert_eq!((&run["created"], &run["failed"]), (&json!(0), &json!(0)), "{run:#}");
    let after = world.state().await;
    for (system, people) in [("doppler", "subscribers"), ("highlevel", "contacts")] {
        let count = |state: &Value| state[system][people].as_array().unwrap().len();
        assert!(count(&before) >= ALL && count(&after) == count(&before), "{system}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_edit_during_an_import_wins() {
    let world = calm().start().await;
    people(&world, 40).await;
    let run = previewed(&world).await;
    world.forget_calls().await;
    approve(&world, &run).await;
    is_sent(&world).await;
    let changed = upsert(&world, json!({"email": person(5), "lastName": "Live"})).await;
    assert_eq!(outcome(&changed, "HIGHLEVEL"), "APPLIED", "{changed:#}");
    let is_live = || async {
        let held = subscriber(&world, &person(5)).await;
        held.is_some_and(|held| held["fields"]["LASTNAME"] == "Live")
    };
    world.until("the edit is in Doppler, too", is_live).await;
    reaches(&world, &run, "FINISHED").await;
    let query = "query($e: EmailAddress!) { contact(by: {email: $e}) { lastName sync { state } } }";
    let settled = || async {
        let found = world.data(query, json!({"e": person(5)})).await["contact"].clone();
        found["lastName"] == "Live" && found["sync"]["state"] == "IN_SYNC"
    };
    world.until("both agree", settled).await;
    assert_eq!(contact(&world, &person(5)).await.unwrap()["lastName"], "Live");
    assert!(is_live().await);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_no_list_is_updated_by_the_accounts_import() {
    let world = calm().contacts(0).start().await;
    for number in 0..3 {
        let op = json!({"system": "DOPPLER", "op": "upsert", "email": person(number),
            "fields": {"FIRSTNAME": "Pia"}});
        edit(&world, op).await;
    }
    people(&world, 3).await;
    let run = done(&world).await;
    assert_eq!((&run["updated"], &run["failed"]), (&json!(3), &json!(0)), "{run:#}");
    let calls = calls(&world).await;
    assert_eq!(of(&calls, "POST", INTO_ACCOUNT), 1, "{calls:#?}");
    for number in 0..3 {
        let held = subscriber(&world, &person(number)).await.unwrap();
        assert_eq!(held["fields"]["LASTNAME"], format!("N{number}"));
        assert_eq!(held["lists"], json!([]));
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn few_are_written_one_by_one() {
    let world = calm().contacts(0).start().await;
    people(&world, 3).await;
    let run = done(&world).await;
    assert_eq!((&run["created"], &run["failed"]), (&json!(3), &json!(0)), "{run:#}");
    let calls = calls(&world).await;
    assert_eq!(of(&calls, "POST", "/lists/{listId}/subscribers"), 3, "{calls:#?}");
    assert_eq!(imports(&world).await, Vec::<Value>::new());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callback_is_a_hint_that_nobody_can_guess() {
    let (sender, mut told) = mpsc::channel(9);
    let hook = |State(sender): State<mpsc::Sender<String>>, Path(token): Path<String>| async move {
        sender.send(token).await.unwrap();
    };
    let path = "/webhooks/doppler/import/{token}";
    let router = axum::Router::new().route(path, axum::routing::post(hook)).with_state(sender);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let public = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move { axum::serve(listener, router).await });
    let world = calm().set("server.public_url", public).start().await;
    people(&world, 40).await;
    done(&world).await;
    let token = told.recv().await.unwrap();
    assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    for token in [token.as_str(), "unknown", "..%2F..%2Fetc"] {
        let url = world.url(&format!("/webhooks/doppler/import/{token}"));
        let answer =
            world.http().post(url).body("{\"status\": \"completed\"").send().await.unwrap();
        assert_eq!(
            (answer.status(), answer.text().await.unwrap()),
            (200.try_into().unwrap(), String::new())
        );
    }
    let url = world.url("/webhooks/doppler/import/unknown");
    assert_eq!(world.http().get(url).send().await.unwrap().status(), 405);
    served.abort();
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_knows_what_imports_cost() {
    let world = calm().contacts(300).start().await;
    people(&world, 150).await;
    let begun = runs::previewed(&world).await;
    let query =
        "query($id: ID!) { node(id: $id) { ... on SyncRun { preview { estimatedCalls } } } }";
    let shown = world.data(query, json!({"id": begun["id"]})).await["node"]["preview"].clone();
    world.forget_calls().await;
    approve(&world, &begun["id"]).await;
    let run = reaches(&world, &begun["id"], "FINISHED").await;
    assert_eq!(run["failed"], 0, "{run:#}");
    let by_route = runs::calls(&world).await;
    let made: u64 = by_route.values().sum();
    let told = shown["estimatedCalls"].as_u64().unwrap();
    assert!(!imports(&world).await.is_empty() && made > 300, "{by_route:#?}");
    // Imports may be sent in one turn more than was foreseen, which is about thirty calls.
    assert!(told.abs_diff(made) * 100 <= made * 6, "{told} told, {made} made: {by_route:#?}");
    world.end().await;
}

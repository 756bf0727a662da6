//! A first run that is killed three times: while it lists, while it plans and while its people are done. It
//! ends as one that nobody disturbed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use super::ground::Ground;
use super::victim::Victim;
use crate::app::{App, DEFAULT_WORKSPACE};
use crate::sandbox::journal::Row;
use crate::store::conformance::Place;
use crate::store::sqlite::tests::Folder;
use crate::unified::{RunKind, WorkspaceId};

const PEOPLE: usize = 250;
/// How many people are done at once by default: so many may be under way when a gateway dies.
const AT_ONCE: usize = 16;
/// How often a run is looked at before the test gives it up: minutes on a slow machine.
const MOST_LOOKS: usize = 4_000;

/// Kills it at each stage, and compares.
pub async fn survives(place: &impl Place) {
    let (whole, undisturbed) = undisturbed().await;
    let ground = Ground::with(place.url(), PEOPLE).await;
    let before = ground.state().await;
    ground.forget_calls();

    let victim = Victim::halting(&ground.order(), "listed:2").await;
    let run = start(&ground, victim.address()).await;
    victim.be_killed_at_the_halt().await;
    ground.leases_lapse();
    Victim::halting(&ground.order(), "foreseen:2").await.be_killed_at_the_halt().await;
    ground.leases_lapse();
    let victim = Victim::halting(&ground.order(), "recorded:100").await;
    reaches(&ground, victim.address(), &run, "AWAITING_APPROVAL").await;
    approve(&ground, victim.address(), &run).await;
    victim.be_killed_at_the_halt().await;
    let app = ground.go_on().await;
    let done = reaches(&ground, app.addr(), &run, "FINISHED").await;
    rests(&ground, app.addr()).await;

    let after = ground.state().await;
    assert_eq!(done["failed"], 0, "{done:#}");
    as_if_nobody_had(&likeness(&after), &whole);
    nobody_is_there_twice(&before, &after);
    let found = found_by_polls(&app).await;
    the_calls_are_few(&ground.calls(), &undisturbed, (made(&before, &after), found));
    app.shutdown().await;
    ground.end();
}

/// What comes of the run that nobody kills, and its calls.
async fn undisturbed() -> (String, Vec<Row>) {
    let folder = Folder::new();
    let ground = Ground::with(folder.url(), PEOPLE).await;
    ground.forget_calls();
    let app = ground.go_on().await;
    let run = start(&ground, app.addr()).await;
    reaches(&ground, app.addr(), &run, "AWAITING_APPROVAL").await;
    approve(&ground, app.addr(), &run).await;
    reaches(&ground, app.addr(), &run, "FINISHED").await;
    rests(&ground, app.addr()).await;
    let (state, calls) = (likeness(&ground.state().await), ground.calls());
    app.shutdown().await;
    ground.end();
    Place::remove(folder).await;
    (state, calls)
}

pub async fn start(ground: &Ground, at: SocketAddr) -> Value {
    let query = "mutation { startSync(input: {kind: BACKFILL}) { run { id } } }";
    ground.query(at, query, json!({})).await.unwrap()["startSync"]["run"]["id"].clone()
}

pub async fn approve(ground: &Ground, at: SocketAddr, run: &Value) {
    let query = "mutation($id: ID!) { approveSync(input: {run: $id}) { userErrors { message } } }";
    let approved = ground.query(at, query, json!({"id": run})).await.unwrap();
    assert_eq!(approved["approveSync"]["userErrors"], json!([]));
}

pub async fn reaches(ground: &Ground, at: SocketAddr, run: &Value, state: &str) -> Value {
    let query = "query($id: ID!) { node(id: $id) { ... on SyncRun { state failed created \
        updated unchanged held error } } }";
    let mut found = Value::Null;
    for _ in 0..MOST_LOOKS {
        found = ground.query(at, query, json!({"id": run})).await.unwrap()["node"].clone();
        if found["state"] == state {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never {state}: {found:#}");
}

/// Waits until the polls that follow a first run are over and nothing is left to be done.
async fn rests(ground: &Ground, at: SocketAddr) {
    let query =
        "{ syncStatus { pending } syncRuns(first: 9, kinds: [POLL]) { nodes { system state } } }";
    for _ in 0..MOST_LOOKS {
        let found = ground.query(at, query, json!({})).await.unwrap();
        let polls = found["syncRuns"]["nodes"].as_array().unwrap();
        let systems: BTreeSet<&str> =
            polls.iter().filter_map(|one| one["system"].as_str()).collect();
        let over = polls.iter().all(|poll| poll["state"] == "FINISHED");
        if over && systems.len() == 2 && found["syncStatus"]["pending"] == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never rests");
}

/// Both systems as text, without the ids that one run gives otherwise than another.
fn likeness(state: &Value) -> String {
    fn without_ids(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let members = members.iter().filter(|(name, _)| *name != "id");
                members.map(|(name, value)| (name.clone(), without_ids(value))).collect()
            }
            Value::Array(items) => {
                let mut items: Vec<Value> = items.iter().map(without_ids).collect();
                items.sort_by_key(Value::to_string);
                Value::Array(items)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }
    format!("{:#}", without_ids(state))
}

/// Fails with the lines in which they differ.
fn as_if_nobody_had(disturbed: &str, whole: &str) {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (disturbed, whole) = (lines(disturbed), lines(whole));
    let pairs = disturbed.iter().zip(&whole).filter(|(one, other)| one != other);
    let different: Vec<_> = pairs.take(20).collect();
    assert!(different.is_empty() && disturbed.len() == whole.len(), "{different:#?}");
}

fn addresses(people: &Value) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for person in people.as_array().unwrap() {
        if let Some(email) = person["email"].as_str() {
            *found.entry(email.to_lowercase()).or_default() += 1;
        }
    }
    found
}

fn nobody_is_there_twice(before: &Value, after: &Value) {
    for (system, people) in [("doppler", "subscribers"), ("highlevel", "contacts")] {
        let was = addresses(&before[system][people]);
        for (email, count) in addresses(&after[system][people]) {
            assert_eq!(count, was.get(&email).copied().unwrap_or(1), "{email} in {system}");
        }
    }
}

/// How many contacts HighLevel has more than before.
fn made(before: &Value, after: &Value) -> usize {
    let count = |state: &Value| state["highlevel"]["contacts"].as_array().unwrap().len();
    count(after) - count(before)
}

/// How many people polls found who are looked at once more.
async fn found_by_polls(app: &App) -> usize {
    let workspace = WorkspaceId::from(DEFAULT_WORKSPACE);
    let polls = app.store.runs(&workspace, None, 100, Some(&[RunKind::Poll])).await.unwrap();
    polls.rows.iter().map(|poll| usize::try_from(poll.differing).unwrap()).sum()
}

/// Pages, and of each contact that is written one read at most, one creation or update and one call for its
/// tags; who was under way at the death, or was found by a poll, is looked at again.
fn the_calls_are_few(calls: &[Row], undisturbed: &[Row], (made, found): (usize, usize)) {
    fn of<'a>(calls: &'a [Row], method: &str, routes: &[&str]) -> Vec<&'a Row> {
        let wanted = |call: &&Row| {
            let route = call.route.as_deref().unwrap_or_default();
            call.method == method && routes.iter().any(|wanted| route.ends_with(wanted))
        };
        calls.iter().filter(wanted).collect()
    }
    let took = |call: &Row| call.status.is_some_and(|status| status < 300);
    let creations = of(calls, "POST", &["/contacts/"]);
    assert_eq!(creations.iter().filter(|call| took(call)).count(), made, "each is made once");
    let updates = of(calls, "PUT", &["/contacts/{contactId}"]);
    let tags = of(calls, "POST", &["/contacts/{contactId}/tags"]);
    let mut written = made;
    for writes in [&updates, &tags] {
        let paths: BTreeSet<&str> = writes.iter().map(|call| call.path.as_str()).collect();
        assert!(writes.len() - paths.len() <= AT_ONCE, "written once each: {}", writes.len());
        written += paths.len();
    }
    let reads = of(calls, "GET", &["/contacts/{contactId}", "/contacts/search/duplicate"]).len();
    // Who is under way may also be shown by a page that a poll reads between the write and its record.
    let allowed = written + 2 * AT_ONCE + found;
    assert!(
        reads <= allowed,
        "{reads} reads of {written} who are written and {found} whom polls found"
    );
    // A page at which a gateway died is read again, and so is the account before an import is sent; each
    // gateway polls once when it starts.
    let pages = ["/contacts/search", "/subscribers", "/unsubscribed"];
    let listed =
        |calls: &[Row]| of(calls, "POST", &pages[..1]).len() + of(calls, "GET", &pages[1..]).len();
    let (pages, undisturbed) = (listed(calls), listed(undisturbed));
    assert!(pages <= undisturbed + 24, "{pages} pages instead of {undisturbed}");
}

//! What must hold at the end.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::{contact, subscriber};
use super::done::Done;
use super::people::{FIELDS, WHO, text};
use super::step::Step;
use super::sync;
use super::way::Way;
use crate::world::World;

/// What is still different and what is said of it.
struct Told {
    /// Actions that would do something.
    actions: Vec<Value>,
    /// Everything that tells why something stays as it is.
    words: String,
}

async fn told(world: &World, email: &str) -> Told {
    let query = "query($e: EmailAddress!) { \
        syncPlan(by: {email: $e}) { actions { system kind reason fields { field } } reasons } \
        holds(first: 50) { nodes { field reason } } failures(first: 50) { nodes { message } } }";
    let data = world.data(query, json!({"e": email})).await;
    let plan = &data["syncPlan"];
    let all = plan["actions"].as_array().cloned().unwrap_or_default();
    let (skips, actions): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one["kind"] == "SKIP");
    let words = json!([skips, plan["reasons"], data["holds"], data["failures"]]).to_string();
    Told { actions, words }
}

/// Both systems hold the same, or it is said why not.
pub async fn agreement(world: &World, done: &Done, history: &[Step]) {
    for (who, addresses) in done.addresses.iter().enumerate() {
        let (there, here) = current(world, addresses).await;
        // Of a creation whose answer got lost nobody knows whether it came before the deletion.
        let clear = !history.iter().any(|step| matches!(step, Step::Fault { .. }));
        for (system, side) in [("DOPPLER", &there), ("HIGHLEVEL", &here)] {
            let is_back = clear && side.is_some() && done.stays_gone(who, system);
            assert!(!is_back, "who was deleted in {system} came back: {side:#?}\n{history:#?}");
        }
        let Some(email) = here.as_ref().or(there.as_ref()).map(|side| text(&side["email"])) else {
            continue;
        };
        let told = told(world, &email).await;
        assert_eq!(told.actions, Vec::<Value>::new(), "{email}: {}\n{history:#?}", told.words);
        let missing = if there.is_none() { "DOPPLER" } else { "HIGHLEVEL" };
        let (Some(there), Some(here)) = (there, here) else {
            // Of who was deleted the history tells.
            let is_told = done.was_deleted(who, missing) || told.words.len() > 60;
            assert!(is_told, "{email} is in one system only: {}", told.words);
            continue;
        };
        let out = there["status"] == "unsubscribed";
        let silent = here["dndSettings"]["Email"]["status"] == "active";
        assert_eq!(out, silent, "consent of {email}: {there:#} {here:#}\n{history:#?}");
        for field in &FIELDS {
            let (a, b) = (text(&there["fields"][field.doppler]), field.of_contact(&here));
            let said = told.words.contains(field.name) || (out && told.words.contains("opted out"));
            assert!(
                a == b || said,
                "{email}: {} is {a:?} and {b:?}: {}\n{history:#?}",
                field.name,
                told.words
            );
        }
        let tags = |tags: Vec<String>| tags.iter().map(|tag| tag.to_lowercase()).collect();
        let held = text(&there["fields"]["TAGS"]);
        let held = held.split(", ").filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
        let own = here["tags"].as_array().unwrap().iter().map(text).collect();
        let (a, b): (BTreeSet<String>, BTreeSet<String>) = (tags(held), tags(own));
        assert!(
            a == b || (out && told.words.contains("opted out")),
            "{email}: tags are {a:?} and {b:?}: {}\n{history:#?}",
            told.words
        );
    }
    notes(world, done, history).await;
}

/// A person as both systems hold them: one contact, and the subscriber of its address. A subscriber of
/// an earlier address is mailed no more.
async fn current(world: &World, addresses: &[String]) -> (Option<Value>, Option<Value>) {
    let (mut there, mut here) = (Vec::new(), Vec::new());
    for email in addresses {
        there.extend(subscriber(world, email).await);
        here.extend(contact(world, email).await);
    }
    assert!(here.len() <= 1, "one person is there twice: {here:#?}");
    let here = here.pop();
    let (now, before): (Vec<_>, Vec<_>) = there
        .into_iter()
        .partition(|one| here.as_ref().is_none_or(|here| here["email"] == one["email"]));
    if !now.is_empty() {
        for old in before {
            let is_out = old["status"] == "unsubscribed" || old["lists"] == json!([]);
            assert!(is_out, "an earlier address is mailed: {old:#}");
        }
    }
    (now.into_iter().last(), here)
}

/// Each note is there once, those that were only asked for at most once.
async fn notes(world: &World, done: &Done, history: &[Step]) {
    let state = world.state().await;
    let contacts = state["highlevel"]["contacts"].as_array().unwrap();
    let held = contacts.iter().flat_map(|contact| contact["notes"].as_array().unwrap());
    let held: Vec<String> = held.map(|note| text(&note["body"])).collect();
    for (body, is_certain) in &done.notes {
        let times = held.iter().filter(|one| *one == body).count();
        assert!(times == 1 || (times == 0 && !is_certain), "{body}: {times} times\n{history:#?}");
    }
}

/// Nothing is written any more, however often it is looked.
pub async fn rest(way: Way, world: &World, done: &Done, history: &[Step]) {
    let before = world.state().await;
    world.forget_calls().await;
    for email in done.addresses.iter().flatten() {
        sync(world, email).await;
    }
    way.rest(world, history).await;
    assert_eq!(world.writes().await, 0, "{:#?}\n{history:#?}", world.calls().await);
    assert_eq!(world.state().await, before);
}

/// No field was written to a system more often than somebody changed it.
pub async fn writes(world: &World, done: &Done, history: &[Step]) {
    let ids: BTreeMap<String, usize> = done
        .addresses
        .iter()
        .enumerate()
        .flat_map(|(who, emails)| emails.iter().map(move |email| (email.clone(), who)))
        .chain(highlevel_ids(world, done).await)
        .collect();
    let mut written: BTreeMap<(usize, String, String), usize> = BTreeMap::new();
    let journal = world.control_get("/journal?bodies=true").await;
    let mut last: BTreeMap<String, [String; 3]> = BTreeMap::new();
    for call in journal["calls"].as_array().unwrap() {
        if call["method"] == "GET" || text(&call["path"]).ends_with("/search") {
            continue;
        }
        // A call that comes to the same however often it is sent is repeated when its answer is lost,
        // and one subscriber joins several lists by as many calls: one effect.
        let mut sent = ["method", "path", "requestBody"].map(|name| text(&call[name]));
        let account = sent[1].split_once("/lists/").map(|(account, _)| account.to_owned());
        if let Some(account) = account {
            sent[1] = account;
        }
        if last.insert(text(&call["system"]), sent.clone()) == Some(sent) {
            continue;
        }
        if !call["status"].as_u64().is_some_and(|status| (200..300).contains(&status)) {
            continue;
        }
        for (person, field) in wrote(call, done) {
            let Some(who) = ids.get(&person).filter(|_| !field.is_empty()) else { continue };
            *written.entry((*who, field, text(&call["system"]))).or_default() += 1;
        }
    }
    for ((who, write, system), times) in written {
        let field = write.trim_start_matches(['+', '-']);
        let asked = done.of(who, field);
        assert!(
            times <= asked,
            "{}: {write} was written {times} times to {system} and changed {asked} times\n\
             {history:#?}\n{}",
            WHO[who],
            sent(&journal)
        );
    }
}

/// The calls that may have changed something, a line each.
fn sent(journal: &Value) -> String {
    let calls = journal["calls"].as_array().unwrap().iter();
    let lines = calls.filter(|call| call["method"] != "GET").map(|call| {
        let of = |name: &str| text(&call[name]);
        format!("{} {} {} {}", of("method"), of("path"), call["status"], of("requestBody"))
    });
    lines.collect::<Vec<_>>().join("\n")
}

async fn highlevel_ids(world: &World, done: &Done) -> Vec<(String, usize)> {
    let state = world.state().await;
    let contacts = state["highlevel"]["contacts"].as_array().unwrap().clone();
    let known = contacts.iter().filter_map(|contact| {
        let has = |emails: &Vec<String>| emails.iter().any(|email| contact["email"] == **email);
        Some((text(&contact["id"]), done.addresses.iter().position(has)?))
    });
    known.collect()
}

/// The people and fields that a call wrote; tags with whether they were added.
fn wrote(call: &Value, done: &Done) -> Vec<(String, String)> {
    let (method, path) = (text(&call["method"]), text(&call["path"]));
    let body: Value = serde_json::from_str(&text(&call["requestBody"])).unwrap_or_default();
    if method == "GET" || path.contains("search") {
        return Vec::new();
    }
    if call["system"] == "DOPPLER" {
        if path.ends_with("/unsubscribed") {
            return vec![(text(&body["email"]), "status".to_owned())];
        }
        let rows = body["items"].as_array().cloned().unwrap_or_else(|| vec![body.clone()]);
        let row = |row: Value| {
            let email = text(&row["email"]);
            let fields = row["fields"].as_array().cloned().unwrap_or_default();
            let fields = fields.into_iter().map(|field| text(&field["name"]));
            fields.map(|name| (email.clone(), in_doppler(&name))).collect::<Vec<_>>()
        };
        return rows.into_iter().flat_map(row).collect();
    }
    let mut parts = path.trim_start_matches('/').split('/').skip(1);
    let person = parts.next().filter(|id| !id.is_empty()).map(str::to_owned);
    let person = person.unwrap_or_else(|| text(&body["email"]));
    if parts.next() == Some("tags") {
        let sign = if method == "DELETE" { '-' } else { '+' };
        return vec![(person, format!("{sign}tags"))];
    }
    let members = body.as_object().cloned().unwrap_or_default();
    let fields = members.keys().map(|name| in_highlevel(name));
    let custom = body["customFields"].as_array().cloned().unwrap_or_default();
    let custom = custom.into_iter().filter_map(|one| {
        let (key, _) = done.custom.iter().find(|(_, id)| one["id"] == ***id)?;
        Some(in_highlevel(key))
    });
    fields.chain(custom).map(|field| (person.clone(), field)).collect()
}

fn in_doppler(name: &str) -> String {
    let field = FIELDS.iter().find(|field| field.doppler == name);
    field.map_or(if name == "TAGS" { "tags" } else { "" }, |field| field.name).to_owned()
}

fn in_highlevel(name: &str) -> String {
    let field = FIELDS.iter().find(|field| field.highlevel == name);
    let other = match name {
        "tags" => "+tags",
        "dndSettings" => "status",
        _ => "",
    };
    field.map_or(other, |field| field.name).to_owned()
}

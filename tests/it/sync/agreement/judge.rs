//! What must hold at the end.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::{contact, subscriber};
use super::people::{FIELDS, Field, WHO};
use super::step::Step;
use super::{Changes, sync};
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
pub async fn agreement(world: &World, history: &[Step]) {
    for email in WHO {
        let (there, here) = (subscriber(world, email).await, contact(world, email).await);
        if there.is_none() && here.is_none() {
            continue;
        }
        let told = told(world, email).await;
        assert_eq!(told.actions, Vec::<Value>::new(), "{email}: {}\n{history:#?}", told.words);
        let (Some(there), Some(here)) = (there, here) else {
            assert!(told.words.len() > 60, "{email} is in one system only: {}", told.words);
            continue;
        };
        let out = there["status"] == "unsubscribed";
        let silent = here["dndSettings"]["Email"]["status"] == "active";
        assert_eq!(out, silent, "consent of {email}: {there:#} {here:#}\n{history:#?}");
        for field in &FIELDS {
            let (a, b) = (text(&there["fields"][field.doppler]), of_contact(&here, field));
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
}

/// Nothing is written any more, however often it is looked.
pub async fn rest(world: &World, history: &[Step]) {
    let before = world.state().await;
    world.forget_calls().await;
    for email in WHO {
        sync(world, email).await;
    }
    assert_eq!(world.writes().await, 0, "{:#?}\n{history:#?}", world.calls().await);
    assert_eq!(world.state().await, before);
}

/// No field was written to a system more often than somebody changed it.
pub async fn writes(world: &World, changes: &Changes, history: &[Step]) {
    let ids: BTreeMap<String, usize> = WHO
        .into_iter()
        .enumerate()
        .flat_map(|(who, email)| [(email.to_owned(), who)])
        .chain(highlevel_ids(world).await)
        .collect();
    let mut written: BTreeMap<(usize, String, String), usize> = BTreeMap::new();
    let journal = world.control_get("/journal?bodies=true").await;
    let mut last: BTreeMap<String, [String; 3]> = BTreeMap::new();
    for call in journal["calls"].as_array().unwrap() {
        // A call that comes to the same however often it is sent is repeated at once when its answer
        // is lost: one effect.
        let sent = ["method", "path", "requestBody"].map(|name| text(&call[name]));
        if last.insert(text(&call["system"]), sent.clone()) == Some(sent) {
            continue;
        }
        if !call["status"].as_u64().is_some_and(|status| (200..300).contains(&status)) {
            continue;
        }
        for (person, field) in wrote(call) {
            let Some(who) = ids.get(&person).filter(|_| !field.is_empty()) else { continue };
            *written.entry((*who, field, text(&call["system"]))).or_default() += 1;
        }
    }
    for ((who, write, system), times) in written {
        let field = write.trim_start_matches(['+', '-']);
        let asked = changes.of(who, field);
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

async fn highlevel_ids(world: &World) -> Vec<(String, usize)> {
    let state = world.state().await;
    let contacts = state["highlevel"]["contacts"].as_array().unwrap().clone();
    let known = contacts.iter().filter_map(|contact| {
        let who = WHO.iter().position(|email| contact["email"] == *email)?;
        Some((text(&contact["id"]), who))
    });
    known.collect()
}

/// The people and fields that a call wrote; tags with whether they were added.
fn wrote(call: &Value) -> Vec<(String, String)> {
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
    members.keys().map(|name| (person.clone(), in_highlevel(name))).collect()
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

fn of_contact(contact: &Value, field: &Field) -> String {
    text(&contact[field.highlevel])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

//! A system that is emptied, or that suddenly lists nobody, empties not the other one, whatever is set for
//! people who are deleted.

use serde_json::{Value, json};

use super::keeping::{hearing, keeping, settled, tick};
use super::runs::{calm, decide, done, reaches, resolve, start};
use crate::world::World;

const POLICIES: [&str; 4] = ["unlink", "tag", "unsubscribe", "delete"];
/// How many may be deleted before somebody has to look.
const MOST: usize = 20;
/// How many one gateway works on at once: so many may be under way by then.
const AT_ONCE: usize = 16;

/// The people of a system.
fn people(state: &Value, system: &str) -> Vec<Value> {
    let of = if system == "DOPPLER" {
        &state["doppler"]["subscribers"]
    } else {
        &state["highlevel"]["contacts"]
    };
    of.as_array().unwrap().clone()
}

fn other(system: &str) -> &'static str {
    if system == "DOPPLER" { "HIGHLEVEL" } else { "DOPPLER" }
}

/// Deletes everybody inside a system.
async fn empty(world: &World, system: &str) {
    for person in people(&world.state().await, system) {
        let mut body = json!({"system": system, "op": "delete"});
        let by = if system == "DOPPLER" { ("email", "email") } else { ("contactId", "id") };
        body[by.0] = person[by.1].clone();
        world.control("/edit", body).await;
    }
}

/// A full comparison stops with a question, and leaves everybody as they are.
async fn stops(world: &World, told: &str) {
    let before = world.state().await;
    world.forget_calls().await;
    let begun = start(world, "FULL_COMPARE", false).await;
    assert_eq!(begun["userErrors"], json!([]), "{told}: {begun:#}");
    let id = begun["run"]["id"].clone();
    reaches(world, &id, "PAUSED").await;
    let holds = world.data("{ holds { nodes { kind run { id } } } }", json!({})).await;
    let nodes = holds["holds"]["nodes"].as_array().unwrap();
    let asked = nodes.iter().filter(|hold| hold["run"]["id"] == id);
    let kinds: Vec<&Value> = asked.map(|hold| &hold["kind"]).collect();
    assert_eq!(kinds, [&json!("EMPTY_LISTING")], "{told}: {holds:#}");
    assert_eq!(world.writes().await, 0, "{told}: {:?}", world.calls().await);
    assert_eq!(world.state().await, before, "{told}");
    decide(world, "cancelSync", &json!({"id": id})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_shows_nobody_removes_nobody() {
    for policy in POLICIES {
        let world = calm().contacts(12).set("sync.deleted", policy).start().await;
        done(&world).await;
        for (system, route) in
            [("HIGHLEVEL", "/contacts/search"), ("DOPPLER", "/accounts/{accountName}/subscribers")]
        {
            let fault = json!({"system": system, "route": route, "kind": "empty-list"});
            world.fault(fault).await;
            stops(&world, &format!("{policy}, {system} shows nobody")).await;
            world.clear_faults().await;
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_over_a_system_that_was_emptied_removes_nobody() {
    for policy in POLICIES {
        for system in ["HIGHLEVEL", "DOPPLER"] {
            let world = calm().contacts(12).set("sync.deleted", policy).start().await;
            done(&world).await;
            empty(&world, system).await;
            assert_eq!(people(&world.state().await, system), Vec::<Value>::new());
            stops(&world, &format!("{policy}, {system} was emptied")).await;
            assert!(!people(&world.state().await, other(system)).is_empty());
            world.end().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_deletions_that_are_told_one_by_one_are_asked_about() {
    for policy in ["tag", "unsubscribe", "delete"] {
        // Each gateway may have its own under way.
        let world = hearing(keeping().contacts(80).alone().set("sync.deleted", policy)).await;
        let before = people(&world.state().await, "DOPPLER");
        let linked = people(&world.state().await, "HIGHLEVEL").len();
        assert!(linked > MOST + AT_ONCE, "{linked}");
        empty(&world, "HIGHLEVEL").await;
        let query = "query($after: String) { holds(first: 100, after: $after) { nodes { kind } \
            pageInfo { hasNextPage endCursor } } }";
        let asked = async || {
            tick(&world).await;
            let (mut count, mut after) = (0, Value::Null);
            loop {
                let page = world.data(query, json!({"after": after})).await["holds"].clone();
                let nodes = page["nodes"].as_array().unwrap();
                count += nodes.iter().filter(|hold| hold["kind"] == "MASS_DELETE").count();
                if page["pageInfo"]["hasNextPage"] != true {
                    return count;
                }
                after = page["pageInfo"]["endCursor"].clone();
            }
        };
        // More than one in whose turn many were deleted already.
        world.until("it is asked", async || asked().await >= 10).await;
        settled(&world).await;
        let after = people(&world.state().await, "DOPPLER");
        let changed = before.iter().filter(|person| !after.contains(person)).count();
        assert!(changed <= MOST + AT_ONCE, "{policy}: {changed} of {linked}");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_believes_one_systems_listing_is_asked_about_the_others() {
    let world = calm().contacts(12).set("sync.deleted", "unsubscribe").start().await;
    done(&world).await;
    let before = world.state().await;
    for (system, route) in
        [("DOPPLER", "/accounts/{accountName}/subscribers"), ("HIGHLEVEL", "/contacts/search")]
    {
        world.fault(json!({"system": system, "route": route, "kind": "empty-list"})).await;
    }
    world.forget_calls().await;
    let run = start(&world, "FULL_COMPARE", false).await["run"].clone();
    let asked = async || {
        reaches(&world, &run["id"], "PAUSED").await;
        let query = "{ holds(first: 100) { nodes { id kind system run { id } } } }";
        let holds = world.data(query, json!({})).await["holds"]["nodes"].clone();
        let holds = holds.as_array().unwrap().iter().cloned();
        holds.filter(|hold| hold["run"]["id"] == run["id"]).collect::<Vec<Value>>()
    };
    let first = asked().await;
    assert_eq!(first.len(), 1, "{first:#?}");
    assert_eq!(first[0]["system"], "DOPPLER");
    resolve(&world, &first[0], "GO_ON").await;
    let of_highlevel = async || asked().await.iter().any(|hold| hold["system"] == "HIGHLEVEL");
    world.until("it is asked about the other listing, too", of_highlevel).await;
    assert_eq!(world.writes().await, 0, "{:?}", world.calls().await);
    decide(&world, "cancelSync", &run).await;
    assert_eq!(world.state().await, before);
    world.end().await;
}

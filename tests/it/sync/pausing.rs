//! Pausing everything, a direction or a field: what changes meanwhile waits, the rest goes on, a restart
//! forgets nothing, and resuming brings all of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::keeping::{STEP, keeping, settled, status, stays, tick};
use super::{ANA, contact, subscriber};
use crate::world::World;

/// What was changed in one system, and whether it may reach the other while something is paused.
struct Change {
    system: &'static str,
    edit: Value,
    arrives: fn(&Value, &Value) -> bool,
    waits: bool,
}

fn changes(to_doppler: bool, to_highlevel: bool, first_name: bool) -> [Change; 4] {
    [
        Change {
            system: "HIGHLEVEL",
            edit: json!({"op": "upsert", "fields": {"firstName": "Anabel"}}),
            arrives: |there, _| there["fields"]["FIRSTNAME"] == "Anabel",
            waits: to_doppler || first_name,
        },
        Change {
            system: "HIGHLEVEL",
            edit: json!({"op": "tag", "tags": ["while paused"]}),
            arrives: |there, _| there["fields"]["TAGS"].to_string().contains("while paused"),
            // A set is of both sides: it is merged again when both count.
            waits: to_doppler || to_highlevel,
        },
        Change {
            system: "DOPPLER",
            edit: json!({"op": "upsert", "fields": {"LASTNAME": "Pazos"}}),
            arrives: |_, here| here["lastName"] == "Pazos",
            waits: to_highlevel,
        },
        Change {
            system: "DOPPLER",
            edit: json!({"op": "upsert", "fields": {"CITY": "Salta"}}),
            arrives: |_, here| here["city"] == "Salta",
            waits: to_highlevel,
        },
    ]
}

async fn both(world: &World) -> (Value, Value) {
    (subscriber(world, ANA).await.unwrap(), contact(world, ANA).await.unwrap())
}

async fn mutate(world: &World, name: &str, input: &Value) {
    let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let query = format!(
        "mutation($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ message }} }} }}"
    );
    let data = world.data(&query, json!({"input": input})).await;
    assert_eq!(data[name]["userErrors"], json!([]));
}

/// Whether those of the changes have arrived that are to, and none of the others.
async fn stands(world: &World, changes: &[Change], over: bool) -> bool {
    let (there, here) = both(world).await;
    for change in changes.iter().filter(|change| change.waits && !over) {
        assert!(!(change.arrives)(&there, &here), "it is paused: {}", change.edit);
    }
    changes.iter().filter(|change| over || !change.waits).all(|one| (one.arrives)(&there, &here))
}

async fn waits_and_then_arrives(pause: Value, changes: [Change; 4]) {
    let mut world = keeping().contacts(12).start().await;
    settled(&world).await;
    mutate(&world, "pauseSync", &pause).await;
    for change in &changes {
        let mut edit = change.edit.clone();
        (edit["system"], edit["email"]) = (json!(change.system), json!(ANA));
        world.control("/edit", edit).await;
        world.pass(Duration::from_secs(1)).await;
    }
    // Some polls, and a gateway that begins anew.
    for step in 0..12 {
        tick(&world).await;
        if step == 6 {
            world.restart().await;
        }
        stands(&world, &changes, false).await;
    }
    let others = || async { stands(&world, &changes, false).await };
    world.comes("what is not paused", STEP, others).await;
    mutate(&world, "resumeSync", &pause).await;
    let all = || async { stands(&world, &changes, true).await };
    world.comes("what waited", STEP, all).await;
    settled(&world).await;
    assert_eq!(status(&world).await["failed"], 0);
    stays(&world, &world.state().await).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_workspace_loses_nothing() {
    waits_and_then_arrives(json!({}), changes(true, true, true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_direction_loses_nothing_and_the_other_goes_on() {
    let to_doppler = json!({"direction": "TO_DOPPLER"});
    waits_and_then_arrives(to_doppler, changes(true, false, false)).await;
    let to_highlevel = json!({"direction": "TO_HIGHLEVEL"});
    waits_and_then_arrives(to_highlevel, changes(false, true, false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_field_loses_nothing_and_the_others_go_on() {
    waits_and_then_arrives(json!({"field": "firstName"}), changes(false, false, true)).await;
}

//! Polls are runs: asked for, or by themselves, of which few are kept.

use std::time::Duration;

use serde_json::{Value, json};

use super::keeping::{edit, tick};
use super::runs::{calls, calm, done, of, reaches, start};
use super::{ANA, contact, subscriber, with_a_rule};
use crate::world::World;

async fn polls(world: &World) -> Vec<Value> {
    let query = "{ syncRuns(first: 100, kinds: [POLL]) { nodes { id kind system state progress seen \
        created updated unchanged failed finishedAt error } } }";
    world.data(query, json!({})).await["syncRuns"]["nodes"].as_array().unwrap().clone()
}

/// How many people were read one by one since the journal was forgotten.
async fn single_reads(world: &World) -> u64 {
    let calls = calls(world).await;
    let doppler = "/accounts/{accountName}/subscribers/{email}";
    of(&calls, "GET", "/contacts/{contactId}") + of(&calls, "GET", doppler)
}

/// The same of a poll.
async fn reads_of_a_poll(world: &World) -> u64 {
    world.forget_calls().await;
    let begun = start(world, "POLL", false).await;
    reaches(world, &begun["run"]["id"], "FINISHED").await;
    single_reads(world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_is_asked_for_does_what_changed_and_reads_nobody_else() {
    let world = calm().contacts(40).start().await;
    let refused = start(&world, "POLL", false).await;
    assert_eq!(refused["userErrors"][0]["code"], "NOT_SUPPORTED", "{refused:#}");
    let first = done(&world).await;
    let refused = start(&world, "POLL", true).await;
    assert_eq!(refused["userErrors"][0]["code"], "NOT_SUPPORTED", "{refused:#}");
    // What the first run wrote is no news, but for what the answer to a tag leaves out and where
    // something still waits for a decision.
    let tagged = of(&calls(&world).await, "POST", "/contacts/{contactId}/tags");
    let held = first["held"].as_u64().unwrap();
    assert!(single_reads(&world).await > 40, "everybody who was written to");
    assert!(reads_of_a_poll(&world).await <= 2 * (tagged + held), "{:#?}", calls(&world).await);
    edit(&world, "DOPPLER", "upsert", json!({"fields": {"FIRSTNAME": "Anabel"}})).await;
    world.forget_calls().await;
    let begun = start(&world, "POLL", false).await;
    assert_eq!(begun["userErrors"], json!([]), "{begun:#}");
    let run = reaches(&world, &begun["run"]["id"], "FINISHED").await;
    assert_eq!((&run["updated"], &run["failed"]), (&json!(1), &json!(0)), "{run:#}");
    assert!(run["seen"].as_u64() >= Some(20), "{run:#}");
    assert_eq!(contact(&world, ANA).await.unwrap()["firstName"], "Anabel");
    let made = calls(&world).await;
    assert!(of(&made, "GET", "/contacts/{contactId}") <= 3, "{made:#?}");
    assert_eq!(reads_of_a_poll(&world).await, 0, "{:#?}", calls(&world).await);
    // It is beside those that come by themselves, and told of.
    assert!(
        polls(&world).await.iter().any(|poll| poll["id"] == run["id"] && poll["system"].is_null())
    );
    let query = "query($id: ID!) { syncEvents(first: 50, filter: {run: $id}) { nodes { kind } } }";
    let events = world.data(query, json!({"id": run["id"]})).await;
    assert!(events["syncEvents"]["nodes"].as_array().unwrap().len() >= 2, "{events:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_polls_that_find_nothing_only_the_last_is_kept() {
    let world = with_a_rule()
        .set("doppler.poll_interval", "5s")
        .set("highlevel.poll_interval", "5s")
        .set("highlevel.index_delay", "0s")
        .contacts(20)
        .start()
        .await;
    world.run_sync().await;
    let searches = async || of(&calls(&world).await, "POST", "/contacts/search");
    world.forget_calls().await;
    while searches().await < 8 {
        tick(&world).await;
    }
    let idle = |poll: &Value| {
        poll["state"] == "FINISHED"
            && (&poll["updated"], &poll["unchanged"]) == (&json!(0), &json!(0))
    };
    for system in ["DOPPLER", "HIGHLEVEL"] {
        let all = polls(&world).await;
        let of_system: Vec<&Value> = all.iter().filter(|poll| poll["system"] == system).collect();
        assert!(of_system.iter().all(|poll| poll["error"].is_null()), "{all:#?}");
        assert_eq!(of_system.iter().filter(|poll| idle(poll)).count(), 1, "{all:#?}");
    }
    // One that finds somebody is kept beside it.
    edit(&world, "DOPPLER", "upsert", json!({"fields": {"FIRSTNAME": "Anabel"}})).await;
    let found = async || {
        tick(&world).await;
        let polls = polls(&world).await;
        polls.iter().any(|poll| poll["system"] == "DOPPLER" && poll["updated"] == 1)
    };
    world.until("a poll found her", found).await;
    assert_eq!(contact(&world, ANA).await.unwrap()["firstName"], "Anabel");
    let begun = searches().await;
    while searches().await < begun + 3 {
        tick(&world).await;
    }
    let kept = polls(&world).await;
    assert!(
        kept.iter().any(|poll| poll["system"] == "DOPPLER" && poll["updated"] == 1),
        "{kept:#?}"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn polls_go_on_by_themselves_after_a_system_was_away_for_a_day() {
    let world = with_a_rule()
        .set("doppler.poll_interval", "5m")
        .set("highlevel.poll_interval", "12h")
        .set("highlevel.index_delay", "0s")
        .contacts(10)
        .start()
        .await;
    world.run_sync().await;
    let down = json!({"system": "DOPPLER", "kind": "status", "status": 503});
    world.fault(down).await;
    // More often than anything is tried that is given up in the end.
    for _ in 0..24 * 6 {
        world.pass(Duration::from_mins(10)).await;
    }
    world.clear_faults().await;
    edit(&world, "DOPPLER", "upsert", json!({"fields": {"FIRSTNAME": "Anabel"}})).await;
    let came = async || {
        tick(&world).await;
        contact(&world, ANA).await.unwrap()["firstName"] == "Anabel"
    };
    world.until("the change came", came).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_that_was_passed_on_is_no_news() {
    let world = calm().contacts(20).start().await;
    world.run_sync().await;
    done(&world).await;
    // One for what the first run left, and one that finds nothing.
    reads_of_a_poll(&world).await;
    assert_eq!(reads_of_a_poll(&world).await, 0, "{:#?}", calls(&world).await);
    edit(&world, "HIGHLEVEL", "unsubscribe", json!({})).await;
    assert!(reads_of_a_poll(&world).await > 0);
    assert_eq!(subscriber(&world, ANA).await.unwrap()["status"], "unsubscribed");
    assert_eq!(reads_of_a_poll(&world).await, 0, "{:#?}", calls(&world).await);
    world.end().await;
}

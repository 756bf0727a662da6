//! Following a run: how far it is, as it goes on, to its end.

use serde_json::json;

use super::runs::{calm, decide, start};
use crate::http::client::Events;

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_a_run_sees_it_go_on_and_end() {
    let world = calm().contacts(120).start().await;
    // Nothing is listed until somebody follows, however long that takes.
    let search = "/contacts/search";
    let down = json!({"system": "HIGHLEVEL", "route": search, "kind": "status", "status": 503});
    world.fault(down).await;
    let begun = start(&world, "BACKFILL", false).await["run"].clone();
    let query = "subscription($id: ID!) { syncRun(id: $id) { id state seen progress created updated \
        unchanged held failed } }";
    let mut news = Events::open(&world, query, json!({"id": begun["id"]})).await;
    let mut seen = vec![news.next().await.unwrap().1["data"]["syncRun"].clone()];
    world.clear_faults().await;
    // Each creation takes so long that there is something to see.
    let slow =
        json!({"system": "HIGHLEVEL", "route": "/contacts/", "kind": "delay", "delayMs": 300});
    world.fault(slow).await;
    while let Some((name, data)) = news.next().await {
        if name == "complete" {
            break;
        }
        let run = data["data"]["syncRun"].clone();
        assert_eq!(run["id"], begun["id"], "{data:#}");
        if run["state"] == "AWAITING_APPROVAL" {
            decide(&world, "approveSync", &run).await;
        }
        seen.push(run);
    }
    let mut states: Vec<&str> = seen.iter().map(|run| run["state"].as_str().unwrap()).collect();
    states.dedup();
    assert_eq!(states, ["PREVIEWING", "AWAITING_APPROVAL", "RUNNING", "FINISHED"]);
    let records: Vec<u64> = seen.iter().map(|run| run["seen"].as_u64().unwrap()).collect();
    assert!(records.is_sorted() && records.last() > Some(&120), "{records:?}");
    let running = seen.iter().filter(|run| run["state"] == "RUNNING");
    let shares: Vec<f64> = running.map(|run| run["progress"].as_f64().unwrap()).collect();
    assert!(
        shares.is_sorted() && shares.iter().any(|share| *share > 0.0 && *share < 1.0),
        "{shares:?}"
    );
    let last = seen.last().unwrap();
    assert_eq!((&last["progress"], &last["failed"]), (&json!(1.0), &json!(0)), "{last:#}");
    assert!(last["created"].as_u64() > Some(0), "{last:#}");
    // One that is over is told of once.
    let mut late = Events::open(&world, query, json!({"id": begun["id"]})).await;
    assert_eq!(late.next().await.unwrap().1["data"]["syncRun"], *last);
    assert_eq!(late.next().await.unwrap().0, "complete");
    world.end().await;
}

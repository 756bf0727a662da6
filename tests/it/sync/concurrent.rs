//! Many clients, one person.

use std::collections::BTreeSet;

use serde_json::json;

use super::{contact, outcome, subscriber, upsert, with_a_rule};

const NEW: &str = "everybody@example.com";

#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_make_one_person() {
    let world = with_a_rule().start().await;
    let all = (0..50).map(|n| upsert(&world, json!({"email": NEW, "firstName": format!("N{n}")})));
    let answers = futures_util::future::join_all(all).await;
    let ids: BTreeSet<String> =
        answers.iter().map(|answer| answer["contact"]["id"].to_string()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    for answer in &answers {
        assert_eq!(answer["userErrors"], json!([]));
        for system in ["DOPPLER", "HIGHLEVEL"] {
            let outcome = outcome(answer, system);
            assert!(["APPLIED", "UNCHANGED", "QUEUED"].contains(&outcome), "{answer:#}");
        }
    }
    let pending = "{ syncStatus { pending failed } }";
    world
        .until("everything is done", || async {
            let data = world.data(pending, json!({})).await;
            data["syncStatus"] == json!({"pending": 0, "failed": 0})
        })
        .await;
    let (there, here) = (subscriber(&world, NEW).await, contact(&world, NEW).await);
    let name = here.unwrap()["firstName"].clone();
    assert_eq!(there.unwrap()["fields"]["FIRSTNAME"], name);
    let made = world.calls().await;
    let made = made.iter().filter(|call| {
        call.method == "POST"
            && call.route.as_deref().is_some_and(|r| r.trim_end_matches('/') == "/contacts")
    });
    assert_eq!(made.count(), 1);
    world.end().await;
}

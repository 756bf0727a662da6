//! What is taken in and how it is answered.

use chrono::TimeDelta;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{counted, event, pem, post, send, signed, taken_off, trusting};
use crate::connecting::{grant, with_app};
use crate::time::PATIENCE;

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_signed_over_these_very_bytes_is_taken() {
    let world = trusting().start().await;
    let body = event(&world, "w1", "c1").to_string();
    let good = signed(&body);
    let before = counted(&world, "refused").await;
    for (body, signature) in [
        (body.clone(), None),
        (body.clone(), Some("N/A")),
        (body.clone(), Some("")),
        (format!("{body} "), Some(good.as_str())),
        (body.replace("c1", "c2"), Some(good.as_str())),
        (body.clone(), Some(&good[..86])),
    ] {
        let (status, answer) = post(&world, &body, signature).await;
        assert_eq!(status, 401, "{signature:?}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
    // Counters are the process's: other tests' refusals are in them too.
    assert!(counted(&world, "refused").await >= before + 6);
    assert_eq!(world.calls().await.len(), 0, "nothing was read for a forged one");
    assert_eq!(post(&world, &body, Some(&good)).await.0, 200);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_taken_once_and_what_is_of_no_use_is_no_fault() {
    let world = trusting().start().await;
    let first = event(&world, "w1", "nobody");
    assert_eq!(send(&world, &first).await, (200, "stored".to_owned()));
    assert_eq!(send(&world, &first).await, (200, "seen".to_owned()));
    let mut other = event(&world, "w2", "nobody");
    other["locationId"] = json!("somebodyElse");
    assert_eq!(send(&world, &other).await, (200, "ignored".to_owned()));
    let mut unknown = event(&world, "w3", "nobody");
    unknown["type"] = json!("KnowledgeBaseUpdate");
    assert_eq!(send(&world, &unknown).await, (200, "stored".to_owned()));
    let odd = json!(["not an event"]);
    assert_eq!(send(&world, &odd).await, (200, "ignored".to_owned()));
    let mut at = event(&world, "w4", "nobody");
    at["timestamp"] = json!((world.clock.now() + TimeDelta::minutes(6)).to_rfc3339());
    assert_eq!(send(&world, &at).await.0, 401, "it was signed to be used later");
    at["timestamp"] = json!((world.clock.now() - TimeDelta::days(20)).to_rfc3339());
    assert_eq!(send(&world, &at).await, (200, "stored".to_owned()), "a repetition comes late");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_remembers_what_came() {
    let mut world = trusting().start().await;
    let first = event(&world, "w1", "nobody");
    assert_eq!(send(&world, &first).await.1, "stored");
    world.restart().await;
    assert_eq!(send(&world, &first).await.1, "seen");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_all_stored_before_it_is_answered() {
    let world = trusting().start().await;
    let bodies: Vec<_> = (0..5_000)
        .map(|n| event(&world, &format!("w{}", n % 4_500), &format!("nobody{}", n % 7)))
        .collect();
    // A few hundred connections, so that no test runs out of files.
    let sending = bodies.iter().map(|body| send(&world, body));
    let answers: Vec<_> = futures_util::stream::iter(sending).buffer_unordered(200).collect().await;
    let others: Vec<_> = answers.iter().filter(|(status, _)| *status != 200).collect();
    assert!(others.is_empty(), "{others:?}");
    let stored = answers.iter().filter(|(_, word)| word == "stored").count();
    let seen = answers.iter().filter(|(_, word)| word == "seen").count();
    assert_eq!((stored, seen), (4_500, 500));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_route_is_a_route_like_the_others() {
    let world = trusting().set("server.max_body_bytes", 2_048).start().await;
    let url = world.url("/webhooks/highlevel");
    let got = world.http().get(&url).send().await.unwrap();
    assert_eq!((got.status().as_u16(), got.headers()["allow"].to_str().unwrap()), (405, "POST"));
    let long = "x".repeat(4_096);
    assert_eq!(post(&world, &long, Some(&signed(&long))).await.0, 413);
    let slow = world.http().post(&url).timeout(PATIENCE).body("").send().await;
    assert_eq!(slow.unwrap().status().as_u16(), 401);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_people_of_a_disconnected_account_nothing_is_stored() {
    let world = with_app().set("highlevel.webhook_public_key", pem()).start().await;
    let hidden = |id: &str| {
        let mut event = event(&world, id, "nobody");
        event["firstName"] = json!("Anastasiabel");
        event
    };
    let disconnect = "mutation { disconnect(input: {system: HIGHLEVEL}) { upstream { state } } }";
    let gone = world.data(disconnect, json!({})).await["disconnect"]["upstream"].clone();
    assert_eq!(gone["state"], "NOT_CONNECTED");
    assert_eq!(send(&world, &hidden("w1")).await, (200, "ignored".to_owned()));
    assert_eq!(world.find_stored("Anastasiabel").await, Vec::<String>::new());
    // What befalls the app may be about an installation that waits.
    assert_eq!(send(&world, &taken_off(&world, "w2")).await.1, "stored");
    assert_eq!(grant(&world, Value::Null, &[]).await.0, 200);
    assert_eq!(send(&world, &hidden("w1")).await.1, "stored");
    world.end().await;
}

//! Credentials that end: renewed once, lost and told, or taken away.

use std::time::Duration;

use serde_json::{Value, json};
use tandem::sandbox::credentials::HIGHLEVEL_LOCATION;

use super::{ANA, grant, upstream, with_app};
use crate::place::Place;
use crate::webhooks::{event, pem, send, taken_off};
use crate::world::World;

const TAKEN_OFF: &str = "The app was taken off HighLevel";
const READ: &str =
    "query($e: EmailAddress!) { contact(by: {email: $e}) { highlevel { contactId } } }";

async fn read(world: &World) -> Value {
    world.ask_with(READ, json!({"e": ANA}), &[("cache-control", "no-cache")]).await
}

async fn minutes_pass(world: &World) {
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(30));
    }
}

async fn renewals(world: &World) -> usize {
    let calls = world.calls().await;
    calls.iter().filter(|call| call.route_ends_with("/oauth/token")).count()
}

async fn events(world: &World) -> String {
    let query =
        "{ syncEvents(first: 50, filter: {kinds: [UPSTREAM_CHANGED]}) { nodes { message } } }";
    world.data(query, json!({})).await.to_string()
}

async fn get(world: &World, path: &str) -> (u16, String) {
    let answer = world.http().get(world.url(path)).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn twenty_requests_renew_once(place: Place, strict: bool) {
    if !place.is_there() {
        return;
    }
    let world = with_app().place(place).start().await;
    world.control("/tokens", json!({"strictReuse": strict})).await;
    assert_eq!(grant(&world, Value::Null, &[]).await.0, 200);
    let oauth = || async { upstream(&world, "HIGHLEVEL").await["credential"]["kind"] == "OAUTH" };
    world.shows("the connection", oauth).await;
    minutes_pass(&world).await;
    world.control("/tokens", json!({"expireAccess": true})).await;
    world.forget_calls().await;
    let reading: Vec<_> = (0..20).map(|_| read(&world)).collect();
    for answer in futures_util::future::join_all(reading).await {
        assert!(answer.get("errors").is_none(), "{answer:#}");
        assert!(answer["data"]["contact"]["highlevel"]["contactId"].is_string());
    }
    assert_eq!(renewals(&world).await, 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_requests_of_one_gateway_renew_once() {
    twenty_requests_renew_once(Place::Sqlite, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_requests_of_two_gateways_renew_once() {
    for strict in [false, true] {
        twenty_requests_renew_once(Place::PairNotify, strict).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_is_refused_is_told_everywhere_and_mended_by_a_consent() {
    let world = with_app().start().await;
    assert_eq!(grant(&world, Value::Null, &[]).await.0, 200);
    minutes_pass(&world).await;
    world.control("/tokens", json!({"revokeAll": true})).await;
    let lost = || async {
        read(&world).await;
        upstream(&world, "HIGHLEVEL").await["state"] == "NEEDS_REAUTHORIZATION"
    };
    world.until("the state", lost).await;
    let told = || async { events(&world).await.contains("HighLevel refuses the credential") };
    world.until("the event", told).await;
    let (status, ready) = get(&world, "/health/ready").await;
    assert_eq!(status, 200, "the gateway is of use all the same: {ready}");
    assert!(ready.contains("\"highlevel credential\":\"failing\""), "{ready}");
    let metric = "tandem_upstream_credential_refused{system=\"HIGHLEVEL\",workspace=\"default\"} 1";
    let measured = || async { get(&world, "/metrics").await.1.contains(metric) };
    world.until("the metric", measured).await;
    let answer = read(&world).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UPSTREAM_UNAUTHORIZED", "{answer:#}");

    assert_eq!(grant(&world, Value::Null, &[]).await.0, 200);
    let mended = || async { upstream(&world, "HIGHLEVEL").await["state"] == "READ_ONLY" };
    world.shows("it is mended", mended).await;
    assert!(read(&world).await.get("errors").is_none());
    let told = || async { events(&world).await.contains("takes the credential again") };
    world.until("the second event", told).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_taken_off_is_disconnected() {
    let world = with_app().hearing().start().await;
    world.control("/webhooks", json!({"url": world.url("/webhooks/highlevel")})).await;
    assert_eq!(grant(&world, Value::Null, &[]).await.0, 200);
    world.control("/edit", json!({"system": "HIGHLEVEL", "op": "uninstall"})).await;
    let gone = || async { upstream(&world, "HIGHLEVEL").await["state"] == "NOT_CONNECTED" };
    world.until("it is disconnected", gone).await;
    assert!(events(&world).await.contains("the app was taken off there"));
    let answer = read(&world).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_CONNECTED", "{answer:#}");
    world.end().await;
}

/// Its event names no location.
#[tokio::test(flavor = "multi_thread")]
async fn an_agency_takes_back_what_it_granted_and_nothing_else() {
    let world = with_app().hearing().start().await;
    world.control("/webhooks", json!({"url": world.url("/webhooks/highlevel")})).await;
    let uninstall = json!({"system": "HIGHLEVEL", "op": "uninstall", "agency": true});
    let state = || async { upstream(&world, "HIGHLEVEL").await["state"].clone() };
    // What a location granted is refused from then on, and not forgotten.
    assert_eq!(grant(&world, Value::Null, &[]).await.0, 200);
    world.control("/edit", uninstall.clone()).await;
    world.until("it is tried", || async { state().await == "NEEDS_REAUTHORIZATION" }).await;

    let (status, said) = grant(&world, Value::Null, &[("user_type", "Company")]).await;
    assert_eq!(status, 200, "{said}");
    world.until("it is connected", || async { state().await == "READ_ONLY" }).await;
    assert!(!events(&world).await.contains("the app was taken off there"));
    world.control("/edit", uninstall).await;
    world.until("it is disconnected", || async { state().await == "NOT_CONNECTED" }).await;
    assert!(events(&world).await.contains("the app was taken off there"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_that_cannot_be_read_holds_up_nothing() {
    let world = with_app().hearing().start().await;
    world.control("/webhooks", json!({"url": world.url("/webhooks/highlevel")})).await;
    assert_eq!(grant(&world, Value::Null, &[]).await.0, 200);
    let waits = |id: u8, location: &str| {
        format!(
            "INSERT INTO held_install (workspace, id, account, sealed, expires_at) VALUES
               ('default', '0000000000007000800000000000000{id}', '{location}', 'torn', 9999999999999)"
        )
    };
    world.run(&waits(1, HIGHLEVEL_LOCATION)).await;
    world.run(&waits(2, "anotherLocation0001")).await;
    let held = world.data("{ heldInstalls { id } }", json!({})).await["heldInstalls"].clone();
    assert_eq!(held, json!([]), "who cannot be read is not shown");
    world.control("/edit", json!({"system": "HIGHLEVEL", "op": "uninstall"})).await;
    let gone = || async { upstream(&world, "HIGHLEVEL").await["state"] == "NOT_CONNECTED" };
    world.until("it is disconnected", gone).await;
    let told = || async { events(&world).await.matches(TAKEN_OFF).count() };
    world.until("it is told", || async { told().await > 0 }).await;
    // What was granted to the app goes with it.
    let count = "UPDATE workspace SET name =
        (SELECT 'left ' || count(*) || ' of ' || max(account) FROM held_install)";
    world.run(count).await;
    assert!(!world.find_stored("left 1 of anotherLocation0001").await.is_empty());
    minutes_pass(&world).await;
    assert_eq!(told().await, 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_app_does_not_wait_for_those_who_cannot_be_asked_about() {
    let world = with_app().set("highlevel.webhook_public_key", pem()).start().await;
    assert_eq!(grant(&world, Value::Null, &[]).await.0, 200);
    world.control("/tokens", json!({"revokeAll": true})).await;
    assert_eq!(send(&world, &event(&world, "w1", "nobody")).await.1, "stored");
    assert_eq!(send(&world, &taken_off(&world, "w2")).await.1, "stored");
    let gone = || async { upstream(&world, "HIGHLEVEL").await["state"] == "NOT_CONNECTED" };
    world.until("it is disconnected", gone).await;
    world.until("it is told", || async { events(&world).await.contains(TAKEN_OFF) }).await;
    // The other one waits on, and this one is not told again with it.
    for _ in 0..3 {
        world.pass(Duration::from_secs(10)).await;
    }
    assert_eq!(events(&world).await.matches(TAKEN_OFF).count(), 1);
    world.end().await;
}

/// News of the app's end come again for hours.
#[tokio::test(flavor = "multi_thread")]
async fn an_installation_that_waits_outlives_what_ended_before_it() {
    let world = with_app().set("highlevel.webhook_public_key", pem()).start().await;
    let taken_back = |id: &str| {
        let mut event = taken_off(&world, id);
        event.as_object_mut().unwrap().remove("locationId");
        event["companyId"] = json!("sandboxCompany000001");
        event
    };
    let held = async || {
        let held = world.data("{ heldInstalls { id } }", json!({})).await;
        held["heldInstalls"].as_array().unwrap().len()
    };
    let told = async || events(&world).await.matches(TAKEN_OFF).count();
    let old = [taken_back("w1"), taken_off(&world, "w2")];
    minutes_pass(&world).await;
    let agencys = [("from_marketplace", "yes"), ("user_type", "Company")];
    assert_eq!(grant(&world, Value::Null, &agencys).await.0, 202);
    for event in old {
        assert_eq!(send(&world, &event).await.1, "stored");
    }
    world.until("it was heard", async || told().await == 1).await;
    assert_eq!(held().await, 1, "it was installed again since");
    minutes_pass(&world).await;
    assert_eq!(send(&world, &taken_back("w3")).await.1, "stored");
    world.until("the agency took it back", async || held().await == 0).await;

    assert_eq!(grant(&world, Value::Null, &agencys[..1]).await.0, 202);
    minutes_pass(&world).await;
    assert_eq!(send(&world, &taken_back("w4")).await.1, "stored");
    assert_eq!(send(&world, &taken_off(&world, "w5")).await.1, "stored");
    world.until("the location took it off", async || held().await == 0).await;
    world.end().await;
}

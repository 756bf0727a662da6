//! Calls never exceed the provider's budget, and a queue uses it up: one gateway, and two on one store.
//!
//! Gateways and sandbox share a clock that moves in small steps while no call is under way; what is
//! counted are times of that clock.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tandem::clock::Clock;

use crate::place::Place;
use crate::world::{Builder, World};

/// How many notes wait in the queue.
const NOTES: usize = 110;
/// How far the clock goes at once, and how often it does.
const STEP: Duration = Duration::from_millis(100);
const EVERY: Duration = Duration::from_millis(3);
const WINDOW_MS: i64 = 10_000;
/// Half of what is documented, so that a few people are several windows.
const LIMIT: usize = 50;

const CREATE: &str = "mutation($id: String!) { createNote(input: { \
    contact: {highlevelId: $id}, body: \"Called\"}) { writes { outcome } userErrors { message } } }";
const RETRY: &str = "mutation { retryFailures(input: {}) { retried } }";
const LEFT: &str = "{ syncStatus { failed } }";
const BUDGET: &str = "{ syncStatus { upstreams { system budget { limit remaining } } } }";

/// Lets time pass while something is awaited: only when no call is under way, so that a slow machine
/// does not make calls long by the clock.
async fn while_time_passes<T>(world: &World, awaited: impl Future<Output = T>) -> T {
    let passing = async {
        loop {
            world.clock.advance(STEP);
            all_is_answered(world).await;
        }
    };
    tokio::select! {
        value = awaited => value,
        () = passing => unreachable!("time does not end"),
    }
}

/// Ends when nobody called since it looked last, and all calls are answered.
async fn all_is_answered(world: &World) {
    let mut before = 0;
    loop {
        tokio::time::sleep(EVERY).await;
        let since = before.max(40) - 40;
        let journal = world.control_get(&format!("/journal?since={since}")).await;
        let next = journal["next"].as_u64().unwrap();
        let mut calls = journal["calls"].as_array().unwrap().iter();
        if next == before && calls.all(|call| !call["status"].is_null()) {
            return;
        }
        before = next;
    }
}

/// When each call of HighLevel came, by the clock, and what it was answered.
async fn calls(world: &World) -> Vec<(i64, u64)> {
    let journal = world.control_get("/journal").await;
    let calls = journal["calls"].as_array().unwrap().iter();
    let highlevel = calls.filter(|call| call["system"] == "HIGHLEVEL");
    let time = |call: &Value| {
        let at: DateTime<Utc> = call["at"].as_str().unwrap().parse().unwrap();
        (at.timestamp_millis(), call["status"].as_u64().unwrap_or_default())
    };
    highlevel.map(time).collect()
}

/// The most calls in any window.
fn most(times: &[i64]) -> usize {
    let within = |(at, first): (usize, &i64)| {
        times[at..].iter().take_while(|time| **time < first + WINDOW_MS).count()
    };
    times.iter().enumerate().map(within).max().unwrap_or_default()
}

fn builder(clock: &Clock) -> Builder {
    World::builder()
        .contacts(10)
        .limited(clock.clone())
        .set("highlevel.burst", LIMIT)
        .set("sync.mutation_deadline", "250ms")
}

/// People whom only HighLevel knows, with a note each that did not get there.
async fn fill(world: &World) {
    world.control("/settings", json!({"burst": LIMIT})).await;
    let mut people = Vec::new();
    for n in 0..NOTES {
        let phone = format!("+54115555{n:04}");
        let fields = json!({"firstName": format!("Person {n}"), "phone": phone});
        let made = json!({"system": "HIGHLEVEL", "op": "upsert", "fields": fields});
        let made = world.control("/edit", made).await;
        people.push(made["contactId"].as_str().unwrap().to_owned());
    }
    let route = "/contacts/{contactId}/notes";
    let down = json!({"system": "HIGHLEVEL", "route": route, "method": "POST", "kind": "status",
        "status": 503});
    world.fault(down).await;
    stream::iter(people)
        .for_each_concurrent(16, async |id| {
            // Who comes when the window is spent is told to come again.
            loop {
                let answer = world.ask(CREATE, json!({"id": id})).await;
                if answer.get("errors").is_none() {
                    assert_eq!(answer["data"]["createNote"]["userErrors"], json!([]));
                    return;
                }
                let code = &answer["errors"][0]["extensions"]["code"];
                assert_eq!(code, "UPSTREAM_RATE_LIMITED", "{answer:#}");
                tokio::time::sleep(EVERY * 20).await;
            }
        })
        .await;
    world.clear_faults().await;
    world.data(RETRY, json!({})).await;
}

async fn left(world: &World) -> i64 {
    world.data(LEFT, json!({})).await["syncStatus"]["failed"].as_i64().unwrap()
}

/// Fills a queue and watches it drain.
async fn drains(world: World, gateways: usize) {
    let clock = world.clock.clone();
    while_time_passes(&world, fill(&world)).await;
    let begun = clock.now_ms();
    let drained = async {
        while left(&world).await > 0 {
            tokio::time::sleep(EVERY * 10).await;
        }
    };
    while_time_passes(&world, drained).await;

    let calls = calls(&world).await;
    let refused = calls.iter().filter(|(_, status)| *status == 429).count();
    assert_eq!(refused, 0);
    let times: Vec<i64> = calls.iter().map(|(at, _)| *at).collect();
    assert!(most(&times) <= LIMIT, "{} calls in one window", most(&times));

    // From when nobody waits any more until the workers find less than all of them could do.
    let last = times.len() - 32 * gateways;
    let (from, until) = (begun + 2 * WINDOW_MS + 1_000, times[last]);
    let windows = (until - from) as f64 / WINDOW_MS as f64;
    assert!(windows > 2.0, "too short a queue: {windows} windows");
    let made = times[..last].iter().filter(|at| **at >= from).count();
    let used = made as f64 / (windows * LIMIT as f64);
    assert!(used >= 0.95, "{made} calls in {windows:.2} windows: {used:.3}");

    let shown = world.data(BUDGET, json!({})).await;
    let upstreams = shown["syncStatus"]["upstreams"].as_array().unwrap();
    let budget = upstreams.iter().find(|one| one["system"] == "HIGHLEVEL").unwrap();
    assert_eq!(budget["budget"]["limit"], LIMIT);
    assert!(budget["budget"]["remaining"].as_u64().unwrap() < 25, "{budget:#}");
    world.end().await;
}

fn clock() -> Clock {
    Clock::manual(DateTime::from_timestamp(1_795_000_000, 0).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_drains_its_queue_at_the_limit() {
    let world = builder(&clock()).place(Place::Sqlite).start().await;
    drains(world, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_drain_theirs_at_the_limit_together() {
    if !Place::PairNotify.is_there() {
        return;
    }
    let world = builder(&clock()).place(Place::PairNotify).start().await;
    drains(world, 2).await;
}

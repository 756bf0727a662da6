//! Calls never exceed the provider's budget, and a queue uses it up: one gateway, and two on one store.
//!
//! Gateways and sandbox share a clock that moves in small steps while nobody calls; what is counted
//! are times of that clock. So a slow machine makes the test longer, and changes no figure.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tandem::clock::Clock;

use crate::place::Place;
use crate::world::{Builder, World};

/// How many people wait in the queue: several windows of calls.
const PEOPLE: usize = 260;
/// How far the clock goes at once: a place rests for a window and 5 ms, which are whole steps.
const STEP: Duration = Duration::from_millis(145);
/// How often the journal is looked at, and how often in a row it must show nothing new before the
/// clock goes on: what the gateways do between two calls takes no time by it. They write to their store
/// meanwhile, so each look takes as long as that does on this machine.
const EVERY: Duration = Duration::from_millis(3);
const QUIET: usize = 4;
/// How often in all: a call whose caller gave up is never answered.
const MOST_LOOKS: usize = 300;
const WINDOW_MS: i64 = 10_000;
/// As the sandbox has it, and HighLevel's documentation.
const LIMIT: usize = 100;

const PAGE: &str = "query($after: String) { contacts(first: 100, after: $after, source: HIGHLEVEL) { \
    nodes { id } pageInfo { hasNextPage endCursor } } }";
const PENDING: &str = "{ syncStatus { pending } }";
const BUDGET: &str = "{ syncStatus { upstreams { system budget { limit remaining } } } }";
/// As a poll does it that finds everybody changed.
const MARK: &str = "INSERT INTO work (workspace, kind, key, priority, gen, due_at)
    SELECT workspace, 'contact', id, 1, 1, 0 FROM contact WHERE survivor IS NULL
    ON CONFLICT (key, kind, workspace) DO UPDATE SET gen = work.gen + 1,
      due_at = 0, priority = 1, attempt = 0, dead = 0, last_error = NULL";

/// Lets time pass while something is awaited.
async fn while_time_passes<T>(world: &World, awaited: impl Future<Output = T>) -> T {
    let passing = async {
        loop {
            world.clock.advance(STEP);
            all_is_quiet(world).await;
        }
    };
    tokio::select! {
        value = awaited => value,
        () = passing => unreachable!("time does not end"),
    }
}

/// Ends when nobody has called for some looks, and all calls are answered.
async fn all_is_quiet(world: &World) {
    let (mut before, mut quiet) = (0, 0);
    for _ in 0..MOST_LOOKS {
        tokio::time::sleep(EVERY).await;
        world.ground.write().await;
        let since = before.max(32) - 32;
        let journal = world.control_get(&format!("/journal?since={since}")).await;
        let next = journal["next"].as_u64().unwrap();
        let mut calls = journal["calls"].as_array().unwrap().iter();
        let same = next == before && calls.all(|call| !call["status"].is_null());
        (before, quiet) = (next, if same { quiet + 1 } else { 0 });
        if quiet == QUIET {
            return;
        }
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
    World::builder().contacts(PEOPLE).limited(clock.clone()).set("doppler.rate", 0.0)
}

/// Marks everybody, once nobody has called for a person for a while.
async fn fill(world: &World) {
    let mut after = Value::Null;
    while let Some(next) = {
        let page = world.data(PAGE, json!({"after": after})).await;
        let info = page["contacts"]["pageInfo"].clone();
        (info["hasNextPage"] == true).then(|| info["endCursor"].clone())
    } {
        after = next;
    }
    for _ in 0..5 {
        world.clock.advance(Duration::from_secs(5));
        all_is_quiet(world).await;
    }
    world.switch_sync_on().await;
    world.run(MARK).await;
}

/// Fills a queue and watches it drain.
async fn drains(world: World, gateways: usize) {
    let clock = world.clock.clone();
    while_time_passes(&world, fill(&world)).await;
    let begun = clock.now_ms();
    let drained = async {
        while world.data(PENDING, json!({})).await["syncStatus"]["pending"] != 0 {
            tokio::time::sleep(EVERY * 50).await;
        }
    };
    while_time_passes(&world, drained).await;

    let calls = calls(&world).await;
    let refused = calls.iter().filter(|(_, status)| *status == 429).count();
    assert_eq!(refused, 0);
    let times: Vec<i64> = calls.iter().map(|(at, _)| *at).collect();
    assert!(most(&times) <= LIMIT, "{} calls in one window", most(&times));

    // Whole windows, until the workers find less than all of them could do.
    let first = times.partition_point(|at| *at < begun);
    let (from, until) = (times[first], times[times.len() - 32 * gateways]);
    let windows = (until - from) / WINDOW_MS;
    assert!(windows >= 2, "too short a queue: {windows} windows");
    let until = from + windows * WINDOW_MS;
    let made = times[first..].iter().take_while(|at| **at < until).count();
    let allowed = usize::try_from(windows).unwrap() * LIMIT;
    assert!(made * 100 >= allowed * 95, "{made} of {allowed} calls in {windows} windows");

    let shown = world.data(BUDGET, json!({})).await;
    let upstreams = shown["syncStatus"]["upstreams"].as_array().unwrap();
    let budget = upstreams.iter().find(|one| one["system"] == "HIGHLEVEL").unwrap();
    assert_eq!(budget["budget"]["limit"], LIMIT);
    let remaining = budget["budget"]["remaining"].as_u64().unwrap();
    let lately = times.iter().filter(|at| **at > clock.now_ms() - WINDOW_MS).count() as u64;
    // Two gateways hear of each other's calls at their next turn only.
    assert!(gateways > 1 || remaining + lately <= LIMIT as u64, "{lately} calls, {budget:#}");
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

//! Whatever clients and people in both systems do, through faults and restarts, and whether the
//! gateway is told of it or hears by webhooks that get lost, doubled, late and out of order and by
//! polls: the two end in agreement, and no field is written more often than it was changed.
//!
//! `PROPTEST_CASES` says how many histories are tried, `AGREEMENT_SEED` where to begin; what is tried
//! is the same every time otherwise. What once went wrong is in [`cases`].

mod cases;
mod done;
mod judge;
mod people;
mod step;
mod way;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

use super::ANA;
use crate::world::World;
use done::Done;
use step::Step;
use way::Way;

/// How many histories are tried where nobody says.
const FEW: u32 = 6;

#[test]
fn every_history_ends_in_agreement() {
    try_histories(Way::Told);
}

#[test]
fn every_history_that_is_heard_of_ends_in_agreement() {
    try_histories(Way::Heard);
}

#[expect(clippy::disallowed_methods, reason = "how much is tried is told from outside")]
fn try_histories(way: Way) {
    let told = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    let config = Config {
        cases: told("PROPTEST_CASES").unwrap_or(FEW),
        max_shrink_iters: 40,
        failure_persistence: None,
        ..Config::default()
    };
    let mut seed = [7; 32];
    seed[..4].copy_from_slice(&told("AGREEMENT_SEED").unwrap_or_default().to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let histories = (any::<u64>().no_shrink(), prop::collection::vec(step::one(), 2..9));
    let ended = TestRunner::new_with_rng(config, rng).run(&histories, |(seed, history)| {
        runtime().block_on(live(way, seed, &history));
        Ok(())
    });
    ended.unwrap_or_else(|error| panic!("{error}"));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn live(way: Way, seed: u64, history: &[Step]) {
    let mut world = way.world(seed).await;
    way.rest(&world, history).await;
    sync(&world, ANA).await;
    way.rest(&world, history).await;
    world.forget_calls().await;

    let mut done = Done::new(way::custom_ids(&world).await);
    for step in history {
        way.pass(&world).await;
        step.asked_of().into_iter().for_each(|who| done.asked(who));
        step.happen(way, &mut world, &mut done).await;
    }
    world.clear_faults().await;
    way.rest(&world, history).await;
    // Of who was deleted a comparison of everybody tells, which is a day away, where no webhook does.
    let is_gone = |who, system| done.was_deleted(who, system);
    let unheard =
        |who: &usize| way == Way::Told || is_gone(*who, "DOPPLER") || is_gone(*who, "HIGHLEVEL");
    let unheard: Vec<usize> = (0..done.addresses.len()).filter(unheard).collect();
    for email in unheard.iter().flat_map(|who| &done.addresses[*who]) {
        sync(&world, email).await;
    }
    if !unheard.is_empty() {
        way.rest(&world, history).await;
    }
    judge::writes(&world, &done, history).await;
    judge::agreement(&world, &done, history).await;
    judge::rest(way, &world, &done, history).await;
    world.end().await;
}

/// A reconcile of whoever has the address, if anybody has.
async fn sync(world: &World, email: &str) {
    let query = "mutation($e: EmailAddress!) { syncContact(input: {contact: {email: $e}}) { \
        userErrors { code } } }";
    // Nobody told the gateway of people whom it did not find a moment ago.
    world.ask_with(query, json!({"e": email}), &[("cache-control", "no-cache")]).await;
}

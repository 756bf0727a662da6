//! Whatever clients and people in both systems do, through faults and restarts: the two end in
//! agreement, and no field is written more often than it was changed.
//!
//! `PROPTEST_CASES` says how many histories are tried, `AGREEMENT_SEED` where to begin; what is tried
//! is the same every time otherwise.

mod judge;
mod people;
mod step;

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::{ANA, with_a_rule};
use crate::world::World;
use people::WHO;
use step::Step;

/// How many histories are tried where nobody says.
const FEW: u32 = 6;

#[test]
#[expect(clippy::disallowed_methods, reason = "how much is tried is told from outside")]
fn every_history_ends_in_agreement() {
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
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let histories = prop::collection::vec(step::one(), 2..9);
    let ended = TestRunner::new_with_rng(config, rng).run(&histories, |history| {
        runtime.block_on(live(&history));
        Ok(())
    });
    ended.unwrap_or_else(|error| panic!("{error}"));
}

/// How often each person's fields were changed, by anybody.
#[derive(Default)]
struct Changes(BTreeMap<(usize, &'static str), usize>);

impl Changes {
    fn note(&mut self, who: usize, field: &'static str) {
        *self.0.entry((who, field)).or_default() += 1;
    }

    fn of(&self, who: usize, field: &str) -> usize {
        let found = self.0.iter().find(|((one, name), _)| *one == who && *name == field);
        found.map_or(0, |(_, count)| *count)
    }
}

async fn live(history: &[Step]) {
    let mut world = with_a_rule()
        .contacts(1)
        .set("doppler.timeout", "1s")
        .set("highlevel.timeout", "1s")
        .set("sync.mutation_deadline", "1s")
        .start()
        .await;
    world.run_sync().await;
    sync(&world, ANA).await;
    rest(&world, history).await;
    world.forget_calls().await;

    let mut changes = Changes::default();
    for step in history {
        step.happen(&mut world, &mut changes).await;
    }
    world.clear_faults().await;
    rest(&world, history).await;
    for email in WHO {
        sync(&world, email).await;
    }
    rest(&world, history).await;
    judge::writes(&world, &changes, history).await;
    judge::agreement(&world, history).await;
    judge::rest(&world, history).await;
    world.end().await;
}

/// A reconcile of whoever has the address, if anybody has.
async fn sync(world: &World, email: &str) {
    let query = "mutation($e: EmailAddress!) { syncContact(input: {contact: {email: $e}}) { \
        userErrors { code } } }";
    // Nobody told the gateway of people whom it did not find a moment ago.
    world.ask_with(query, json!({"e": email}), &[("cache-control", "no-cache")]).await;
}

/// Waits until nothing is left to be tried.
async fn rest(world: &World, history: &[Step]) {
    let query =
        "{ syncStatus { pending } failures(first: 50) { nodes { dead system code message } } }";
    let mut last = Value::Null;
    for _ in 0..400 {
        // The status is a moment old.
        world.clock.advance(Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(20)).await;
        last = world.data(query, json!({})).await;
        let failures = last["failures"]["nodes"].as_array().unwrap();
        if last["syncStatus"]["pending"] == 0 && failures.iter().all(|one| one["dead"] == true) {
            return;
        }
    }
    panic!("it does not come to rest: {last:#}\n{history:#?}");
}

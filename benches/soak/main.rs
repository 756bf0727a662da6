//! A soak of the running program in real time: `cargo bench --bench soak -- --minutes 10`.
//!
//! A sandbox, whose webhooks get lost, doubled, late and out of order, and a gateway that keeps both
//! systems in step, each a process of its own. For the given time people are edited at random in both
//! systems and through GraphQL, while the gateway is killed now and then. Then everything comes to
//! rest, and both systems are compared, person by person: what differs must be told by `syncPlan` with
//! its reason. At the end everybody is reconciled once more, which must write nothing.
//!
//! It prints a table and fails when anything disagrees. Rate limits are as documented. With
//! `cargo test --bench soak -- --minutes 10` the same runs without optimisation.
#![expect(clippy::print_stdout, reason = "its table is what it is for")]
#![expect(
    clippy::format_push_string,
    clippy::too_many_arguments,
    clippy::type_complexity,
    reason = "a script that is read from top to bottom"
)]

#[path = "../load/client.rs"]
#[expect(dead_code, reason = "load puts load; here only single requests are made")]
mod client;
mod edits;
mod judge;
#[path = "../load/process.rs"]
#[expect(dead_code, reason = "load looks at peaks and ties processes to CPUs")]
mod process;
mod world;

use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Parser;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use edits::Edits;
use world::World;

/// A soak in real time: random edits, lossy webhooks, kills; then both systems must agree
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Example:\n  cargo bench --bench soak -- --minutes 10 --kills 3")]
struct Args {
    /// How long edits are made
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// People in the sandbox
    #[arg(long, default_value_t = 60)]
    contacts: usize,
    /// Edits a second
    #[arg(long, default_value_t = 2.0)]
    rate: f64,
    /// How many of the webhooks are lost, doubled, late and out of order, each
    #[arg(long, default_value_t = 0.3)]
    lossy: f64,
    /// How often the gateway is killed and started again
    #[arg(long, default_value_t = 3)]
    kills: u32,
    /// What the edits are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What `cargo bench` passes
    #[arg(long, hide = true)]
    bench: bool,
}

/// How long it may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(&args))
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let mut world = World::start(args.contacts, args.seed, args.lossy).await?;
    let first = world.rest(PATIENCE).await?;
    println!("{} people; the first run took {:.0} s", args.contacts, first.as_secs_f64());
    world.forget_calls().await?;

    let mut edits = Edits::of(&world, ChaCha8Rng::seed_from_u64(args.seed)).await?;
    let (begun, lasts) = (Instant::now(), Duration::from_secs_f64(args.minutes * 60.0));
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(1.0 / args.rate));
    let mut killed = 0;
    while begun.elapsed() < lasts {
        ticks.tick().await;
        edits.one(&world).await;
        if begun.elapsed() > lasts / (args.kills + 1) * (killed + 1) && killed < args.kills {
            killed += 1;
            world.kill().await?;
        }
    }
    let rest = world.rest(PATIENCE).await?;
    let traffic = world.traffic().await?;
    let verdict = judge::compare(&world, &edits).await?;
    world.forget_calls().await?;
    let echoes = judge::echoes(&mut world, &edits).await?;

    edits.print();
    traffic.print(edits.count(), killed);
    println!("{:<44} {:>8.0}", "seconds to rest", rest.as_secs_f64());
    verdict.print();
    println!("{:<44} {echoes:>8}", "writes of one more reconcile of everybody");
    ensure!(verdict.is_good(), "the systems disagree");
    ensure!(echoes == 0, "something is written for ever");
    Ok(())
}

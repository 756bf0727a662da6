//! A first run over many people: `cargo bench --bench backfill`.
//!
//! A sandbox and a gateway, each a process of its own, with rate limits as documented. The first run is begun,
//! foreseen and approved, and the gateway is killed on the way: while it lists, and twice while it writes. At
//! the end nobody may be there twice, no call may have been refused for its rate, and it is told how many calls
//! of which kind it took and how that compares with what the systems' rates allow.
//!
//! With `--rate-limit off` it goes as fast as it can, for looking at memory: `-- --contacts 1000000
//! --rate-limit off --kills 0`.
#![expect(clippy::print_stdout, reason = "its table is what it is for")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::format_push_string,
    clippy::too_many_arguments,
    clippy::type_complexity,
    reason = "a script that is read from top to bottom"
)]

mod calls;
#[path = "../load/client.rs"]
#[expect(dead_code, reason = "load puts load; here only single requests are made")]
mod client;
#[path = "../sync/memory.rs"]
mod memory;
#[path = "../load/process.rs"]
#[expect(dead_code, reason = "load looks at CPUs")]
mod process;
mod run;
mod world;

use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Parser;

use calls::Calls;
use run::{Run, Stage};
use world::World;

/// A first run over many people, with calls, time and memory
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Example:\n  cargo bench --bench backfill -- --contacts 11800 --kills 3")]
struct Args {
    /// People in the sandbox: seven in ten are in both systems, the others in one
    #[arg(long, default_value_t = 11_800)]
    contacts: usize,
    /// How often the gateway is killed and started again
    #[arg(long, default_value_t = 3)]
    kills: u32,
    /// Whether the systems' rate limits hold: on, off
    #[arg(long, default_value = "on")]
    rate_limit: String,
    /// Where the gateway keeps what it knows [default: a SQLite file]
    #[arg(long)]
    store: Option<String>,
    /// What people are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What `cargo bench` passes
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(&args))
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let mut world = World::start(args).await?;
    let before = world.addresses().await?;
    let begun = Instant::now();
    let run = Run::begin(&world).await?;
    let mut kills = Kills::of(args.kills);
    run.until(&mut world, "AWAITING_APPROVAL", Stage::Listing, &mut kills).await?;
    let foreseen = begun.elapsed();
    let listing = world.forget_calls().await?;
    println!("{}", run.preview(&world).await?);

    let begun = Instant::now();
    run.approve(&world).await?;
    run.until(&mut world, "FINISHED", Stage::Writing, &mut kills).await?;
    let written = begun.elapsed();
    let calls = world.forget_calls().await?;

    row("people in the sandbox", args.contacts as f64);
    row("kills of the gateway", f64::from(kills.done));
    report("preview", foreseen, &listing);
    report("writing", written, &calls);
    for (name, count) in calls.by_kind() {
        row(&format!("  {name}"), count as f64);
    }
    calls.rates().iter().for_each(|line| println!("{line}"));
    println!("{}", run.outcome(&world).await?);
    for (share, mib) in &run.memory.into_inner() {
        println!("{:<44} {mib:>10.1}", format!("MiB at {share} % of the writing"));
    }
    let after = world.addresses().await?;
    ensure!(listing.refused + calls.refused == 0, "calls were refused for their rate");
    after.nobody_twice(&before)
}

fn report(stage: &str, took: Duration, calls: &Calls) {
    row(&format!("{stage}: seconds"), took.as_secs_f64());
    row(&format!("{stage}: calls to Doppler"), calls.doppler as f64);
    row(&format!("{stage}: calls to HighLevel"), calls.highlevel as f64);
    let least = calls.least_seconds();
    row(&format!("{stage}: least seconds at the rates"), least);
    println!("{:<44} {:>10.3}", format!("{stage}: of the least"), took.as_secs_f64() / least);
    row(&format!("{stage}: refused for their rate"), calls.refused as f64);
}

fn row(name: &str, value: f64) {
    println!("{name:<44} {value:>10.0}");
}

/// When the gateway is killed: first while it lists, then while it writes.
pub struct Kills {
    planned: u32,
    done: u32,
}

impl Kills {
    fn of(planned: u32) -> Self {
        Self { planned, done: 0 }
    }

    /// Whether one is due, now that so much of a stage is done.
    pub fn due(&mut self, stage: Stage, progress: f64) -> bool {
        let listing = self.planned.min(1);
        let due = match stage {
            Stage::Listing => self.done < listing && progress > 0.4,
            Stage::Writing => {
                let share = f64::from(self.done + 1 - listing) / f64::from(self.planned);
                self.done < self.planned && progress > share
            }
        };
        self.done += u32::from(due);
        due
    }
}

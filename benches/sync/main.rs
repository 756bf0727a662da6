//! How fast the core reconciles, and with how much memory: `cargo bench --bench sync`.
//!
//! A gateway is shown everybody in the sandbox, page by page. Then it is stopped, every contact is
//! marked in its store as a poll would do it, and started again: its workers go through all of them,
//! twice. In the first pass nothing is agreed yet, so differences are written; in the second the two
//! systems agree and nothing is. `docs/benchmarks.md` says what the figures mean and has the last
//! ones.
//!
//! The gateway runs alone on CPU 0, the sandbox on CPU 1; PostgreSQL's own processes where the system
//! puts them. There are no rate limits.
#![expect(clippy::print_stdout, reason = "its table is what it is for")]
#![expect(
    clippy::cast_precision_loss,
    clippy::format_push_string,
    clippy::too_many_arguments,
    clippy::type_complexity,
    reason = "a script that is read from top to bottom"
)]

#[path = "../load/client.rs"]
#[expect(dead_code, reason = "load puts load; here only single requests are made")]
mod client;
mod gateway;
mod memory;
#[path = "../load/process.rs"]
#[expect(dead_code, reason = "load looks at peaks")]
mod process;
mod store;
mod world;

use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Parser;

use gateway::calls_made;
use memory::resident_mib;
use process::Server;
use store::Marks;
use world::World;

/// Throughput of the core over a sandbox without limits, on SQLite and PostgreSQL
#[derive(Clone, Debug, Parser)]
#[command(
    after_help = "Example:\n  cargo bench --bench sync --features postgres -- --contacts 100000"
)]
struct Args {
    /// People in the sandbox
    #[arg(long, default_value_t = 5_000)]
    contacts: usize,
    /// Only these stores: sqlite, postgres
    #[arg(long, value_delimiter = ',', default_value = "sqlite,postgres")]
    stores: Vec<String>,
    /// A PostgreSQL server, in which a schema is made and taken away [default: `TEST_POSTGRES_URL`]
    #[arg(long)]
    postgres: Option<String>,
    /// `sync.workers`
    #[arg(long, default_value_t = 16)]
    workers: usize,
    /// What `cargo bench` passes
    #[arg(long, hide = true)]
    bench: bool,
}

/// What was seen of one pass.
struct Pass {
    store: &'static str,
    name: &'static str,
    reconciled: usize,
    failed: usize,
    seconds: f64,
    calls: f64,
    cpu_seconds: f64,
    sandbox_seconds: f64,
    /// After a tenth, half and all of it.
    mib: [f64; 3],
}

#[expect(clippy::disallowed_methods, reason = "a script has no other settings")]
fn main() -> anyhow::Result<()> {
    let mut args = Args::parse();
    args.postgres = args.postgres.or_else(|| std::env::var("TEST_POSTGRES_URL").ok());
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(&args))
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let mut passes = Vec::new();
    for name in ["sqlite", "postgres"] {
        let wanted = args.stores.iter().any(|wanted| wanted == name);
        if wanted && (name == "sqlite" || args.postgres.is_some() && cfg!(feature = "postgres")) {
            measure(args, name, &mut passes).await?;
        } else if wanted {
            println!("no PostgreSQL: give --postgres URL, and build with --features postgres");
        }
    }
    print(&passes);
    Ok(())
}

/// Both passes over one store.
async fn measure(args: &Args, name: &'static str, passes: &mut Vec<Pass>) -> anyhow::Result<()> {
    let database = (name == "postgres").then(|| args.postgres.clone()).flatten();
    let world = World::start(args.contacts, args.workers, database.as_deref()).await?;
    if passes.is_empty() {
        println!(
            "{} people, {} workers, {}",
            args.contacts,
            args.workers,
            if world.upstream.pinned {
                "gateway alone on CPU 0, sandbox on CPU 1"
            } else {
                "NOT PINNED"
            }
        );
    }
    let gateway = world.gateway().await?;
    let (people, seconds, mib) = world.meet_everybody(&gateway).await?;
    eprintln!("{name}: {people} contacts met in {seconds:.1} s, then {mib:.1} MiB");
    drop(gateway);
    let marks = Marks::open(&world.store_url).await?;
    for pass in ["first", "in step"] {
        let marked = marks.mark_all().await?;
        let gateway = world.gateway().await?;
        passes.push(watch(&world, &gateway, &marks, (name, pass, marked)).await?);
        drop(gateway);
    }
    marks.close().await?;
    world.end().await
}

/// Watches a gateway until all is done.
async fn watch(
    world: &World,
    gateway: &Server,
    marks: &Marks,
    (store, name, marked): (&'static str, &'static str, usize),
) -> anyhow::Result<Pass> {
    let (begun, cpu, calls) =
        (Instant::now(), gateway.cpu_seconds(), calls_made(gateway.addr).await?);
    let sandbox = world.upstream.sandbox.cpu_seconds();
    let (mut mib, mut open) = ([f64::NAN; 3], marked);
    let mut heard = Instant::now();
    while open > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = marks.open_work().await?;
        if now < open {
            heard = Instant::now();
        }
        open = now;
        let done = 1.0 - open as f64 / marked as f64;
        for (at, share) in [(0, 0.1), (1, 0.5), (2, 1.0)] {
            if mib[at].is_nan() && done >= share {
                mib[at] = resident_mib(gateway.pid());
            }
        }
        ensure!(heard.elapsed() < Duration::from_secs(60), "{open} of {marked} are never done");
    }
    Ok(Pass {
        store,
        name,
        reconciled: marked,
        failed: marks.failed().await?,
        seconds: begun.elapsed().as_secs_f64(),
        calls: calls_made(gateway.addr).await? - calls,
        cpu_seconds: gateway.cpu_seconds() - cpu,
        sandbox_seconds: world.upstream.sandbox.cpu_seconds() - sandbox,
        mib,
    })
}

fn print(passes: &[Pass]) {
    println!(
        "\n{:<10} {:<8} {:>10} {:>7} {:>12} {:>10} {:>9} {:>8} {:>8}  {:>24}",
        "store",
        "pass",
        "contacts",
        "failed",
        "reconciles/s",
        "calls each",
        "CPU µs",
        "gateway",
        "sandbox",
        "MiB at 10, 50, 100 %"
    );
    for pass in passes {
        let count = pass.reconciled as f64;
        println!(
            "{:<10} {:<8} {:>10} {:>7} {:>12.0} {:>10.2} {:>9.0} {:>7.0}% {:>7.0}%  {:>8.1} {:>7.1} {:>7.1}",
            pass.store,
            pass.name,
            pass.reconciled,
            pass.failed,
            count / pass.seconds,
            pass.calls / count,
            pass.cpu_seconds / count * 1e6,
            pass.cpu_seconds / pass.seconds * 100.0,
            pass.sandbox_seconds / pass.seconds * 100.0,
            pass.mib[0],
            pass.mib[1],
            pass.mib[2],
        );
    }
}

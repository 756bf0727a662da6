//! The load script: the gateway against a bare handler, a naive gateway and the upstream itself.
//!
//! `cargo bench --bench load` prints one table of medians over interleaved rounds; `-- --latency 50`
//! shows instead how long cold pages take over a slow upstream. `docs/benchmarks.md` says what the
//! figures mean and has the last ones.
//!
//! Everything runs on this machine: the server under test alone on CPU 0, the sandbox and the load
//! generator together on CPU 1, so figures are per core and only ratios within one run say something.
//! Servers are processes of their own, fresh for each case and round; [`bare`] and [`plain`] are this
//! same program with another first word. Cases are in [`cases`], goals in [`table`].
#![expect(clippy::print_stdout, reason = "its table is what it is for")]
#![expect(
    clippy::format_push_string,
    clippy::needless_for_each,
    clippy::similar_names,
    clippy::single_match_else,
    clippy::too_many_arguments,
    clippy::type_complexity,
    clippy::unused_self,
    reason = "a script that is read from top to bottom"
)]

mod args;
mod bare;
mod cases;
mod catalog;
mod client;
mod cold;
mod plain;
mod process;
mod table;
mod world;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::ensure;
use axum::Router;
use clap::Parser;
use serde_json::Value;
use tokio::net::TcpListener;

use args::{Args, Child};
use cases::{CASES, Case};
use process::{REST, SERVER, Server, cpu_seconds, move_to};
use table::{Row, Sample};
use world::{Kind, World};

/// Load before the clock runs.
const WARM_UP: Duration = Duration::from_millis(500);

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    match args.child.clone() {
        // As `tandem serve` does it: with one CPU allowed, one worker.
        Some(child) => {
            tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async move {
                match child {
                    Child::Bare { listen, answer } => bare::serve(listen, &answer).await,
                    Child::Plain { listen, upstream, permits, batched } => {
                        plain::serve(listen, upstream, permits, batched).await
                    }
                }
            })
        }
        None => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                match args.latency {
                    Some(latency) => cold::run(&args, latency).await,
                    None => run(&args).await,
                }
            })
        }
    }
}

/// Serves a child's routes until the process is killed.
async fn listen(addr: SocketAddr, router: Router) -> anyhow::Result<()> {
    use axum::serve::ListenerExt;
    let listener = TcpListener::bind(addr).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let world = World::start(args).await?;
    let (ids, pages) = (world.catalog.ids.len(), world.catalog.pages.len());
    println!(
        "{} connections, {} s a measurement, {} rounds; {ids} contacts and {pages} pages in turn, all with an e-mail address in HighLevel",
        args.connections, args.seconds, args.rounds
    );
    println!(
        "{}\n",
        if world.pinned {
            "server under test alone on CPU 0; sandbox and load generator on CPU 1"
        } else {
            "NOT PINNED (no taskset, or one CPU): these figures are not per core"
        }
    );
    let cases: Vec<&Case> = CASES.iter().filter(|case| args.wants(case.key)).collect();
    let mut rows = Vec::new();
    for case in &cases {
        for kind in Kind::wanted(args) {
            let calls = match kind {
                Kind::Bare => 0.0,
                Kind::Tandem if !case.live => 0.0,
                Kind::Tandem | Kind::Batched => case.batched,
                Kind::Unbounded | Kind::Bounded => case.calls,
            };
            rows.push(Row {
                case: case.title,
                key: case.key,
                kind: Some(kind),
                calls,
                samples: vec![],
            });
        }
    }
    let mut gists: Vec<Option<Value>> = vec![None; cases.len()];
    for round in 1..=args.rounds {
        eprintln!("round {round} of {}", args.rounds);
        for (case, gist) in cases.iter().zip(&mut gists) {
            for kind in Kind::wanted(args) {
                let sample = measure(&world, args, case, kind, gist).await?;
                eprintln!("  {} {}: {:.0}/s", case.key, kind.name(), sample.pace.per_second);
                let row = rows.iter_mut().find(|row| row.key == case.key && row.kind == Some(kind));
                row.into_iter().for_each(|row| row.samples.push(sample));
            }
        }
        if args.wants("upstream") {
            upstream(&world, args, &mut rows).await?;
        }
    }
    table::print(&rows);
    table::print_goals(&rows);
    table::print_bottlenecks(&rows);
    Ok(())
}

/// One server in one case.
async fn measure(
    world: &World,
    args: &Args,
    case: &Case,
    kind: Kind,
    gist: &mut Option<Value>,
) -> anyhow::Result<Sample> {
    let for_gateway = matches!(kind, Kind::Tandem | Kind::Bare);
    let requests = case.requests(&world.catalog, for_gateway);
    ensure!(!requests.is_empty(), "nothing to ask for: more --contacts");
    let server = world.server(kind, &requests).await?;
    let first = RefCell::new(None);
    let inspect = |index: usize, body: &[u8]| {
        if index == 0 {
            *first.borrow_mut() = Some(case.gist(body)?);
        }
        case.inspect(body)
    };
    let lengths = client::survey(server.addr, &requests, &inspect).await?;
    let first = first.into_inner();
    if gist.is_some() {
        ensure!(*gist == first, "{} answers otherwise: {first:?}, not {gist:?}", kind.name());
    }
    *gist = first;
    // What it remembers of people whom it sees for the first time it writes down behind the answers.
    if !args.at_once {
        server.rests().await?;
    }
    let mut sample = sample(world, args, server.addr, &requests, &lengths, Some(&server)).await?;
    sample.peak_mib = server.peak_mib();
    Ok(sample)
}

/// The upstream alone: there is no server, so the load generator takes its CPU.
async fn upstream(world: &World, args: &Args, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    if world.pinned {
        move_to(SERVER)?;
    }
    for (title, requests) in cases::upstream_cases(&world.catalog) {
        let addr = world.sandbox.addr;
        let lengths = client::survey(addr, &requests, &|_, _| Ok(())).await?;
        let sample = sample(world, args, addr, &requests, &lengths, None).await?;
        let row = Row { case: title, key: title, kind: None, calls: 1.0, samples: vec![sample] };
        match rows.iter_mut().find(|row| row.key == title) {
            Some(row) => row.samples.push(sample),
            None => rows.push(row),
        }
    }
    if world.pinned {
        move_to(REST)?;
    }
    Ok(())
}

/// Puts load on `addr` and watches all processes meanwhile.
async fn sample(
    world: &World,
    args: &Args,
    addr: SocketAddr,
    requests: &[Vec<u8>],
    lengths: &[usize],
    server: Option<&Server>,
) -> anyhow::Result<Sample> {
    let marks = RefCell::new(Vec::new());
    let mark = || {
        let own = cpu_seconds(std::process::id());
        let server = server.map_or(0.0, Server::cpu_seconds);
        marks.borrow_mut().push((Instant::now(), server, world.sandbox.cpu_seconds(), own));
    };
    let times = (WARM_UP, Duration::from_secs_f64(args.seconds));
    let pace = client::load(addr, args.connections, requests, lengths, times, &mark).await?;
    let marks = marks.into_inner();
    ensure!(marks.len() == 2, "a run begins and ends once");
    let took = (marks[1].0 - marks[0].0).as_secs_f64();
    Ok(Sample {
        pace,
        peak_mib: f64::NAN,
        server: (marks[1].1 - marks[0].1) / took,
        sandbox: (marks[1].2 - marks[0].2) / took,
        generator: (marks[1].3 - marks[0].3) / took,
    })
}

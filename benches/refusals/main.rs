//! How long it takes to refuse hostile queries: `cargo bench --bench refusals`.
//!
//! Each kind of `tests/it/gateway/hostile/queries.rs` is sent many times, one after the other on one
//! connection, to a gateway that runs alone on CPU 0. Every answer must have the code that the test
//! expects, and no system may have been called by the end. The times are those of the client, so that
//! sending the query and reading the answer are part of them; a small good query is there to compare.
//! `docs/benchmarks.md` has the last figures.
#![expect(clippy::print_stdout, reason = "its table is what it is for")]
#![expect(
    clippy::disallowed_methods,
    clippy::format_push_string,
    clippy::too_many_arguments,
    clippy::type_complexity,
    reason = "it is a client of the gateway, and shares one with the load script"
)]

#[path = "../load/client.rs"]
#[expect(dead_code, reason = "load puts load; here each request waits for the one before")]
mod client;
#[path = "../sync/gateway.rs"]
mod gateway;
#[path = "../load/process.rs"]
#[expect(dead_code, reason = "load looks at peaks")]
mod process;
#[path = "../../tests/it/gateway/hostile/queries.rs"]
mod queries;

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use serde_json::{Value, json};

use gateway::{Upstream, calls_made};
use queries::Hostile;

/// How long refusals take
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Example:\n  cargo bench --bench refusals -- --times 1000")]
struct Args {
    /// How often each is sent
    #[arg(long, default_value_t = 500)]
    times: usize,
    /// What `cargo bench` passes
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(&args))
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let upstream = Upstream::start(60).await?;
    let gateway = upstream.gateway("").await?;
    let url = format!("http://{}/graphql", gateway.addr);
    let http = reqwest::Client::new();
    let before = calls_made(gateway.addr).await?;
    println!(
        "{} times each, {}\n",
        args.times,
        if upstream.pinned { "server alone on CPU 0, the rest on CPU 1" } else { "NOT PINNED" }
    );
    println!("{:<30} {:>10} {:>11} {:>9}  code", "", "bytes", "median ms", "p99 ms");
    let good = json!({"query": "{ viewer { subject } }"}).to_string();
    let mut all = vec![Hostile { kind: "(a good query)", body: good, code: "" }];
    all.extend(queries::all());
    for one in &all {
        let mut took = Vec::with_capacity(args.times);
        // The first ones warm up.
        for number in 0..args.times + args.times.div_ceil(10) {
            let began = Instant::now();
            let said = ask(&http, &url, &one.body).await?;
            if number >= args.times.div_ceil(10) {
                took.push(began.elapsed());
            }
            let code = said["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
            ensure!(code == one.code, "{}: {said}", one.kind);
        }
        took.sort_unstable();
        println!(
            "{:<30} {:>10} {:>11.2} {:>9.2}  {}",
            one.kind,
            one.body.len(),
            ms(&took, 50)?,
            ms(&took, 99)?,
            one.code
        );
    }
    let made = calls_made(gateway.addr).await? - before;
    println!("\nCalls to the systems meanwhile: {made}");
    Ok(())
}

async fn ask(http: &reqwest::Client, url: &str, body: &str) -> anyhow::Result<Value> {
    let request = http.post(url).header("content-type", "application/json");
    Ok(request.body(body.to_owned()).send().await?.json().await?)
}

/// The time within which so many of a hundred ended, of times in order.
fn ms(took: &[Duration], percent: usize) -> anyhow::Result<f64> {
    let at = (took.len() * percent / 100).min(took.len().saturating_sub(1));
    Ok(took.get(at).context("nothing was sent")?.as_secs_f64() * 1000.0)
}

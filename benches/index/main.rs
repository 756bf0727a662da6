//! How fast the index of contacts answers: `cargo bench --bench index -- --people 1000000`.
//!
//! A gateway makes its store and is stopped. Links and last known copies of everybody are put into it,
//! and the gateway is started again: it makes the index of them, as it does for a store from before
//! there was one. Then pages of twenty are asked for one after the other, over HTTP, in every order and
//! by every kind of filter, each time with another value and every other time from a later page on.
//! `docs/benchmarks.md` says what the figures mean.
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

#[path = "../load/client.rs"]
#[expect(dead_code, reason = "load puts load; here only single requests are made")]
mod client;
#[path = "../sync/gateway.rs"]
#[expect(dead_code, reason = "sync looks at calls and memory")]
mod gateway;
mod people;
#[path = "../load/process.rs"]
#[expect(dead_code, reason = "load looks at peaks")]
mod process;
#[path = "../sync/store.rs"]
#[expect(dead_code, reason = "sync looks at work")]
mod store;

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use clap::Parser;
use serde_json::{Value, json};

use client::Connection;
use gateway::Upstream;
use people::Store;
use store::Schema;

const PAGE: &str = "query($after: String, $filter: ContactFilter, $order: ContactOrder) { \
    contacts(first: 20, source: INDEX, after: $after, filter: $filter, orderBy: $order) { \
    pageInfo { endCursor } nodes { id name email status systems tags } } }";
const COUNT: &str = "{ contactStats { total byStatus { count } topTags { tag count } } }";
const ORDERS: [&str; 5] = ["UPDATED_DESC", "UPDATED_ASC", "CREATED_DESC", "EMAIL_ASC", "NAME_ASC"];
/// How long the index may not grow before it is taken for broken.
const PATIENCE: Duration = Duration::from_secs(120);

/// Pages of the index over a store of many people, on SQLite or PostgreSQL
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Example:\n  cargo bench --bench index --features postgres -- \
    --people 1000000 --store postgres")]
struct Args {
    /// People in the store
    #[arg(long, default_value_t = 50_000)]
    people: usize,
    /// sqlite or postgres
    #[arg(long, default_value = "sqlite")]
    store: String,
    /// A PostgreSQL server, in which a schema is made and taken away [default: `TEST_POSTGRES_URL`]
    #[arg(long)]
    postgres: Option<String>,
    /// Pages of each case
    #[arg(long, default_value_t = 100)]
    pages: usize,
    /// What `cargo bench` passes
    #[arg(long, hide = true)]
    bench: bool,
}

#[expect(clippy::disallowed_methods, reason = "a script has no other settings")]
fn main() -> anyhow::Result<()> {
    let mut args = Args::parse();
    args.postgres = args.postgres.or_else(|| std::env::var("TEST_POSTGRES_URL").ok());
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(&args))
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let upstream = Upstream::start(1).await?;
    let schema = match (args.store.as_str(), &args.postgres) {
        ("sqlite", _) => None,
        ("postgres", Some(server)) => Some(Schema::make(server).await?),
        _ => bail!("--store is sqlite, or postgres with --postgres URL"),
    };
    let url = match &schema {
        Some(schema) => schema.url.clone(),
        None => format!("sqlite://{}", upstream.folder.path().join("tandem.db").display()),
    };
    let settings = format!("[store]\nurl = \"{url}\"\n");
    let first = upstream.gateway(&settings).await?;
    let mut connection = Connection::open(first.addr).await?;
    connection.ask(COUNT, &json!({})).await?;
    drop(first);

    let store = Store::open(&url).await?;
    store.fill(args.people).await?;
    let gateway = upstream.gateway(&settings).await?;
    let mut connection = Connection::open(gateway.addr).await?;
    let (begun, mut heard, mut total) = (Instant::now(), Instant::now(), 0);
    while total < args.people as u64 {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let counted = connection.ask(COUNT, &json!({})).await?;
        let now = counted["contactStats"]["total"].as_u64().unwrap_or_default();
        if now > total {
            heard = Instant::now();
        }
        total = now;
        ensure!(heard.elapsed() < PATIENCE, "{total} of {} came into the index", args.people);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let rate = args.people as f64 / seconds;
    println!("{}: {total} people, index made in {seconds:.0} s ({rate:.0}/s)\n", args.store);
    store.settle().await?;
    store.close().await;

    println!("{:<22} {:<13} {:>8} {:>8} {:>8}", "filter", "order", "p50 ms", "p95 ms", "max ms");
    for (name, filter) in FILTERS {
        for order in ORDERS {
            let times = pages(&mut connection, args.pages, order, filter).await?;
            let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize] * 1e3;
            println!("{name:<22} {order:<13} {:>8.2} {:>8.2} {:>8.2}", at(0.5), at(0.95), at(1.0));
        }
    }
    drop(gateway);
    match schema {
        Some(schema) => schema.remove().await,
        None => Ok(()),
    }
}

type Filter = fn(usize) -> Value;

/// A name, and the filter of the nth page.
const FILTERS: [(&str, Filter); 10] = [
    ("none", |_| json!({})),
    ("a tag", |n| json!({"tagsAll": [format!("tag {}", n % 40)]})),
    ("a tag of a third", |_| json!({"tagsAll": ["customer"]})),
    ("a rare tag", |_| json!({"tagsAll": ["rare"]})),
    (
        "a status",
        |n| json!({"status": [(["ACTIVE", "UNSUBSCRIBED", "PENDING", "BOUNCED"][n % 4])]}),
    ),
    ("a letter", |n| json!({"query": (["a", "c", "m", "s"][n % 4])})),
    ("three letters", |n| json!({"query": (["mar", "bru", "vel", "zoe"][n % 4])})),
    ("two words", |n| json!({"query": (["ana mar", "hugo velaz", "gina b", "zoe t"][n % 4])})),
    ("an address", |n| json!({"query": format!("{}.", ["ana", "bruno", "carla"][n % 3])})),
    (
        "a system and a tag",
        |n| json!({"systems": [(["DOPPLER", "HIGHLEVEL"][n % 2])], "tagsAny": [format!("tag {}", n % 40)]}),
    ),
];

/// How long each page took, the shortest first.
async fn pages(
    connection: &mut Connection,
    count: usize,
    order: &str,
    filter: Filter,
) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::with_capacity(count);
    let mut number = 0;
    while times.len() < count {
        let mut variables = json!({"order": order, "filter": filter(number)});
        for _ in 0..2 {
            let begun = Instant::now();
            let answer = connection.ask(PAGE, &variables).await?;
            times.push(begun.elapsed().as_secs_f64());
            variables["after"] = answer["contacts"]["pageInfo"]["endCursor"].clone();
        }
        number += 1;
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

//! How long a cold page takes when the upstream does, one request at a time.

use std::cell::RefCell;
use std::time::Instant;

use serde_json::{Value, json};

use crate::args::Args;
use crate::catalog::PAGE;
use crate::client::{self, request};
use crate::world::World;

const NOTES_AND_TASKS: &str = "query Page($after: String) { contacts(first: 20, after: $after, source: HIGHLEVEL) { \
    nodes { id email notes { nodes { body } } tasks { nodes { title } } } } }";
const BOTH_SYSTEMS: &str = "query Page($after: String) { contacts(first: 20, after: $after, source: HIGHLEVEL) { \
    nodes { id email status doppler { status } notes { nodes { body } } tasks { nodes { title } } } } }";

/// What the goal allows beside three calls one after the other.
const GRACE_MS: f64 = 20.0;

/// Asks a fresh gateway for every page once and prints how long that took.
pub async fn run(args: &Args, latency: u64) -> anyhow::Result<()> {
    let world = World::start(args).await?;
    let goal = 3.0 * f64::from(u32::try_from(latency)?) + GRACE_MS;
    println!(
        "every upstream call takes {latency} ms; {} cold pages of {PAGE}, one at a time{}\n",
        world.catalog.pages.len().min(PAGES),
        if world.pinned { "; gateway on CPU 0, sandbox on CPU 1" } else { "; NOT PINNED" }
    );
    println!(
        "{:<44} {:>8} {:>8} {:>8} {:>8}",
        "cold page", "first ms", "p50 ms", "p99 ms", "most ms"
    );
    for (title, query) in [
        ("with notes and tasks", NOTES_AND_TASKS),
        ("with notes, tasks and Doppler's side", BOTH_SYSTEMS),
    ] {
        let gateway = world.gateway().await?;
        let took = RefCell::new(Vec::new());
        for start in world.catalog.pages.iter().take(PAGES) {
            let body = json!({"query": query, "variables": {"after": start.cursor}}).to_string();
            let asked = [request("POST", "/graphql", &[], &body)];
            let sent = Instant::now();
            let inspect = |_: usize, body: &[u8]| {
                took.borrow_mut().push(sent.elapsed().as_secs_f64() * 1000.0);
                let answer: Value = serde_json::from_slice(body)?;
                anyhow::ensure!(answer.get("errors").is_none(), "errors");
                Ok(())
            };
            client::survey(gateway.addr, &asked, &inspect).await?;
        }
        let mut took = took.into_inner();
        let first = took[0];
        took.sort_by(f64::total_cmp);
        let (p50, p99) = (took[took.len() / 2], took[took.len() * 99 / 100]);
        let most = took[took.len() - 1];
        println!("{title:<44} {first:>8.1} {p50:>8.1} {p99:>8.1} {most:>8.1}");
        let word = if p50 <= goal { "holds  " } else { "MISSED " };
        println!("{word} median within three calls and {GRACE_MS:.0} ms ({goal:.0} ms)");
    }
    Ok(())
}

/// How many pages are asked for.
const PAGES: usize = 50;

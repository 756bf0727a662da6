//! How long an event takes to all who follow, and what a follower costs: `cargo bench --bench fanout`.
//!
//! Many `WebSocket`s follow one person (`contactChanged`) or the history (`syncEvents`); mutations make
//! events one after the other, and each follower's share of the wait is taken from the mutation's
//! answer. The same once more with followers who never read. `docs/benchmarks.md` says what the
//! figures mean and has the last ones.
//!
//! The gateway runs alone on CPU 0; the sandbox and all followers on CPU 1, so that the last
//! follower's time is also the time that this script needs to read so many messages.
#![expect(clippy::print_stdout, reason = "its table is what it is for")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::format_push_string,
    clippy::too_many_arguments,
    clippy::type_complexity,
    reason = "a script that is read from top to bottom"
)]

#[path = "../load/client.rs"]
#[expect(dead_code, reason = "load puts load; here only single requests are made")]
mod client;
mod followers;
#[path = "../sync/gateway.rs"]
mod gateway;
#[path = "../sync/memory.rs"]
mod memory;
#[path = "../load/process.rs"]
#[expect(dead_code, reason = "load looks at peaks")]
mod process;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use serde_json::json;

use client::Connection;
use followers::{Followers, Stalled};
use gateway::{Upstream, calls_made};
use memory::resident_mib;

/// Fan-out of events to many followers
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Example:\n  cargo bench --bench fanout -- --followers 1000 --events 100")]
struct Args {
    /// `WebSocket`s that follow
    #[arg(long, default_value_t = 1_000)]
    followers: usize,
    /// Mutations, one after the other
    #[arg(long, default_value_t = 100)]
    events: usize,
    /// Further followers who never read, in the last case
    #[arg(long, default_value_t = 10)]
    stalled: usize,
    /// What `cargo bench` passes
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is followed.
#[derive(Clone, Copy, Debug)]
enum Topic {
    Nobody,
    Contact,
    Events,
}

impl Topic {
    fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody follows",
            Self::Contact => "contactChanged",
            Self::Events => "syncEvents",
        }
    }

    fn document(self) -> &'static str {
        match self {
            Self::Nobody => "",
            Self::Contact => {
                "subscription($id: ID!) { contactChanged(by: {id: $id}) { id firstName tags } }"
            }
            // One of the events of each mutation.
            Self::Events => {
                "subscription { syncEvents(filter: {kinds: [RECEIVED]}) { cursor kind message \
                 contact { id firstName } } }"
            }
        }
    }
}

const ANA: &str = "ana.paz@example.com";
const TAG: &str = "mutation($id: ID!, $tags: [String!]!) { addTags(input: { \
    contact: {id: $id}, tags: $tags}) { writes { outcome } userErrors { message } } }";

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(&args))
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let upstream = Upstream::start(300).await?;
    println!(
        "{} followers, {} mutations, {}",
        args.followers,
        args.events,
        if upstream.pinned { "gateway alone on CPU 0, the rest on CPU 1" } else { "NOT PINNED" }
    );
    println!(
        "\n{:<16} {:>8} {:>9} {:>9} {:>9} {:>12} {:>14} {:>15}",
        "followed",
        "stalled",
        "p50 ms",
        "p99 ms",
        "last ms",
        "KiB each",
        "mutation ms",
        "calls each"
    );
    let cases = [
        (Topic::Nobody, 0),
        (Topic::Contact, 0),
        (Topic::Contact, args.stalled),
        (Topic::Events, 0),
        (Topic::Events, args.stalled),
    ];
    for (topic, stalled) in cases {
        measure(args, &upstream, topic, stalled).await?;
    }
    Ok(())
}

async fn measure(
    args: &Args,
    upstream: &Upstream,
    topic: Topic,
    stalled: usize,
) -> anyhow::Result<()> {
    let limit = args.followers + stalled + 10;
    let settings = format!("[limits.websocket]\nconnections = {limit}\n");
    let gateway = upstream.gateway(&settings).await?;
    let id = ana(gateway.addr).await?;
    let mut connection = Connection::open(gateway.addr).await?;
    // Once, so that what is read lazily is there.
    tag(&mut connection, &id, &format!("first {} {stalled}", topic.name())).await?;
    let before = resident_mib(gateway.pid());
    let followed = matches!(topic, Topic::Contact | Topic::Events);
    let count = if followed { args.followers } else { 0 };
    let mut followers = Followers::connect(gateway.addr, count, topic.document(), &id).await?;
    let each = (resident_mib(gateway.pid()) - before) * 1024.0 / count as f64;
    let _stalled = Stalled::connect(gateway.addr, stalled, topic.document(), &id).await?;

    let calls = calls_made(gateway.addr).await?;
    let (mut waits, mut lasts, mut mutations) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..args.events {
        let sent = Instant::now();
        let name = format!("{} {stalled} {n}", topic.name());
        tag(&mut connection, &id, &name).await?;
        let answered = Instant::now();
        mutations.push(answered - sent);
        let seen = followers.all_see_one().await?;
        let seen = seen.into_iter().map(|at| at.saturating_duration_since(answered));
        let from = waits.len();
        waits.extend(seen);
        lasts.extend(waits[from..].iter().max().copied());
        // Whoever hears of a mutation in two events is done with both.
        followers.settle().await?;
    }
    let calls = (calls_made(gateway.addr).await? - calls) / args.events as f64;
    let millis = |times: &mut Vec<Duration>, share: f64| {
        times.sort_unstable();
        let at = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
        times.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    };
    println!(
        "{:<16} {:>8} {:>9.2} {:>9.2} {:>9.2} {:>12.1} {:>14.2} {:>15.2}",
        topic.name(),
        stalled,
        millis(&mut waits, 0.5),
        millis(&mut waits, 0.99),
        millis(&mut lasts, 0.5),
        each,
        millis(&mut mutations, 0.5),
        calls,
    );
    Ok(())
}

async fn ana(gateway: SocketAddr) -> anyhow::Result<String> {
    let mut connection = Connection::open(gateway).await?;
    let query = "query($email: EmailAddress!) { contact(by: {email: $email}) { id } }";
    let answer = connection.ask(query, &json!({"email": ANA})).await?;
    let id = answer["contact"]["id"].as_str();
    Ok(id.with_context(|| answer.to_string())?.to_owned())
}

async fn tag(connection: &mut Connection, id: &str, name: &str) -> anyhow::Result<()> {
    let answer = connection.ask(TAG, &json!({"id": id, "tags": [name]})).await?;
    let writes = answer["addTags"]["writes"].as_array();
    let applied = writes.is_some_and(|all| all.iter().any(|one| one["outcome"] == "APPLIED"));
    ensure!(applied, "{answer}");
    Ok(())
}

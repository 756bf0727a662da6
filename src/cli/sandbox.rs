//! `tandem sandbox`: only the fakes of both systems, for trying a gateway against them or for any
//! other client of either system.

use std::fmt::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;

use super::signal::Signals;
use super::{Failure, print};
use crate::clock::Clock;
use crate::sandbox::{Options, Sandbox, credentials};
use crate::tasks::Tasks;

/// Run only the two fake systems
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tandem sandbox --contacts 5000 --seed 7 --latency 50")]
pub(super) struct Args {
    /// Where the fakes listen [default: 127.0.0.1:4010]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Where HighLevel's webhooks are sent [default: nowhere]
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    #[command(flatten)]
    world: World,
}

/// What the fakes are like. Shared with `serve --sandbox`.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct World {
    /// How many Doppler accounts and HighLevel locations there are, at most 4 [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=4))]
    accounts: Option<u8>,
    /// How many people there are in each [default: 300]
    #[arg(long, value_name = "N")]
    contacts: Option<usize>,
    /// The same seed and size give the same people [default: 1]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Milliseconds added to each call [default: 0]
    #[arg(long, value_name = "MS")]
    latency: Option<u64>,
    /// Whether the systems' rate limits hold [default: on]
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    rate_limit: Option<Switch>,
    /// Milliseconds until HighLevel's search sees a write [default: 2000]
    #[arg(long, value_name = "MS")]
    index_delay: Option<u64>,
    /// How many calls the journal remembers, 0 for none [default: 100000]
    #[arg(long, value_name = "N")]
    journal: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl World {
    /// Whether any of it was asked for.
    pub(super) fn is_given(&self) -> bool {
        let Self { accounts, contacts, seed, latency, rate_limit, index_delay, journal } = self;
        accounts.is_some()
            || contacts.is_some()
            || seed.is_some()
            || latency.is_some()
            || rate_limit.is_some()
            || index_delay.is_some()
            || journal.is_some()
    }

    /// Whether the systems' rate limits hold.
    pub(super) fn limits_rate(&self) -> bool {
        self.rate_limit != Some(Switch::Off)
    }

    /// Over the sandbox's own defaults.
    pub(super) fn options(&self, listen: Option<SocketAddr>, clock: &Clock) -> Options {
        let default = Options::default();
        let millis = |given: Option<u64>, default| given.map_or(default, Duration::from_millis);
        Options {
            listen: listen.unwrap_or(default.listen),
            accounts: self.accounts.map_or(default.accounts, usize::from),
            contacts: self.contacts.unwrap_or(default.contacts),
            seed: self.seed.unwrap_or(default.seed),
            latency: millis(self.latency, default.latency),
            index_delay: millis(self.index_delay, default.index_delay),
            rate_limit: self.limits_rate(),
            journal: self.journal.unwrap_or(default.journal),
            webhook_url: None,
            clock: clock.clone(),
        }
    }
}

pub(super) async fn run(args: Args) -> Result<ExitCode, Failure> {
    let tasks = Tasks::new();
    let options = Options {
        webhook_url: args.webhook_url,
        ..args.world.options(args.listen, &Clock::system())
    };
    let signals = Signals::listen()?;
    let sandbox = start(options, &tasks).await?;
    let facts = facts(&sandbox);
    print(&format!("The sandbox is ready.\n\n{facts}\nCtrl-C stops it.\n"))?;
    let drain = async {
        tasks.stop();
        tasks.drained().await;
    };
    Ok(signals.then(drain).await)
}

/// Starts the fakes, or says how to start them elsewhere.
pub(super) async fn start(options: Options, tasks: &Tasks) -> Result<Sandbox, Failure> {
    let listen = options.listen;
    let started = Sandbox::start(options, tasks).await;
    Ok(started.with_context(|| format!("cannot start the sandbox on {listen}"))?)
}

/// Addresses and credentials, which open nothing but a sandbox.
pub(super) fn facts(sandbox: &Sandbox) -> String {
    let addr = sandbox.addr();
    let accounts = credentials::ACCOUNTS.iter().take(sandbox.accounts());
    let mut rows = vec![("Doppler", format!("http://{addr}/doppler"))];
    for one in accounts.clone() {
        rows.push(("  account", one.doppler.to_owned()));
        rows.push(("  API key", one.api_key.to_owned()));
    }
    rows.push(("HighLevel", format!("http://{addr}/highlevel")));
    for one in accounts {
        rows.push(("  location", one.location.to_owned()));
        rows.push(("  token", one.token.to_owned()));
    }
    rows.push(("Journal", format!("http://{addr}/control/journal")));
    table(&rows)
}

/// Two aligned columns, indented.
pub(super) fn table(rows: &[(&str, String)]) -> String {
    rows.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "  {name:<12}{value}");
        text
    })
}

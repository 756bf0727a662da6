//! Strict fakes of both systems in one server, for the first minute, for tests and for bug reports.
//!
//! The fakes are written from the vendors' documents and share no types with our clients: a mistake
//! in a shared type would agree with itself. What a vendor leaves open is decided where it is used,
//! with the reason. Everything is in memory and follows from a seed.
//!
//! [`shared`] is what both fakes stand on, [`gate`] what happens to every call, `control` the routes
//! for looking in and making things happen.

pub mod control;
pub mod credentials;
pub mod fault;
pub mod gate;
pub mod highlevel;
pub mod ids;
pub mod journal;
pub mod settings;
pub mod shared;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::clock::Clock;

/// How a sandbox is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// How many people there are.
    pub contacts: usize,
    /// The same seed and size give the same people.
    pub seed: u64,
    /// Added to each API call.
    pub latency: Duration,
    /// How late HighLevel's search sees a write.
    pub index_delay: Duration,
    /// Whether the documented rate limits hold.
    pub rate_limit: bool,
    /// How many calls the journal remembers; 0 turns it off.
    pub journal: usize,
    /// Where HighLevel's webhooks go.
    pub webhook_url: Option<String>,
    /// Time.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4010)),
            contacts: 300,
            seed: 1,
            latency: Duration::ZERO,
            index_delay: Duration::from_secs(2),
            rate_limit: true,
            journal: 100_000,
            webhook_url: None,
            clock: Clock::system(),
        }
    }
}

//! What both fakes share: time, tasks, the journal, faults, switches and seeded randomness.
//!
//! A fake holds an `Arc<Shared>` and nothing of the other fake. Whatever is asked of every call
//! (latency, faults, journal) is done by [`super::gate`] before the fake sees it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Options;
use super::fault::Faults;
use super::ids::Ids;
use super::journal::Journal;
use super::outbound::Outbound;
use super::settings::{Settings, Switches};
use crate::clock::Clock;
use crate::tasks::Tasks;

/// One of the two systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum System {
    /// E-mail marketing.
    Doppler,
    /// The CRM.
    HighLevel,
}

impl System {
    /// Where its API is mounted.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Doppler => "/doppler",
            Self::HighLevel => "/highlevel",
        }
    }
}

/// The ground that both fakes stand on.
#[derive(Debug)]
pub struct Shared {
    /// Time, which `POST /control/clock` moves.
    pub clock: Clock,
    /// Where background work is started.
    pub tasks: Tasks,
    /// Every call received.
    pub journal: Journal,
    /// What is to go wrong.
    pub faults: Faults,
    /// Switches, see [`Shared::settings`].
    pub switches: Switches,
    /// Ids and chances while running. Seeding people uses a sequence of its own.
    pub ids: Ids,
    /// Webhooks and callbacks.
    pub outbound: Outbound,
    /// Added to each call, in real time even where the clock stands still.
    pub latency: Duration,
    /// Whether the documented rate limits hold. `false` for load runs.
    pub rate_limit: bool,
}

impl Shared {
    /// The ground for a sandbox started with `options`.
    pub fn new(options: &Options, tasks: &Tasks) -> Arc<Self> {
        Arc::new(Self {
            clock: options.clock.clone(),
            tasks: tasks.clone(),
            journal: Journal::new(options.journal),
            faults: Faults::default(),
            switches: Switches::new(options.index_delay),
            ids: Ids::new(options.seed),
            outbound: Outbound::default(),
            latency: options.latency,
            rate_limit: options.rate_limit,
        })
    }

    /// The switches as they are now.
    pub fn settings(&self) -> Arc<Settings> {
        self.switches.read()
    }

    /// How late HighLevel's search sees a write.
    pub fn index_delay(&self) -> Duration {
        Duration::from_millis(self.settings().index_delay_ms)
    }
}

//! What travels with every call: how long the caller waits, how urgent it is, and who counts it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::Instant;

use crate::unified::System;

/// The caller's side of an upstream call.
#[derive(Clone, Debug)]
pub struct Call {
    /// No call and no wait goes past this moment.
    pub deadline: Instant,
    pub priority: Priority,
    pub meter: Arc<Meter>,
}

/// Who goes first when the budget is short.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Priority {
    /// A person waits for the answer.
    Interactive,
    /// Nobody waits.
    Background,
}

/// Counts the calls that one request made and saved.
#[derive(Debug, Default)]
pub struct Meter {
    doppler: AtomicU32,
    highlevel: AtomicU32,
    saved: AtomicU32,
}

impl Meter {
    /// One call went out.
    pub fn made(&self, system: System) {
        let counter = match system {
            System::Doppler => &self.doppler,
            System::HighLevel => &self.highlevel,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// One call was not needed, because its answer was at hand.
    pub fn saved(&self) {
        self.saved.fetch_add(1, Ordering::Relaxed);
    }

    /// Calls made to `system` so far.
    pub fn calls(&self, system: System) -> u32 {
        match system {
            System::Doppler => self.doppler.load(Ordering::Relaxed),
            System::HighLevel => self.highlevel.load(Ordering::Relaxed),
        }
    }

    /// Calls saved so far.
    pub fn calls_saved(&self) -> u32 {
        self.saved.load(Ordering::Relaxed)
    }
}

//! How much each of many may take over time, and forgetting those who take nothing.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::clock::Clock;

/// The limiter's view of the [`Clock`].
///
/// It never goes back: who had asked before the machine's clock was put back would have to wait that long.
#[derive(Clone, Debug)]
struct Ticks(Clock, Arc<AtomicI64>);

impl governor::clock::Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let now = self.0.now_ms();
        let latest = self.1.fetch_max(now, Ordering::Relaxed).max(now);
        Duration::from_millis(latest.try_into().unwrap_or_default())
    }
}

/// What each has taken.
pub(super) struct Shares<K: Clone + Eq + Hash> {
    rate: RateLimiter<K, HashMapStateStore<K>, Ticks, NoOpMiddleware<Duration>>,
    ticks: Ticks,
    asked: AtomicU32,
    forget_every: u32,
}

impl<K: Clone + Eq + Hash> Shares<K> {
    /// Nobody has taken anything yet. After so many requests, those who have not come for a while are
    /// forgotten.
    pub fn new(quota: Quota, clock: &Clock, forget_every: u32) -> Self {
        let ticks = Ticks(clock.clone(), Arc::default());
        let rate = RateLimiter::new(quota, HashMapStateStore::default(), ticks.clone());
        Self { rate, ticks, asked: AtomicU32::new(0), forget_every }
    }

    /// Takes so many of somebody's share; the error is how long they have to wait.
    pub fn take(&self, who: &K, count: NonZeroU32) -> Result<(), Duration> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % self.forget_every == self.forget_every - 1 {
            self.rate.retain_recent();
        }
        match self.rate.check_key_n(who, count) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => Err(until.wait_time_from(governor::clock::Clock::now(&self.ticks))),
            // More than there ever is at once; the settings allow no batch as large.
            Err(_) => Err(Duration::MAX),
        }
    }
}

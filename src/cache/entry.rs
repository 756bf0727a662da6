//! A kept value, and how old it may be for whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use tokio::time::Instant;

/// What can be kept.
pub trait Value: Clone + PartialEq + Send + Sync + 'static {
    /// About how many bytes it takes.
    fn weight(&self) -> u32;
}

/// How fresh a value has to be.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Demand {
    /// Values read before this moment (epoch milliseconds) do not count.
    pub not_before_ms: i64,
    /// Nothing may be read.
    pub only_cached: bool,
    /// By when the reader's own read ends; `None`: whenever it ends.
    pub deadline: Option<Instant>,
}

impl Demand {
    /// Whether a read that this demand starts may last longer than one by `other`.
    pub(super) fn outlasts(self, other: Option<Instant>) -> bool {
        other.is_some_and(|other| self.deadline.is_none_or(|own| own > other))
    }
}

/// How a read can fail.
pub trait Failure: Clone + Send + Sync + 'static {
    /// Whether it failed for want of time, so that a read with more may succeed.
    fn is_haste(&self) -> bool;
}

/// A value with its age.
#[derive(Clone, Debug)]
pub struct Read<V> {
    pub value: V,
    /// When it was read, in epoch milliseconds.
    pub fetched_ms: i64,
    /// When it ceases to count.
    pub expires_ms: i64,
    /// Whether this caller's `load` ran.
    pub loaded: bool,
    /// Whether this caller brought something that was not held before.
    pub changed: bool,
    /// Tells whether it still counts.
    pub token: Token,
}

/// Says whether a value still counts, and when it was last read so. Clones share the say.
#[derive(Clone, Debug)]
pub struct Token(Arc<Say>);

#[derive(Debug)]
struct Say {
    spent: AtomicBool,
    read_ms: AtomicI64,
}

impl Token {
    pub(super) fn new(read_ms: i64) -> Self {
        Self(Arc::new(Say { spent: AtomicBool::new(false), read_ms: AtomicI64::new(read_ms) }))
    }

    /// Whether the value has not been dropped or replaced by another.
    pub fn is_good(&self) -> bool {
        !self.0.spent.load(Ordering::Acquire)
    }

    pub(super) fn spend(&self) {
        self.0.spent.store(true, Ordering::Release);
    }

    /// The value was read again and is the same.
    pub(super) fn confirm(&self, read_ms: i64) {
        self.0.read_ms.fetch_max(read_ms, Ordering::Relaxed);
    }

    pub(super) fn read_ms(&self) -> i64 {
        self.0.read_ms.load(Ordering::Relaxed)
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[derive(Clone)]
pub(super) struct Entry<V> {
    pub value: V,
    /// How long it counts after it was read.
    pub lives_ms: i64,
    pub token: Token,
}

impl<V: Value> Entry<V> {
    /// The entry's own bookkeeping takes about as much as a small value.
    pub const OVERHEAD: u32 = 200;

    pub fn weight(&self) -> u32 {
        self.value.weight().saturating_add(Self::OVERHEAD)
    }

    fn expires_ms(&self) -> i64 {
        self.token.read_ms().saturating_add(self.lives_ms)
    }

    pub fn counts(&self, now_ms: i64) -> bool {
        self.token.is_good() && now_ms < self.expires_ms()
    }

    pub fn meets(&self, demand: Demand, now_ms: i64) -> bool {
        self.token.read_ms() >= demand.not_before_ms && self.counts(now_ms)
    }

    pub fn read(&self) -> Read<V> {
        Read {
            value: self.value.clone(),
            fetched_ms: self.token.read_ms(),
            expires_ms: self.expires_ms(),
            loaded: false,
            changed: false,
            token: self.token.clone(),
        }
    }
}

//! A kept value, and how old it may be for whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Says whether a value still counts. Clones share the say.
#[derive(Clone, Debug, Default)]
pub struct Token(Arc<AtomicBool>);

impl Token {
    /// Whether the value has not been dropped or replaced by another.
    pub fn is_good(&self) -> bool {
        !self.0.load(Ordering::Acquire)
    }

    pub(super) fn spend(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[derive(Clone)]
pub(super) struct Entry<V> {
    pub value: V,
    pub fetched_ms: i64,
    pub expires_ms: i64,
    pub token: Token,
}

impl<V: Value> Entry<V> {
    /// The entry's own bookkeeping takes about as much as a small value.
    const OVERHEAD: u32 = 200;

    pub fn weight(&self) -> u32 {
        self.value.weight().saturating_add(Self::OVERHEAD)
    }

    pub fn counts(&self, now_ms: i64) -> bool {
        self.token.is_good() && now_ms < self.expires_ms
    }

    pub fn meets(&self, demand: Demand, now_ms: i64) -> bool {
        self.fetched_ms >= demand.not_before_ms && self.counts(now_ms)
    }

    pub fn read(&self) -> Read<V> {
        Read {
            value: self.value.clone(),
            fetched_ms: self.fetched_ms,
            expires_ms: self.expires_ms,
            loaded: false,
            changed: false,
            token: self.token.clone(),
        }
    }
}

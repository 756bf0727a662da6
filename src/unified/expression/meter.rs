//! Counts what an evaluation costs.

use std::sync::atomic::{AtomicU64, Ordering};

use cel::Value;

/// Rounds of comprehensions and additions that one evaluation may take. Tags, the longest list that
/// is at hand, are hundreds at most.
const STEPS: u64 = 10_000;
/// How much all texts and lists that it makes may take, in bytes. A Doppler field holds 400
/// characters.
const BYTES: u64 = 64 * 1024;
/// What an item of a list takes beside its own text, in bytes.
const ITEM_BYTES: u64 = 32;

/// What one evaluation has taken so far.
#[derive(Debug, Default)]
pub(super) struct Meter {
    steps: AtomicU64,
    bytes: AtomicU64,
}

impl Meter {
    /// Takes one step that makes a value; `false` when that is too much.
    pub fn take(&self, value: &Value) -> bool {
        self.take_bytes(size(value))
    }

    /// The same for something of a size that is known before it is made.
    pub fn take_bytes(&self, bytes: u64) -> bool {
        let steps = self.steps.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let before = self.bytes.fetch_add(bytes.min(BYTES + 1), Ordering::Relaxed);
        steps <= STEPS && before.saturating_add(bytes) <= BYTES
    }

    /// Whether it was too much.
    pub fn is_spent(&self) -> bool {
        self.steps.load(Ordering::Relaxed) > STEPS || self.bytes.load(Ordering::Relaxed) > BYTES
    }
}

/// A value's size without what its items hold, which was counted when they were made.
fn size(value: &Value) -> u64 {
    if let Value::String(text) = value {
        as_u64(text.len())
    } else if let Value::List(items) = value {
        ITEM_BYTES.saturating_mul(as_u64(items.len()))
    } else {
        0
    }
}

pub(super) fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

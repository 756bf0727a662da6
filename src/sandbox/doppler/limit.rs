//! The rate limit. That there is one is known (429.0), its numbers are not: 10 calls a second with
//! a burst of 20 are assumed.

use std::sync::{Mutex, PoisonError};

/// Calls a second.
const RATE: i64 = 10;
/// Calls at once.
const BURST: i64 = 20;
/// What one call costs, in the unit that `RATE` refills a millisecond.
const COST: i64 = 1000;

/// A token bucket on the sandbox's clock.
#[derive(Debug)]
pub struct Limit(Mutex<Bucket>);

#[derive(Debug)]
struct Bucket {
    /// Thousandths of a call.
    left: i64,
    seen_at: i64,
}

impl Limit {
    /// A full bucket.
    pub fn new(now_ms: i64) -> Self {
        Self(Mutex::new(Bucket { left: BURST * COST, seen_at: now_ms }))
    }

    /// Takes one call; an error says how many whole seconds to wait.
    pub fn take(&self, now_ms: i64) -> Result<(), u64> {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = (now_ms - bucket.seen_at).clamp(0, BURST * COST / RATE);
        bucket.left = (bucket.left + passed * RATE).min(BURST * COST);
        bucket.seen_at = bucket.seen_at.max(now_ms);
        if bucket.left >= COST {
            bucket.left -= COST;
            return Ok(());
        }
        let missing_ms = (COST - bucket.left) / RATE;
        Err(u64::try_from(missing_ms).unwrap_or_default().div_ceil(1000).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_ten_a_second() {
        let limit = Limit::new(0);
        assert!((0..20).all(|_| limit.take(0).is_ok()));
        assert_eq!(limit.take(0), Err(1));
        assert!(limit.take(100).is_ok());
        assert_eq!(limit.take(150), Err(1));
        assert_eq!((0..50).filter(|_| limit.take(60_000).is_ok()).count(), 20);
    }
}

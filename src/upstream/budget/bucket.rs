//! The budget of a provider that states no limits: a bucket of tokens from our own settings.
//!
//! Doppler refuses calls that come too fast and documents neither numbers nor headers, so the
//! settings are a careful guess. A refusal halves the rate, and every call that goes through gives
//! a little of it back.

use crate::unified::Budget;
use crate::upstream::Priority;

use super::{Patience, Take};

/// The rate never falls below this share of what is configured.
const SLOWEST: f64 = 0.1;
/// What one good call gives back.
const RECOVERY: f64 = 0.01;
/// Share of the burst that background work leaves to people who wait.
const RESERVE: f64 = 0.3;

/// See the module. Times are epoch milliseconds.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Tokens a second as configured; 0: no limit.
    rate: f64,
    burst: f64,
    /// The share of the rate that refusals have left.
    scale: f64,
    tokens: f64,
    filled_at: Option<i64>,
    blocked: Patience,
}

impl Bucket {
    /// `rate` calls a second after a burst of `burst`; a rate of 0 means no limit of ours.
    pub(super) fn new(rate: f64, burst: u32) -> Self {
        let burst = f64::from(burst.max(1));
        Self {
            rate,
            burst,
            scale: 1.0,
            tokens: burst,
            filled_at: None,
            blocked: Patience::new(1_000, 30_000),
        }
    }

    pub(super) fn unlimited(&self, now: i64) -> bool {
        self.rate <= 0.0 && self.blocked.left(now).is_none()
    }

    pub(super) fn take(&mut self, now: i64, priority: Priority) -> Take {
        if let Some(left) = self.blocked.left(now) {
            return Take::Wait(left);
        }
        if self.rate <= 0.0 {
            return Take::Go;
        }
        self.fill(now);
        let needed = match priority {
            Priority::Interactive => 1.0,
            Priority::Background => (1.0 + self.burst * RESERVE).min(self.burst),
        };
        if self.tokens >= needed {
            self.tokens -= 1.0;
            return Take::Go;
        }
        Take::Wait(millis((needed - self.tokens) / (self.rate * self.scale)))
    }

    fn fill(&mut self, now: i64) {
        let since = now - self.filled_at.replace(now).unwrap_or(now);
        let seconds = f64::from(i32::try_from(since.max(0)).unwrap_or(i32::MAX)) / 1000.0;
        self.tokens = self.burst.min(self.tokens + seconds * self.rate * self.scale);
    }

    pub(super) fn unsent(&mut self) {
        self.tokens = self.burst.min(self.tokens + 1.0);
    }

    pub(super) fn answered(&mut self) {
        self.blocked.relax();
        self.scale = (self.scale + RECOVERY).min(1.0);
    }

    /// The provider refused a call for its rate. Answers how long to wait.
    pub(super) fn refused(&mut self, now: i64, retry_after_ms: Option<i64>) -> i64 {
        if self.blocked.left(now).is_none() {
            self.scale = (self.scale / 2.0).max(SLOWEST);
        }
        self.tokens = 0.0;
        self.filled_at = Some(now);
        self.blocked.hold(now, retry_after_ms)
    }

    pub(super) fn snapshot(&mut self, now: i64) -> (Budget, Option<i64>) {
        if self.rate <= 0.0 {
            return (Budget::default(), self.blocked.left(now));
        }
        self.fill(now);
        let missing = self.burst - self.tokens;
        let full_in = (missing > 0.0).then(|| millis(missing / (self.rate * self.scale)));
        let budget = Budget {
            limit: Some(whole(self.burst)),
            remaining: Some(whole(self.tokens)),
            ..Budget::default()
        };
        (budget, full_in.max(self.blocked.left(now)))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float saturates; waits are short")]
fn millis(seconds: f64) -> i64 {
    ((seconds * 1000.0).ceil() as i64).max(1)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float saturates; tokens are never negative"
)]
fn whole(tokens: f64) -> u32 {
    tokens.floor() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bucket: &mut Bucket, now: i64, priority: Priority) -> u32 {
        let mut taken = 0;
        while bucket.take(now, priority) == Take::Go {
            taken += 1;
        }
        taken
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let mut bucket = Bucket::new(5.0, 10);
        assert_eq!(taken(&mut bucket, 0, Priority::Interactive), 10);
        assert_eq!(bucket.take(0, Priority::Interactive), Take::Wait(200));
        assert_eq!(taken(&mut bucket, 1_000, Priority::Interactive), 5);
        assert_eq!(taken(&mut bucket, 60_000, Priority::Interactive), 10);
    }

    #[test]
    fn background_leaves_a_reserve() {
        let mut bucket = Bucket::new(5.0, 10);
        assert_eq!(taken(&mut bucket, 0, Priority::Background), 7);
        assert_eq!(taken(&mut bucket, 0, Priority::Interactive), 3);
    }

    #[test]
    fn a_refusal_slows_it_down_and_success_speeds_it_up() {
        let mut bucket = Bucket::new(10.0, 10);
        assert_eq!(bucket.refused(0, Some(2_000)), 2_000);
        assert_eq!(bucket.take(1_000, Priority::Interactive), Take::Wait(1_000));
        assert_eq!(taken(&mut bucket, 2_000, Priority::Interactive), 10, "filled meanwhile");
        assert_eq!(bucket.take(2_000, Priority::Interactive), Take::Wait(200), "half the rate");
        for _ in 0..50 {
            bucket.answered();
        }
        assert_eq!(bucket.take(2_000, Priority::Interactive), Take::Wait(100));
    }

    #[test]
    fn no_rate_is_no_limit_until_the_provider_refuses() {
        let mut bucket = Bucket::new(0.0, 1);
        assert!(bucket.unlimited(0));
        bucket.refused(0, None);
        assert!(!bucket.unlimited(0));
        assert!(matches!(bucket.take(0, Priority::Interactive), Take::Wait(_)));
    }
}

//! A wait that the provider asked for, or that doubles while it goes on refusing.

use std::time::Duration;

use crate::clock;

/// Until when not to ask. Times are epoch milliseconds.
#[derive(Debug)]
pub(super) struct Patience {
    until: i64,
    strikes: u32,
    shortest_ms: i64,
    longest_ms: i64,
}

impl Patience {
    /// Waits of at least and at most so many milliseconds where the provider states none.
    pub(super) const fn new(shortest_ms: i64, longest_ms: i64) -> Self {
        Self { until: 0, strikes: 0, shortest_ms, longest_ms }
    }

    /// How long there is still to wait; `None` when it is over.
    pub(super) fn left(&self, now: i64) -> Option<i64> {
        Some(self.until - now).filter(|left| *left > 0)
    }

    /// Starts or prolongs the wait and answers how long it is from now. Refusals that come while a
    /// wait is on (of calls sent before it began) do not double it.
    pub(super) fn hold(&mut self, now: i64, asked_ms: Option<i64>) -> i64 {
        let running = self.left(now);
        let wait = asked_ms.unwrap_or_else(|| match running {
            Some(left) => left,
            None => self.next(),
        });
        self.until = self.until.max(now + wait.max(1));
        self.until - now
    }

    fn next(&mut self) -> i64 {
        let doubled = self.shortest_ms << self.strikes.min(20);
        self.strikes += 1;
        // The provider's patience is not known, so ours is never shorter than stated.
        let longest = doubled.min(self.longest_ms);
        let spread = clock::jitter(Duration::from_millis(longest.unsigned_abs() / 2));
        longest + i64::try_from(spread.as_millis()).unwrap_or_default()
    }

    /// A call went through: the next wait begins short again.
    pub(super) fn relax(&mut self) {
        self.strikes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_its_limit_and_relaxes() {
        let mut patience = Patience::new(1_000, 4_000);
        let mut now = 0;
        for shortest in [1_000, 2_000, 4_000, 4_000] {
            let wait = patience.hold(now, None);
            assert!((shortest..=shortest * 3 / 2).contains(&wait), "{wait}");
            assert_eq!(patience.hold(now, None), wait, "a second refusal of the same burst");
            now += wait;
            assert_eq!(patience.left(now), None);
        }
        patience.relax();
        assert!(patience.hold(now, None) <= 1_500);
    }

    #[test]
    fn what_the_provider_asks_for_counts() {
        let mut patience = Patience::new(1_000, 4_000);
        assert_eq!(patience.hold(0, Some(60_000)), 60_000);
        assert_eq!(patience.left(59_999), Some(1));
    }
}

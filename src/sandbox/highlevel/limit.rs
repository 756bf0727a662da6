//! Rate limits per app and location: a burst in a sliding window and a quota a day, each shown on
//! every answer (docs/oauth/Authorization.md of GoHighLevel/highlevel-api-docs).
//!
//! The day is a rolling one from the first call, and `X-RateLimit-Daily-Reset` is its end in epoch
//! seconds: neither is documented. A refused call costs nothing.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::sandbox::settings::Settings;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The sizes of the two budgets.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Calls in one interval.
    pub burst: u32,
    /// The interval.
    pub interval_ms: i64,
    /// Calls in a day.
    pub daily: u32,
}

impl Sizes {
    /// The interval is the same for everybody.
    pub fn of(settings: &Settings) -> Self {
        Self { burst: settings.burst, interval_ms: 10_000, daily: settings.daily }
    }
}

/// The budgets of all apps.
#[derive(Debug, Default)]
pub struct Limits(Mutex<HashMap<String, Budget>>);

#[derive(Debug, Default)]
struct Budget {
    recent: VecDeque<i64>,
    day_began: Option<i64>,
    spent: u32,
}

/// What is left after a call.
#[derive(Clone, Copy, Debug)]
pub struct Left {
    /// Whether the call may go on.
    pub allowed: bool,
    sizes: Sizes,
    burst: u32,
    daily: u32,
    resets: i64,
}

impl Limits {
    /// Spends one call of `key`'s budgets, or with `cost` 0 only looks. When the sizes change, what
    /// was spent stays spent.
    pub fn spend(&self, key: &str, sizes: Sizes, now: i64, cost: u32) -> Left {
        let mut budgets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !budgets.contains_key(key) {
            budgets.insert(key.to_owned(), Budget::default());
        }
        let Some(budget) = budgets.get_mut(key) else {
            return Left { allowed: true, sizes, burst: 0, daily: 0, resets: now };
        };
        while budget.recent.front().is_some_and(|at| at + sizes.interval_ms <= now) {
            budget.recent.pop_front();
        }
        if budget.day_began.is_none_or(|began| began + DAY_MS <= now) {
            budget.day_began = Some(now);
            budget.spent = 0;
        }
        let used = u32::try_from(budget.recent.len()).unwrap_or(u32::MAX);
        let allowed = used < sizes.burst && budget.spent < sizes.daily;
        if allowed && cost > 0 {
            budget.recent.push_back(now);
            budget.spent += cost;
        }
        let used = u32::try_from(budget.recent.len()).unwrap_or(u32::MAX);
        Left {
            allowed,
            sizes,
            burst: sizes.burst.saturating_sub(used),
            daily: sizes.daily.saturating_sub(budget.spent),
            resets: budget.day_began.unwrap_or(now) + DAY_MS,
        }
    }
}

impl Left {
    /// As if the burst were spent.
    pub fn without_burst(self) -> Self {
        Self { allowed: false, burst: 0, ..self }
    }

    /// As if the day's quota were spent.
    pub fn without_day(self) -> Self {
        Self { allowed: false, daily: 0, ..self }
    }

    /// Writes the five headers that are documented and the sixth that was seen, unless it is
    /// switched off.
    pub fn write(self, headers: &mut HeaderMap, daily_reset: bool) {
        let interval = u64::try_from(self.sizes.interval_ms).unwrap_or_default();
        let resets = u64::try_from(self.resets / 1000).unwrap_or_default();
        for (name, value) in [
            ("x-ratelimit-limit-daily", u64::from(self.sizes.daily)),
            ("x-ratelimit-daily-remaining", u64::from(self.daily)),
            ("x-ratelimit-interval-milliseconds", interval),
            ("x-ratelimit-max", u64::from(self.sizes.burst)),
            ("x-ratelimit-remaining", u64::from(self.burst)),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
        if daily_reset {
            let name = HeaderName::from_static("x-ratelimit-daily-reset");
            headers.insert(name, HeaderValue::from(resets));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_burst_slides_and_the_day_rolls() {
        let limits = Limits::default();
        let sizes = Sizes { burst: 2, interval_ms: 10_000, daily: 3 };
        assert!(limits.spend("a", sizes, 0, 1).allowed);
        assert!(limits.spend("a", sizes, 6_000, 1).allowed);
        let refused = limits.spend("a", sizes, 9_999, 1);
        assert!(!refused.allowed && refused.burst == 0 && refused.daily == 1);
        assert!(limits.spend("b", sizes, 9_999, 1).allowed, "another app has its own budget");
        assert!(limits.spend("a", sizes, 10_000, 1).allowed, "the first call left the window");
        let day = limits.spend("a", sizes, 50_000, 1);
        assert!(!day.allowed && day.burst == 2 && day.daily == 0);
        assert!(limits.spend("a", sizes, DAY_MS, 1).allowed);
    }
}

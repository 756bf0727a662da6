//! The budget of a provider that states its limits in headers: a burst window and a day.
//!
//! A header is stale as soon as a second call is in flight, so the window keeps its own count too,
//! built to be wrong only on the safe side: a call takes its place when it is admitted and gives it
//! back one whole interval after its answer came, because the provider counted it somewhere in
//! between. That never overspends a sliding window, nor a fixed one. What the headers count beyond
//! that was spent by others on the same account, and is held against us for one interval.
//!
//! [`share`] is about several gateways: each then has some of the window's places only.

mod share;

use std::collections::VecDeque;

use crate::unified::Budget;
use crate::upstream::Priority;

use super::headers::Rates;
use super::{Patience, Take};

use share::Share;

/// HighLevel's documented interval, assumed until an answer says otherwise.
pub const DOCUMENTED_INTERVAL_MS: i64 = 10_000;
/// Calls in flight before the first answer has said what the limits are: an agency's test account
/// has a quarter of the documented limit, and the program may have been running a second ago.
pub(super) const BEFORE_FIRST_ANSWER: u32 = 16;
/// Both sides round to milliseconds; the provider's clock is not ours.
const MARGIN_MS: i64 = 5;
/// Share of the burst window that background work leaves to people who wait, while there are some.
const BURST_RESERVE_PERCENT: u32 = 30;
/// The same when nobody called for a person lately: the first call of whoever comes goes at once.
const QUIET_RESERVE_PERCENT: u32 = 1;
/// How many intervals after the last call for a person the larger reserve is kept.
const QUIET_AFTER: i64 = 2;
/// Share of the day that background work leaves to people who wait.
const DAILY_RESERVE_PERCENT: u32 = 10;

/// What is known of the provider's limits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Limits {
    /// Nothing was answered yet.
    Unknown,
    Stated,
    /// A proper answer came without rate headers: there are no limits to keep.
    None,
}

/// Before any moment, and far from overflowing.
const LONG_AGO: i64 = i64::MIN / 2;

/// How many of a window's calls background work leaves.
pub(super) fn reserve(max: u32, quiet: bool) -> u32 {
    let percent = if quiet { QUIET_RESERVE_PERCENT } else { BURST_RESERVE_PERCENT };
    (max * percent).div_ceil(100).min(max.saturating_sub(1))
}

/// Whether nobody called for a person lately.
pub(super) fn quiet(interactive_at: i64, now: i64, interval_ms: i64) -> bool {
    now - interactive_at > QUIET_AFTER * interval_ms
}

/// What is left of the day.
enum Today {
    Left,
    /// Nothing, by the last answer; nobody states when the day ends, so a single call finds out, ever
    /// more seldom. It counts only when it is made: it may still have to wait for a place.
    Asked,
    Spent(Take),
}

/// See the module. Times are epoch milliseconds.
#[derive(Debug)]
pub(super) struct Window {
    limits: Limits,
    max: u32,
    interval_ms: i64,
    in_flight: u32,
    /// When each call of the last interval was answered, oldest first.
    answered_at: VecDeque<i64>,
    /// Calls by others on the same account, and until when they count.
    foreign: u32,
    foreign_until: i64,
    daily_limit: Option<u32>,
    daily_remaining: Option<u32>,
    daily_reset: Option<i64>,
    /// When an answer said so.
    daily_at: i64,
    blocked: Patience,
    exhausted: Patience,
    /// When a call for a person was last asked for.
    interactive_at: i64,
    /// `None`: the whole window is ours.
    share: Option<Share>,
}

impl Window {
    /// `max` calls an interval until an answer says otherwise; 0: no limit until then.
    pub(super) fn new(max: u32) -> Self {
        Self {
            limits: if max == 0 { Limits::None } else { Limits::Unknown },
            max,
            interval_ms: DOCUMENTED_INTERVAL_MS,
            in_flight: 0,
            answered_at: VecDeque::new(),
            foreign: 0,
            foreign_until: 0,
            daily_limit: None,
            daily_remaining: None,
            daily_reset: None,
            daily_at: 0,
            blocked: Patience::new(1_000, 30_000),
            exhausted: Patience::new(5_000, 15 * 60_000),
            interactive_at: LONG_AGO,
            share: None,
        }
    }

    /// Whether calls need not ask at all.
    pub(super) fn unlimited(&self, now: i64) -> bool {
        self.limits == Limits::None && self.blocked.left(now).is_none() && !self.spent_today()
    }

    /// Admits one call or says when to ask again.
    pub(super) fn take(&mut self, now: i64, priority: Priority) -> Take {
        if priority == Priority::Interactive {
            self.interactive_at = self.interactive_at.max(now);
        }
        if let Some(left) = self.blocked.left(now) {
            return Take::Wait(left);
        }
        let probes = match self.day(now, priority) {
            Today::Spent(refusal) => return refusal,
            Today::Asked => true,
            Today::Left => false,
        };
        if self.limits != Limits::None
            && let Some(wait) = self.burst(now, priority)
        {
            return wait;
        }
        if probes {
            self.exhausted.hold(now, None);
        }
        self.in_flight += 1;
        self.mark_taken(now);
        Take::Go
    }

    fn burst(&mut self, now: i64, priority: Priority) -> Option<Take> {
        self.forget(now);
        if self.limits == Limits::Unknown && self.in_flight >= BEFORE_FIRST_ANSWER {
            return Some(Take::WaitForAnswer);
        }
        let size = self.size(now);
        let allowed = match priority {
            Priority::Interactive => size,
            // What is shared has its reserve where nobody has it.
            Priority::Background if self.share.is_some() => size,
            Priority::Background => {
                size - reserve(size, quiet(self.interactive_at, now, self.interval_ms))
            }
        };
        let used = self.used();
        if used < allowed {
            return None;
        }
        // The place that frees up last of those that must, counted from the oldest answer.
        let places = (used - allowed) as usize;
        let release = match self.answered_at.get(places) {
            Some(answered) => answered + self.interval_ms,
            None if self.foreign > 0 => self.foreign_until,
            None => now + self.interval_ms,
        };
        Some(Take::Wait((release + MARGIN_MS - now).max(1)))
    }

    fn day(&self, now: i64, priority: Priority) -> Today {
        let Some(remaining) = self.daily_remaining else { return Today::Left };
        if priority == Priority::Background {
            let reserve = self.daily_limit.unwrap_or(0) / 100 * DAILY_RESERVE_PERCENT;
            if remaining <= reserve {
                return Today::Spent(Take::SpentToday(self.until_tomorrow(now)));
            }
        }
        let remaining = remaining.saturating_sub(self.elsewhere());
        if remaining > self.in_flight {
            return Today::Left;
        }
        if remaining > 0 {
            return Today::Spent(Take::WaitForAnswer);
        }
        if self.exhausted.left(now).is_some() {
            return Today::Spent(Take::SpentToday(self.until_tomorrow(now)));
        }
        Today::Asked
    }

    fn spent_today(&self) -> bool {
        self.daily_remaining.is_some_and(|remaining| remaining <= self.elsewhere())
    }

    fn until_tomorrow(&self, now: i64) -> i64 {
        let reset = self.daily_reset.map(|reset| reset - now).filter(|left| *left > 0);
        reset.or(self.exhausted.left(now)).unwrap_or(60_000)
    }

    /// A call that was admitted will never be sent.
    pub(super) fn unsent(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// A call that was admitted is over, whatever became of it.
    pub(super) fn over(&mut self, now: i64) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if self.limits != Limits::None {
            self.answered_at.push_back(now);
        }
    }

    /// A proper answer came (while its call still counts as in flight).
    pub(super) fn answered(&mut self, now: i64, rates: &Rates) {
        self.blocked.relax();
        if rates.present() {
            self.learn(now, rates);
        } else {
            self.limits = Limits::None;
            self.daily_remaining = None;
            self.answered_at.clear();
        }
        if !self.spent_today() {
            self.exhausted.relax();
        }
    }

    fn learn(&mut self, now: i64, rates: &Rates) {
        self.limits = Limits::Stated;
        self.max = rates.max.unwrap_or(self.max);
        self.interval_ms = rates.interval_ms.unwrap_or(self.interval_ms);
        self.daily_limit = rates.daily_limit.or(self.daily_limit);
        self.daily_reset = rates.daily_reset.or(self.daily_reset);
        let was_spent = self.spent_today();
        if rates.daily_remaining.is_some() {
            (self.daily_remaining, self.daily_at) = (rates.daily_remaining, now);
        }
        if self.spent_today() && !was_spent {
            self.exhausted.hold(now, None);
        }
        self.forget(now);
        if let Some(remaining) = rates.remaining {
            let ours = self.in_flight + count(&self.answered_at);
            // What other gateways spend of their places is not foreign.
            let others = self.size(now).saturating_sub(remaining).saturating_sub(ours);
            // With one call in flight the difference is exact; otherwise it is a lower bound.
            if others >= self.foreign || self.in_flight <= 1 {
                self.foreign = others;
                self.foreign_until = now + self.interval_ms;
            }
        }
    }

    /// The provider refused a call for its rate. Answers how long to wait and whether until
    /// tomorrow.
    pub(super) fn refused(
        &mut self,
        now: i64,
        rates: &Rates,
        retry_after_ms: Option<i64>,
    ) -> (i64, bool) {
        if rates.present() {
            self.learn(now, rates);
        }
        if rates.daily_remaining == Some(0) {
            if let Some(wait) = retry_after_ms {
                self.daily_reset = Some(now + wait);
            }
            self.exhausted.hold(now, None);
            return (self.until_tomorrow(now), true);
        }
        if let Some(wait) = retry_after_ms {
            // The provider knows better than our reckoning when others' calls leave its window.
            self.foreign_until = self.foreign_until.min(now + wait - MARGIN_MS);
        }
        let spent = rates.remaining == Some(0);
        let asked = retry_after_ms.or(spent.then_some(self.interval_ms + MARGIN_MS));
        (self.blocked.hold(now, asked), false)
    }

    fn forget(&mut self, now: i64) {
        let expired = now - self.interval_ms - MARGIN_MS;
        while self.answered_at.front().is_some_and(|answered| *answered <= expired) {
            self.answered_at.pop_front();
        }
        if self.foreign_until + MARGIN_MS <= now {
            self.foreign = 0;
        }
    }

    fn used(&self) -> u32 {
        self.in_flight + count(&self.answered_at) + self.foreign
    }

    /// What is left, for people to look at; and when the window is full again.
    pub(super) fn snapshot(&mut self, now: i64) -> (Budget, Option<i64>) {
        self.forget(now);
        if self.limits != Limits::Stated {
            let daily = Budget { daily_remaining: self.daily_remaining, ..Budget::default() };
            return (daily, self.blocked.left(now));
        }
        let last = self.answered_at.back().map(|answered| answered + self.interval_ms - now);
        let foreign = (self.foreign > 0).then(|| self.foreign_until - now);
        let budget = Budget {
            limit: Some(self.max),
            // Places that lapsed while calls were under way leave more of those than there are places.
            remaining: Some((self.size(now) + self.lying_free(now)).saturating_sub(self.used())),
            resets_at: None,
            daily_limit: self.daily_limit,
            daily_remaining: self.daily_remaining,
        };
        (budget, last.max(foreign).max(self.blocked.left(now)))
    }
}

fn count(times: &VecDeque<i64>) -> u32 {
    u32::try_from(times.len()).unwrap_or(u32::MAX)
}

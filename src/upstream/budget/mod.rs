//! How many calls a system still allows, asked before every call.
//!
//! A call is never sent to be refused: it waits here while its deadline allows and fails here at
//! once when it does not. [`window`] follows a provider that states its limits, [`bucket`] stands
//! in for one that does not. Both are plain state machines over a moment in time; this file shares
//! one of them between tasks. Where several gateways call the same account, [`sharing`] has each lease
//! its part of the window from a [`pool`] in the store.

mod bucket;
mod headers;
mod patience;
mod pool;
mod sharing;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
mod window;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use reqwest::header::HeaderMap;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::unified::Budget;

use super::{Call, Kind};

use bucket::Bucket;
use headers::Rates;
use patience::Patience;
use sharing::{AGAIN, Line};
use window::Window;

pub use sharing::{Change, SharedBudget, Unshared};
pub use window::DOCUMENTED_INTERVAL_MS;

/// The answer to a call that asks to be let through. Durations are milliseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Take {
    Go,
    Wait(i64),
    /// Nothing can be said before one of the calls in flight is answered.
    WaitForAnswer,
    SpentToday(i64),
}

#[derive(Debug)]
enum Rule {
    Stated(Window),
    Own(Bucket),
}

/// Longer than any deadline.
const A_DAY: Duration = Duration::from_hours(24);

/// One system's budget for one account, shared by everybody who calls it.
#[derive(Debug)]
pub struct Allowance {
    clock: Clock,
    rule: Mutex<Rule>,
    /// Whether the provider's headers count.
    stated: bool,
    /// True while there is nothing to keep, so that the usual load test takes no lock.
    free: AtomicBool,
    turned: Notify,
    line: Line,
}

impl Allowance {
    /// Follows the provider's rate headers; until the first, `burst` calls in ten seconds (0: as
    /// many as are asked for).
    pub fn stated_by_provider(clock: Clock, burst: u32) -> Self {
        Self::new(clock, Rule::Stated(Window::new(burst)))
    }

    /// Keeps `rate` calls a second after a burst of `burst`; a rate of 0 means no limit of ours.
    pub fn own(clock: Clock, rate: f64, burst: u32) -> Self {
        Self::new(clock, Rule::Own(Bucket::new(rate, burst)))
    }

    fn new(clock: Clock, rule: Rule) -> Self {
        let stated = matches!(rule, Rule::Stated(_));
        let free = match &rule {
            Rule::Stated(window) => window.unlimited(0),
            Rule::Own(bucket) => bucket.unlimited(0),
        };
        Self {
            clock,
            rule: Mutex::new(rule),
            stated,
            free: AtomicBool::new(free),
            turned: Notify::new(),
            line: Line::default(),
        }
    }

    /// Waits for a place. Errors with [`Kind::RateLimited`] at once when none comes free before the
    /// deadline, and with [`Kind::Timeout`] when nothing was heard until then. Cancel-safe.
    pub async fn acquire(&self, call: &Call) -> Result<Ticket<'_>, Kind> {
        if self.is_free() {
            return Ok(Ticket(None));
        }
        match self.lock_and_take(call) {
            Take::Go => Ok(Ticket(Some(self))),
            // Its timers are large, and every call would make room for them.
            Take::SpentToday(_) | Take::WaitForAnswer | Take::Wait(_) => {
                Box::pin(self.queue(call)).await
            }
        }
    }

    async fn queue(&self, call: &Call) -> Result<Ticket<'_>, Kind> {
        let mut place = self.line.enter(call.priority);
        loop {
            let turned = self.turned.notified();
            tokio::pin!(turned);
            turned.as_mut().enable();
            let wait = match self.lock_and_take(call) {
                Take::Go => return Ok(Ticket(Some(self))),
                Take::SpentToday(left) => {
                    return Err(Kind::RateLimited { retry_after: millis(left), daily: true });
                }
                Take::WaitForAnswer => None,
                Take::Wait(left) => Some(millis(left)),
            };
            // Places that other gateways leave may be had sooner than ours are free again.
            let hopes = wait.is_some() && place.ask(self.clock.now_ms());
            if let Some(retry_after) = wait.filter(|_| !hopes)
                && Instant::now() + retry_after > call.deadline
            {
                return Err(Kind::RateLimited { retry_after, daily: false });
            }
            let again = if hopes { AGAIN } else { A_DAY };
            tokio::select! {
                () = turned => {}
                () = self.clock.sleep(wait.unwrap_or(A_DAY).min(again)) => {}
                () = tokio::time::sleep_until(call.deadline) => {
                    return Err(match wait {
                        Some(retry_after) => Kind::RateLimited { retry_after, daily: false },
                        None => Kind::Timeout,
                    });
                }
            }
        }
    }

    fn lock_and_take(&self, call: &Call) -> Take {
        let now = self.clock.now_ms();
        match &mut *self.lock() {
            Rule::Stated(window) => window.take(now, call.priority),
            Rule::Own(bucket) => bucket.take(now, call.priority),
        }
    }

    /// An answer came; call it while its ticket is still held. Only a `success` without rate headers
    /// means that there are no limits: an error page may come from something in between.
    pub fn answered(&self, headers: &HeaderMap, success: bool) {
        let now = self.clock.now_ms();
        let rates = if self.stated { Rates::read(headers, now) } else { Rates::default() };
        if !rates.present() && (!success || self.is_free()) {
            return;
        }
        let mut rule = self.lock();
        match &mut *rule {
            Rule::Stated(window) => window.answered(now, &rates),
            Rule::Own(bucket) => bucket.answered(),
        }
        self.settle(&rule);
        drop(rule);
        self.turned.notify_waiters();
    }

    /// The provider refused a call for its rate: how long to wait, and whether until tomorrow.
    pub fn refused(&self, headers: &HeaderMap) -> (Duration, bool) {
        let now = self.clock.now_ms();
        let asked = headers::retry_after(headers)
            .map(|wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2));
        let mut rule = self.lock();
        let (wait, daily) = match &mut *rule {
            Rule::Stated(window) => window.refused(now, &Rates::read(headers, now), asked),
            Rule::Own(bucket) => (bucket.refused(now, asked), false),
        };
        self.settle(&rule);
        drop(rule);
        self.turned.notify_waiters();
        (millis(wait), daily)
    }

    /// What is left, for people to look at.
    pub fn snapshot(&self) -> Budget {
        let now = self.clock.now_ms();
        let (budget, full_in) = match &mut *self.lock() {
            Rule::Stated(window) => window.snapshot(now),
            Rule::Own(bucket) => bucket.snapshot(now),
        };
        let resets_at = full_in
            .filter(|left| *left > 0)
            .and_then(TimeDelta::try_milliseconds)
            .and_then(|left| self.clock.now().checked_add_signed(left));
        Budget { resets_at, ..budget }
    }

    /// Whether there is nothing to keep.
    fn is_free(&self) -> bool {
        self.free.load(Ordering::Acquire)
    }

    fn settle(&self, rule: &Rule) {
        let now = self.clock.now_ms();
        let free = match rule {
            Rule::Stated(window) => window.unlimited(now),
            Rule::Own(bucket) => bucket.unlimited(now),
        };
        self.free.store(free, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Rule> {
        self.rule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the budget, held while a call is under way.
#[derive(Debug)]
pub struct Ticket<'a>(Option<&'a Allowance>);

impl Ticket<'_> {
    /// The call was certainly not sent: gives the place back.
    pub fn unsent(mut self) {
        if let Some(allowance) = self.0.take() {
            match &mut *allowance.lock() {
                Rule::Stated(window) => window.unsent(),
                Rule::Own(bucket) => bucket.unsent(),
            }
            allowance.turned.notify_waiters();
        }
    }
}

impl Drop for Ticket<'_> {
    /// A dropped call may have reached the provider all the same, so it counts.
    fn drop(&mut self) {
        if let Some(allowance) = self.0.take() {
            let now = allowance.clock.now_ms();
            if let Rule::Stated(window) = &mut *allowance.lock() {
                window.over(now);
            }
        }
    }
}

fn millis(millis: i64) -> Duration {
    Duration::from_millis(millis.max(0).unsigned_abs())
}

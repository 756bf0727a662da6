//! Stops asking a system that does not answer.
//!
//! Without it, each request to a hanging system would wait until its own deadline. After a few
//! failures in a row calls fail at once for a while; then one call at a time finds out whether the
//! system is back.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row that open it.
const THRESHOLD: u32 = 5;
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// Failures since the last success: the only thing that a healthy system's calls look at.
    failures: AtomicU32,
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    until: Instant,
    pause: Duration,
    probing: bool,
}

/// Leave to make a call. Dropped without a result (the caller gave up), it counts as neither.
#[derive(Debug)]
pub(super) struct Leave<'a> {
    breaker: &'a Breaker,
    probe: bool,
}

impl Breaker {
    /// Leave to call, or `None` to fail at once.
    pub(super) fn admit(&self, now: Instant) -> Option<Leave<'_>> {
        if self.failures.load(Ordering::Relaxed) < THRESHOLD {
            return Some(Leave { breaker: self, probe: false });
        }
        match &mut *self.lock() {
            None => Some(Leave { breaker: self, probe: false }),
            Some(open) if open.probing || now < open.until => None,
            Some(open) => {
                open.probing = true;
                Some(Leave { breaker: self, probe: true })
            }
        }
    }

    /// Whether a call would fail at once; takes no leave.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.failures.load(Ordering::Relaxed) >= THRESHOLD
            && self.lock().as_ref().is_some_and(|open| open.probing || now < open.until)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leave<'_> {
    /// The system answered, whatever it said.
    pub(super) fn answered(self) {
        if self.breaker.failures.load(Ordering::Relaxed) != 0 {
            let mut open = self.breaker.lock();
            self.breaker.failures.store(0, Ordering::Relaxed);
            *open = None;
        }
    }

    /// The system could not be reached or did not answer.
    pub(super) fn failed(self, now: Instant) {
        let failures = self.breaker.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures < THRESHOLD {
            return;
        }
        let mut open = self.breaker.lock();
        match &mut *open {
            // Calls that were already under way say nothing new.
            Some(_) if !self.probe => {}
            Some(open) => {
                open.pause = (open.pause * 2).min(LONGEST);
                open.until = now + open.pause;
            }
            None => *open = Some(Open { until: now + SHORTEST, pause: SHORTEST, probing: false }),
        }
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if self.probe
            && let Some(open) = &mut *self.breaker.lock()
        {
            open.probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breaker: &Breaker, now: Instant, times: u32) {
        for _ in 0..times {
            breaker.admit(now).unwrap().failed(now);
        }
    }

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        fail(&breaker, now, THRESHOLD - 1);
        breaker.admit(now).unwrap().answered();
        fail(&breaker, now, THRESHOLD - 1);
        assert!(breaker.admit(now).is_some());
        fail(&breaker, now, 1);
        assert!(breaker.admit(now).is_none());
    }

    #[test]
    fn one_probe_at_a_time_and_the_pause_doubles() {
        let (breaker, mut now) = (Breaker::default(), Instant::now());
        fail(&breaker, now, THRESHOLD);
        for pause in [1, 2, 4, 8, 15, 15] {
            now += Duration::from_secs(pause);
            assert!(breaker.admit(now - Duration::from_millis(1)).is_none());
            let probe = breaker.admit(now).unwrap();
            assert!(breaker.admit(now).is_none(), "a second probe");
            probe.failed(now);
        }
        now += LONGEST;
        drop(breaker.admit(now).unwrap());
        breaker.admit(now).expect("an abandoned probe makes room").answered();
        fail(&breaker, now, THRESHOLD - 1);
        assert!(breaker.admit(now).is_some(), "an answer closes it");
    }

    #[test]
    fn stragglers_do_not_prolong_it() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        let stragglers: Vec<_> = (0..64).map(|_| breaker.admit(now).unwrap()).collect();
        for straggler in stragglers {
            straggler.failed(now);
        }
        assert!(breaker.admit(now + SHORTEST).is_some());
    }
}

//! Whether anything may be written: HighLevel's credential decides for both systems, so that no person is
//! half written.
//!
//! While it is known to only read, work in the background waits as it is, and nothing counts as tried. Whoever
//! watches the credential brings it forward once it may write. Where only a refused write told of it, nobody
//! hears when the token is given the right: so now and then one contact is tried, HighLevel first.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;

use crate::store::{Lease, Next, Priority, Record};
use crate::upstream::{Directory, Writing};

use super::{Error, Inner};

/// When to look again without having heard that writing was granted.
pub(super) const UNTIL_GRANTED: TimeDelta = TimeDelta::minutes(10);

/// When the last contact was tried, in epoch milliseconds; 0: none was.
#[derive(Debug, Default)]
pub(super) struct Trial(AtomicI64);

impl Trial {
    /// Whether one may be tried at `now_ms`. The first one after a while, and never at once.
    fn is_due(&self, now_ms: i64) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        if last != 0 && now_ms - last < UNTIL_GRANTED.num_milliseconds() {
            return false;
        }
        let mine =
            self.0.compare_exchange(last, now_ms, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        mine && last != 0
    }
}

impl Inner {
    /// What is known of whether HighLevel's credential may write.
    pub(super) fn writing(&self) -> Writing {
        Directory::status(&*self.parts.crm).writing
    }

    /// Puts work off that may not write anything; whether it did.
    pub(super) async fn put_off(&self, lease: &Lease) -> Result<bool, Error> {
        let now = self.parts.clock.now();
        let barred = match self.writing() {
            Writing::Unknown | Writing::Seen => false,
            Writing::Forbidden => true,
            // What a client asked for is not what is tried.
            Writing::Refused if lease.priority == Priority::Client => true,
            Writing::Refused => !self.trial.is_due(now.timestamp_millis()),
        };
        if barred {
            let record = Record { next: Next::Again(now + UNTIL_GRANTED), ..Record::default() };
            self.parts.store.record(lease, record, now).await?;
        }
        Ok(barred)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_tried_now_and_then() {
        let trial = Trial::default();
        let minutes = |minutes| TimeDelta::minutes(minutes).num_milliseconds();
        let due = [1, 2, 11, 12, 20, 21].map(|at| trial.is_due(minutes(at)));
        assert_eq!(due, [false, false, true, false, false, true]);
    }
}

//! How a connection is doing, as told by the calls that were made over it.
//!
//! Nothing here calls the system: the state follows from answers, and goes back by itself with the
//! next one that is good. A refused write would keep that one away, so it counts for a while only.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Effect, Kind, UpstreamState, Writing};

/// How long a refused write bars others: nobody hears when the token is given the right, so a write
/// has to find out.
pub const REFUSAL_COUNTS: TimeDelta = TimeDelta::minutes(10);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Epoch milliseconds; 0: never.
    called_at: AtomicI64,
    /// Whether `trouble` says anything, so that good calls take no lock.
    troubled: AtomicBool,
    /// Whether a write was ever taken or refused for what it said: the credential allows writing.
    wrote: AtomicBool,
    trouble: Mutex<Trouble>,
}

#[derive(Clone, Debug, Default)]
struct Trouble {
    last_error: Option<Kind>,
    failing: bool,
    reauthorize: bool,
    /// When a write was last refused, in epoch milliseconds.
    write_refused: Option<i64>,
}

impl Trouble {
    /// Whether writes are refused, as far as that still counts.
    fn bars_writes(&self, now_ms: i64) -> bool {
        let until = |refused: i64| refused + REFUSAL_COUNTS.num_milliseconds();
        self.write_refused.is_some_and(|refused| now_ms < until(refused))
    }
}

impl Health {
    /// A call goes out.
    pub(super) fn called(&self, now_ms: i64) {
        self.called_at.store(now_ms, Ordering::Relaxed);
    }

    /// A call was answered as it should be.
    pub(super) fn good(&self, effect: Effect) {
        if effect.writes() && !self.wrote.load(Ordering::Relaxed) {
            self.wrote.store(true, Ordering::Relaxed);
        }
        if !self.troubled.load(Ordering::Acquire) {
            return;
        }
        self.change(|trouble| {
            let write_refused = trouble.write_refused.filter(|_| !effect.writes());
            *trouble = Trouble { write_refused, ..Trouble::default() };
        });
    }

    /// A call failed.
    pub(super) fn bad(&self, kind: &Kind, effect: Effect) {
        match kind {
            // The system did its part: what was asked for was not there or not right.
            Kind::NotFound
            | Kind::ListGone
            | Kind::Duplicate { .. }
            | Kind::OptedOut { .. }
            | Kind::Busy
            | Kind::Full
            | Kind::Rejected { .. } => self.good(effect),
            Kind::ScopeMissing(_) => self.change(|trouble| {
                trouble.failing = false;
                trouble.reauthorize = false;
                if effect.writes() {
                    // When it went out is near enough.
                    trouble.write_refused = Some(self.called_at.load(Ordering::Relaxed));
                }
                trouble.last_error = Some(kind.clone());
            }),
            Kind::Unauthorized => self.change(|trouble| {
                trouble.reauthorize = true;
                trouble.last_error = Some(kind.clone());
            }),
            Kind::RateLimited { .. } | Kind::Unavailable | Kind::Timeout | Kind::Malformed => {
                self.change(|trouble| {
                    trouble.failing = true;
                    trouble.last_error = Some(kind.clone());
                });
            }
            // Says nothing of the system.
            Kind::NotConnected => {}
        }
    }

    fn change(&self, change: impl FnOnce(&mut Trouble)) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut trouble);
        let any = trouble.failing || trouble.reauthorize || trouble.write_refused.is_some();
        self.troubled.store(any || trouble.last_error.is_some(), Ordering::Release);
    }

    /// The state now, given what is configured.
    pub(super) fn state(&self, connected: bool, may_write: bool, now_ms: i64) -> UpstreamState {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if !connected {
            UpstreamState::NotConnected
        } else if trouble.reauthorize {
            UpstreamState::NeedsReauthorization
        } else if trouble.failing {
            UpstreamState::Degraded
        } else if trouble.bars_writes(now_ms) || !may_write {
            UpstreamState::ReadOnly
        } else {
            UpstreamState::Connected
        }
    }

    /// What is known of whether the credential may write, given what its scopes say.
    pub(super) fn writing(&self, may_write: bool, now_ms: i64) -> Writing {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if !may_write {
            Writing::Forbidden
        } else if trouble.bars_writes(now_ms) {
            Writing::Refused
        } else if trouble.write_refused.is_some() {
            Writing::Doubted
        } else if self.wrote.load(Ordering::Relaxed) {
            Writing::Seen
        } else {
            Writing::Unknown
        }
    }

    /// Forgets what another credential was seen to be allowed.
    pub(super) fn another_credential(&self) {
        self.wrote.store(false, Ordering::Relaxed);
        self.change(|trouble| {
            trouble.write_refused = None;
            trouble.reauthorize = false;
        });
    }

    /// The last failure since the last good call.
    pub(super) fn last_error(&self) -> Option<Kind> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).last_error.clone()
    }

    /// When the system was last called.
    pub(super) fn called_at(&self) -> Option<DateTime<Utc>> {
        let at = self.called_at.load(Ordering::Relaxed);
        (at != 0).then(|| DateTime::from_timestamp_millis(at)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_answers_and_recovers_by_itself() {
        let health = Health::default();
        assert_eq!(health.state(false, true, 0), UpstreamState::NotConnected);
        assert_eq!(health.state(true, true, 0), UpstreamState::Connected);
        assert_eq!(health.called_at(), None);
        for (kind, state) in [
            (Kind::Unavailable, UpstreamState::Degraded),
            (Kind::Malformed, UpstreamState::Degraded),
            (Kind::Unauthorized, UpstreamState::NeedsReauthorization),
        ] {
            health.bad(&kind, Effect::Read);
            assert_eq!(health.state(true, true, 0), state);
            assert_eq!(health.last_error(), Some(kind));
            health.good(Effect::Read);
            assert_eq!(health.state(true, true, 0), UpstreamState::Connected);
            assert_eq!(health.last_error(), None);
        }
        health.bad(&Kind::Timeout, Effect::Read);
        health.bad(&Kind::NotFound, Effect::Read);
        assert_eq!(health.state(true, true, 0), UpstreamState::Connected, "not found is an answer");
    }

    #[test]
    fn a_refused_write_makes_it_read_only_until_a_write_succeeds() {
        let health = Health::default();
        health.bad(&Kind::ScopeMissing("tags.readonly"), Effect::Read);
        assert_eq!(health.state(true, true, 0), UpstreamState::Connected);
        health.bad(&Kind::ScopeMissing("contacts.write"), Effect::Write);
        health.good(Effect::Read);
        assert_eq!(health.writing(true, 0), Writing::Refused);
        assert_eq!(health.state(true, true, 0), UpstreamState::ReadOnly);
        health.bad(&Kind::Timeout, Effect::Read);
        assert_eq!(health.state(true, true, 0), UpstreamState::Degraded);
        assert!(
            health.writing(true, 0).is_read_only(),
            "a system that fails takes no writes either"
        );
        health.good(Effect::Repeatable);
        assert_eq!(health.state(true, true, 0), UpstreamState::Connected);
        assert_eq!(health.writing(true, 0), Writing::Seen);
        assert_eq!(health.writing(false, 0), Writing::Forbidden);
        health.bad(&Kind::ScopeMissing("contacts.write"), Effect::Repeatable);
        assert_eq!(health.state(true, true, 0), UpstreamState::ReadOnly);
        health.good(Effect::Write);
        assert_eq!(health.state(true, true, 0), UpstreamState::Connected);
        assert_eq!(health.state(true, false, 0), UpstreamState::ReadOnly, "by its scopes");
    }

    #[test]
    fn a_refused_write_is_tried_again_after_a_while() {
        let health = Health::default();
        let minutes = |minutes| TimeDelta::minutes(minutes).num_milliseconds();
        let refused = |at| {
            health.called(at);
            health.bad(&Kind::ScopeMissing("contacts.write"), Effect::Write);
        };
        let seen = |at| (health.writing(true, at), health.state(true, true, at));
        let barred = (Writing::Refused, UpstreamState::ReadOnly);
        let doubted = (Writing::Doubted, UpstreamState::Connected);
        refused(minutes(1));
        assert_eq!([1, 10, 11].map(|at| seen(minutes(at))), [barred, barred, doubted]);
        health.good(Effect::Read);
        assert_eq!(seen(minutes(11)), doubted, "a read tells nothing of it");
        refused(minutes(12));
        assert_eq!([12, 21, 22].map(|at| seen(minutes(at))), [barred, barred, doubted]);
        health.good(Effect::Write);
        assert_eq!(seen(minutes(22)), (Writing::Seen, UpstreamState::Connected));
        refused(minutes(23));
        health.another_credential();
        assert_eq!(seen(minutes(23)), (Writing::Unknown, UpstreamState::Connected));
    }
}

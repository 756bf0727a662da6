//! One request's dealings: how fresh it wants things, how long it waits, what it has used.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::auth::Requester;
use crate::cache::{Demand, Token};
use crate::unified::System;
use crate::upstream::{Call, Meter, Priority};

/// One request's dealings with the use cases.
#[derive(Debug)]
pub struct Session {
    pub requester: Requester,
    pub(super) call: Call,
    pub(super) demand: Demand,
    /// How many people the request is about, as far as it has come to light.
    people: Arc<AtomicU32>,
    /// When the request came, in epoch milliseconds.
    pub(super) began_ms: i64,
    /// Whether a last known copy may stand in for a system that cannot be asked.
    pub(super) stale_allowed: bool,
    /// Whether nothing but last known copies is wanted.
    pub(super) recalls: bool,
    used: Arc<Mutex<Used>>,
}

/// What a request's answer was made of.
#[derive(Debug)]
pub struct Used {
    pub tokens: Vec<Token>,
    /// When the first part ceases to count, in epoch milliseconds.
    pub expires_ms: i64,
    /// Whether the answer may be given to others with the same request.
    pub shareable: bool,
}

/// How fresh a request wants its answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Nothing read before the request counts.
    pub no_cache: bool,
    /// Nothing older counts.
    pub max_age: Option<Duration>,
    /// No upstream call is made.
    pub only_cached: bool,
}

impl Session {
    /// A session that begins now (`now_ms`) and waits until `deadline` at most.
    pub fn new(requester: Requester, wanted: Wanted, now_ms: i64, deadline: Instant) -> Self {
        let not_before_ms = match (wanted.no_cache, wanted.max_age) {
            (true, _) => now_ms,
            (false, Some(age)) => {
                now_ms.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
            }
            (false, None) => i64::MIN,
        };
        let meter = Arc::new(Meter::default());
        Self {
            requester,
            call: Call { deadline, priority: Priority::Interactive, meter },
            demand: Demand {
                not_before_ms,
                only_cached: wanted.only_cached,
                deadline: Some(deadline),
            },
            people: Arc::default(),
            began_ms: now_ms,
            stale_allowed: !wanted.no_cache && wanted.max_age.is_none(),
            recalls: false,
            used: Arc::new(Mutex::new(Used {
                tokens: Vec::new(),
                expires_ms: i64::MAX,
                shareable: true,
            })),
        }
    }

    /// The same dealings in half the time that is left: for a look-up on which other reads depend,
    /// so that a system that hangs does not use up the other's time.
    pub(super) fn in_half_the_time(&self) -> Self {
        let left = self.call.deadline.saturating_duration_since(Instant::now());
        let deadline = Instant::now() + left / 2;
        let call = Call { deadline, ..self.call.clone() };
        let demand = Demand { deadline: Some(deadline), ..self.demand };
        let (people, used) = (Arc::clone(&self.people), Arc::clone(&self.used));
        Self { requester: self.requester.clone(), call, demand, people, used, ..*self }
    }

    /// Says that so many people will be asked about. Their two sides are loaded in batches, of which
    /// one that leaves early may hold one person only: how it is best asked for them depends on all.
    pub(super) fn expect_people(&self, people: u32) {
        self.people.fetch_max(people, Ordering::Relaxed);
    }

    /// See [`Session::expect_people`].
    pub(super) fn people(&self) -> u32 {
        self.people.load(Ordering::Relaxed)
    }

    /// The same dealings with what is remembered: nothing is asked of a system.
    pub(super) fn recalling(&self) -> Self {
        Self {
            requester: self.requester.clone(),
            call: self.call.clone(),
            demand: Demand { not_before_ms: i64::MIN, only_cached: true, ..self.demand },
            stale_allowed: true,
            recalls: true,
            people: Arc::clone(&self.people),
            used: Arc::clone(&self.used),
            ..*self
        }
    }

    /// Calls made so far to one system.
    pub fn calls(&self, system: System) -> u32 {
        self.call.meter.calls(system)
    }

    /// Calls that were not needed so far.
    pub fn calls_saved(&self) -> u32 {
        self.call.meter.calls_saved()
    }

    /// Marks the answer as this request's own: it says something that changes with the asking.
    pub fn keep_private(&self) {
        self.lock().shareable = false;
    }

    /// What was used so far; emptied.
    pub fn take_used(&self) -> Used {
        let fresh = Used { tokens: Vec::new(), expires_ms: i64::MAX, shareable: true };
        std::mem::replace(&mut *self.lock(), fresh)
    }

    pub(super) fn uses(&self, token: Token, expires_ms: i64) {
        let mut used = self.lock();
        used.tokens.push(token);
        used.expires_ms = used.expires_ms.min(expires_ms);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What was read lately, shared by all requests: one value an entity, with a time to live.
//!
//! A thousand equal misses are one read ([`Cache::get`] is single-flight), and a value that turns
//! out to be wrong is dropped everywhere at once: whoever built something from it holds its
//! [`Token`] and sees that it is spent. The cache knows nothing of contacts: what is kept, how much
//! it weighs and how long it lives are the caller's ([`Value`], [`Cache::new`]).

mod entry;
mod flight;
mod meters;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::quality::RandomState;
use futures_util::FutureExt;
use moka::policy::EvictionPolicy;

pub use entry::{Demand, Failure, Read, Token, Value};

use crate::clock::Clock;
use entry::Entry;
use flight::{Flight, Seat};
use meters::Meters;

/// Says how long a value may be given out after it was read.
type TimeToLive<V> = Box<dyn Fn(&V) -> Duration + Send + Sync>;

/// A cache of `V` by `K`, whose reads fail with `E`. Failures are shared by those who wait for the
/// same read, and never kept.
pub struct Cache<K, V, E> {
    entries: moka::sync::Cache<K, Entry<V>, RandomState>,
    flights: Mutex<HashMap<K, Flight<V, E>, RandomState>>,
    /// How many flights have landed; counted under the lock of `flights`.
    landings: AtomicU64,
    time_to_live: TimeToLive<V>,
    clock: Clock,
    meters: Meters,
}

impl<K, V, E> Cache<K, V, E>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Value,
    E: Failure,
{
    /// An empty cache that holds at most `max_bytes` by its values' own weights.
    pub fn new(
        max_bytes: u64,
        time_to_live: impl Fn(&V) -> Duration + Send + Sync + 'static,
        clock: Clock,
    ) -> Self {
        let entries = moka::sync::Cache::builder()
            .weigher(|_: &K, entry: &Entry<V>| entry.weight())
            .max_capacity(max_bytes)
            // A page's people must be held when its fields are resolved, or each would be read again:
            // a policy that turns away who was not asked for often would do that to a full cache.
            .eviction_policy(EvictionPolicy::lru())
            // What is no longer held could not be dropped from what was built from it.
            .eviction_listener(|_, entry: Entry<V>, cause| {
                if cause.was_evicted() {
                    entry.token.spend();
                }
            })
            .build_with_hasher(RandomState::default());
        Self {
            entries,
            flights: Mutex::default(),
            landings: AtomicU64::new(0),
            time_to_live: Box::new(time_to_live),
            clock,
            meters: Meters::new(),
        }
    }

    /// The value as far as `demand` allows an older one; otherwise what `load` gives.
    ///
    /// `None`: the demand forbids a read and nothing suitable is at hand. Cancel-safe: a read that
    /// others wait for goes on when this caller leaves. A read of somebody else's that fails because
    /// they had less time is made anew, once for all who waited for it and have more.
    pub async fn get<F>(
        &self,
        key: &K,
        demand: Demand,
        load: impl FnOnce() -> F,
    ) -> Option<Result<Read<V>, E>>
    where
        F: Future<Output = Result<V, E>> + Send + 'static,
    {
        let landings = self.landings.load(Ordering::Acquire);
        if let Some(read) = self.peek(key, demand) {
            self.meters.hit.increment(1);
            return Some(Ok(read));
        }
        if demand.only_cached {
            return None;
        }
        let mut load = Some(load);
        loop {
            let (flight, joined) = match self.board(key, demand, landings, &mut load) {
                Boarding::Landed(read) => {
                    self.meters.hit.increment(1);
                    return Some(Ok(read));
                }
                Boarding::Flight { flight, joined } => (flight, joined),
            };
            let meter = if joined { &self.meters.joined } else { &self.meters.miss };
            meter.increment(1);
            let mut seat = Seat { flights: &self.flights, key, flight: Some(flight) };
            let flight = seat.flight.as_mut().expect("a seat is left only when it is dropped");
            let outcome = (&mut *flight).await;
            let landed = self.land(key, flight, &outcome);
            // Each round is on a later deadline than the one before, so it comes to an end.
            if joined
                && demand.outlasts(flight.deadline())
                && outcome.as_ref().is_err_and(Failure::is_haste)
            {
                continue;
            }
            return Some(outcome.map(|value| Read {
                expires_ms: self.expires_ms(&value, flight.began_ms()),
                value,
                fetched_ms: flight.began_ms(),
                loaded: !joined,
                changed: landed.as_ref().is_some_and(|(changed, _)| *changed),
                token: landed.map_or_else(|| flight.token().clone(), |(_, token)| token),
            }));
        }
    }

    /// The value if one is at hand that meets the demand; no read.
    pub fn peek(&self, key: &K, demand: Demand) -> Option<Read<V>> {
        let entry = self.entries.get(key)?;
        entry.meets(demand, self.clock.now_ms()).then(|| entry.read())
    }

    /// Whether [`Cache::peek`] would find a value.
    pub fn has(&self, key: &K, demand: Demand) -> bool {
        self.entries.get(key).is_some_and(|entry| entry.meets(demand, self.clock.now_ms()))
    }

    /// Keeps a value that came along with another read, begun at `fetched_ms`, unless what is held
    /// is as new. Whether it was kept and says something new.
    pub fn prime(&self, key: K, value: V, fetched_ms: i64) -> bool {
        let held = self.entries.get(&key);
        if let Some(held) = &held
            && held.counts(self.clock.now_ms())
            && held.token.read_ms() >= fetched_ms
        {
            return false;
        }
        self.insert(key, held, value, &Token::new(fetched_ms)).0
    }

    /// Forgets the value, and sees to it that a read under way is not kept either.
    pub fn invalidate(&self, key: &K) {
        let flight = self.flights().remove(key);
        if let Some(flight) = flight {
            flight.token().spend();
        }
        if let Some(entry) = self.entries.remove(key) {
            entry.token.spend();
        }
    }

    /// Forgets everything, reads under way included.
    pub fn clear(&self) {
        for (_, flight) in self.flights().drain() {
            flight.token().spend();
        }
        for (key, entry) in &self.entries {
            entry.token.spend();
            self.entries.remove(&*key);
        }
    }

    /// Joins the read under way if it began late enough for the demand, else starts one.
    /// `load` is taken only by who starts one, which nobody does twice; `landings` were counted
    /// before nothing was found at hand.
    fn board<F>(
        &self,
        key: &K,
        demand: Demand,
        landings: u64,
        load: &mut Option<impl FnOnce() -> F>,
    ) -> Boarding<V, E>
    where
        F: Future<Output = Result<V, E>> + Send + 'static,
    {
        let mut flights = self.flights();
        // One may have landed since we looked.
        if self.landings.load(Ordering::Acquire) != landings
            && let Some(read) = self.peek(key, demand)
        {
            return Boarding::Landed(read);
        }
        if let Some(flight) = flights.get(key)
            && flight.began_ms() >= demand.not_before_ms
        {
            return Boarding::Flight { flight: flight.clone(), joined: true };
        }
        let load = load.take().expect("who started a read leaves with its outcome");
        let flight = Flight::new(load().boxed(), self.clock.now_ms(), demand.deadline);
        flights.insert(key.clone(), flight.clone());
        Boarding::Flight { flight, joined: false }
    }

    /// Keeps what a flight brought, once, and clears the way for the next. Whether it says
    /// something new, and the token under which it is held.
    fn land(
        &self,
        key: &K,
        flight: &Flight<V, E>,
        outcome: &Result<V, E>,
    ) -> Option<(bool, Token)> {
        // The value is held before the flight is gone, so that nobody finds neither.
        let mut flights = self.flights();
        if !flights.get(key).is_some_and(|current| current.is(flight)) {
            return None;
        }
        let landed = self.keep(key, flight, outcome);
        self.landings.fetch_add(1, Ordering::Release);
        flights.remove(key);
        landed
    }

    fn keep(
        &self,
        key: &K,
        flight: &Flight<V, E>,
        outcome: &Result<V, E>,
    ) -> Option<(bool, Token)> {
        let value = outcome.as_ref().ok().filter(|_| flight.token().is_good())?.clone();
        Some(self.insert(key.clone(), self.entries.get(key), value, flight.token()))
    }

    /// Keeps `value` in the place of what is `held`, unless it has no time to live. Whether it says
    /// something new, and the token under which it is held from now on.
    fn insert(&self, key: K, held: Option<Entry<V>>, value: V, token: &Token) -> (bool, Token) {
        if let Some(held) = held {
            // What was built from the older value is still true, and must go when this one goes.
            // It is told so where it stands: putting it there once more would move the whole entry
            // through the cache's queues.
            if held.value == value && held.token.is_good() {
                held.token.confirm(token.read_ms());
                return (false, held.token);
            }
            held.token.spend();
        }
        let lives_ms = self.lives_ms(&value);
        if lives_ms <= 0 {
            return (false, token.clone());
        }
        self.entries.insert(key, Entry { value, lives_ms, token: token.clone() });
        (true, token.clone())
    }

    fn expires_ms(&self, value: &V, fetched_ms: i64) -> i64 {
        fetched_ms.saturating_add(self.lives_ms(value))
    }

    fn lives_ms(&self, value: &V) -> i64 {
        i64::try_from((self.time_to_live)(value).as_millis()).unwrap_or(i64::MAX)
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<K, Flight<V, E>, RandomState>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a reader finds who found no value at hand.
enum Boarding<V, E> {
    /// A read that ended just now.
    Landed(Read<V>),
    /// A read under way, of somebody else's starting if `joined`.
    Flight { flight: Flight<V, E>, joined: bool },
}

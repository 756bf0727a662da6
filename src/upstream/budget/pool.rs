//! The window that several gateways share, as the store keeps it. Pure: a gateway's turn is a function
//! of what is kept, what it asks and the time.
//!
//! A window of 100 calls is 100 places. A place belongs to one gateway or lies free, and is used at
//! most once an interval by whoever has it, so that no gateway needs to know what the others do
//! meanwhile. A place that is given back says from when it may be used again. Who falls silent loses
//! its places when its lease ends; they may be used again one interval later.
//!
//! Background work takes no more than leaves the reserve free, and several who wait share equally.
//! Times are epoch milliseconds by each gateway's own clock: [`SKEW_MS`] is how far they may differ.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::window::{BEFORE_FIRST_ANSWER, DOCUMENTED_INTERVAL_MS, reserve};

/// How far the clocks of two gateways may be apart. A place that changes hands rests so much longer.
const SKEW_MS: i64 = 100;
/// How long a call that was let through at the end of a lease may take to reach the provider.
const ON_ITS_WAY_MS: i64 = 1_000;
/// How long a gateway keeps its places without a word.
const LEASE_MS: i64 = 10_000;
/// Places beyond what is waited for, while there are many: a turn for so many calls.
pub(super) const SLICE: u32 = 10;

/// See the module.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Pool {
    limits: Stated,
    /// Whether a provider said so.
    stated: bool,
    /// From when each place that nobody has may be used, the soonest first.
    free: Vec<i64>,
    holders: Vec<Holder>,
    blocked_until: i64,
    /// When somebody last called for a person who waits.
    interactive_at: i64,
    day: Option<Day>,
}

/// A burst window.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Stated {
    pub max: u32,
    pub interval_ms: i64,
}

/// What an answer said of the day, and when.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Day {
    pub limit: Option<u32>,
    pub remaining: u32,
    pub reset: Option<i64>,
    pub at: i64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Holder {
    id: Uuid,
    places: u32,
    until: i64,
    /// How many calls waited for a place.
    waiting: u32,
}

/// A gateway's turn.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub id: Uuid,
    pub now: i64,
    /// How many places it keeps.
    pub keeps: u32,
    /// From when each place that it gives back may be used.
    pub gives: Vec<i64>,
    /// Calls that wait, for people and in the background.
    pub interactive: u32,
    pub background: u32,
    /// When it last called for a person.
    pub interactive_at: i64,
    pub stated: Option<Stated>,
    /// Before any answer: the limit from the settings.
    pub assumed: u32,
    pub day: Option<Day>,
    pub blocked_until: i64,
}

/// What it comes to.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    /// Whether it still had what it thought to keep.
    pub kept: bool,
    /// From when each new place may be used.
    pub takes: Vec<i64>,
    pub until: i64,
    /// How many places it is to have at most, next time.
    pub most: u32,
    pub stated: Option<Stated>,
    pub day: Option<Day>,
    pub blocked_until: i64,
    /// What lies free, for people to look at.
    pub free: Vec<i64>,
}

impl Pool {
    /// Before anybody's first turn.
    pub(super) fn new(assumed: u32, now: i64) -> Self {
        let max = assumed.min(BEFORE_FIRST_ANSWER);
        Self {
            limits: Stated { max, interval_ms: DOCUMENTED_INTERVAL_MS },
            stated: false,
            free: vec![now; max as usize],
            holders: Vec::new(),
            blocked_until: 0,
            interactive_at: 0,
            day: None,
        }
    }

    /// One gateway's turn.
    pub(super) fn turn(&mut self, ask: &Ask) -> Grant {
        let now = ask.now;
        self.hear(ask);
        let kept = self.take_back(ask);
        let keeps = if kept { ask.keeps } else { 0 };
        self.fit(keeps, now);
        let reserve = reserve(self.limits.max, self.quiet(now));
        let (most, alone) = self.fair(ask, reserve);
        let takes = self.give(ask, keeps, (most, reserve), alone);
        let new = u32::try_from(takes.len()).unwrap_or(u32::MAX);
        let (places, until) = (keeps + new, now + LEASE_MS);
        let waiting = (ask.interactive + ask.background).saturating_sub(new);
        if places > 0 || waiting > 0 {
            self.holders.push(Holder { id: ask.id, places, until, waiting });
        }
        Grant {
            kept,
            takes,
            until,
            most,
            stated: self.stated.then_some(self.limits),
            day: self.day,
            blocked_until: self.blocked_until,
            free: self.free.clone(),
        }
    }

    fn hear(&mut self, ask: &Ask) {
        if let Some(stated) = ask.stated {
            (self.limits, self.stated) = (stated, true);
        }
        self.blocked_until = self.blocked_until.max(ask.blocked_until);
        self.interactive_at = self.interactive_at.max(ask.interactive_at);
        if ask.interactive > 0 {
            self.interactive_at = self.interactive_at.max(ask.now);
        }
        if ask.day.is_some_and(|day| self.day.is_none_or(|known| known.at < day.at)) {
            self.day = ask.day;
        }
    }

    /// Frees what its holder gives back, lost or let lapse. Whether the asker has what it thinks it
    /// keeps.
    fn take_back(&mut self, ask: &Ask) -> bool {
        let Stated { interval_ms, .. } = self.limits;
        let lapsed = self.holders.extract_if(.., |holder| holder.until < ask.now);
        for Holder { places, until, .. } in lapsed {
            let ready = until + interval_ms + ON_ITS_WAY_MS + SKEW_MS;
            self.free.extend(std::iter::repeat_n(ready, places as usize));
        }
        let mine = self.holders.iter().position(|holder| holder.id == ask.id);
        let Some(mine) = mine.map(|at| self.holders.swap_remove(at)) else {
            return ask.keeps == 0 && ask.gives.is_empty();
        };
        let given = u32::try_from(ask.gives.len()).unwrap_or(u32::MAX);
        self.free.extend(ask.gives.iter().map(|ready| ready + SKEW_MS));
        // A turn of which it did not hear the end: nobody used these, or it did just before.
        let lost = mine.places.saturating_sub(ask.keeps + given);
        let ready = ask.now + interval_ms + ON_ITS_WAY_MS;
        self.free.extend(std::iter::repeat_n(ready, lost as usize));
        true
    }

    /// Makes as many places as the window has.
    fn fit(&mut self, keeps: u32, now: i64) {
        let held: u32 = self.holders.iter().map(|holder| holder.places).sum();
        let wanted = self.limits.max.saturating_sub(held + keeps) as usize;
        self.free.sort_unstable();
        if self.free.len() < wanted {
            let new = wanted - self.free.len();
            self.free.splice(0..0, std::iter::repeat_n(now, new));
            self.free.sort_unstable();
        } else {
            let surplus = self.free.len() - wanted;
            self.free.drain(..surplus);
        }
    }

    /// Whether nobody called for a person lately.
    fn quiet(&self, now: i64) -> bool {
        super::window::quiet(self.interactive_at, now, self.limits.interval_ms)
    }

    /// The most that the asker is to have, given who else waits; and whether nobody does.
    fn fair(&self, ask: &Ask, reserve: u32) -> (u32, bool) {
        let others = self.holders.iter().filter(|holder| holder.waiting > 0).count();
        let others = u32::try_from(others).unwrap_or(u32::MAX);
        let whole = if ask.interactive > 0 { self.limits.max } else { self.limits.max - reserve };
        ((whole / (others + 1)).max(1), others == 0)
    }

    fn give(
        &mut self,
        ask: &Ask,
        keeps: u32,
        (most, reserve): (u32, u32),
        alone: bool,
    ) -> Vec<i64> {
        let free = u32::try_from(self.free.len()).unwrap_or(u32::MAX);
        let room = most.saturating_sub(keeps);
        let waiting = ask.interactive + ask.background;
        let plenty = waiting > 0 && free > self.limits.max / 2;
        let ahead = if plenty { SLICE } else { 0 };
        // A person's call may have the reserve.
        let interactive = ask.interactive.min(if alone { free } else { room });
        let background = (ask.background + ahead)
            .min(free.saturating_sub(reserve + interactive))
            .min(room.saturating_sub(interactive));
        let takes = (interactive + background).min(free);
        self.free.drain(..takes as usize).collect()
    }
}

#[cfg(test)]
impl Pool {
    /// How many places there are, with whoever has them.
    pub(super) fn places(&self) -> usize {
        let held: u32 = self.holders.iter().map(|holder| holder.places).sum();
        self.free.len() + held as usize
    }
}

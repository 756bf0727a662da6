//! Upstream calls in the worst case: nothing is cached, everything exists.
//!
//! Calls are counted for each system by itself, because each system has a rate limit by itself; the
//! default of 100 is one of HighLevel's ten-second windows.
//!
//! It is an upper bound, but for what cannot be known and is rare: a person with more than a hundred
//! deliveries, tasks that fill the search's page to the last row (another page is asked for), tasks
//! that were just written (they are asked for singly), an account that changes while it is scanned
//! (each person is then asked for singly), the look that tells the account's size, a listing's row
//! that comes without its members.

use std::collections::HashSet;

use super::Known;
use super::relations::{Begins, Needs};

/// HighLevel's search takes so many ids, addresses or numbers at once.
const HIGHLEVEL_BATCH: u64 = 50;
/// Doppler's pages hold so many subscribers.
const DOPPLER_PAGE: u64 = 100;
/// So many of a page are asked for singly where a search leaves them out (`contacts`).
const SINGLES: u64 = 50;
/// HighLevel's side of one person who is not linked: a search, the address and the number asked for
/// without the index's delay, and the contact that this finds.
const ALONE: u64 = 4;
/// One search answers for the tasks of so many contacts.
const TASK_CONTACTS: u64 = 50;

/// Calls to each system.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Calls {
    pub highlevel: u64,
    pub doppler: u64,
}

/// Both accounts as far as calls depend on them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    pub known: Known,
    pub scan_up_to: u32,
}

/// Whose listing it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Listing {
    HighLevel,
    Doppler,
    /// Of what was last known: neither side of anybody is asked for.
    Index,
    /// Whichever is dearer.
    Unknown,
}

/// A place in the operation where people come from, and what is asked of them anywhere below it.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub begins: Begins,
    pub listing: Listing,
    /// How many people.
    pub people: u64,
    /// How many times the place is there, by the lists that it is in.
    pub times: u64,
    /// What finding them takes.
    pub base: Calls,
    pub needs: Needs,
    /// Different single notes and tasks.
    pub each: HashSet<u64>,
}

impl Calls {
    pub const fn highlevel(highlevel: u64) -> Self {
        Self { highlevel, doppler: 0 }
    }

    pub const fn doppler(doppler: u64) -> Self {
        Self { highlevel: 0, doppler }
    }

    pub fn and(self, other: Self) -> Self {
        Self {
            highlevel: self.highlevel.saturating_add(other.highlevel),
            doppler: self.doppler.saturating_add(other.doppler),
        }
    }

    pub fn times(self, times: u64) -> Self {
        Self {
            highlevel: self.highlevel.saturating_mul(times),
            doppler: self.doppler.saturating_mul(times),
        }
    }
}

impl Account {
    /// Doppler's side of `count` people. A small account is scanned, also for one person who has
    /// only a number: a scan is the one way to find them.
    pub fn subscribers(self, count: u64) -> u64 {
        match self.known.subscribers {
            Some(size) if size <= self.scan_up_to => self.scan(),
            Some(_) => count,
            None => count.max(self.scan()),
        }
    }

    /// All pages of an account that is scanned.
    pub fn scan(self) -> u64 {
        let size = self.known.subscribers.unwrap_or(self.scan_up_to).min(self.scan_up_to);
        u64::from(size).div_ceil(DOPPLER_PAGE).max(1)
    }
}

/// HighLevel's side of `count` people who are known from elsewhere. Searches take the linked ones by
/// id and the others by address and number; a linked one whom the search leaves out is asked for
/// singly before it is taken for gone.
fn contacts(count: u64) -> u64 {
    match count {
        0 => 0,
        1 => ALONE,
        _ => (2 * count).div_ceil(HIGHLEVEL_BATCH) + 1 + count.min(SINGLES),
    }
}

impl Origin {
    pub fn calls(&self, account: Account) -> Calls {
        let Self { needs, people, .. } = self;
        let one = |need| u64::from(needs.has(need));
        let relations = one(Needs::NOTES) + one(Needs::APPOINTMENTS);
        let alone = matches!(self.begins, Begins::Contact | Begins::Write);
        let highlevel_side = match (alone, self.listing) {
            (true, _) => ALONE,
            (false, Listing::HighLevel | Listing::Index) => 0,
            (false, Listing::Doppler | Listing::Unknown) => contacts(*people),
        };
        let doppler_side = match (alone, self.listing) {
            (true, _) => account.subscribers(1),
            (false, Listing::Doppler | Listing::Index) => 0,
            (false, Listing::HighLevel | Listing::Unknown) => account.subscribers(*people),
        };
        let highlevel = self.base.highlevel
            + people.saturating_mul(relations + self.each.len() as u64)
            + self.tasks(account)
            + one(Needs::HIGHLEVEL) * highlevel_side;
        let doppler = self.base.doppler
            + people.saturating_mul(one(Needs::DELIVERIES))
            + one(Needs::DOPPLER) * doppler_side;
        Calls { highlevel, doppler }.times(self.times)
    }

    /// Calls for tasks. A listing of HighLevel's own has everybody at once and tells that they are
    /// there; of others, those who are linked are asked for before the rest is found, and a search
    /// has to tell of those without tasks that they are there.
    fn tasks(&self, account: Account) -> u64 {
        let Self { needs, people, .. } = self;
        let (together, apart) = (needs.has(Needs::TASKS), needs.has(Needs::TASKS_APART));
        if !account.known.searches_tasks {
            return if together || apart { *people } else { 0 };
        }
        let searches = people.div_ceil(TASK_CONTACTS);
        let together = match self.listing {
            _ if !together => 0,
            Listing::HighLevel => searches,
            Listing::Doppler | Listing::Index | Listing::Unknown if *people < 2 => searches,
            Listing::Doppler | Listing::Index | Listing::Unknown => 2 * searches + 1,
        };
        together + if apart { *people } else { 0 }
    }
}

/// All calls of an operation: those of each origin, and what is read once.
pub(super) fn total<'a>(
    origins: impl Iterator<Item = &'a Origin>,
    once: Needs,
    account: Account,
) -> Calls {
    let mut calls = Calls::default();
    let mut all = once;
    for origin in origins {
        calls = calls.and(origin.calls(account));
        all = all.and(origin.needs);
    }
    let count = |need| u64::from(all.has(need));
    let definitions = count(Needs::DEFINITIONS);
    let location = count(Needs::LOCATION) + count(Needs::TAGS);
    let doppler = count(Needs::LISTS) + definitions;
    calls.and(Calls { highlevel: location + definitions, doppler })
}

//! Upstream calls in the worst case: nothing is cached, everything exists.
//!
//! Calls are counted for each system by itself, because each system has a rate limit by itself; the
//! default of 100 is one of HighLevel's ten-second windows.

use std::collections::HashSet;

use super::relations::{Begins, Needs};

/// HighLevel's search takes so many ids or addresses at once. Whoever it does not find is asked for
/// singly before they are taken for absent; that is not counted, because it would refuse every page
/// of Doppler's listing for a handful of people.
const HIGHLEVEL_BATCH: u64 = 50;
/// Doppler's pages hold so many subscribers.
const DOPPLER_PAGE: u64 = 100;

/// Calls to each system.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Calls {
    pub highlevel: u64,
    pub doppler: u64,
}

/// One search answers for the tasks of so many contacts. Contacts with more than a hundred tasks
/// together take more; nobody knows beforehand who they are.
const TASK_CONTACTS: u64 = 50;

/// Both accounts as far as calls depend on them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    /// How many subscribers there are; `None`: not known yet.
    pub size: Option<u32>,
    pub scan_up_to: u32,
    /// Whether HighLevel is asked for the tasks of several contacts at once.
    pub searches_tasks: bool,
}

/// Whose listing it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Listing {
    HighLevel,
    Doppler,
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

impl Account {
    /// Calls for the tasks of `count` contacts.
    fn task_calls(self, count: u64) -> u64 {
        if self.searches_tasks { count.div_ceil(TASK_CONTACTS) } else { count }
    }

    /// Calls for `count` subscribers by e-mail address.
    fn calls(self, count: u64) -> u64 {
        match self.size {
            Some(size) if size <= self.scan_up_to => {
                count.min(u64::from(size).div_ceil(DOPPLER_PAGE).max(1))
            }
            Some(_) | None => count,
        }
    }
}

impl Origin {
    pub fn calls(&self, account: Account) -> Calls {
        let Self { needs, people, .. } = self;
        let one = |need| u64::from(needs.has(need));
        let relations = one(Needs::NOTES) + one(Needs::APPOINTMENTS);
        let alone = matches!(self.begins, Begins::Contact | Begins::Write);
        let highlevel_side = match (alone, self.listing) {
            (true, _) => 1,
            (false, Listing::HighLevel) => 0,
            (false, Listing::Doppler | Listing::Unknown) => people.div_ceil(HIGHLEVEL_BATCH),
        };
        let doppler_side = match (alone, self.listing) {
            (true, _) => 1,
            (false, Listing::Doppler) => 0,
            (false, Listing::HighLevel | Listing::Unknown) => account.calls(*people),
        };
        let highlevel = self.base.highlevel
            + people.saturating_mul(relations + self.each.len() as u64)
            + one(Needs::TASKS) * account.task_calls(*people)
            + one(Needs::HIGHLEVEL) * highlevel_side;
        let doppler = self.base.doppler
            + people.saturating_mul(one(Needs::DELIVERIES))
            + one(Needs::DOPPLER) * doppler_side;
        Calls {
            highlevel: highlevel.saturating_mul(self.times),
            doppler: doppler.saturating_mul(self.times),
        }
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
        let its = origin.calls(account);
        calls.highlevel = calls.highlevel.saturating_add(its.highlevel);
        calls.doppler = calls.doppler.saturating_add(its.doppler);
        all = all.and(origin.needs);
    }
    let count = |need| u64::from(all.has(need));
    let definitions = count(Needs::DEFINITIONS);
    let location = count(Needs::LOCATION) + count(Needs::TAGS);
    calls.highlevel = calls.highlevel.saturating_add(location + definitions);
    calls.doppler = calls.doppler.saturating_add(count(Needs::LISTS) + definitions);
    calls
}

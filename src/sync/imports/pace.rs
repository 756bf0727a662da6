//! When to send, when to ask, and which way to look. Pure.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::store::Waiting;

/// Most rows of one import, by connectors that were written from Doppler's documents; also how many
/// writes are sent in one go, so that no more are held in memory.
pub(in crate::sync) const MOST_ROWS: u32 = 10_000;
/// How long the first that came in waits for the others.
pub(in crate::sync) const LONGEST: TimeDelta = TimeDelta::minutes(10);
/// How soon an import is asked for the first time. Small ones take some seconds.
const FIRST_ASKED: TimeDelta = TimeDelta::seconds(1);
/// How often one is asked that takes long: its callback may never come.
const SELDOM: TimeDelta = TimeDelta::minutes(1);
/// After how long an import holds up the others that were sent with it no longer.
const SLOW: TimeDelta = TimeDelta::minutes(5);
/// After how long nobody waits for an import any more.
const LOST: TimeDelta = TimeDelta::hours(1);

/// What has come in so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filling<'a> {
    /// For each list.
    pub waiting: &'a [Waiting],
    /// How many people of a run are not done, those who wait here included; `None`: nobody knows.
    pub open_people: Option<u64>,
    pub now: DateTime<Utc>,
    /// How many people in a list are worth an import.
    pub least: usize,
}

impl Filling<'_> {
    fn count(&self) -> u64 {
        self.waiting.iter().map(|one| one.count).sum()
    }

    /// Whether nobody else of the run will come. Until then the few of a list wait for more of it.
    pub fn is_all(&self) -> bool {
        self.open_people.is_none_or(|open| open <= self.count())
    }

    /// Whether what waits is to be sent: it fills an import, or nobody else will come, or nobody came for
    /// as long as `quiet`, or the first one has waited long.
    pub fn is_ripe(&self, quiet: Duration) -> bool {
        let since = |at: DateTime<Utc>| self.now - at;
        let quiet = TimeDelta::from_std(quiet).unwrap_or(LONGEST);
        let least = u64::try_from(self.least).unwrap_or(u64::MAX);
        let is_all = self.is_all();
        let enough = |one: &&Waiting| is_all || one.list.is_none() || one.count >= least;
        let mut enough = self.waiting.iter().filter(enough);
        self.count() >= u64::from(MOST_ROWS)
            || (is_all && self.open_people.is_some())
            || enough
                .clone()
                .map(|one| one.newest)
                .max()
                .is_some_and(|newest| since(newest) >= quiet)
            || enough.any(|one| since(one.oldest) >= LONGEST)
    }
}

/// How long after its beginning so old an import is asked again: half of that, so that it is noticed
/// after at most half as long again as it took.
pub(super) fn ask_after(age: TimeDelta) -> TimeDelta {
    (age / 2).clamp(FIRST_ASKED, SELDOM)
}

pub(super) fn is_slow(age: TimeDelta) -> bool {
    age >= SLOW
}

pub(super) fn is_lost(age: TimeDelta) -> bool {
    age >= LOST
}

/// Whether people are looked at by the account's pages, of which one is read, rather than one by one.
pub(super) fn by_pages(people: usize, pages: u32) -> bool {
    u64::try_from(people).is_ok_and(|people| u64::from(pages.saturating_sub(1)) <= people)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn it_is_sent_when_all_are_there_or_nobody_comes_any_more() {
        let waiting = |list: Option<&str>, count, (oldest, newest)| Waiting {
            list: list.map(str::to_owned),
            count,
            oldest: at(oldest),
            newest: at(newest),
        };
        let is_ripe = |waiting: &[Waiting], open_people| {
            let filling = Filling { waiting, open_people, now: at(1000), least: 5 };
            filling.is_ripe(Duration::from_secs(15))
        };
        let ripe = |count, times, open| is_ripe(&[waiting(Some("7"), count, times)], open);
        assert!(!ripe(10, (990, 999), Some(11)));
        assert!(ripe(10, (990, 999), Some(10)), "everybody is here");
        assert!(!ripe(10, (990, 999), None), "more may be marked");
        assert!(ripe(10, (900, 985), Some(11)), "nobody came for long");
        assert!(ripe(10, (400, 999), Some(11)), "the first one waited long");
        assert!(ripe(10_000, (990, 999), Some(20_000)), "no more fit");
        assert!(!ripe(4, (400, 985), Some(11)), "few wait for more");
        assert!(ripe(4, (400, 985), None), "of whom there are none");
        let few = waiting(Some("8"), 4, (400, 500));
        assert!(!is_ripe(&[few.clone(), waiting(Some("7"), 10, (990, 999))], Some(20)));
        assert!(is_ripe(&[few.clone(), waiting(Some("7"), 10, (990, 999))], Some(14)), "all");
        assert!(is_ripe(&[few, waiting(None, 1, (400, 999))], Some(20)), "the account's is one");
    }

    #[test]
    fn it_is_asked_ever_more_seldom() {
        let after = |seconds| ask_after(TimeDelta::seconds(seconds)).num_milliseconds();
        assert_eq!([0, 2, 3, 60, 3000].map(after), [1000, 1000, 1500, 30_000, 60_000]);
        let (mut age, mut asked) = (TimeDelta::zero(), 0);
        while age < TimeDelta::minutes(10) {
            age += ask_after(age);
            asked += 1;
        }
        assert!(asked < 30, "{asked}");
    }

    #[test]
    fn the_way_with_fewer_calls_is_taken() {
        assert!(by_pages(300, 6));
        assert!(by_pages(1, 1), "the page is read already");
        assert!(!by_pages(3, 1000));
    }
}

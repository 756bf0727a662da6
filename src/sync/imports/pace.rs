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
pub(super) struct Filling {
    pub waiting: Waiting,
    /// How many people of a run are not done, those who wait here included.
    pub open_people: Option<u64>,
    pub now: DateTime<Utc>,
}

/// Whether what waits is to be sent: it fills an import, or nobody else will come, or nobody came for
/// as long as `quiet`, or the first one has waited long.
pub(super) fn is_ripe(Filling { waiting, open_people, now }: Filling, quiet: Duration) -> bool {
    let since = |at: DateTime<Utc>| now - at;
    let quiet = TimeDelta::from_std(quiet).unwrap_or(LONGEST);
    waiting.count >= u64::from(MOST_ROWS)
        || open_people.is_some_and(|open| open <= waiting.count)
        || since(waiting.newest) >= quiet
        || since(waiting.oldest) >= LONGEST
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
        let filling = |count, (oldest, newest), open_people| Filling {
            waiting: Waiting { count, oldest: at(oldest), newest: at(newest) },
            open_people,
            now: at(1000),
        };
        let ripe = |one| is_ripe(one, Duration::from_secs(15));
        assert!(!ripe(filling(10, (990, 999), Some(11))));
        assert!(ripe(filling(10, (990, 999), Some(10))), "everybody is here");
        assert!(!ripe(filling(10, (990, 999), None)), "more may be marked");
        assert!(ripe(filling(10, (900, 985), Some(11))), "nobody came for long");
        assert!(ripe(filling(10, (400, 999), Some(11))), "the first one waited long");
        assert!(ripe(filling(10_000, (990, 999), Some(20_000))), "no more fit");
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

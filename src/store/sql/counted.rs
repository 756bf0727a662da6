//! Counts of a run's people, which look at each of them: of a million that takes a second, and several ask
//! once a second. What took long counts for a while, so that counting takes a small part of the time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::store::RunPeople;

/// What takes less is counted each time.
const LONG: Duration = Duration::from_millis(50);
/// How many times as long as it took a count is believed.
const TIMES: u32 = 20;
/// And no longer: the end of a run is not to be missed for minutes.
const LONGEST: Duration = Duration::from_secs(10);

/// The last count of each run. Clones share it.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Counted(Arc<Mutex<BTreeMap<Uuid, Count>>>);

#[derive(Clone, Copy, Debug)]
struct Count {
    people: RunPeople,
    until: Instant,
}

impl Counted {
    /// What counts now, if something does.
    pub fn of(&self, run: Uuid, now: Instant) -> Option<RunPeople> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(&run).filter(|count| count.until > now).map(|count| count.people)
    }

    /// Remembers a count that is over now, if it took long.
    pub fn keep(&self, run: Uuid, people: RunPeople, (took, now): (Duration, Instant)) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.retain(|_, count| count.until > now);
        if took >= LONG {
            let until = now + took.saturating_mul(TIMES).min(LONGEST);
            counts.insert(run, Count { people, until });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_long_counts_for_a_while_and_nothing_else_does() {
        let (counted, run, now) = (Counted::default(), Uuid::from_u128(7), Instant::now());
        let people = RunPeople { open: 3, ..RunPeople::default() };
        let take = |millis| counted.keep(run, people, (Duration::from_millis(millis), now));
        take(49);
        assert_eq!(counted.of(run, now), None);
        for (took, counts_for) in [(100, 2_000), (60_000, 10_000)] {
            take(took);
            let until = now + Duration::from_millis(counts_for);
            assert_eq!(counted.of(run, until - Duration::from_millis(1)), Some(people));
            assert_eq!((counted.of(run, until), counted.of(Uuid::nil(), now)), (None, None));
        }
    }
}

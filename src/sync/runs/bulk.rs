//! What imports will cost that a run makes, from what people's plans want of Doppler. Pure.
//!
//! An import costs its own calls and two looks at the account, however many are in it; too few for one
//! are written alone, and the few of a list whose fields differ are one together. Imports are sent when
//! everybody is planned or ten minutes have gone by, so their calls come after HighLevel's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::sync::imports::{LONGEST, MOST_ROWS, columns, of_their_own};
use crate::unified::SubscriberEdit;

/// Calls of a write that is made alone: the subscriber is read before and after it.
const ALONE: u64 = 3;
/// Calls of an import that is sent: it is looked before whether its list is free.
const SENT: u64 = 2;
/// How often an import is asked for that takes some seconds, as small ones do.
const ASKED: u64 = 4;
/// How many seconds that takes.
const TAKES: u64 = 5;

/// What stands for a list where people are in none.
const ACCOUNT: &str = "account";
/// What parts a list from the columns in a key.
const BETWEEN: char = ' ';

/// How many people there are for each list and set of fields.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Together(BTreeMap<String, u64>);

/// What decides about imports.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bulk {
    /// How many people are worth one; 0: there are none.
    pub least: usize,
    /// How many pages Doppler's account has.
    pub pages: u64,
}

/// What comes after all else is done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Cost {
    pub calls: u64,
    /// What is waited for in which nobody is called, in seconds.
    pub waits: u64,
}

impl Together {
    /// Counts a write that is to be sent with others.
    pub fn add(&mut self, (list, edit): (Option<&str>, &SubscriberEdit)) {
        let columns = Sha256::digest(columns(edit).join(","));
        let key = format!("{}{BETWEEN}{columns:x}", list.unwrap_or(ACCOUNT));
        *self.0.entry(key).or_default() += 1;
    }

    /// What all of it costs when everything else takes so many seconds.
    pub(super) fn cost(&self, Bulk { least, pages }: Bulk, meanwhile: u64) -> Cost {
        let least = u64::try_from(least).unwrap_or(u64::MAX);
        if least == 0 {
            return Cost { calls: self.0.values().sum::<u64>() * ALONE, waits: 0 };
        }
        let mut in_list = BTreeMap::<&str, u64>::new();
        for (key, count) in &self.0 {
            *in_list.entry(list_of(key)).or_default() += count;
        }
        let (mut groups, mut few) = (Vec::new(), BTreeMap::<&str, u64>::new());
        for (key, count) in &self.0 {
            if *count >= of_their_own(in_list[list_of(key)], least) {
                groups.push(*count);
            } else {
                *few.entry(list_of(key)).or_default() += count;
            }
        }
        let mut singly = 0;
        for (list, count) in few {
            if count >= least || list == ACCOUNT {
                groups.push(count);
            } else {
                singly += count;
            }
        }
        let people: u64 = groups.iter().sum();
        if people == 0 {
            return Cost { calls: singly * ALONE, waits: 0 };
        }
        let rows = u64::from(MOST_ROWS);
        let turns = meanwhile / LONGEST.num_seconds().unsigned_abs() + 1;
        let turns = turns.min(people).max(people.div_ceil(rows));
        let imports = groups.iter().map(|count| {
            let parts = turns.min((count / least).max(1));
            parts.max(count.div_ceil(rows))
        });
        // Few among many are asked for one by one.
        let look = pages.max(1).min(people / turns + 1);
        let opt_outs = 1;
        let looks = turns * (2 * look + opt_outs);
        let calls = singly * ALONE + imports.sum::<u64>() * (SENT + ASKED) + looks;
        Cost { calls, waits: TAKES }
    }
}

/// The list that a key is about.
fn list_of(key: &str) -> &str {
    key.split_once(BETWEEN).map_or(key, |(list, _)| list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn together(groups: &[(Option<&str>, &str, u64)]) -> Together {
        let mut all = Together::default();
        for (list, field, count) in groups {
            let fields = vec![((*field).to_owned(), "x".to_owned())];
            let edit = SubscriberEdit { email: "ana@example.com".to_owned(), fields };
            for _ in 0..*count {
                all.add((*list, &edit));
            }
        }
        all
    }

    #[test]
    fn many_cost_little_and_few_are_written_alone() {
        let bulk = Bulk { least: 30, pages: 8 };
        let cost = |groups: &[_], meanwhile| together(groups).cost(bulk, meanwhile).calls;
        assert_eq!(cost(&[], 0), 0);
        assert_eq!(cost(&[(Some("7"), "CITY", 29)], 0), 29 * ALONE);
        let look = 2 * 8 + 1;
        assert_eq!(cost(&[(Some("7"), "CITY", 500)], 0), SENT + ASKED + look);
        // The few of a list whose fields are others are one import together.
        let few = [(Some("7"), "A", 20), (Some("7"), "B", 20), (Some("8"), "A", 20)];
        assert_eq!(cost(&few, 0), 20 * ALONE + SENT + ASKED + look);
        let two = [(Some("7"), "CITY", 500), (Some("7"), "city", 1), (Some("8"), "CITY", 40)];
        assert_eq!(cost(&two, 0), 2 * (SENT + ASKED) + look);
        assert_eq!(cost(&two, 1300), 4 * (SENT + ASKED) + 3 * look, "the many in three turns");
        // There is no other way to write to who is in no list; a few are asked for by themselves.
        assert_eq!(cost(&[(None, "CITY", 2)], 0), SENT + ASKED + 2 * 3 + 1);
        let never = Bulk { least: 0, ..bulk };
        assert_eq!(together(&two).cost(never, 0), Cost { calls: 541 * ALONE, waits: 0 });
    }
}

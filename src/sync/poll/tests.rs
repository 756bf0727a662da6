//! An enumeration ends, sees everybody who was there throughout, and takes in each state once, however
//! the listing shifts under it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use super::{doppler, highlevel};
use crate::store::Version;
use crate::unified::{Subscriber, fixture};
use crate::upstream::{SearchRow, SubscriberPage};

/// What happens in a system between two pages.
#[derive(Clone, Debug)]
enum Shift {
    Nothing,
    Comes(Index),
    Goes(Index),
    Changes(Index),
}

fn shift() -> impl Strategy<Value = Shift> {
    prop_oneof![
        3 => Just(Shift::Nothing),
        1 => any::<Index>().prop_map(Shift::Comes),
        1 => any::<Index>().prop_map(Shift::Goes),
        1 => any::<Index>().prop_map(Shift::Changes),
    ]
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

/// What is remembered of records: which states were new.
#[derive(Default)]
struct Seen {
    versions: BTreeMap<String, String>,
    times: BTreeMap<Version, usize>,
}

impl Seen {
    fn take(&mut self, version: Version) {
        let before = self.versions.insert(version.0.clone(), version.1.clone());
        if before.as_ref() != Some(&version.1) {
            *self.times.entry(version).or_default() += 1;
        }
    }
}

/// Subscribers in the order in which Doppler happens to list them, each with a name.
fn subscriber((number, name): (u32, u32)) -> Subscriber {
    let named = fixture::subscriber(&[("FIRSTNAME", &format!("Name {name}"))]);
    Subscriber { email: format!("{number}@example.com"), ..named }
}

const A_PAGE: usize = 4;

fn page(listed: &[(u32, u32)], number: u32) -> SubscriberPage {
    let from = (number.max(1) as usize - 1) * A_PAGE;
    let rows = listed.iter().skip(from).take(A_PAGE);
    SubscriberPage {
        items: rows.copied().map(subscriber).collect(),
        number,
        size: u32::try_from(A_PAGE).unwrap(),
        pages: u32::try_from(listed.len().div_ceil(A_PAGE)).unwrap(),
        total: u32::try_from(listed.len()).unwrap(),
    }
}

proptest! {
    #[test]
    fn doppler_is_read_through_though_its_pages_shift(
        people in 0u32..40,
        shifts in prop::collection::vec(shift(), 0..15),
    ) {
        let mut listed: Vec<(u32, u32)> = (0..people).map(|number| (number, 0)).collect();
        let (mut throughout, mut next): (BTreeSet<u32>, u32) = ((0..people).collect(), people);
        let mut shifts = VecDeque::from(shifts);
        let mut seen = Seen::default();
        let mut position = doppler::Position::at(None, at(0));
        let mut requests = 0;
        loop {
            requests += 1;
            prop_assert!(requests < 200, "it never ends");
            let request = position.request();
            let (answer, number) = match request {
                doppler::Request::Account(number) => (page(&listed, number.get()), Some(number)),
                doppler::Request::Unsubscribed { number, .. } => (page(&[], number.get()), None),
            };
            for one in &answer.items {
                seen.take(doppler::seen(request, &one.email, one));
            }
            // As a program does that dies after each page.
            let (after, over) = position.after(&answer);
            position = doppler::Position::at(Some(&after.to_json()), at(0));
            if over {
                break;
            }
            if number.is_none() {
                continue;
            }
            match shifts.pop_front() {
                Some(Shift::Comes(place)) => {
                    listed.insert(place.index(listed.len() + 1), (next, 0));
                    next += 1;
                }
                Some(Shift::Goes(place)) if !listed.is_empty() => {
                    let (gone, _) = listed.remove(place.index(listed.len()));
                    throughout.remove(&gone);
                }
                Some(Shift::Changes(place)) if !listed.is_empty() => {
                    let place = place.index(listed.len());
                    listed[place].1 += 1;
                }
                Some(Shift::Nothing | Shift::Goes(_) | Shift::Changes(_)) | None => {}
            }
        }
        for number in throughout {
            let key = format!("{number}@example.com");
            prop_assert!(seen.versions.contains_key(&key), "{} was never seen", key);
        }
        prop_assert!(seen.times.values().all(|times| *times == 1), "a state was taken in twice");
    }

    #[test]
    fn highlevel_is_read_through_though_people_change(
        people in 0usize..350,
        shifts in prop::collection::vec(shift(), 0..8),
    ) {
        // When each was changed last; nobody is changed at the time of another.
        let mut clock = i64::try_from(people).unwrap();
        let mut changed: BTreeMap<usize, i64> = (0..people).zip(0i64..).collect();
        let mut throughout: BTreeSet<usize> = (0..people).collect();
        let (mut shifts, mut next) = (VecDeque::from(shifts), people);
        let mut seen = Seen::default();
        let mut position = highlevel::Position::at(None, at(0));
        let mut requests = 0;
        loop {
            requests += 1;
            prop_assert!(requests < 50, "it never ends");
            let request = position.request(std::time::Duration::ZERO);
            let after = request.after.as_ref().map(|cursor| cursor[0].as_i64().unwrap());
            let mut rows: Vec<(i64, usize)> =
                changed.iter().map(|(number, at)| (*at, *number)).collect();
            rows.sort_unstable();
            rows.retain(|(at, _)| after.is_none_or(|after| *at > after));
            rows.truncate(request.limit as usize);
            let rows: Vec<SearchRow> = rows.into_iter().map(|(time, number)| {
                let mut contact = fixture::contact();
                contact.id = format!("h{number}").as_str().into();
                contact.date_updated = Some(at(time));
                SearchRow { contact, cursor: vec![json!(time)] }
            }).collect();
            for row in &rows {
                seen.take(highlevel::seen(row));
            }
            let (after, over) = position.after(&rows);
            position = highlevel::Position::at(Some(&after.to_json()), at(0));
            if over {
                break;
            }
            let place = |place: &Index, changed: &BTreeMap<usize, i64>| {
                (!changed.is_empty()).then(|| place.index(changed.len()))
                    .and_then(|at| changed.keys().nth(at).copied())
            };
            clock += 1;
            match shifts.pop_front() {
                Some(Shift::Comes(_)) => {
                    changed.insert(next, clock);
                    next += 1;
                }
                Some(Shift::Goes(index)) => if let Some(gone) = place(&index, &changed) {
                    changed.remove(&gone);
                    throughout.remove(&gone);
                },
                Some(Shift::Changes(index)) => if let Some(one) = place(&index, &changed) {
                    changed.insert(one, clock);
                },
                Some(Shift::Nothing) | None => {}
            }
        }
        for number in throughout {
            let key = format!("h{number}");
            prop_assert!(seen.versions.contains_key(&key), "{} was never seen", key);
        }
        prop_assert!(seen.times.values().all(|times| *times == 1), "a state was taken in twice");
    }
}

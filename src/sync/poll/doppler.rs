//! Where a poll of Doppler is: every page of the account, then those who opted out since the last
//! time, whom the account's pages may leave out.
//!
//! The pages have no stated order and shift when somebody comes or goes. When the count changes on
//! the way, the page before is read again; whoever was there throughout is seen.

use std::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::store::Version;
use crate::unified::{Subscriber, subscriber_key};
use crate::upstream::SubscriberPage;

/// How far before the last poll the opt-outs are looked at again, for clocks that differ.
const MARGIN: TimeDelta = TimeDelta::minutes(10);
/// How many pages back one poll goes at most: an account that changes all the time would never end.
const MOST_STEPS_BACK: u32 = 20;

/// What is asked for next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::sync) enum Request {
    Account(NonZeroU32),
    Unsubscribed { from: DateTime<Utc>, to: DateTime<Utc>, number: NonZeroU32 },
}

/// See the module. Times are epoch milliseconds.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::sync) struct Position {
    /// When the last poll that ended began; `None`: there was none.
    since: Option<i64>,
    /// When this one began; `None`: it has not.
    began: Option<i64>,
    /// Whether the account's pages are done.
    opt_outs: bool,
    /// The page to be read; 0 and 1 are the first.
    page: u32,
    /// How many there were on the page before.
    count: Option<u32>,
    steps_back: u32,
}

impl Position {
    /// Where an earlier step ended, or the beginning.
    pub fn at(held: Option<&str>, now: DateTime<Utc>) -> Self {
        let held: Option<Self> = held.and_then(|text| serde_json::from_str(text).ok());
        let mut position = held.unwrap_or_default();
        position.began.get_or_insert(now.timestamp_millis());
        position
    }

    /// The beginning of a look at everybody, and at those who opted out since.
    pub fn since(since: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let (since, began) = (Some(since.timestamp_millis()), Some(now.timestamp_millis()));
        Self { since, began, ..Self::default() }
    }

    /// The same without the account's pages that are left.
    pub fn without_pages(self) -> Self {
        if self.opt_outs { self } else { Self { opt_outs: true, page: 1, count: None, ..self } }
    }

    pub fn is_first_run(&self) -> bool {
        self.since.is_none()
    }

    pub fn request(&self) -> Request {
        let number = NonZeroU32::new(self.page).unwrap_or(NonZeroU32::MIN);
        let time = |millis: Option<i64>| millis.and_then(DateTime::from_timestamp_millis);
        match (self.opt_outs, time(self.since), time(self.began)) {
            (true, Some(since), Some(to)) => {
                Request::Unsubscribed { from: since - MARGIN, to, number }
            }
            (true, None, Some(to)) => {
                Request::Unsubscribed { from: DateTime::UNIX_EPOCH, to, number }
            }
            (true, _, None) | (false, _, _) => Request::Account(number),
        }
    }

    /// Where the poll is after a page, and whether that was the last one.
    pub fn after(self, page: &SubscriberPage) -> (Self, bool) {
        let read = self.page.max(1);
        let shifted = self.count.is_some_and(|before| before != page.total);
        if shifted && read > 1 && self.steps_back < MOST_STEPS_BACK {
            let steps_back = self.steps_back + 1;
            return (Self { page: read - 1, count: Some(page.total), steps_back, ..self }, false);
        }
        if read < page.pages && !page.items.is_empty() {
            return (Self { page: read + 1, count: Some(page.total), ..self }, false);
        }
        if self.opt_outs {
            return (Self { since: self.began, ..Self::default() }, true);
        }
        (Self { steps_back: 0, ..self.without_pages() }, false)
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What a subscriber of a page is remembered by. An opt-out is another thing than its subscriber: its
/// row tells less.
pub(super) fn seen(request: Request, key: &str, subscriber: &Subscriber) -> Version {
    match request {
        Request::Account(_) => (key.to_owned(), version(subscriber)),
        Request::Unsubscribed { .. } => opt_out(key, subscriber),
    }
}

fn opt_out(key: &str, subscriber: &Subscriber) -> Version {
    let at = subscriber.unsubscribed_at.map_or(0, |at| at.timestamp_millis());
    (format!("opt-out {key}"), at.to_string())
}

/// All that pages will show of a subscriber as it is now.
pub(in crate::sync) fn shown(subscriber: &Subscriber) -> Vec<Version> {
    let key = subscriber_key(&subscriber.email);
    let out = subscriber.unsubscribed_at.map(|_| opt_out(&key, subscriber));
    out.into_iter().chain([(key, version(subscriber))]).collect()
}

/// What tells a subscriber's state from another, whatever order its members come in.
pub(in crate::sync) fn version(subscriber: &Subscriber) -> String {
    let mut fields: Vec<(String, Option<&str>)> = subscriber
        .fields
        .iter()
        .filter(|field| field.value.as_deref().is_some_and(|value| !value.is_empty()))
        .map(|field| (field.name.to_lowercase(), field.value.as_deref()))
        .collect();
    fields.sort_unstable();
    let mut lists: Vec<&String> = subscriber.lists.iter().collect();
    lists.sort_unstable();
    let told = (subscriber.status.as_str(), &subscriber.unsubscription_type, lists, fields);
    let told = serde_json::to_string(&told).unwrap_or_default();
    format!("{:x}", Sha256::digest(told))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unified::fixture;

    fn page(number: u32, pages: u32, total: u32) -> SubscriberPage {
        let items = vec![fixture::subscriber(&[])];
        SubscriberPage { items, number, size: 1, pages, total }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    #[test]
    fn every_page_and_then_who_opted_out_since_the_last_time() {
        let position = Position::at(None, at(0));
        assert!(position.is_first_run());
        assert_eq!(position.request(), Request::Account(number(1)));
        let (position, over) = position.after(&page(1, 2, 2));
        assert_eq!((position.request(), over), (Request::Account(number(2)), false));
        // The program dies and comes back.
        let position = Position::at(Some(&position.to_json()), at(60));
        let (position, over) = position.after(&page(2, 2, 2));
        let opt_outs =
            Request::Unsubscribed { from: DateTime::UNIX_EPOCH, to: at(0), number: number(1) };
        assert_eq!((position.request(), over), (opt_outs, false));
        let (position, over) = position.after(&page(1, 1, 1));
        assert!(over && !position.is_first_run());
        let position = Position::at(Some(&position.to_json()), at(900));
        let (position, _) = position.after(&page(1, 1, 1));
        let since = Request::Unsubscribed { from: at(-600), to: at(900), number: number(1) };
        assert_eq!(position.request(), since);
    }

    #[test]
    fn pages_that_shift_are_read_again_and_not_for_ever() {
        let (position, _) = Position::at(None, at(0)).after(&page(1, 3, 3));
        let (position, _) = position.after(&page(2, 3, 2));
        assert_eq!(position.request(), Request::Account(number(1)));
        let (position, _) = position.after(&page(1, 3, 2));
        assert_eq!(position.request(), Request::Account(number(2)));
        let mut position = position;
        let mut steps = 0;
        loop {
            steps += 1;
            let (next, _) = position.after(&page(2, 3, 100 + steps));
            position = next;
            if matches!(position.request(), Request::Unsubscribed { .. }) {
                break;
            }
            assert!(steps < 100, "it never ends");
        }
    }

    #[test]
    fn the_pages_can_be_left_out() {
        let (position, _) = Position::since(at(0), at(60)).after(&page(1, 900, 90_000));
        let position = position.without_pages();
        let number = number(1);
        let opt_outs = Request::Unsubscribed { from: at(-600), to: at(60), number };
        assert_eq!(position.request(), opt_outs);
        assert_eq!(position.clone().without_pages(), position);
        assert!(position.after(&page(1, 1, 1)).1);
    }

    #[test]
    fn a_version_tells_what_was_changed_and_not_how_it_was_written() {
        let one = fixture::subscriber(&[("FIRSTNAME", "Ana"), ("CITY", "Salta")]);
        let other = fixture::subscriber(&[("CITY", "Salta"), ("firstname", "Ana"), ("X", "")]);
        assert_eq!(version(&one), version(&other));
        let changed = fixture::subscriber(&[("FIRSTNAME", "Ana"), ("CITY", "Jujuy")]);
        assert_ne!(version(&one), version(&changed));
        let mut left = one.clone();
        left.lists.pop();
        assert_eq!(left.lists == one.lists, version(&left) == version(&one));
    }
}

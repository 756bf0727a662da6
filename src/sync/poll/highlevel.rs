//! Where a poll of HighLevel is: its search by time of change, the oldest first, by cursor.
//!
//! A contact that changes meanwhile moves to the end and is seen again there, so nobody is missed.
//! The index hears late of changes: each poll begins some time before the last one did.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::Version;
use crate::unified::{ContactOrder, HighLevelContact};
use crate::upstream::{SearchRequest, SearchRow};

/// How many contacts a page has; HighLevel's examples use it.
const PAGE: u32 = 100;
/// What is added to the index's delay, for clocks that differ.
const MARGIN: TimeDelta = TimeDelta::minutes(1);

/// See the module. Times are epoch milliseconds.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Position {
    /// When the last poll that ended began; `None`: there was none.
    since: Option<i64>,
    /// When this one began.
    began: i64,
    /// The cursor of the last row.
    after: Option<Vec<Value>>,
}

impl Position {
    /// Where an earlier step ended, or the beginning.
    pub fn at(held: Option<&str>, now: DateTime<Utc>) -> Self {
        let held: Option<Self> = held.and_then(|text| serde_json::from_str(text).ok());
        let mut position = held.unwrap_or_default();
        if position.after.is_none() {
            position.began = now.timestamp_millis();
        }
        position
    }

    pub fn is_first_run(&self) -> bool {
        self.since.is_none()
    }

    pub fn request(&self, index_delay: Duration) -> SearchRequest {
        let since = self.since.and_then(DateTime::from_timestamp_millis);
        SearchRequest {
            updated_since: since.map(|since| since - MARGIN - index_delay),
            order: Some(ContactOrder::UpdatedAsc),
            limit: PAGE,
            after: self.after.clone(),
            ..SearchRequest::default()
        }
    }

    /// Where the poll is after a page, and whether that was the last one.
    pub fn after(self, rows: &[SearchRow]) -> (Self, bool) {
        let cursor = rows.last().map(|row| row.cursor.clone());
        // A cursor that stands still would be followed for ever.
        let goes_on = rows.len() >= PAGE as usize && cursor.is_some() && cursor != self.after;
        if goes_on {
            (Self { after: cursor, ..self }, false)
        } else {
            (Self { since: Some(self.began), began: 0, after: None }, true)
        }
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What a contact of a page is remembered by.
pub(super) fn seen(row: &SearchRow) -> Version {
    (row.contact.id.as_str().to_owned(), version(&row.contact).unwrap_or_default())
}

/// What tells a contact's state from another: when it was changed; `None`: that is not told.
pub(in crate::sync) fn version(contact: &HighLevelContact) -> Option<String> {
    contact.date_updated.map(|at| at.timestamp_millis().to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::unified::fixture;

    fn rows(count: usize, cursor: i64) -> Vec<SearchRow> {
        let row = SearchRow { contact: fixture::contact(), cursor: vec![json!(cursor)] };
        vec![row; count]
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn it_follows_the_cursor_and_begins_the_next_time_before_it_began() {
        let first = Position::at(None, at(0));
        assert!(first.is_first_run());
        let request = first.request(Duration::from_secs(10));
        assert_eq!(
            (request.updated_since, request.after.clone(), request.limit),
            (None, None, 100)
        );
        assert_eq!(request.order, Some(ContactOrder::UpdatedAsc));
        let (second, over) = first.after(&rows(100, 7));
        assert!(!over);
        // The program dies and comes back.
        let second = Position::at(Some(&second.to_json()), at(50));
        assert!(second.is_first_run());
        let request = second.request(Duration::from_secs(10));
        assert_eq!((request.updated_since, request.after), (None, Some(vec![json!(7)])));
        let (end, over) = second.after(&rows(3, 9));
        assert!(over && !end.is_first_run());
        let next = Position::at(Some(&end.to_json()), at(90));
        let request = next.request(Duration::from_secs(10));
        assert_eq!((request.updated_since, request.after), (Some(at(-70)), None));
        let (end, _) = next.after(&[]);
        let later = Position::at(Some(&end.to_json()), at(200)).request(Duration::ZERO);
        assert_eq!(later.updated_since, Some(at(30)));
    }

    #[test]
    fn a_cursor_that_stands_still_ends_it() {
        let (first, over) = Position::at(None, at(0)).after(&rows(100, 7));
        assert!(!over);
        assert!(first.after(&rows(100, 7)).1);
        assert!(Position::at(Some("not ours"), at(0)).is_first_run());
    }
}

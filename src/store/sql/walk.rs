//! Walking along the orders of the index.

use std::collections::BTreeMap;

use super::arg::args;
use super::db::Tx;
use super::lines::tried;
use super::search::{Found, fitting};
use crate::store::{Error, Place, Search};
use crate::unified::{ContactFilter, ContactOrder, WorkspaceId, time_key};

/// Before and behind every key.
const LOWEST: &str = "";
const HIGHEST: &str = "~";

/// Along one order of some facets, window by window.
pub(super) struct Walk<'a> {
    workspace: &'a WorkspaceId,
    search: Search<'a>,
    facets: Vec<String>,
    /// See [`tried`].
    words: [String; 2],
    /// Whether there is something to be tried on each.
    pub(super) tries: bool,
    /// Where it is and where it ends: a key and a contact.
    at: (String, String),
    end: (String, String),
    pub(super) over: bool,
    /// How many places were passed, at most.
    pub(super) looked: u64,
}

impl<'a> Walk<'a> {
    /// Along facets that together list everybody whom the search finds, or all of a part of them.
    pub(super) fn along(
        workspace: &'a WorkspaceId,
        search: Search<'a>,
        facets: Vec<String>,
    ) -> Self {
        let filter = search.filter;
        let descending = search.order.is_descending();
        let (first, last) = if descending { (HIGHEST, LOWEST) } else { (LOWEST, HIGHEST) };
        let outer = |key: &str| (key.to_owned(), String::new());
        let mut at = match search.after {
            Some(Place { key, contact }) => (key.clone(), contact.to_string()),
            None => outer(first),
        };
        let mut end = outer(last);
        if let Some(since) = filter.updated_since
            && search.order.sort() == ContactOrder::UpdatedAsc.sort()
        {
            let since = outer(&time_key(Some(since.timestamp_millis())));
            if descending {
                end = since;
            } else {
                at = at.max(since);
            }
        }
        let by_facet = match facets.as_slice() {
            [_] => by_one_facet(filter),
            _ => false,
        };
        let over = facets.is_empty();
        let words = tried(filter);
        Self { workspace, search, facets, words, tries: !by_facet, at, end, over, looked: 0 }
    }

    /// Passes over everybody who does not stand between two keys of an order that goes up.
    pub(super) fn between(mut self, (first, last): (String, String)) -> Self {
        self.at = self.at.max((first, String::new()));
        self.end = (last, String::new());
        self
    }

    /// How many places of each facet are looked at together where so many are of all.
    pub(super) fn share(&self, window: u32) -> u32 {
        let facets = u32::try_from(self.facets.len()).unwrap_or(u32::MAX);
        window / facets.max(1)
    }

    /// The next window's people; `None`: it was the last one.
    pub(super) async fn next(&mut self, tx: &mut Tx, window: u32) -> Result<Option<Found>, Error> {
        if self.over {
            return Ok(None);
        }
        let descending = self.search.order.is_descending();
        let (turn, along) = if descending { (TURN_DOWN, DOWN) } else { (TURN_UP, UP) };
        let sort = self.search.order.sort();
        // The nearest of the facets' windows' ends: up to there all of them are read.
        let mut end = None;
        for facet in &self.facets {
            let (key, contact) = self.at.clone();
            let args = args![self.workspace, facet, sort, key, contact, window - 1];
            let turn: Option<(String, String)> = tx.one(turn, args).await?;
            self.looked += u64::from(window);
            end = match (end, turn) {
                (Some(a), Some(b)) if descending => Some(std::cmp::max::<(String, String)>(a, b)),
                (Some(a), Some(b)) => Some(std::cmp::min(a, b)),
                (a, b) => a.or(b),
            };
        }
        let ends_before = |end: &(String, String)| {
            if descending { *end > self.end } else { *end < self.end }
        };
        let inner = end.filter(ends_before);
        self.over = inner.is_none();
        let end = inner.unwrap_or_else(|| self.end.clone());
        let mut rows: BTreeMap<(String, String), String> = BTreeMap::new();
        for facet in &self.facets {
            let ((from, from_contact), (to, to_contact)) = (self.at.clone(), end.clone());
            let [word, second] = &self.words;
            let args = args![
                self.workspace,
                facet,
                sort,
                from,
                from_contact,
                to,
                to_contact,
                word,
                second
            ];
            let found: Vec<(String, String, String)> = tx.all(along, args).await?;
            rows.extend(found.into_iter().map(|(key, contact, body)| ((key, contact), body)));
        }
        self.at = end;
        let mut rows: Vec<_> =
            rows.into_iter().map(|((key, contact), body)| (key, contact, body)).collect();
        if descending {
            rows.reverse();
        }
        fitting(tx, self.workspace, self.search, rows).await.map(Some)
    }
}

/// Whether the filter says no more than one facet does.
fn by_one_facet(filter: &ContactFilter) -> bool {
    let rest = ContactFilter { status: None, tags_all: None, tags_any: None, ..filter.clone() };
    let count = |given: bool| u32::from(given);
    rest == ContactFilter::default()
        && count(filter.status.is_some())
            + count(filter.tags_all.is_some())
            + count(filter.tags_any.is_some())
            <= 1
        && filter.tags_all.as_ref().is_none_or(|tags| tags.len() == 1)
}

/// Where a window ends.
pub(in crate::store) const TURN_UP: &str = "
    SELECT key, contact FROM entry_order
    WHERE workspace = $1 AND facet = $2 AND sort = $3 AND (key, contact) > ($4, $5)
    ORDER BY key, contact LIMIT 1 OFFSET $6";

pub(in crate::store) const TURN_DOWN: &str = "
    SELECT key, contact FROM entry_order
    WHERE workspace = $1 AND facet = $2 AND sort = $3 AND (key, contact) < ($4, $5)
    ORDER BY key DESC, contact DESC LIMIT 1 OFFSET $6";

/// Everybody in a window who has words that begin as `$8` and `$9` do.
pub(in crate::store) const UP: &str = "
    SELECT o.key, o.contact, e.body FROM entry_order AS o CROSS JOIN entry AS e
    WHERE o.workspace = $1 AND o.facet = $2 AND o.sort = $3
      AND (o.key, o.contact) > ($4, $5) AND (o.key, o.contact) <= ($6, $7)
      AND e.workspace = $1 AND e.contact = o.contact AND instr(e.terms, $8) > 0
      AND instr(e.terms, $9) > 0";

pub(in crate::store) const DOWN: &str = "
    SELECT o.key, o.contact, e.body FROM entry_order AS o CROSS JOIN entry AS e
    WHERE o.workspace = $1 AND o.facet = $2 AND o.sort = $3
      AND (o.key, o.contact) < ($4, $5) AND (o.key, o.contact) >= ($6, $7)
      AND e.workspace = $1 AND e.contact = o.contact AND instr(e.terms, $8) > 0
      AND instr(e.terms, $9) > 0";

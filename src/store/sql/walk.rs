//! Walking along the orders of the index.

use super::arg::args;
use super::db::Tx;
use super::lines::tried;
use super::row;
use super::search::{Found, fitting};
use crate::store::{Error, Search};
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
    /// Where it is and where it ends.
    at: String,
    end: String,
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
        let mut at = search.after.map_or_else(|| first.to_owned(), row::of_place);
        let mut end = last.to_owned();
        if let Some(since) = filter.updated_since
            && search.order.sort() == ContactOrder::UpdatedAsc.sort()
        {
            let since = time_key(Some(since.timestamp_millis()));
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
        self.at = self.at.max(first);
        self.end = last;
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
        let facets = row::list(&self.facets)?;
        let args = args![self.workspace, facets, sort, &self.at, window - 1];
        let turns: Vec<(Option<String>,)> = tx.all(turn, args).await?;
        self.looked += u64::from(window) * self.facets.len() as u64;
        // The nearest of the facets' windows' ends: up to there all of them are read.
        let turns = turns.into_iter().filter_map(|(turn,)| turn);
        let end = if descending { turns.max() } else { turns.min() };
        let ends_before = |end: &String| if descending { *end > self.end } else { *end < self.end };
        let inner = end.filter(ends_before);
        self.over = inner.is_none();
        let end = inner.unwrap_or_else(|| self.end.clone());
        let mut rows: Vec<(String, String)> = Vec::new();
        for facet in &self.facets {
            let [word, second] = &self.words;
            let args = args![self.workspace, facet, sort, &self.at, &end, word, second];
            let found: Vec<(String, String)> = tx.all(along, args).await?;
            rows.extend(found);
        }
        self.at = end;
        // Whoever is in several of the lists is there once.
        rows.sort_unstable();
        rows.dedup();
        if descending {
            rows.reverse();
        }
        let rows = rows.into_iter().map(|(place, body)| Ok((row::place(&place)?, body)));
        let rows = rows.collect::<Result<_, Error>>()?;
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

/// Where a window ends, for each facet.
pub(in crate::store) const TURN_UP: &str = "
    SELECT (
      SELECT o.place FROM entry_order AS o
      WHERE o.workspace = $1 AND o.facet = k.value ->> 0 AND o.sort = $3 AND o.place > $4
      ORDER BY o.place LIMIT 1 OFFSET $5)
    FROM json_each($2) AS k";

pub(in crate::store) const TURN_DOWN: &str = "
    SELECT (
      SELECT o.place FROM entry_order AS o
      WHERE o.workspace = $1 AND o.facet = k.value ->> 0 AND o.sort = $3 AND o.place < $4
      ORDER BY o.place DESC LIMIT 1 OFFSET $5)
    FROM json_each($2) AS k";

/// Everybody of a facet in a window who has words that begin as `$6` and `$7` do. Of several facets at once PostgreSQL
/// would pass everybody in the window, as long as it knows nothing of the table.
pub(in crate::store) const UP: &str = "
    SELECT o.place, e.body
    FROM entry_order AS o CROSS JOIN entry AS e
    WHERE o.workspace = $1 AND o.facet = $2 AND o.sort = $3
      AND o.place > $4 AND o.place <= $5
      AND e.workspace = $1 AND e.contact = substr(o.place, length(o.place) - 31)
      AND instr(e.terms, $6) > 0 AND instr(e.terms, $7) > 0";

pub(in crate::store) const DOWN: &str = "
    SELECT o.place, e.body
    FROM entry_order AS o CROSS JOIN entry AS e
    WHERE o.workspace = $1 AND o.facet = $2 AND o.sort = $3
      AND o.place < $4 AND o.place >= $5
      AND e.workspace = $1 AND e.contact = substr(o.place, length(o.place) - 31)
      AND instr(e.terms, $6) > 0 AND instr(e.terms, $7) > 0";

//! Pages of an order by texts (names, addresses) that are asked for by words.
//!
//! Of the words of a query at most one begins the text by which somebody stands in the order: all of those
//! stand side by side, and are gone to. Everybody else has each of the words elsewhere in the name, by which
//! there is a list in this order ([`Entry::word_facets`](crate::unified::Entry::word_facets)), of which the
//! shortest is walked; or in an address that is not the text: these are few, or this is not the way.

use super::arg::args;
use super::db::Tx;
use super::row;
use super::search::{Found, LONG, by_word, collect, in_order, page, unless_tested};
use super::walk::Walk;
use crate::store::{Error, Search};
use crate::unified::{ContactOrder, MOST_SHARED, WorkspaceId, beginnings, facet, words};

/// So many who have a word in their address only are put in order beside the others.
const BESIDE: u32 = unless_tested(1_000, 3);
/// So many lists are walked together.
const LINES: u32 = unless_tested(40, 2);
/// So many words are gone by; the others are tried on whoever has these.
const WORDS: usize = 3;

/// Facets that together list everybody whom something finds, and how many these are.
pub(super) type Line = (Vec<String>, i64);

/// A page with one more than asked for, if there is one; `None`: this is not the way. `all` lists everybody
/// whom the rest of the filter finds.
pub(super) async fn found(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    search: Search<'_>,
    all: &Line,
) -> Result<Option<Found>, Error> {
    let words = search.filter.query.as_deref().map(apart).unwrap_or_default();
    if words.is_empty() || !search.order.is_by_text() || all.1 <= i64::from(LONG) {
        return Ok(None);
    }
    let mut lines = Vec::with_capacity(words.len());
    for word in &words {
        lines.push(line(tx, workspace, word).await?);
    }
    let shortest = |but: Option<usize>| {
        let others = lines.iter().enumerate().filter(|(at, _)| Some(*at) != but);
        let others = others.filter_map(|(_, line)| line.as_ref());
        others.chain([all]).min_by_key(|line| line.1).map(|line| line.0.clone()).unwrap_or_default()
    };
    if lines.iter().all(Option::is_none) {
        return Ok(None);
    }
    let mut found = Vec::new();
    if search.order == ContactOrder::NameAsc {
        for word in &words {
            let Some(few) = by_address(tx, workspace, word).await? else { return Ok(None) };
            found.extend(collect(tx, workspace, search, few).await?);
        }
    }
    let begun = words.iter().enumerate().flat_map(|(at, word)| {
        beginnings(word)
            .map(|keys| Walk::along(workspace, search, shortest(Some(at))).between(keys))
    });
    for walk in begun.chain([Walk::along(workspace, search, shortest(None))]) {
        let (more, is_all) = page(tx, workspace, (walk, search)).await?;
        if is_all {
            return Ok(Some(more));
        }
        found.extend(more);
    }
    found.sort_unstable_by(|(a, _), (b, _)| in_order(search.order, a.cmp(b)));
    found.dedup_by(|(a, _), (b, _)| a == b);
    found.truncate(search.limit as usize);
    Ok(Some(found))
}

/// The longest words of a query without those that another one begins with: whoever has that one has them.
fn apart(query: &str) -> Vec<String> {
    let mut apart: Vec<String> = Vec::new();
    // The longest come first.
    for word in words(query) {
        if !apart.iter().any(|longer| longer.starts_with(&word)) {
            apart.push(word);
        }
    }
    apart.truncate(WORDS);
    apart
}

/// The lists of those who have a word elsewhere than at the beginning of their text; `None`: they are too many.
async fn line(tx: &mut Tx, workspace: &WorkspaceId, word: &str) -> Result<Option<Line>, Error> {
    let (first, last) = facet::beginning(word);
    let rows: Vec<(String, i64)> = tx.all(LISTS, args![workspace, first, last, LINES + 1]).await?;
    if rows.len() > LINES as usize {
        return Ok(None);
    }
    let total = rows.iter().map(|(_, total)| total).sum();
    Ok(Some((rows.into_iter().map(|(facet, _)| facet).collect(), total)))
}

/// Those who have a word in their address and not at the beginning of their name.
async fn by_address(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    word: &str,
) -> Result<Option<Vec<String>>, Error> {
    let shared = (0..word.chars().count().min(MOST_SHARED + 1)).map(|shared| shared.to_string());
    by_word(tx, workspace, (word, row::list(shared)?), BESIDE).await
}

pub(in crate::store) const LISTS: &str = "
    SELECT facet, total FROM entry_count
    WHERE workspace = $1 AND facet >= $2 AND facet <= $3 AND total > 0 ORDER BY facet LIMIT $4";

//! Pages of an order by texts (names, addresses) that are asked for by words.
//!
//! Of the words of a query at most one begins the text by which somebody stands in the order: all of those
//! stand side by side, and are gone to. Everybody else has each of the words elsewhere in the name, by which
//! there is a list in this order ([`Entry::word_facets`](crate::unified::Entry::word_facets)), of which the
//! shortest is walked; or in an address that is not the text: these are few, or they are walked to along all
//! whose text begins as their address does.

use super::arg::args;
use super::db::Tx;
use super::lines::{self, Line, apart};
use super::row;
use super::search::{Found, LONG, by_word, collect, in_order, page, unless_tested};
use super::walk::Walk;
use crate::store::{Error, Search};
use crate::unified::{ContactOrder, MOST_SHARED, WorkspaceId, beginnings};

/// So many who have a word in their address only are put in order beside the others.
const BESIDE: u32 = unless_tested(1_000, 1);

/// A page with one more than asked for, if there is one; `None`: this is not the way. `all` lists everybody
/// whom the rest of the filter finds.
pub(super) async fn found(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    search: Search<'_>,
    all: &Line,
) -> Result<Option<Found>, Error> {
    let words = apart(search.filter);
    if words.is_empty() || all.1 <= i64::from(LONG) {
        return Ok(None);
    }
    let mut lines = Vec::with_capacity(words.len());
    for word in &words {
        lines.push(lines::by_text(tx, workspace, word).await?);
    }
    if lines.iter().all(Option::is_none) {
        return Ok(None);
    }
    let (mut found, mut many) = (Vec::new(), vec![None; words.len()]);
    if search.order == ContactOrder::NameAsc {
        for (word, many) in words.iter().zip(&mut many) {
            let (few, others) = by_address(tx, workspace, word).await?;
            found.extend(collect(tx, workspace, search, few).await?);
            *many = others;
        }
    }
    let shortest = |listed: &dyn Fn(usize) -> bool| {
        let lines = lines.iter().enumerate().filter(|(at, _)| listed(*at));
        let lines = lines.filter_map(|(_, line)| line.as_ref()).chain([all]);
        lines.min_by_key(|line| line.1).map(|line| line.0.clone()).unwrap_or_default()
    };
    let mut walks = vec![Walk::along(workspace, search, shortest(&|_| true))];
    for (at, word) in words.iter().enumerate() {
        // Who has one of the others in the address is in no list of it.
        let others = shortest(&|other| other != at && many[other].is_none());
        // Whose own text begins with the word is among those whose text begins with a part of it.
        let [own, _] = beginnings(many[at].as_ref().unwrap_or(word));
        let [_, other] = beginnings(word);
        walks.extend(
            [own, other].map(|keys| Walk::along(workspace, search, others.clone()).between(keys)),
        );
    }
    for walk in walks {
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

/// Those who have a word in their address and not at the beginning of their name, where they are few. Else those
/// who have little in common, and with what the names of all others begin: as much of the word as name and address
/// have in common, which may be nothing.
async fn by_address(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    word: &str,
) -> Result<(Vec<String>, Option<String>), Error> {
    let classes: Vec<String> =
        (0..word.chars().count().min(MOST_SHARED + 1)).map(|shared| shared.to_string()).collect();
    let behind = format!("{word}\u{10FFFF}");
    let args = args![workspace, row::list(&classes)?, word, behind, BESIDE + 1];
    let mut counts: Vec<(i64, i64)> = tx.all(SHARED, args).await?;
    counts.sort_unstable();
    let (mut few, mut left) = (classes.len(), i64::from(BESIDE));
    for (at, (_, count)) in counts.into_iter().enumerate() {
        left -= count;
        if left < 0 {
            few = at;
            break;
        }
    }
    let few_of = row::list(&classes[..few])?;
    let found = by_word(tx, workspace, (word, few_of), BESIDE).await?.unwrap_or_default();
    Ok((found, (few < classes.len()).then(|| word.chars().take(few).collect())))
}

/// How many rows there are of each class, up to `$5`.
pub(in crate::store) const SHARED: &str = "
    SELECT k.key, (
      SELECT count(*) FROM (
        SELECT 1 FROM entry_term AS t
        WHERE t.workspace = $1 AND t.shared = k.value ->> 0 AND t.term >= $3 AND t.term < $4
        LIMIT $5) AS few)
    FROM json_each($2) AS k";

//! Lines of the index: facets that together list everybody whom a filter or a word finds, of which the shortest is
//! walked.
//!
//! To add one: facets of [`Entry::facets`](crate::unified::Entry::facets) or
//! [`Entry::word_facets`](crate::unified::Entry::word_facets), and a choice here.

use std::collections::HashMap;

use super::arg::args;
use super::db::Tx;
use super::row;
use super::search::unless_tested;
use crate::store::Error;
use crate::unified::{ContactFilter, ContactStatus, WorkspaceId, facet, words};

/// So many lists are walked together.
const LINES: u32 = unless_tested(40, 2);
/// So many words are gone by; the others are tried on whoever has these.
const WORDS: usize = 3;

/// Facets that together list everybody whom something finds, and how many these are.
pub(super) type Line = (Vec<String>, i64);

/// The shortest line of everybody whom the filter finds, not regarding its words.
pub(super) async fn by_filter(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    filter: &ContactFilter,
) -> Result<Line, Error> {
    let tags = |tags: &[String]| {
        let mut facets: Vec<String> = tags.iter().map(|tag| facet::tag(tag)).collect();
        facets.sort_unstable();
        facets.dedup();
        facets
    };
    let mut choices = Vec::new();
    if let Some(any) = &filter.status {
        let mut any: Vec<ContactStatus> = any.clone();
        any.sort_unstable();
        any.dedup();
        choices.push(any.into_iter().map(facet::status).collect());
    }
    choices.extend(filter.tags_any.as_deref().map(tags));
    let all = filter.tags_all.as_deref().map(tags).unwrap_or_default();
    choices.extend(all.into_iter().map(|tag| vec![tag]));
    if choices.is_empty() {
        choices.push(vec![facet::ALL.to_owned()]);
    }
    let rows: Vec<(String, i64)> =
        tx.all(TOTALS, args![workspace, row::list(choices.iter().flatten())?]).await?;
    let totals: HashMap<String, i64> = rows.into_iter().collect();
    let total =
        |facets: &Vec<String>| -> i64 { facets.iter().filter_map(|facet| totals.get(facet)).sum() };
    let choices = choices.into_iter().map(|facets| (total(&facets), facets));
    Ok(choices.min().map(|(total, facets)| (facets, total)).unwrap_or_default())
}

/// The same in an order by times, where words have lists as well.
pub(super) async fn by_time(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    filter: &ContactFilter,
) -> Result<Line, Error> {
    let mut lines = vec![by_filter(tx, workspace, filter).await?];
    for word in apart(filter) {
        lines.extend(between(tx, workspace, facet::starts(&word)).await?);
    }
    // A window along several lists takes as many looks.
    let looks = |(facets, total): &Line| {
        total.saturating_mul(i64::try_from(facets.len()).unwrap_or(i64::MAX))
    };
    Ok(lines.into_iter().min_by_key(looks).unwrap_or_default())
}

/// The lists of those who have a word elsewhere than at the beginning of their text; of more words than can be walked
/// together, the list of those that have its first letters in common. `None`: there is no such list.
pub(super) async fn by_text(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    word: &str,
) -> Result<Option<Line>, Error> {
    if let Some(line) = between(tx, workspace, facet::beginning(word)).await? {
        return Ok(Some(line));
    }
    let Some(wider) = facet::wider(word) else { return Ok(None) };
    Ok(Some(together(tx.all(TOTALS, args![workspace, row::list([wider])?]).await?)))
}

/// The line of all facets between two; `None`: they are too many.
async fn between(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (first, last): (String, String),
) -> Result<Option<Line>, Error> {
    let rows: Vec<(String, i64)> = tx.all(LISTS, args![workspace, first, last, LINES + 1]).await?;
    Ok((rows.len() <= LINES as usize).then(|| together(rows)))
}

fn together(rows: Vec<(String, i64)>) -> Line {
    let total = rows.iter().map(|(_, total)| total).sum();
    (rows.into_iter().map(|(facet, _)| facet).collect(), total)
}

/// The longest words asked for, without those that another one begins with: whoever has that one has them.
pub(super) fn apart(filter: &ContactFilter) -> Vec<String> {
    let mut apart: Vec<String> = Vec::new();
    // The longest come first.
    for word in filter.query.as_deref().map(words).unwrap_or_default() {
        if !apart.iter().any(|longer| longer.starts_with(&word)) {
            apart.push(word);
        }
    }
    apart.truncate(WORDS);
    apart
}

/// The words that the database tries on everybody it passes, each behind the space that is before every term. Of further
/// words there is seldom one.
pub(super) fn tried(filter: &ContactFilter) -> [String; 2] {
    let mut words = apart(filter).into_iter().map(|word| format!(" {word}"));
    [(); 2].map(|()| words.next().unwrap_or_default())
}

pub(super) const TOTALS: &str = "
    SELECT c.facet, c.total FROM json_each($2) AS k CROSS JOIN entry_count AS c
    WHERE c.workspace = $1 AND c.facet = k.value ->> 0";

pub(in crate::store) const LISTS: &str = "
    SELECT facet, total FROM entry_count
    WHERE workspace = $1 AND facet >= $2 AND facet <= $3 AND total > 0 ORDER BY facet LIMIT $4";

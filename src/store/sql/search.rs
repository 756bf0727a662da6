//! Asking the index of contacts.
//!
//! A page is a walk along one order of the lists that have the fewest people among those of what the
//! filter names, window by window, until there are enough who meet the rest of the filter. Where
//! few people can meet it at all (a rare word, the held and failed, those changed lately) they are
//! collected and put in order here instead.

use std::cmp::Ordering;
use std::collections::HashMap;

use async_trait::async_trait;

use super::arg::args;
use super::db::Tx;
use super::lines::TOTALS;
use super::row::{self, LinkRow};
use super::walk::Walk;
use super::{SqlStore, identity, index, lines, texts};
use crate::store::{Error, Index, Known, Link, Place, Search};
use crate::unified::{
    Basis, ContactFilter, ContactOrder, ContactStatus, ContactSyncState, Entry, MOST_SHARED,
    SyncSettings, System, TOP_TAGS, Tally, WorkspaceId, facet, time_key, words,
};

/// Tests have few people and go every way all the same.
pub(super) const fn unless_tested(many: u32, few: u32) -> u32 {
    if cfg!(test) { few } else { many }
}

/// So many people are collected rather than walked to. With a million of them one in three hundred
/// is one of these, and the walk to a page of twenty is as long.
const FEW: u32 = unless_tested(3_000, 6);
/// A walk that has seen so many people and not found a page is given up, where those whom it looks
/// for can be collected.
pub(super) const LONG: u32 = unless_tested(20_000, 12);
/// The first window over a filter that must be tried on each, and the largest.
const WINDOW: u32 = unless_tested(200, 3);
const LARGEST: u32 = unless_tested(4_000, 8);

#[async_trait]
impl Index for SqlStore {
    async fn set_basis(&self, workspace: &WorkspaceId, basis: &Basis) -> Result<bool, Error> {
        let body = row::body(basis)?;
        let held = "SELECT body FROM index_basis WHERE workspace = $1";
        let held: Option<(String,)> = self.db.one(held, args![workspace]).await?;
        if held.is_some_and(|(held,)| held == body) {
            return Ok(false);
        }
        let mut tx = self.db.write().await?;
        let changed = tx
            .run(
                "INSERT INTO index_basis (workspace, body) VALUES ($1, $2)
                 ON CONFLICT (workspace) DO UPDATE SET body = excluded.body, reached = '', filled = 0
                 WHERE index_basis.body <> excluded.body",
                args![workspace, body],
            )
            .await?;
        tx.commit().await?;
        Ok(changed > 0)
    }

    async fn fill(&self, workspace: &WorkspaceId, limit: u32) -> Result<bool, Error> {
        if self.is_filled(workspace).await? {
            return Ok(true);
        }
        let mut tx = self.db.write().await?;
        let Some(basis) = index::basis(&mut tx, workspace).await? else { return Ok(false) };
        let rows: Vec<(String,)> = tx
            .all(
                "SELECT id FROM contact WHERE workspace = $1 AND survivor IS NULL
                   AND id > (SELECT reached FROM index_basis WHERE workspace = $1)
                 ORDER BY id LIMIT $2",
                args![workspace, limit],
            )
            .await?;
        index::write(&mut tx, workspace, &basis, &row::contact_ids(&rows)?).await?;
        let filled = rows.len() < limit as usize;
        tx.run(
            "UPDATE index_basis SET reached = coalesce($2, reached), filled = $3
             WHERE workspace = $1",
            args![workspace, rows.last().map(|(id,)| id.as_str()), filled],
        )
        .await?;
        tx.commit().await?;
        Ok(filled)
    }

    async fn is_filled(&self, workspace: &WorkspaceId) -> Result<bool, Error> {
        let sql = "SELECT filled FROM index_basis WHERE workspace = $1";
        let row: Option<(i64,)> = self.db.one(sql, args![workspace]).await?;
        Ok(row.is_some_and(|(filled,)| filled == 1))
    }

    async fn search(
        &self,
        workspace: &WorkspaceId,
        search: Search<'_>,
    ) -> Result<Vec<(Place, Known)>, Error> {
        let mut tx = self.db.read().await?;
        let found = found(&mut tx, workspace, search).await?;
        known(&mut tx, workspace, found.into_iter().map(|(place, _)| place).collect()).await
    }

    async fn total(
        &self,
        workspace: &WorkspaceId,
        filter: &ContactFilter,
    ) -> Result<Option<u64>, Error> {
        let rest = ContactFilter::default();
        let facet = match (&filter.status.as_deref(), &filter.tags_all.as_deref()) {
            (None, None) => (facet::ALL.to_owned(), filter == &rest),
            (Some([status]), None) => {
                let status_only = ContactFilter { status: filter.status.clone(), ..rest };
                (facet::status(*status), filter == &status_only)
            }
            (None, Some([tag])) => {
                let tag_only = ContactFilter { tags_all: filter.tags_all.clone(), ..rest };
                (facet::tag(tag), filter == &tag_only)
            }
            _ => return Ok(None),
        };
        let (facet, true) = facet else { return Ok(None) };
        let sql = "SELECT total FROM entry_count WHERE workspace = $1 AND facet = $2";
        let row: Option<(i64,)> = self.db.one(sql, args![workspace, facet]).await?;
        Ok(Some(row.map_or(0, |(total,)| row::count(total))))
    }

    async fn tally(
        &self,
        workspace: &WorkspaceId,
        filter: &ContactFilter,
        most: u32,
    ) -> Result<Tally, Error> {
        let mut tx = self.db.read().await?;
        if *filter == ContactFilter::default() {
            return everybody(&mut tx, workspace).await;
        }
        let (order, limit) = (ContactOrder::UpdatedDesc, most.saturating_add(1));
        let search = Search { filter, order, after: None, limit };
        let (entries, exact) = if let Some(few) = few(&mut tx, workspace, filter, FEW).await? {
            (collect(&mut tx, workspace, search, few).await?, true)
        } else {
            walked(&mut tx, workspace, search).await?
        };
        let exact = exact && entries.len() <= most as usize;
        let mut counts: HashMap<String, u64> = HashMap::new();
        for (_, entry) in entries.iter().take(most as usize) {
            let systems = facet::systems(&entry.systems).to_owned();
            for facet in entry.facets().into_iter().chain([systems]) {
                *counts.entry(facet).or_default() += 1;
            }
        }
        Ok(Tally::of(counts, exact))
    }
}

pub(super) type Found = Vec<(Place, Entry)>;

/// At least as many as asked for, and whether these are all that there are. So far and no further:
/// ten times as many are looked at.
async fn walked(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    search: Search<'_>,
) -> Result<(Found, bool), Error> {
    let (facets, _) = lines::by_time(tx, workspace, search.filter).await?;
    let mut walk = Walk::along(workspace, search, facets);
    let (mut found, looks) = (Vec::new(), u64::from(search.limit) * 10);
    while let Some(more) = walk.next(tx, LARGEST).await? {
        found.extend(more);
        if found.len() >= search.limit as usize || !walk.over && walk.looked >= looks {
            return Ok((found, false));
        }
    }
    Ok((found, true))
}

/// A page, with one more than asked for if there is one.
async fn found(tx: &mut Tx, workspace: &WorkspaceId, search: Search<'_>) -> Result<Found, Error> {
    if let Some(few) = few(tx, workspace, search.filter, FEW).await? {
        return collect(tx, workspace, search, few).await;
    }
    let (facets, _) = if search.order.is_by_text() {
        let line = lines::by_filter(tx, workspace, search.filter).await?;
        if let Some(found) = texts::found(tx, workspace, search, &line).await? {
            return Ok(found);
        }
        line
    } else {
        lines::by_time(tx, workspace, search.filter).await?
    };
    let (found, _) = page(tx, workspace, (Walk::along(workspace, search, facets), search)).await?;
    Ok(found)
}

/// A page of a walk, and whether it was found another way, which is a page of everybody.
pub(super) async fn page(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (mut walk, search): (Walk<'_>, Search<'_>),
) -> Result<(Found, bool), Error> {
    let mut found = Vec::new();
    let mut window = if walk.tries { walk.share(WINDOW).max(search.limit) } else { search.limit };
    while let Some(more) = walk.next(tx, window).await? {
        found.extend(more);
        if found.len() >= search.limit as usize {
            found.truncate(search.limit as usize);
            return Ok((found, false));
        }
        if walk.looked > u64::from(LONG)
            && !walk.over
            && let Some(word) = lines::apart(search.filter).first()
            && let Some(few) = few_by_word(tx, workspace, word, u32::MAX - 1).await?
        {
            return Ok((collect(tx, workspace, search, few).await?, true));
        }
        window = window.saturating_mul(4).min(walk.share(LARGEST).max(search.limit));
    }
    Ok((found, false))
}

/// Those among whom everybody is whom the filter finds, if it names something that few have.
async fn few(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    filter: &ContactFilter,
    most: u32,
) -> Result<Option<Vec<String>>, Error> {
    use ContactSyncState::{Failed, Held, InSync, Paused, Pending, Unlinked};
    let unsettled = |state: &ContactSyncState| match state {
        Failed | Held | Pending => true,
        InSync | Paused | Unlinked => false,
    };
    if filter.sync_state.as_ref().is_some_and(|states| states.iter().all(unsettled)) {
        let rows: Vec<(String,)> = tx.all(UNSETTLED, args![workspace]).await?;
        return Ok(Some(rows.into_iter().map(|(id,)| id).collect()));
    }
    if let Some(word) = filter.query.as_deref().and_then(|query| words(query).into_iter().next())
        && let Some(few) = few_by_word(tx, workspace, &word, most).await?
    {
        return Ok(Some(few));
    }
    if let Some(since) = filter.updated_since {
        let since = time_key(Some(since.timestamp_millis()));
        let asked = most.saturating_add(1);
        let rows: Vec<(String,)> = tx.all(SINCE, args![workspace, since, asked]).await?;
        if rows.len() <= most as usize {
            return Ok(Some(rows.into_iter().map(|(id,)| id).collect()));
        }
    }
    Ok(None)
}

/// Whoever has a word that begins so, unless they are more.
async fn few_by_word(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    word: &str,
    most: u32,
) -> Result<Option<Vec<String>>, Error> {
    let shared = (0..=MOST_SHARED).map(|shared| shared.to_string()).chain([String::new()]);
    by_word(tx, workspace, (word, row::list(shared)?), most).await
}

/// The same, of those words that share so much.
pub(super) async fn by_word(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (word, shared): (&str, String),
    most: u32,
) -> Result<Option<Vec<String>>, Error> {
    let behind = format!("{word}\u{10FFFF}");
    // A person may have it in several words, so that there are not more people than rows.
    let asked = most.saturating_add(1);
    let args = args![workspace, shared, word, behind, asked];
    let rows: Vec<(String,)> = tx.all(BY_WORD, args).await?;
    if rows.len() > most as usize {
        return Ok(None);
    }
    let mut ids: Vec<String> = rows.into_iter().map(|(id,)| id).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(Some(ids))
}

/// A page of those whom the filter finds among the few.
pub(super) async fn collect(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    search: Search<'_>,
    few: Vec<String>,
) -> Result<Found, Error> {
    let mut rows = Vec::new();
    let [word, second] = lines::tried(search.filter);
    for chunk in few.chunks(LARGEST as usize) {
        let chunk: Vec<(String, String)> =
            tx.all(ENTRIES, args![workspace, row::list(chunk)?, &word, &second]).await?;
        for (contact, body) in chunk {
            let place = Place { key: String::new(), contact: row::contact_id(&contact)? };
            rows.push((place, body));
        }
    }
    let mut found = fitting(tx, workspace, search, rows).await?;
    for (place, entry) in &mut found {
        place.key = entry.key(search.order);
    }
    let order = |a: &Place, b: &Place| in_order(search.order, a.cmp(b));
    found.retain(|(place, _)| search.after.is_none_or(|after| order(after, place).is_lt()));
    found.sort_unstable_by(|(a, _), (b, _)| order(a, b));
    found.truncate(search.limit as usize);
    Ok(found)
}

pub(super) fn in_order(order: ContactOrder, ordering: Ordering) -> Ordering {
    if order.is_descending() { ordering.reverse() } else { ordering }
}

/// Of places and the entries there those that the filter finds.
pub(super) async fn fitting(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    search: Search<'_>,
    rows: Vec<(Place, String)>,
) -> Result<Found, Error> {
    let mut found = Vec::with_capacity(rows.len());
    for (place, body) in rows {
        let entry: Entry = row::model(&body, "entry")?;
        if entry.matches(search.filter) {
            found.push((place, entry));
        }
    }
    if let Some(wanted) = &search.filter.sync_state {
        let states = states(tx, workspace, &found).await?;
        let mut states = states.into_iter();
        found.retain(|_| states.next().is_some_and(|state| wanted.contains(&state)));
    }
    Ok(found)
}

/// How each stands, in the order given.
async fn states(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    found: &Found,
) -> Result<Vec<ContactSyncState>, Error> {
    let sql = "SELECT body FROM sync_settings WHERE workspace = $1";
    let row: Option<(String,)> = tx.one(sql, args![workspace]).await?;
    let settings: SyncSettings =
        row.map(|(body,)| row::model(&body, "sync_settings")).transpose()?.unwrap_or_default();
    let list = row::list(found.iter().map(|(place, _)| place.contact.to_string()))?;
    let mut rows: Vec<StandingRow> = tx.all(STANDING, args![workspace, list]).await?;
    rows.sort_unstable_by_key(|row| row.at);
    let states = rows.into_iter().map(|row| {
        let links = usize::try_from(row.links).unwrap_or_default();
        let failure = row.dead.map(|dead| dead == 1);
        ContactSyncState::of(failure, (row.held > 0, row.edited > 0), settings.state, links)
    });
    Ok(states.collect())
}

#[derive(sqlx::FromRow)]
struct StandingRow {
    at: i64,
    dead: Option<i64>,
    held: i64,
    edited: i64,
    links: i64,
}

/// Everybody in numbers, none of them counted.
async fn everybody(tx: &mut Tx, workspace: &WorkspaceId) -> Result<Tally, Error> {
    let [doppler, highlevel] = System::ALL;
    let systems = [&[doppler][..], &[highlevel], &System::ALL].map(facet::systems);
    let statuses = ContactStatus::ALL.map(facet::status);
    let fixed = systems.into_iter().chain(statuses.iter().map(String::as_str)).chain([facet::ALL]);
    let mut rows: Vec<(String, i64)> = tx.all(TOTALS, args![workspace, row::list(fixed)?]).await?;
    let top = u32::try_from(TOP_TAGS).unwrap_or(u32::MAX);
    let tags: Vec<(String, i64)> = tx.all(TAGS, args![workspace, top]).await?;
    rows.extend(tags);
    Ok(Tally::of(rows.into_iter().map(|(facet, total)| (facet, row::count(total))), true))
}

/// Each place with who stands there and their links.
async fn known(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    places: Vec<Place>,
) -> Result<Vec<(Place, Known)>, Error> {
    let list = row::list(places.iter().map(|place| place.contact.to_string()))?;
    let rows: Vec<LinkRow> = tx.all(LINKS, args![workspace, list]).await?;
    let mut links: HashMap<_, Vec<Link>> = HashMap::new();
    for link in rows {
        let link = row::link(link)?;
        links.entry(link.contact).or_default().push(link);
    }
    let known = places.into_iter().map(|place| {
        let links = links.remove(&place.contact).unwrap_or_default();
        let known = identity::person(place.contact, links);
        (place, known)
    });
    Ok(known.collect())
}

const LINKS: &str = "
    SELECT l.system, l.key, l.contact, l.email, l.phone
    FROM json_each($2) AS k CROSS JOIN link AS l
    WHERE l.workspace = $1 AND l.contact = k.value ->> 0";

const ENTRIES: &str = "
    SELECT e.contact, e.body FROM json_each($2) AS k CROSS JOIN entry AS e
    WHERE e.workspace = $1 AND e.contact = k.value ->> 0
      AND instr(e.terms, $3) > 0 AND instr(e.terms, $4) > 0";

/// A semicolon comes right behind a colon.
const TAGS: &str = "
    SELECT facet, total FROM entry_count
    WHERE workspace = $1 AND facet >= 'tag:' AND facet < 'tag;' AND total > 0
    ORDER BY total DESC, facet LIMIT $2";

pub(in crate::store) const BY_WORD: &str = "
    SELECT t.contact FROM json_each($2) AS k CROSS JOIN entry_term AS t
    WHERE t.workspace = $1 AND t.shared = k.value ->> 0 AND t.term >= $3 AND t.term < $4 LIMIT $5";

pub(in crate::store) const SINCE: &str = "
    SELECT substr(place, length(place) - 31) FROM entry_order
    WHERE workspace = $1 AND facet = 'all' AND sort = 'u' AND place >= $2 LIMIT $3";

/// Whoever may be failed, held or pending.
const UNSETTLED: &str = "
    SELECT contact FROM failure WHERE workspace = $1
    UNION
    SELECT c.contact FROM hold AS h CROSS JOIN hold_contact AS c
      WHERE h.workspace = $1 AND h.closed_at IS NULL AND c.workspace = $1 AND c.hold = h.id
    UNION
    SELECT contact FROM edit WHERE workspace = $1 AND done_at IS NULL";

const STANDING: &str = "
    SELECT k.key AS at,
      (SELECT f.dead FROM failure AS f WHERE f.workspace = $1 AND f.contact = k.value ->> 0
        ORDER BY f.system LIMIT 1) AS dead,
      (SELECT count(*) FROM hold_contact AS c CROSS JOIN hold AS h
        WHERE c.contact = k.value ->> 0 AND c.workspace = $1
          AND h.id = c.hold AND h.workspace = $1 AND h.closed_at IS NULL) AS held,
      (SELECT count(*) FROM edit AS e
        WHERE e.contact = k.value ->> 0 AND e.workspace = $1 AND e.done_at IS NULL) AS edited,
      (SELECT count(*) FROM link AS l
        WHERE l.contact = k.value ->> 0 AND l.workspace = $1) AS links
    FROM json_each($2) AS k";

//! Keeping the index of contacts: whoever changes a copy or a link says whose, and the entries of
//! those are made anew from what is stored by then.
//!
//! Entries, counts and the basis are one thing: the row of the basis is locked from the first look to
//! the end of the transaction. It comes after people, work and copies, and before the history.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::arg::args;
use super::db::Tx;
use super::row;
use crate::store::{Copy, Error, Place};
use crate::unified::{
    Basis, ContactId, Delivery, Entry, Remembered, SORTS, Side, System, WorkspaceId, facet,
};

/// How many entries are made at once.
const CHUNK: usize = 100;
/// How many rows one statement changes. Each may be in a page of its own, and SQLite holds in memory what these were
/// like until the statement ends.
const ROWS: usize = 1000;

/// The kinds of copies that entries are made of.
const CONTACT: &str = "contact";
const SUBSCRIBER: &str = "subscriber";
const DELIVERIES: &str = "deliveries";

/// The workspace's basis, with its index locked; `None`: there is no index yet.
pub(super) async fn basis(tx: &mut Tx, workspace: &WorkspaceId) -> Result<Option<Basis>, Error> {
    let sql = "SELECT body FROM index_basis WHERE workspace = $1 /*pg FOR UPDATE */";
    let row: Option<(String,)> = tx.one(sql, args![workspace]).await?;
    row.map(|(body,)| row::model(&body, "index_basis")).transpose()
}

/// After copies were stored: the entries of those whom they are of.
pub(super) async fn copied(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    copies: &[&Copy],
) -> Result<(), Error> {
    let listed = |copy: &&&Copy| matches!(copy.key.kind, CONTACT | SUBSCRIBER | DELIVERIES);
    if !copies.iter().any(|copy| listed(&copy)) {
        return Ok(());
    }
    let Some(basis) = basis(tx, workspace).await? else { return Ok(()) };
    let mut keys = Vec::new();
    for copy in copies.iter().filter(listed) {
        let system = copy.key.system;
        let own = copy.key.key.strip_prefix(basis.accounts[system as usize].as_str());
        if let Some(key) = own.and_then(|rest| rest.strip_prefix('/')) {
            let key = if copy.key.kind == DELIVERIES {
                crate::unified::subscriber_key(key)
            } else {
                key.to_owned()
            };
            keys.push((system.as_str(), key));
        }
    }
    let rows: Vec<(String,)> = tx
        .all(
            "SELECT l.contact FROM json_each($2) AS k CROSS JOIN link AS l
             WHERE l.workspace = $1 AND l.system = k.value ->> 0 AND l.key = k.value ->> 1",
            args![workspace, row::json(keys)?],
        )
        .await?;
    write(tx, workspace, &basis, &row::contact_ids(&rows)?).await
}

/// After links changed: the entries of those whose they are and were.
pub(super) async fn refresh(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    contacts: &[ContactId],
) -> Result<(), Error> {
    if contacts.is_empty() {
        return Ok(());
    }
    let Some(basis) = basis(tx, workspace).await? else { return Ok(()) };
    write(tx, workspace, &basis, contacts).await
}

/// Makes the entries of these contacts and writes what is different.
pub(super) async fn write(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    basis: &Basis,
    contacts: &[ContactId],
) -> Result<(), Error> {
    let contacts: BTreeSet<String> = contacts.iter().map(ToString::to_string).collect();
    let contacts: Vec<String> = contacts.into_iter().collect();
    for chunk in contacts.chunks(CHUNK) {
        let mut made = made(tx, workspace, basis, chunk).await?;
        let rows: Vec<(String, String)> = tx
            .all(
                "SELECT e.contact, e.body FROM json_each($2) AS k CROSS JOIN entry AS e
                 WHERE e.workspace = $1 AND e.contact = k.value ->> 0",
                args![workspace, row::list(chunk)?],
            )
            .await?;
        let mut change = Change::default();
        for (contact, body) in rows {
            let new = made.remove(&contact);
            let old: Entry = row::model(&body, "entry")?;
            if new.as_ref() != Some(&old) {
                change.between(&contact, Some(&old), new.as_ref())?;
            }
        }
        for (contact, new) in &made {
            change.between(contact, None, Some(new))?;
        }
        change.store(tx, workspace).await?;
    }
    Ok(())
}

/// The entries as they ought to be; who is missing has none.
async fn made(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    basis: &Basis,
    contacts: &[String],
) -> Result<BTreeMap<String, Entry>, Error> {
    let mut links: Vec<(String, String, String)> = tx
        .all(
            "SELECT l.contact, l.system, l.key FROM json_each($2) AS k CROSS JOIN link AS l
             WHERE l.workspace = $1 AND l.contact = k.value ->> 0",
            args![workspace, row::list(contacts)?],
        )
        .await?;
    // Of several records in one system the first is the one that is shown.
    links.sort_unstable();
    links.dedup_by(|later, first| (&later.0, &later.1) == (&first.0, &first.1));
    let mut wanted = Vec::with_capacity(links.len());
    for (_, system, key) in &links {
        let system = row::system(system)?;
        let kind = if system == System::Doppler { SUBSCRIBER } else { CONTACT };
        wanted.push((system, kind, key.clone()));
    }
    let copies = copies(tx, workspace, basis, &wanted).await?;
    let mut known: BTreeMap<String, Remembered> = BTreeMap::new();
    let mut readers = Vec::new();
    for ((contact, _, _), (wanted, copy)) in links.into_iter().zip(wanted.iter().zip(copies)) {
        let known = known.entry(contact.clone()).or_default();
        match wanted.0 {
            System::HighLevel => known.contact = side(copy),
            System::Doppler => {
                known.subscriber = side(copy);
                if let Side::There(subscriber) = &known.subscriber {
                    readers.push((contact, subscriber.email.clone()));
                }
            }
        }
    }
    let wanted: Vec<_> =
        readers.iter().map(|(_, address)| (System::Doppler, DELIVERIES, address.clone())).collect();
    let deliveries = copies_of_deliveries(tx, workspace, basis, &wanted).await?;
    for ((contact, _), deliveries) in readers.into_iter().zip(deliveries) {
        if let Some(known) = known.get_mut(&contact) {
            known.deliveries = deliveries;
        }
    }
    let entries = known.into_iter().filter_map(|(contact, known)| {
        let entry = Entry::of(&known, basis)?;
        Some((contact, entry))
    });
    Ok(entries.collect())
}

type Wanted = (System, &'static str, String);

/// The bodies of copies, in the order asked for; a copy that no model reads (any more) was not read.
async fn copies(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    basis: &Basis,
    wanted: &[Wanted],
) -> Result<Vec<Side<String>>, Error> {
    let mut found = vec![Side::Unread; wanted.len()];
    if wanted.is_empty() {
        return Ok(found);
    }
    let keys: Vec<_> = wanted
        .iter()
        .map(|(system, kind, key)| {
            let account = &basis.accounts[*system as usize];
            (system.as_str(), *kind, format!("{account}/{key}"))
        })
        .collect();
    let rows: Vec<(i64, Option<String>)> = tx
        .all(
            "SELECT k.key, c.body FROM json_each($2) AS k CROSS JOIN copy AS c
             WHERE c.workspace = $1 AND c.system = k.value ->> 0 AND c.kind = k.value ->> 1
               AND c.key = k.value ->> 2",
            args![workspace, row::json(keys)?],
        )
        .await?;
    for (at, body) in rows {
        if let Some(place) = usize::try_from(at).ok().and_then(|at| found.get_mut(at)) {
            *place = body.map_or(Side::Gone, Side::There);
        }
    }
    Ok(found)
}

async fn copies_of_deliveries(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    basis: &Basis,
    wanted: &[Wanted],
) -> Result<Vec<Option<Vec<Delivery>>>, Error> {
    let copies = copies(tx, workspace, basis, wanted).await?;
    let read = |copy| match side::<Vec<Delivery>>(copy) {
        Side::There(deliveries) => Some(deliveries),
        Side::Unlinked | Side::Unread | Side::Gone => None,
    };
    Ok(copies.into_iter().map(read).collect())
}

fn side<T: serde::de::DeserializeOwned>(copy: Side<String>) -> Side<T> {
    match copy {
        Side::Unlinked => Side::Unlinked,
        Side::Unread => Side::Unread,
        Side::Gone => Side::Gone,
        Side::There(body) => match serde_json::from_str::<Option<T>>(&body) {
            Ok(Some(value)) => Side::There(value),
            Ok(None) => Side::Gone,
            Err(_) => Side::Unread,
        },
    }
}

/// What is different.
#[derive(Default)]
struct Change {
    gone: Vec<[String; 1]>,
    put: Vec<(String, String, String)>,
    orders: [Vec<(String, &'static str, String)>; 2],
    /// What each shares, the word and the contact.
    terms: [Vec<(String, String, String)>; 2],
    counts: HashMap<String, i64>,
}

/// The places of a contact in all orders that list it.
fn places(contact: ContactId, entry: &Entry) -> BTreeSet<(String, &'static str, String)> {
    let facets = entry.facets();
    let places = SORTS.into_iter().flat_map(|order| {
        let place = row::of_place(&Place { key: entry.key(order), contact });
        let facets = facets.iter().cloned().chain(entry.word_facets(order));
        facets.map(move |facet| (facet, order.sort(), place.clone()))
    });
    places.collect()
}

/// The words of an entry, each with what it shares.
fn terms(entry: &Entry) -> Vec<(String, String)> {
    entry.terms().into_iter().map(|term| (entry.shared(&term), term)).collect()
}

impl Change {
    fn between(
        &mut self,
        contact: &str,
        old: Option<&Entry>,
        new: Option<&Entry>,
    ) -> Result<(), Error> {
        let id = row::contact_id(contact)?;
        let orders = [old, new].map(|entry| entry.map(|e| places(id, e)).unwrap_or_default());
        let terms = [old, new].map(|entry| entry.map(terms).unwrap_or_default());
        for (mine, other) in [(0, 1), (1, 0)] {
            self.orders[mine].extend(orders[mine].difference(&orders[other]).cloned());
            let only = terms[mine].iter().filter(|term| !terms[other].contains(term));
            let rows = only.cloned().map(|(shared, term)| (shared, term, contact.to_owned()));
            self.terms[mine].extend(rows);
        }
        for ((entry, places), by) in [old, new].into_iter().zip(&orders).zip([-1, 1]) {
            let systems = entry.map(|entry| facet::systems(&entry.systems));
            let listed: BTreeSet<&str> = places.iter().map(|(facet, ..)| facet.as_str()).collect();
            for facet in listed.into_iter().chain(systems) {
                *self.counts.entry(facet.to_owned()).or_default() += by;
            }
        }
        match new {
            Some(new) => {
                let words = terms[1].iter().fold(String::new(), |all, (_, term)| all + " " + term);
                self.put.push((contact.to_owned(), words, row::body(new)?));
            }
            None => self.gone.push([contact.to_owned()]),
        }
        Ok(())
    }

    /// A table after the other, each in the order of its rows.
    async fn store(mut self, tx: &mut Tx, workspace: &WorkspaceId) -> Result<(), Error> {
        self.counts.retain(|_, by| *by != 0);
        let counts: BTreeMap<String, i64> = self.counts.into_iter().collect();
        let fewer_of: Vec<[&String; 1]> =
            counts.iter().filter(|(_, by)| **by < 0).map(|(facet, _)| [facet]).collect();
        // Rows that are side by side in a table are read and written together.
        self.orders.iter_mut().for_each(|rows| rows.sort_unstable());
        self.terms.iter_mut().for_each(|rows| rows.sort_unstable());
        let ([less, more], [fewer, further]) = (self.orders, self.terms);
        for (sql, statements) in [
            (LESS, statements(&less)?),
            (MORE, statements(&more)?),
            (FEWER_TERMS, statements(&fewer)?),
            (MORE_TERMS, statements(&further)?),
            (GONE, statements(&self.gone)?),
            (PUT, statements(&self.put)?),
            (COUNT, statements(&counts.iter().collect::<Vec<_>>())?),
            (NOBODY, statements(&fewer_of)?),
        ] {
            for rows in statements {
                tx.run(sql, args![workspace, rows]).await?;
            }
        }
        Ok(())
    }
}

/// The parameters of as many statements as it takes for all rows.
fn statements<T: Serialize>(rows: &[T]) -> Result<Vec<String>, Error> {
    rows.chunks(ROWS).map(row::json).collect()
}

pub(in crate::store) const LESS: &str = "
    DELETE FROM entry_order WHERE workspace = $1 AND (facet, sort, place) IN (
      SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each($2))";

const MORE: &str = "
    INSERT INTO entry_order (workspace, facet, sort, place)
    SELECT $1, value ->> 0, value ->> 1, value ->> 2 FROM json_each($2) WHERE true
    ON CONFLICT (workspace, facet, sort, place) DO NOTHING";

pub(in crate::store) const FEWER_TERMS: &str = "
    DELETE FROM entry_term WHERE workspace = $1 AND (shared, term, contact) IN (
      SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each($2))";

const MORE_TERMS: &str = "
    INSERT INTO entry_term (workspace, shared, term, contact)
    SELECT $1, value ->> 0, value ->> 1, value ->> 2 FROM json_each($2) WHERE true
    ON CONFLICT (workspace, shared, term, contact) DO NOTHING";

const GONE: &str = "
    DELETE FROM entry WHERE workspace = $1 AND contact IN (
      SELECT value ->> 0 FROM json_each($2))";

const PUT: &str = "
    INSERT INTO entry (workspace, contact, terms, body)
    SELECT $1, value ->> 0, value ->> 1, value ->> 2 FROM json_each($2) WHERE true
    ON CONFLICT (workspace, contact) DO UPDATE SET terms = excluded.terms, body = excluded.body";

const COUNT: &str = "
    INSERT INTO entry_count (workspace, facet, total)
    SELECT $1, value ->> 0, CAST(value ->> 1 AS BIGINT) FROM json_each($2) WHERE true
    ON CONFLICT (workspace, facet) DO UPDATE SET total = entry_count.total + excluded.total";

/// A word that nobody has any more may have been the name of somebody who was erased.
const NOBODY: &str = "
    DELETE FROM entry_count WHERE workspace = $1 AND total <= 0
      AND facet IN (SELECT value ->> 0 FROM json_each($2))";

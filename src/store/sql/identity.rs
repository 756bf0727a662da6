//! Who is who: the identity ladder over stored links.
//!
//! A page of known people is one read. Only when something is new or has changed does the batch run
//! again inside a transaction that has the workspace's people to itself, on links read there, so
//! that two who see the same new person at once mint one id.
//!
//! Locks are taken in one order, here as everywhere: people, work, the rest, the workspace's counter.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::arg::args;
use super::db::{Db, Tx};
use super::erasure::Guard;
use super::row::{self, LinkRow};
use super::{history, index, merge};
use crate::clock;
use crate::store::{Error, Known};
use crate::unified::{
    Change, ContactId, Former, Link, Recognition, Reservation, Sighting, System, WorkspaceId,
};

/// Every link of the contacts behind the keys, and whether the key was theirs before. `$2`:
/// `[[system, key], …]`.
pub(in crate::store) const KNOWN: &str = "
    SELECT k.key AS at, 0 AS former, l.system, l.key, l.contact, l.email, l.phone
    FROM json_each($2) AS k CROSS JOIN link AS own CROSS JOIN link AS l
    WHERE own.workspace = $1 AND own.system = k.value ->> 0 AND own.key = k.value ->> 1
      AND l.workspace = $1 AND l.contact = own.contact
    UNION ALL
    SELECT k.key AS at, 1 AS former, l.system, l.key, l.contact, l.email, l.phone
    FROM json_each($2) AS k CROSS JOIN former AS own CROSS JOIN link AS l
    WHERE own.workspace = $1 AND own.system = k.value ->> 0 AND own.key = k.value ->> 1
      AND l.workspace = $1 AND l.contact = own.contact";

/// Whose records were before. `$2` as above.
pub(in crate::store) const FORMER: &str = "
    SELECT f.system, f.key, f.contact FROM json_each($2) AS k CROSS JOIN former AS f
    WHERE f.workspace = $1 AND f.system = k.value ->> 0 AND f.key = k.value ->> 1";

/// The links that share a key, an e-mail address or a telephone number or whose contact reserved
/// one, and all others of their contacts. `$2` as above, `$3` e-mail addresses, `$4` telephone
/// numbers.
pub(in crate::store) const RELATED: &str = "
    WITH related (contact) AS (
      SELECT l.contact FROM json_each($2) AS k CROSS JOIN link AS l
        WHERE l.workspace = $1 AND l.system = k.value ->> 0 AND l.key = k.value ->> 1
      UNION
      SELECT f.contact FROM json_each($2) AS k CROSS JOIN former AS f
        WHERE f.workspace = $1 AND f.system = k.value ->> 0 AND f.key = k.value ->> 1
      UNION
      SELECT l.contact FROM json_each($3) AS k CROSS JOIN link AS l
        WHERE l.workspace = $1 AND l.email = k.value ->> 0
      UNION
      SELECT l.contact FROM json_each($4) AS k CROSS JOIN link AS l
        WHERE l.workspace = $1 AND l.phone = k.value ->> 0
      UNION
      SELECT r.contact FROM json_each($3) AS k CROSS JOIN reservation AS r
        WHERE r.workspace = $1 AND r.kind = 'EMAIL' AND r.value = k.value ->> 0
      UNION
      SELECT r.contact FROM json_each($4) AS k CROSS JOIN reservation AS r
        WHERE r.workspace = $1 AND r.kind = 'PHONE' AND r.value = k.value ->> 0
    )
    SELECT l.system, l.key, l.contact, l.email, l.phone
    FROM related CROSS JOIN link AS l WHERE l.workspace = $1 AND l.contact = related.contact";

/// What the contacts that reserved one of the values reserved. `$2` e-mail addresses, `$3`
/// telephone numbers.
pub(in crate::store) const RESERVED: &str = "
    WITH related (contact) AS (
      SELECT r.contact FROM json_each($2) AS k CROSS JOIN reservation AS r
        WHERE r.workspace = $1 AND r.kind = 'EMAIL' AND r.value = k.value ->> 0
      UNION
      SELECT r.contact FROM json_each($3) AS k CROSS JOIN reservation AS r
        WHERE r.workspace = $1 AND r.kind = 'PHONE' AND r.value = k.value ->> 0
    )
    SELECT r.kind, r.value, r.contact
    FROM related CROSS JOIN reservation AS r
    WHERE r.workspace = $1 AND r.contact = related.contact";

/// Waits until nobody else changes who is who in the workspace.
pub(super) async fn lock(tx: &mut Tx, workspace: &WorkspaceId) -> Result<(), Error> {
    let sql = "SELECT created_at FROM workspace WHERE id = $1 /*pg FOR NO KEY UPDATE */";
    tx.one::<(i64,)>(sql, args![workspace]).await?;
    Ok(())
}

/// Who the sightings are of, if every one is linked and says nothing new.
pub(super) async fn known(
    db: &Db,
    workspace: &WorkspaceId,
    sightings: &[Sighting],
) -> Result<Option<Vec<Known>>, Error> {
    let rows: Vec<IndexedRow> = db.all(KNOWN, args![workspace, keys(sightings)?]).await?;
    let mut found: Vec<(bool, Vec<Link>)> = vec![(false, Vec::new()); sightings.len()];
    for IndexedRow { at, former, link } in rows {
        let found = usize::try_from(at).ok().and_then(|at| found.get_mut(at));
        let found = found.ok_or(Error::Inconsistent { table: "link", column: "key" })?;
        found.0 |= former == 1;
        found.1.push(row::link(link)?);
    }
    let known = sightings.iter().zip(found).map(|(sighting, (former, links))| {
        let own = links.iter().find(|link| former || link.is_current(sighting))?;
        Some(person(own.contact, links))
    });
    Ok(known.collect())
}

#[derive(sqlx::FromRow)]
struct IndexedRow {
    at: i64,
    former: i32,
    #[sqlx(flatten)]
    link: LinkRow,
}

/// A contact with its links in one order, whichever way they were found.
pub(super) fn person(id: ContactId, mut links: Vec<Link>) -> Known {
    links.sort_unstable_by(|a, b| (a.system, &a.key).cmp(&(b.system, &b.key)));
    Known { id, links, erased: false }
}

/// Runs the ladder and writes down what it found.
pub(super) async fn recognize(
    db: &Db,
    workspace: &WorkspaceId,
    sightings: &[Sighting],
    now: DateTime<Utc>,
) -> Result<Vec<Known>, Error> {
    let mut tx = db.write().await?;
    let guard = Guard::enter(&mut tx, workspace).await?;
    lock(&mut tx, workspace).await?;
    let links = related(&mut tx, workspace, sightings).await?;
    let reserved = reserved(&mut tx, workspace, sightings).await?;
    let former = former(&mut tx, workspace, sightings).await?;
    let own = links.iter().map(|link| (link.system, link.key.clone()));
    let own = own.chain(former.iter().map(|former| (former.system, former.key.clone()))).collect();
    let (sightings, erased) = guard.sift(&mut tx, workspace, sightings, &own).await?;
    let mut recognition = Recognition::new(links).with_reserved(reserved).with_former(former);
    for sighting in &sightings {
        recognition.see(sighting, || ContactId(clock::new_id_at(now)));
    }
    let (ids, links, changes) = recognition.finish();
    write(&mut tx, workspace, (&links, &changes), now).await?;
    tx.commit().await?;
    let mut by_contact: HashMap<ContactId, Vec<Link>> = HashMap::new();
    for link in links {
        by_contact.entry(link.contact).or_default().push(link);
    }
    let links_of = |id| by_contact.get(&id).cloned().unwrap_or_default();
    let mut known = ids.into_iter().map(|id| person(id, links_of(id)));
    let count = sightings.len() + erased.len();
    let told = (0..count).map_while(|place| match erased.get(&place) {
        Some(id) => Some(Known { id: *id, links: Vec::new(), erased: true }),
        None => known.next(),
    });
    Ok(told.collect())
}

fn keys(sightings: &[Sighting]) -> Result<String, Error> {
    let keys: Vec<_> = sightings.iter().map(|s| (s.system.as_str(), s.key.as_str())).collect();
    row::json(keys)
}

async fn related(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    sightings: &[Sighting],
) -> Result<Vec<Link>, Error> {
    let emails = row::list(sightings.iter().filter_map(|s| s.email.as_deref()))?;
    let phones = row::list(sightings.iter().filter_map(|s| s.phone.as_deref()))?;
    let rows: Vec<LinkRow> =
        tx.all(RELATED, args![workspace, keys(sightings)?, emails, phones]).await?;
    rows.into_iter().map(row::link).collect()
}

/// Keys of subscribers whom a contact was before.
pub(super) async fn former_subscribers(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    contact: ContactId,
) -> Result<Vec<String>, Error> {
    let sql = "SELECT key FROM former
               WHERE workspace = $1 AND contact = $2 AND system = $3 ORDER BY key";
    let rows: Vec<(String,)> = tx.all(sql, args![workspace, contact, System::Doppler]).await?;
    Ok(rows.into_iter().map(|(key,)| key).collect())
}

async fn former(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    sightings: &[Sighting],
) -> Result<Vec<Former>, Error> {
    let rows: Vec<(String, String, String)> =
        tx.all(FORMER, args![workspace, keys(sightings)?]).await?;
    let former = |(system, key, contact): (String, String, String)| {
        Ok(Former { system: row::system(&system)?, key, contact: row::contact_id(&contact)? })
    };
    rows.into_iter().map(former).collect()
}

async fn reserved(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    sightings: &[Sighting],
) -> Result<Vec<Reservation>, Error> {
    let emails = row::list(sightings.iter().filter_map(|s| s.email.as_deref()))?;
    let phones = row::list(sightings.iter().filter_map(|s| s.phone.as_deref()))?;
    let rows: Vec<(String, String, String)> =
        tx.all(RESERVED, args![workspace, emails, phones]).await?;
    let reservation = |(kind, value, contact): (String, String, String)| {
        let contact = row::contact_id(&contact)?;
        let (email, phone) =
            if kind == "EMAIL" { (Some(value), None) } else { (None, Some(value)) };
        Ok(Reservation { contact, email, phone })
    };
    rows.into_iter().map(reservation).collect()
}

/// Writes the changes down, all of a kind by one statement. Links come last and as they are in the
/// end, so that a merge in the same batch needs no second look at them.
pub(super) async fn write(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (links, changes): (&[Link], &[Change]),
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut minted = Vec::new();
    let mut merged = Vec::new();
    let mut touched = HashSet::new();
    for change in changes {
        match change {
            Change::Minted(id) => minted.push(*id),
            Change::Merged { survivor, gone } => merged.push((*survivor, *gone)),
            Change::Linked(link) => {
                touched.insert((link.system, link.key.as_str()));
            }
        }
    }
    mint(tx, workspace, &minted).await?;
    let mut events = Vec::new();
    let mut whose: Vec<ContactId> = links
        .iter()
        .filter(|link| touched.contains(&(link.system, link.key.as_str())))
        .map(|link| link.contact)
        .collect();
    for (survivor, gone) in merged {
        whose.extend([survivor, gone]);
        events.push(merge::merge(tx, workspace, (survivor, gone), now).await?);
    }
    let links = links.iter().filter(|link| touched.contains(&(link.system, link.key.as_str())));
    let links: Vec<&Link> = links.collect();
    put(tx, workspace, &links, now).await?;
    index::refresh(tx, workspace, &whose).await?;
    merge::count(tx, workspace, events.len()).await?;
    history::append(tx, workspace, &events, now).await?;
    Ok(())
}

/// Makes contacts. Nobody can see them before the transaction ends.
pub(super) async fn mint(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    ids: &[ContactId],
) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let list = row::list(ids.iter().map(ToString::to_string))?;
    tx.run(
        "INSERT INTO contact (workspace, id) SELECT $1, value ->> 0 FROM json_each($2)",
        args![workspace, list],
    )
    .await?;
    let count = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    tx.run(
        "UPDATE counter SET contacts = contacts + $2 WHERE workspace = $1",
        args![workspace, count],
    )
    .await?;
    Ok(())
}

/// Stores links. What a contact had reserved of them is now held by the link, and ends with it.
pub(super) async fn put(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    links: &[&Link],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if links.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = links
        .iter()
        .map(|l| (l.system.as_str(), &l.key, l.contact.to_string(), &l.email, &l.phone))
        .collect();
    let rows = row::json(rows)?;
    tx.run(
        "INSERT INTO link (workspace, system, key, contact, email, phone, seen_at)
         SELECT $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, $3
         FROM json_each($2) WHERE true
         ON CONFLICT (key, system, workspace) DO UPDATE SET contact = excluded.contact,
           email = excluded.email, phone = excluded.phone, seen_at = excluded.seen_at",
        args![workspace, rows.clone(), now],
    )
    .await?;
    tx.run(
        "DELETE FROM former WHERE workspace = $1 AND (key, system) IN (
           SELECT value ->> 1, value ->> 0 FROM json_each($2))",
        args![workspace, rows.clone()],
    )
    .await?;
    tx.run(
        "DELETE FROM reservation WHERE workspace = $1 AND (value, kind, contact) IN (
           SELECT value ->> 3, 'EMAIL', value ->> 2 FROM json_each($2)
           UNION ALL SELECT value ->> 4, 'PHONE', value ->> 2 FROM json_each($2))",
        args![workspace, rows],
    )
    .await?;
    Ok(())
}

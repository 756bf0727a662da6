//! Who is who: the identity ladder over stored links.
//!
//! A page of known people is one read on a reader's connection. Only when something is new or has
//! changed does the batch run again inside a write transaction, on links read there, so that two
//! who see the same new person at once mint one id.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use super::row::{self, LinkRow};
use crate::clock;
use crate::store::{Error, Known};
use crate::unified::{Change, ContactId, Link, Recognition, Sighting, WorkspaceId};

/// Every link of the contacts behind the keys. `$2`: `[[system, key], …]`.
pub(super) const KNOWN: &str = "
    SELECT k.key AS at, l.system, l.key, l.contact, l.email, l.phone
    FROM json_each($2) AS k
    CROSS JOIN link AS own
      ON own.workspace = $1 AND own.system = k.value ->> 0 AND own.key = k.value ->> 1
    CROSS JOIN link AS l ON l.workspace = $1 AND l.contact = own.contact";

/// The links that share a key, an e-mail address or a telephone number, and all others of their
/// contacts. `$2` as above, `$3` e-mail addresses, `$4` telephone numbers.
pub(super) const RELATED: &str = "
    WITH related (contact) AS (
      SELECT l.contact FROM json_each($2) AS k CROSS JOIN link AS l
        ON l.workspace = $1 AND l.system = k.value ->> 0 AND l.key = k.value ->> 1
      UNION
      SELECT l.contact FROM json_each($3) AS k CROSS JOIN link AS l
        ON l.workspace = $1 AND l.email = k.value
      UNION
      SELECT l.contact FROM json_each($4) AS k CROSS JOIN link AS l
        ON l.workspace = $1 AND l.phone = k.value
    )
    SELECT l.system, l.key, l.contact, l.email, l.phone
    FROM related CROSS JOIN link AS l ON l.workspace = $1 AND l.contact = related.contact";

/// Who the sightings are of, if every one is linked and says nothing new.
pub(super) async fn known(
    reader: &SqlitePool,
    workspace: &WorkspaceId,
    sightings: &[Sighting],
) -> Result<Option<Vec<Known>>, Error> {
    let rows: Vec<IndexedRow> = sqlx::query_as(KNOWN)
        .bind(workspace.as_str())
        .bind(keys(sightings)?)
        .fetch_all(reader)
        .await?;
    let mut found: Vec<Vec<Link>> = vec![Vec::new(); sightings.len()];
    for IndexedRow { at, link } in rows {
        let links = usize::try_from(at).ok().and_then(|at| found.get_mut(at));
        let links = links.ok_or(Error::Inconsistent { table: "link", column: "key" })?;
        links.push(row::link(link)?);
    }
    let known = sightings.iter().zip(found).map(|(sighting, links)| {
        let own = links.iter().find(|link| link.is_current(sighting))?;
        Some(person(own.contact, links))
    });
    Ok(known.collect())
}

#[derive(sqlx::FromRow)]
struct IndexedRow {
    at: i64,
    #[sqlx(flatten)]
    link: LinkRow,
}

/// A contact with its links in one order, whichever way they were found.
fn person(id: ContactId, mut links: Vec<Link>) -> Known {
    links.sort_unstable_by(|a, b| (a.system, &a.key).cmp(&(b.system, &b.key)));
    Known { id, links }
}

/// Runs the ladder and writes down what it found.
pub(super) async fn recognize(
    writer: &SqlitePool,
    workspace: &WorkspaceId,
    sightings: &[Sighting],
    now: DateTime<Utc>,
) -> Result<Vec<Known>, Error> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    let links = related(&mut transaction, workspace, sightings).await?;
    let mut recognition = Recognition::new(links);
    for sighting in sightings {
        recognition.see(sighting, || ContactId(clock::new_id_at(now)));
    }
    let (ids, links, changes) = recognition.finish();
    write(&mut transaction, workspace, &links, &changes, now).await?;
    transaction.commit().await?;
    let mut by_contact: HashMap<ContactId, Vec<Link>> = HashMap::new();
    for link in links {
        by_contact.entry(link.contact).or_default().push(link);
    }
    let links_of = |id| by_contact.get(&id).cloned().unwrap_or_default();
    Ok(ids.into_iter().map(|id| person(id, links_of(id))).collect())
}

fn keys(sightings: &[Sighting]) -> Result<String, Error> {
    let keys: Vec<_> = sightings.iter().map(|s| (s.system.as_str(), s.key.as_str())).collect();
    row::json(keys)
}

async fn related(
    connection: &mut SqliteConnection,
    workspace: &WorkspaceId,
    sightings: &[Sighting],
) -> Result<Vec<Link>, Error> {
    let emails: Vec<&str> = sightings.iter().filter_map(|s| s.email.as_deref()).collect();
    let phones: Vec<&str> = sightings.iter().filter_map(|s| s.phone.as_deref()).collect();
    let rows: Vec<LinkRow> = sqlx::query_as(RELATED)
        .bind(workspace.as_str())
        .bind(keys(sightings)?)
        .bind(row::json(emails)?)
        .bind(row::json(phones)?)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(row::link).collect()
}

/// Writes the changes down, all of a kind by one statement. Links come last and as they are in the
/// end, so that a merge in the same batch needs no second look at them.
async fn write(
    connection: &mut SqliteConnection,
    workspace: &WorkspaceId,
    links: &[Link],
    changes: &[Change],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut minted = Vec::new();
    let mut merged = Vec::new();
    let mut touched = HashSet::new();
    for change in changes {
        match change {
            Change::Minted(id) => minted.push(id.to_string()),
            Change::Merged { survivor, gone } => merged.push((*survivor, *gone)),
            Change::Linked(link) => {
                touched.insert((link.system, link.key.as_str()));
            }
        }
    }
    sqlx::query("INSERT INTO contact (workspace, id) SELECT $1, value FROM json_each($2)")
        .bind(workspace.as_str())
        .bind(row::json(minted)?)
        .execute(&mut *connection)
        .await?;
    for (survivor, gone) in merged {
        merge(connection, workspace, survivor, gone).await?;
    }
    let links = links.iter().filter(|link| touched.contains(&(link.system, link.key.as_str())));
    let links: Vec<_> = links
        .map(|l| (l.system.as_str(), &l.key, l.contact.to_string(), &l.email, &l.phone))
        .collect();
    sqlx::query(
        "INSERT INTO link (workspace, system, key, contact, email, phone, seen_at)
         SELECT $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, $3
         FROM json_each($2) WHERE true
         ON CONFLICT (key, system, workspace) DO UPDATE SET contact = excluded.contact,
           email = excluded.email, phone = excluded.phone, seen_at = excluded.seen_at",
    )
    .bind(workspace.as_str())
    .bind(row::json(links)?)
    .bind(now.timestamp_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// Moves all that is `gone`'s to the survivor, and points everyone who was merged into `gone`
/// before straight at the survivor.
pub(super) async fn merge(
    connection: &mut SqliteConnection,
    workspace: &WorkspaceId,
    survivor: ContactId,
    gone: ContactId,
) -> Result<(), Error> {
    for statement in [
        "UPDATE contact SET survivor = $2 WHERE workspace = $1 AND (id = $3 OR survivor = $3)",
        "UPDATE link SET contact = $2 WHERE workspace = $1 AND contact = $3",
        "INSERT INTO delivery_seen (workspace, contact, campaign, seen_at)
         SELECT workspace, $2, campaign, seen_at FROM delivery_seen
         WHERE workspace = $1 AND contact = $3
         ON CONFLICT DO UPDATE SET seen_at = min(seen_at, excluded.seen_at)",
        "DELETE FROM delivery_seen WHERE workspace = $1 AND $2 <> $3 AND contact = $3",
    ] {
        sqlx::query(statement)
            .bind(workspace.as_str())
            .bind(survivor.to_string())
            .bind(gone.to_string())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

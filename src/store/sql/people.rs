//! Lookups of contacts, reservations, and when deliveries were first seen.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::arg::args;
use super::db::Tx;
use super::erasure::Guard;
use super::row::{self, LinkRow};
use super::{SqlStore, identity, workspaces};
use crate::clock;
use crate::store::{Error, Known, People, Reserved, Sighting, Trace, Workspace};
use crate::unified::{ContactId, System, WorkspaceId};

#[async_trait]
impl People for SqlStore {
    async fn workspace(
        &self,
        id: &WorkspaceId,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<Workspace, Error> {
        let mut tx = self.db.write().await?;
        let row: Option<(String, i64)> = tx
            .one(
                "INSERT INTO workspace (id, name, created_at) VALUES ($1, $2, $3)
                 ON CONFLICT (id) DO UPDATE SET id = excluded.id
                 RETURNING name, created_at",
                args![id, name, now],
            )
            .await?;
        workspaces::count(&mut tx, id).await?;
        tx.commit().await?;
        let (name, at) = row.ok_or(Error::Inconsistent { table: "workspace", column: "id" })?;
        let created_at = row::time(at, "workspace", "created_at")?;
        Ok(Workspace { id: id.clone(), name, created_at })
    }

    async fn recognize(
        &self,
        workspace: &WorkspaceId,
        sightings: &[Sighting],
        now: DateTime<Utc>,
    ) -> Result<Vec<Known>, Error> {
        if let Some(known) = identity::known(&self.db, workspace, sightings).await? {
            return Ok(known);
        }
        identity::recognize(&self.db, workspace, sightings, now).await
    }

    async fn contact(
        &self,
        workspace: &WorkspaceId,
        id: ContactId,
    ) -> Result<Option<Known>, Error> {
        let rows: Vec<Row> = self.db.all(BY_ID, args![workspace, id]).await?;
        known(rows)
    }

    async fn linked(
        &self,
        workspace: &WorkspaceId,
        system: System,
        keys: &[&str],
    ) -> Result<Vec<Option<ContactId>>, Error> {
        let rows: Vec<(i64, String)> =
            self.db.all(LINKED, args![workspace, system, row::list(keys)?]).await?;
        let mut linked = vec![None; keys.len()];
        for (place, contact) in rows {
            let place = usize::try_from(place).ok().and_then(|place| linked.get_mut(place));
            if let Some(place) = place {
                *place = Some(row::contact_id(&contact)?);
            }
        }
        Ok(linked)
    }

    async fn contacts_by_email(
        &self,
        workspace: &WorkspaceId,
        email: &str,
    ) -> Result<Vec<ContactId>, Error> {
        row::contact_ids(&self.db.all(BY_EMAIL, args![workspace, email]).await?)
    }

    async fn contacts_by_phone(
        &self,
        workspace: &WorkspaceId,
        phone: &str,
    ) -> Result<Vec<ContactId>, Error> {
        row::contact_ids(&self.db.all(BY_PHONE, args![workspace, phone]).await?)
    }

    async fn reserve(
        &self,
        workspace: &WorkspaceId,
        email: Option<&str>,
        phone: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Reserved, Error> {
        let mut tx = self.db.write().await?;
        let guard = Guard::enter(&mut tx, workspace).await?;
        identity::lock(&mut tx, workspace).await?;
        if guard.is_out(&mut tx, workspace, email).await? {
            return Ok(Reserved::Erased);
        }
        let reserved = match holder(&mut tx, workspace, email, phone).await? {
            Holder::Several(ids) => return Ok(Reserved::Ambiguous(ids)),
            Holder::One(id) => Reserved::Known(id),
            Holder::Nobody => {
                let id = ContactId(clock::new_id_at(now));
                identity::mint(&mut tx, workspace, &[id]).await?;
                Reserved::Minted(id)
            }
        };
        let (Reserved::Minted(id) | Reserved::Known(id)) = reserved else { return Ok(reserved) };
        for (kind, value, by) in [("EMAIL", email, BY_EMAIL), ("PHONE", phone, BY_PHONE)] {
            let Some(value) = value else { continue };
            let held: Vec<(String,)> = tx.all(by, args![workspace, value]).await?;
            if held.is_empty() {
                tx.run(
                    "INSERT INTO reservation (workspace, kind, value, contact, reserved_at)
                     VALUES ($1, $2, $3, $4, $5)",
                    args![workspace, kind, value, id, now],
                )
                .await?;
            }
        }
        tx.commit().await?;
        Ok(reserved)
    }

    async fn foresee(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        system: System,
        key: &str,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        let guard = Guard::enter(&mut tx, workspace).await?;
        let record = Trace::Record(system, key.to_owned());
        if guard.whose(&mut tx, workspace, &[record]).await? != [None] {
            return Ok(());
        }
        identity::lock(&mut tx, workspace).await?;
        tx.run(
            "INSERT INTO former (workspace, system, key, contact)
             SELECT workspace, $2, $3, coalesce(survivor, id) FROM contact
             WHERE workspace = $1 AND id = $4 AND erased_at IS NULL AND NOT EXISTS
               (SELECT 1 FROM link WHERE workspace = $1 AND system = $2 AND key = $3)
             ON CONFLICT (key, system, workspace) DO UPDATE SET contact = excluded.contact",
            args![workspace, system, key, contact],
        )
        .await?;
        tx.commit().await
    }

    async fn deliveries_seen(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        campaigns: &[String],
        now: DateTime<Utc>,
    ) -> Result<Vec<DateTime<Utc>>, Error> {
        let list = row::list(campaigns)?;
        let seen = |rows| in_order(rows, campaigns.len());
        let rows = self.db.all(SEEN, args![workspace, contact, list.clone()]).await?;
        if let Some(seen) = seen(rows)? {
            return Ok(seen);
        }
        let mut tx = self.db.write().await?;
        tx.lock_erasures(workspace, false).await?;
        let erased = "SELECT id FROM contact
             WHERE workspace = $1 AND id = $2 AND erased_at IS NOT NULL";
        if tx.one::<(String,)>(erased, args![workspace, contact]).await?.is_some() {
            return Ok(vec![now; campaigns.len()]);
        }
        tx.run(
            "INSERT INTO delivery_seen (workspace, contact, campaign, seen_at)
             SELECT DISTINCT $1,
               (SELECT coalesce(survivor, id) FROM contact WHERE workspace = $1 AND id = $2),
               value ->> 0, CAST($4 AS BIGINT)
             FROM json_each($3) WHERE true
             ON CONFLICT (contact, campaign, workspace) DO NOTHING",
            args![workspace, contact, list.clone(), now],
        )
        .await?;
        let rows = tx.all(SEEN, args![workspace, contact, list]).await?;
        tx.commit().await?;
        seen(rows)?.ok_or(Error::Inconsistent { table: "delivery_seen", column: "campaign" })
    }
}

/// A contact and one of its links, if it has any.
#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    system: Option<String>,
    key: Option<String>,
    email: Option<String>,
    phone: Option<String>,
}

const BY_ID: &str = "
    SELECT coalesce(c.survivor, c.id) AS id, l.system, l.key, l.email, l.phone
    FROM contact AS c LEFT JOIN link AS l
      ON l.workspace = c.workspace AND l.contact = coalesce(c.survivor, c.id)
    WHERE c.workspace = $1 AND c.id = $2 AND c.erased_at IS NULL
    ORDER BY l.system, l.key";

const LINKED: &str = "
    SELECT k.key, l.contact FROM json_each($3) AS k CROSS JOIN link AS l
    WHERE l.workspace = $1 AND l.system = $2 AND l.key = k.value ->> 0";

/// Ids sort by age, so the order is the oldest first.
const BY_EMAIL: &str = "
    SELECT contact FROM link WHERE workspace = $1 AND email = $2
    UNION
    SELECT contact FROM reservation WHERE workspace = $1 AND kind = 'EMAIL' AND value = $2
    ORDER BY contact";

const BY_PHONE: &str = "
    SELECT contact FROM link WHERE workspace = $1 AND phone = $2
    UNION
    SELECT contact FROM reservation WHERE workspace = $1 AND kind = 'PHONE' AND value = $2
    ORDER BY contact";

/// Which of the campaigns were seen: its number in the list, and when.
const SEEN: &str = "
    SELECT k.key, d.seen_at FROM json_each($3) AS k CROSS JOIN delivery_seen AS d
    WHERE d.workspace = $1 AND d.campaign = k.value ->> 0 AND d.contact =
      (SELECT coalesce(survivor, id) FROM contact WHERE workspace = $1 AND id = $2)";

fn known(rows: Vec<Row>) -> Result<Option<Known>, Error> {
    let Some(first) = rows.first() else { return Ok(None) };
    let id = row::contact_id(&first.id)?;
    let mut links = Vec::new();
    for Row { id, system, key, email, phone } in rows {
        if let Some((system, key)) = system.zip(key) {
            links.push(row::link(LinkRow { system, key, contact: id, email, phone })?);
        }
    }
    Ok(Some(identity::person(id, links)))
}

/// The contact behind an id and its links, in a transaction.
pub(super) async fn by_id(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    id: ContactId,
) -> Result<Option<Known>, Error> {
    known(tx.all(BY_ID, args![workspace, id]).await?)
}

/// The contact that answers for an id.
pub(super) async fn survivor(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    id: ContactId,
) -> Result<Option<ContactId>, Error> {
    let sql = "SELECT coalesce(survivor, id) FROM contact WHERE workspace = $1 AND id = $2";
    let row: Option<(String,)> = tx.one(sql, args![workspace, id]).await?;
    row.map(|(id,)| row::contact_id(&id)).transpose()
}

/// Every id that the contact behind an id ever had.
pub(super) async fn names(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    id: ContactId,
) -> Result<Vec<String>, Error> {
    let id = survivor(tx, workspace, id).await?.unwrap_or(id);
    let sql = "SELECT id FROM contact WHERE workspace = $1 AND survivor = $2";
    let rows: Vec<(String,)> = tx.all(sql, args![workspace, id]).await?;
    Ok(rows.into_iter().map(|(id,)| id).chain([id.to_string()]).collect())
}

enum Holder {
    Nobody,
    One(ContactId),
    Several(Vec<ContactId>),
}

/// Who has the address, or else the number and no address that contradicts.
async fn holder(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    email: Option<&str>,
    phone: Option<&str>,
) -> Result<Holder, Error> {
    let ids = row::contact_ids(&tx.all(BY_EMAIL, args![workspace, email]).await?)?;
    match ids[..] {
        [] => {}
        [id] => return Ok(Holder::One(id)),
        _ => return Ok(Holder::Several(ids)),
    }
    let ids = row::contact_ids(&tx.all(BY_PHONE, args![workspace, phone]).await?)?;
    match ids[..] {
        [] => Ok(Holder::Nobody),
        [id] => {
            let other: Vec<(String,)> = tx
                .all(
                    "SELECT email FROM link
                     WHERE workspace = $1 AND contact = $2 AND email IS NOT NULL
                     UNION
                     SELECT value FROM reservation
                     WHERE workspace = $1 AND contact = $2 AND kind = 'EMAIL'",
                    args![workspace, id],
                )
                .await?;
            let contradicts = email.is_some() && !other.is_empty();
            Ok(if contradicts { Holder::Nobody } else { Holder::One(id) })
        }
        // The address tells who it is; a shared number is no reason to doubt it.
        _ if email.is_some() => Ok(Holder::Nobody),
        _ => Ok(Holder::Several(ids)),
    }
}

/// The times in the list's order, if all are there.
fn in_order(rows: Vec<(i64, i64)>, count: usize) -> Result<Option<Vec<DateTime<Utc>>>, Error> {
    let seen: HashMap<i64, i64> = rows.into_iter().collect();
    (0i64..)
        .take(count)
        .map(|at| {
            seen.get(&at).map(|millis| row::time(*millis, "delivery_seen", "seen_at")).transpose()
        })
        .collect()
}

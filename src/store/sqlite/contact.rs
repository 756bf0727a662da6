//! Lookups of contacts, and when their deliveries were first seen.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::sqlite::{SqliteExecutor, SqlitePool};

use super::row::{self, LinkRow};
use crate::store::{Error, Known};
use crate::unified::{ContactId, WorkspaceId};

/// The contact behind an id and its links. A contact always has one: nothing takes the last away.
pub(super) async fn by_id(
    reader: &SqlitePool,
    workspace: &WorkspaceId,
    id: ContactId,
) -> Result<Option<Known>, Error> {
    let rows: Vec<LinkRow> = sqlx::query_as(
        "SELECT l.system, l.key, l.contact, l.email, l.phone
         FROM contact AS c CROSS JOIN link AS l
           ON l.workspace = c.workspace AND l.contact = coalesce(c.survivor, c.id)
         WHERE c.workspace = $1 AND c.id = $2
         ORDER BY l.system, l.key",
    )
    .bind(workspace.as_str())
    .bind(id.to_string())
    .fetch_all(reader)
    .await?;
    let links = rows.into_iter().map(row::link).collect::<Result<Vec<_>, _>>()?;
    Ok(links.first().map(|link| link.contact).map(|id| Known { id, links }))
}

/// Ids sort by age, so the order is the oldest first.
pub(super) async fn by_email(
    reader: &SqlitePool,
    workspace: &WorkspaceId,
    email: &str,
) -> Result<Vec<ContactId>, Error> {
    let rows = sqlx::query_scalar(
        "SELECT DISTINCT contact FROM link WHERE workspace = $1 AND email = $2 ORDER BY contact",
    );
    row::contact_ids(&rows.bind(workspace.as_str()).bind(email).fetch_all(reader).await?)
}

pub(super) async fn by_phone(
    reader: &SqlitePool,
    workspace: &WorkspaceId,
    phone: &str,
) -> Result<Vec<ContactId>, Error> {
    let rows = sqlx::query_scalar(
        "SELECT DISTINCT contact FROM link WHERE workspace = $1 AND phone = $2 ORDER BY contact",
    );
    row::contact_ids(&rows.bind(workspace.as_str()).bind(phone).fetch_all(reader).await?)
}

/// When each campaign's delivery was first seen, if all were.
pub(super) async fn deliveries_seen<'c>(
    connection: impl SqliteExecutor<'c>,
    workspace: &WorkspaceId,
    contact: ContactId,
    campaigns: &[String],
) -> Result<Option<Vec<DateTime<Utc>>>, Error> {
    let rows: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT k.key, d.seen_at FROM json_each($3) AS k CROSS JOIN delivery_seen AS d
           ON d.workspace = $1 AND d.campaign = k.value AND d.contact =
             (SELECT coalesce(survivor, id) FROM contact WHERE workspace = $1 AND id = $2)",
    )
    .bind(workspace.as_str())
    .bind(contact.to_string())
    .bind(row::json(campaigns)?)
    .fetch_all(connection)
    .await?;
    let seen: HashMap<i64, i64> = rows.into_iter().collect();
    (0i64..)
        .zip(campaigns)
        .map(|(at, _)| {
            seen.get(&at).map(|millis| row::time(*millis, "delivery_seen", "seen_at")).transpose()
        })
        .collect()
}

/// The same, remembering those never seen before as seen `now`.
pub(super) async fn see_deliveries(
    writer: &SqlitePool,
    workspace: &WorkspaceId,
    contact: ContactId,
    campaigns: &[String],
    now: DateTime<Utc>,
) -> Result<Vec<DateTime<Utc>>, Error> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query(
        "INSERT INTO delivery_seen (workspace, contact, campaign, seen_at)
         SELECT $1, (SELECT coalesce(survivor, id) FROM contact WHERE workspace = $1 AND id = $2),
           value, $4
         FROM json_each($3) WHERE true
         ON CONFLICT DO NOTHING",
    )
    .bind(workspace.as_str())
    .bind(contact.to_string())
    .bind(row::json(campaigns)?)
    .bind(now.timestamp_millis())
    .execute(&mut *transaction)
    .await?;
    let seen = deliveries_seen(&mut *transaction, workspace, contact, campaigns).await?;
    transaction.commit().await?;
    seen.ok_or(Error::Inconsistent { table: "delivery_seen", column: "campaign" })
}

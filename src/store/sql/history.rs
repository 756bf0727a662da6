//! The history. See `store::history` for why the counter comes last in a transaction.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::arg::args;
use super::db::{Db, Tx};
use super::{SqlStore, people, row};
use crate::store::{Error, EventFilter, Events, History, Span};
use crate::unified::{Event, EventDraft, System, WorkspaceId};

/// How many events one transaction forgets, so that others can write in between.
const AT_ONCE: i64 = 5_000;

/// Appends events and gives the last one's cursor. The last statement of its transaction: whoever
/// has a cursor holds the counter until the commit.
pub(in crate::store) async fn append(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    events: &[EventDraft],
    now: DateTime<Utc>,
) -> Result<Option<i64>, Error> {
    if events.is_empty() {
        return Ok(None);
    }
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let last: Option<(i64,)> = tx
        .one(
            "UPDATE counter SET last_event = last_event + $2 WHERE workspace = $1
             RETURNING last_event",
            args![workspace, count],
        )
        .await?;
    let (last,) = last.ok_or(Error::Inconsistent { table: "counter", column: "workspace" })?;
    let mut rows = Vec::with_capacity(events.len());
    for (cursor, event) in (last - count + 1..).zip(events) {
        let EventDraft { kind, contact, system, run, .. } = event;
        rows.push((
            cursor,
            row::word(kind)?,
            contact.map(|id| id.to_string()),
            system.map(System::as_str),
            run.map(|id| id.simple().to_string()),
            row::body(event)?,
        ));
    }
    tx.run(
        "INSERT INTO event (workspace, cursor, at, kind, contact, system, run, body)
         SELECT $1, CAST(value ->> 0 AS BIGINT), $3, value ->> 1, value ->> 2, value ->> 3,
           value ->> 4, value ->> 5
         FROM json_each($2)",
        args![workspace, row::json(rows)?, now],
    )
    .await?;
    Ok(Some(last))
}

/// Finds events. `$2` is the cursor to go on from, `$3` to `$7` the filter, `$8` how many at most.
macro_rules! find {
    ($span:literal, $contact:literal) => {
        concat!(
            "SELECT cursor, at, body FROM event WHERE workspace = $1 AND cursor ",
            $span,
            " $2 AND ($3 IS NULL OR kind IN (SELECT value ->> 0 FROM json_each($3)))
             AND ($4 IS NULL OR system IN (SELECT value ->> 0 FROM json_each($4)))
             AND ($5 IS NULL OR run = $5) AND at >= $6 AND ",
            $contact
        )
    };
}

const ANYBODY: [&str; 2] = [
    find!(">", "$7 IS NULL ORDER BY cursor LIMIT $8"),
    find!("<", "$7 IS NULL ORDER BY cursor DESC LIMIT $8"),
];
const SOMEBODY: [&str; 2] = [
    find!(">", "contact IN (SELECT value ->> 0 FROM json_each($7)) ORDER BY cursor LIMIT $8"),
    find!("<", "contact IN (SELECT value ->> 0 FROM json_each($7)) ORDER BY cursor DESC LIMIT $8"),
];

#[async_trait]
impl History for SqlStore {
    async fn events(
        &self,
        workspace: &WorkspaceId,
        span: Span,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Events, Error> {
        let mut tx = self.db.read().await?;
        let (last, oldest) = counter(&mut tx, workspace).await?;
        let (backward, from, end) = match span {
            Span::After(cursor) => (false, cursor.unwrap_or(oldest - 1), last),
            Span::Before(cursor) => (true, cursor.unwrap_or(i64::MAX), oldest),
        };
        if !backward && from < oldest - 1 {
            return Ok(Events::Expired { oldest });
        }
        let contact = match filter.contact {
            Some(contact) => Some(row::list(people::names(&mut tx, workspace, contact).await?)?),
            None => None,
        };
        let sql = if contact.is_some() { SOMEBODY } else { ANYBODY }[usize::from(backward)];
        let kinds = filter
            .kinds
            .as_ref()
            .map(|kinds| row::list(kinds.iter().map(row::word).collect::<Result<Vec<_>, _>>()?));
        let systems = filter.systems.as_ref();
        let systems = systems.map(|all| row::list(all.iter().map(|system| system.as_str())));
        let since = filter.since.map_or(i64::MIN, |since| since.timestamp_millis());
        let asked = limit.saturating_add(1);
        let args = args![
            workspace,
            from,
            kinds.transpose()?,
            systems.transpose()?,
            filter.run,
            since,
            contact,
            asked
        ];
        let rows: Vec<(i64, i64, String)> = tx.all(sql, args).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        let events = rows.into_iter().take(limit).map(event).collect::<Result<Vec<_>, _>>()?;
        let searched = match events.last() {
            Some(event) if more => event.cursor,
            Some(_) | None => end,
        };
        Ok(Events::Found { events, searched, more })
    }

    async fn last_cursor(&self, workspace: &WorkspaceId) -> Result<i64, Error> {
        let sql = "SELECT last_event FROM counter WHERE workspace = $1";
        let row: Option<(i64,)> = self.db.one(sql, args![workspace]).await?;
        Ok(row.map_or(0, |(last,)| last))
    }

    async fn append(
        &self,
        workspace: &WorkspaceId,
        events: &[EventDraft],
        now: DateTime<Utc>,
    ) -> Result<i64, Error> {
        let mut tx = self.db.write().await?;
        let last = append(&mut tx, workspace, events, now).await?;
        let last = match last {
            Some(last) => last,
            None => counter(&mut tx, workspace).await?.0,
        };
        tx.commit().await?;
        Ok(last)
    }
}

fn event((cursor, at, body): (i64, i64, String)) -> Result<Event, Error> {
    Ok(Event { cursor, at: row::time(at, "event", "at")?, draft: row::model(&body, "event")? })
}

/// The last cursor given, and the first that is kept.
async fn counter(tx: &mut Tx, workspace: &WorkspaceId) -> Result<(i64, i64), Error> {
    let sql = "SELECT last_event, oldest_event FROM counter WHERE workspace = $1";
    Ok(tx.one(sql, args![workspace]).await?.unwrap_or((0, 1)))
}

/// Forgets events that are older, workspace by workspace; how many.
///
/// What is kept begins at the first event that is young enough, so that a cursor alone tells
/// whether something is missing.
pub(super) async fn prune(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    let workspaces: Vec<(String,)> = db.all("SELECT workspace FROM counter", args![]).await?;
    let mut pruned = 0;
    for (workspace,) in workspaces {
        loop {
            let mut tx = db.write().await?;
            let found: Option<(i64, i64)> = tx
                .one(
                    "SELECT oldest_event, coalesce(
                       (SELECT cursor FROM event WHERE workspace = $1 AND at >= $2
                        ORDER BY cursor LIMIT 1), last_event + 1)
                     FROM counter WHERE workspace = $1",
                    args![&workspace, before],
                )
                .await?;
            let Some((oldest, keep)) = found else { break };
            let until = keep.min(oldest.saturating_add(AT_ONCE));
            if until <= oldest {
                break;
            }
            let sql = "UPDATE counter SET oldest_event = $2 WHERE workspace = $1";
            tx.run(sql, args![&workspace, until]).await?;
            let sql = "DELETE FROM event WHERE workspace = $1 AND cursor < $2";
            pruned += tx.run(sql, args![&workspace, until]).await?;
            tx.commit().await?;
        }
    }
    Ok(pruned)
}

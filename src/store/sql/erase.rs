//! Taking away what is stored of a person. What there is to know them by is `traces`'s.
//!
//! Whoever adds a table that says anything of a person adds it here, to [`OWN`] where the rows are the
//! contact's, else by what the person is known by.

use chrono::{DateTime, Utc};

use super::arg::args;
use super::db::{Db, Tx};
use super::traces::{self, Traces};
use super::{history, identity, index, people, row, words, work};
use crate::store::{CONTACT, Erasure, Error, Mark, Priority};
use crate::unified::{ContactId, EventDraft, EventKind, System, WorkspaceId, subscriber_key};

/// What every event says that was about an erased person.
const NOT_KEPT: &str = "The person was erased, and with them what this said";

pub(super) async fn erase(
    db: &Db,
    workspace: &WorkspaceId,
    contact: ContactId,
    now: DateTime<Utc>,
) -> Result<Erasure, Error> {
    if !db.pepper.is_there() {
        return Err(Error::Locked);
    }
    let mut tx = db.write().await?;
    tx.lock_erasures(workspace, true).await?;
    identity::lock(&mut tx, workspace).await?;
    let Some(contact) = people::survivor(&mut tx, workspace, contact).await? else {
        return Ok(Erasure::Unknown);
    };
    let names = people::names(&mut tx, workspace, contact).await?;
    if !bury(&mut tx, workspace, (&names, now)).await? {
        return Ok(Erasure::Before(contact));
    }
    let ids = row::list(&names)?;
    let traces = traces::of(&mut tx, workspace, ids.clone()).await?;
    let holds = row::list(words::holds(&mut tx, workspace, (&names, &traces)).await?)?;
    let beside = beside(&mut tx, workspace, (&names, holds.clone())).await?;
    let keys: Vec<(&str, &str)> = names.iter().map(|id| (CONTACT, id.as_str())).collect();
    work::lock(&mut tx, workspace, &keys).await?;
    for sql in OWN {
        tx.run(sql, args![workspace, ids.clone()]).await?;
    }
    remember(&mut tx, workspace, (contact, &traces)).await?;
    forget_records(&mut tx, workspace, &traces).await?;
    words::forget(&mut tx, workspace, (&names, &traces, holds)).await?;
    forget_events(&mut tx, workspace, ids).await?;
    // Their questions were about the person too, and are asked anew if they still stand.
    let marks: Vec<Mark> =
        beside.iter().map(|id| Mark::contact(*id, Priority::Live, now)).collect();
    for id in &beside {
        work::forget(&mut tx, workspace, *id).await?;
    }
    work::mark(&mut tx, workspace, &marks).await?;
    index::refresh(&mut tx, workspace, &[contact]).await?;
    let event = EventDraft {
        contact: Some(contact),
        ..EventDraft::new(EventKind::Erased, "A person was erased on request")
    };
    let last_cursor = history::append(&mut tx, workspace, &[event], now).await?;
    tx.commit().await?;
    Ok(Erasure::Done { contact, last_cursor })
}

/// Makes the ids nobody's; `false`: they were before.
async fn bury(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (names, now): (&[String], DateTime<Utc>),
) -> Result<bool, Error> {
    let sql = "UPDATE contact SET erased_at = $3 WHERE workspace = $1 AND erased_at IS NULL
       AND id IN (SELECT value ->> 0 FROM json_each($2))";
    let buried = tx.run(sql, args![workspace, row::list(names)?, now]).await?;
    if buried == 0 {
        return Ok(false);
    }
    let sql = "UPDATE counter SET contacts = contacts - 1 WHERE workspace = $1";
    tx.run(sql, args![workspace]).await?;
    Ok(true)
}

/// Rows that are a contact's, whose ids are `$2`.
macro_rules! own {
    ($table:literal) => {
        own!($table, "contact")
    };
    ($table:literal, $column:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE workspace = $1 AND ",
            $column,
            " IN (SELECT value ->> 0 FROM json_each($2))"
        )
    };
}

/// Keys of mutations before the edits that they name.
const OWN: [&str; 13] = [
    "DELETE FROM idempotency WHERE workspace = $1 AND edit IN
       (SELECT e.id FROM json_each($2) AS k CROSS JOIN edit AS e
        WHERE e.workspace = $1 AND e.contact = k.value ->> 0)",
    own!("edit"),
    own!("link"),
    own!("former"),
    own!("reservation"),
    own!("delivery_seen"),
    own!("engagement"),
    own!("agreement"),
    own!("pending_write"),
    own!("parked"),
    own!("failure"),
    // Of every kind: who asks about their deliveries loses the lease as well.
    own!("work", "key"),
    // A run goes on without them.
    own!("run_contact"),
];

/// Other contacts that share a hold with the person.
async fn beside(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (names, holds): (&[String], String),
) -> Result<Vec<ContactId>, Error> {
    let rows: Vec<(String,)> = tx
        .all(
            "SELECT DISTINCT c.contact FROM json_each($2) AS k CROSS JOIN hold_contact AS c
             WHERE c.workspace = $1 AND c.hold = k.value ->> 0",
            args![workspace, holds],
        )
        .await?;
    let others = rows.into_iter().filter(|(id,)| !names.contains(id) && !id.is_empty());
    others.map(|(id,)| row::contact_id(&id)).collect()
}

/// Keeps what the person is known again by.
async fn remember(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (contact, traces): (ContactId, &Traces),
) -> Result<(), Error> {
    let hashes: Result<Vec<_>, _> =
        traces.all().iter().map(|trace| tx.pepper.hash(workspace, trace)).collect();
    tx.run(
        "INSERT INTO erased (workspace, hash, contact)
         SELECT $1, value ->> 0, $3 FROM json_each($2) WHERE true
         ON CONFLICT (hash, workspace) DO NOTHING",
        args![workspace, row::list(hashes?)?, contact],
    )
    .await?;
    // Anybody could try addresses on these.
    tx.run(
        "DELETE FROM suppression WHERE workspace = $1
           AND hash IN (SELECT value ->> 0 FROM json_each($2))",
        args![workspace, row::list(traces.opt_outs(workspace))?],
    )
    .await?;
    Ok(())
}

/// Forgets what stands under the keys of the person's records.
async fn forget_records(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    traces: &Traces,
) -> Result<(), Error> {
    let records = row::json(traces.kept_under())?;
    tx.run(
        "DELETE FROM seen WHERE workspace = $1 AND (system, key) IN
           (SELECT value ->> 0, value ->> 1 FROM json_each($2)
            UNION ALL SELECT value ->> 0, 'opt-out ' || (value ->> 1) FROM json_each($2))",
        args![workspace, records.clone()],
    )
    .await?;
    tx.run(
        "DELETE FROM copy WHERE workspace = $1 AND EXISTS
           (SELECT 1 FROM json_each($2) AS k WHERE copy.system = k.value ->> 0 AND
             substr(copy.key, instr(copy.key, '/') + 1) = k.value ->> 1)",
        args![workspace, records],
    )
    .await?;
    // Some are kept under an address as it was written.
    let written: Vec<(String,)> = tx
        .all(
            "SELECT DISTINCT key FROM copy WHERE workspace = $1 AND system = 'DOPPLER' AND
               (octet_length(key) > length(key) OR lower(key) <> key)",
            args![workspace],
        )
        .await?;
    let kept_under = traces.kept_under();
    let is_theirs = |key: &String| {
        let address = key.split_once('/').map_or(key.as_str(), |(_, address)| address);
        kept_under.contains(&(System::Doppler.as_str(), &*subscriber_key(address)))
    };
    let theirs = written.into_iter().map(|(key,)| key).filter(is_theirs);
    tx.run(
        "DELETE FROM copy WHERE workspace = $1 AND system = 'DOPPLER'
           AND key IN (SELECT value ->> 0 FROM json_each($2))",
        args![workspace, row::list(theirs)?],
    )
    .await?;
    Ok(())
}

/// Takes the words out of the person's history.
async fn forget_events(tx: &mut Tx, workspace: &WorkspaceId, ids: String) -> Result<(), Error> {
    let rows: Vec<(i64, String)> = tx
        .all(
            "SELECT e.cursor, e.body FROM json_each($2) AS k CROSS JOIN event AS e
             WHERE e.workspace = $1 AND e.contact = k.value ->> 0",
            args![workspace, ids],
        )
        .await?;
    let mut bodies = Vec::with_capacity(rows.len());
    for (cursor, body) in rows {
        let EventDraft { kind, contact, system, run, .. } = row::model(&body, "event")?;
        let draft = EventDraft { contact, system, run, ..EventDraft::new(kind, NOT_KEPT) };
        bodies.push((cursor, row::body(&draft)?));
    }
    for chunk in bodies.chunks(500) {
        tx.run(
            "UPDATE event SET body = (SELECT k.value ->> 1 FROM json_each($2) AS k
               WHERE CAST(k.value ->> 0 AS BIGINT) = event.cursor)
             WHERE workspace = $1 AND cursor IN
               (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($2))",
            args![workspace, row::json(chunk)?],
        )
        .await?;
    }
    Ok(())
}

//! Rows of holds and failures.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::arg::args;
use super::db::Tx;
use super::row;
use crate::store::{Decided, Error, FailureKey};
use crate::unified::{ContactId, Failure, Hold, WorkspaceId};

/// Stands for everybody among those whom a hold is about: holds about a field of the workspace, and
/// those whose decision is remembered.
pub(super) const EVERYBODY: &str = "";

/// What waits for a decision about a contact, and what was decided.
pub(super) async fn about(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    contact: ContactId,
) -> Result<(Vec<Hold>, Vec<Decided>), Error> {
    /// Whose it is, the hold, when it was closed, how, and whether that was carried out.
    type Row = (String, String, Option<i64>, Option<String>, i64);
    let rows: Vec<Row> = tx
        .all(
            "SELECT c.contact, h.body, h.closed_at, h.decision, h.obeyed
             FROM hold_contact AS c CROSS JOIN hold AS h
             WHERE c.workspace = $1 AND c.contact IN ($2, $3) AND h.workspace = $1 AND h.id = c.hold
               AND (h.closed_at IS NULL
                 OR h.decision IS NOT NULL AND (h.obeyed = 0 OR h.remember = 1))
             ORDER BY h.id, c.contact DESC",
            args![workspace, contact, EVERYBODY],
        )
        .await?;
    let (mut open, mut decided) = (Vec::new(), Vec::<Decided>::new());
    for (whose, body, closed_at, decision, obeyed) in rows {
        let hold: Hold = row::model(&body, "hold")?;
        // One that is remembered is here as the contact's own, too.
        if decided.last().is_some_and(|last| last.hold.id == hold.id) {
            continue;
        }
        match decision {
            Some(decision) if closed_at.is_some() => {
                let decision = row::model(&decision, "hold")?;
                let of_others = whose == EVERYBODY && !hold.contacts.is_empty();
                decided.push(Decided { hold, decision, remembered: obeyed == 1 || of_others });
            }
            Some(_) | None => open.push(hold),
        }
    }
    Ok((open, decided))
}

/// A contact's failures, at most one a system.
pub(super) async fn failures_of(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    contact: ContactId,
) -> Result<Vec<Failure>, Error> {
    let rows: Vec<(String, String)> = tx
        .all(
            "SELECT contact, body FROM failure WHERE workspace = $1 AND contact = $2
             ORDER BY system",
            args![workspace, contact],
        )
        .await?;
    rows.into_iter().map(failure).collect()
}

/// The contact's column counts: after a merge it is not the one in the body.
pub(super) fn failure((contact, body): (String, String)) -> Result<Failure, Error> {
    Ok(Failure { contact: row::contact_id(&contact)?, ..row::model(&body, "failure")? })
}

pub(super) async fn put_failure(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    failure: &Failure,
) -> Result<(), Error> {
    let Failure { contact, system, code, dead, .. } = failure;
    tx.run(
        "INSERT INTO failure (workspace, contact, system, code, dead, body)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (workspace, contact, system) DO UPDATE SET
           code = excluded.code, dead = excluded.dead, body = excluded.body",
        args![workspace, *contact, *system, code, *dead, row::body(failure)?],
    )
    .await?;
    Ok(())
}

/// Whether there was one.
pub(super) async fn clear(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (contact, system): FailureKey,
) -> Result<bool, Error> {
    let sql = "DELETE FROM failure WHERE workspace = $1 AND contact = $2 AND system = $3";
    Ok(tx.run(sql, args![workspace, contact, system]).await? == 1)
}

/// Opens a hold, or changes an open one.
pub(super) async fn put_hold(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    hold: &Hold,
) -> Result<(), Error> {
    tx.run(
        "INSERT INTO hold (workspace, id, kind, body) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id, workspace) DO UPDATE SET kind = excluded.kind, body = excluded.body
         WHERE hold.closed_at IS NULL",
        args![workspace, hold.id, row::word(&hold.kind)?, row::body(hold)?],
    )
    .await?;
    let mut contacts: Vec<String> = hold.contacts.iter().map(ToString::to_string).collect();
    contacts.extend(hold.contact.map(|id| id.to_string()));
    contacts.sort_unstable();
    contacts.dedup();
    if is_everybodys(hold) {
        contacts.push(EVERYBODY.to_owned());
    }
    tx.run(
        "INSERT INTO hold_contact (workspace, hold, contact)
         SELECT $1, $2, value ->> 0 FROM json_each($3) WHERE true
         ON CONFLICT (contact, hold, workspace) DO NOTHING",
        args![workspace, hold.id, row::list(contacts)?],
    )
    .await?;
    Ok(())
}

/// Whether a hold is about a field of the workspace, so that one is enough for everybody.
pub(super) fn is_everybodys(hold: &Hold) -> bool {
    hold.contact.is_none() && hold.contacts.is_empty() && hold.field.is_some()
}

/// Opens a hold that is everybody's, unless somebody else opened the same a moment ago.
pub(super) async fn put_everybodys(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    hold: &Hold,
) -> Result<(), Error> {
    let rows: Vec<(String,)> = tx
        .all(
            "SELECT h.body FROM hold_contact AS c CROSS JOIN hold AS h
             WHERE c.workspace = $1 AND c.contact = $2 AND h.workspace = $1 AND h.id = c.hold
               AND h.closed_at IS NULL",
            args![workspace, EVERYBODY],
        )
        .await?;
    for (body,) in rows {
        let Hold { kind, system, field, .. } = row::model(&body, "hold")?;
        if (kind, system, &field) == (hold.kind, hold.system, &hold.field) {
            return Ok(());
        }
    }
    put_hold(tx, workspace, hold).await
}

/// Puts a decision on everybody's sheet.
pub(super) async fn remember(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    hold: Uuid,
) -> Result<(), Error> {
    tx.run(
        "INSERT INTO hold_contact (workspace, hold, contact) VALUES ($1, $2, $3)
         ON CONFLICT (contact, hold, workspace) DO NOTHING",
        args![workspace, hold, EVERYBODY],
    )
    .await?;
    Ok(())
}

/// Closes holds without a decision.
pub(super) async fn drop_holds(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    tx.run(
        "UPDATE hold SET closed_at = $3 WHERE workspace = $1 AND closed_at IS NULL
           AND id IN (SELECT value ->> 0 FROM json_each($2))",
        args![workspace, row::list(ids.iter().map(|id| id.simple().to_string()))?, now],
    )
    .await?;
    Ok(())
}

/// Notes that decisions were carried out.
pub(super) async fn obey(tx: &mut Tx, workspace: &WorkspaceId, ids: &[Uuid]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    tx.run(
        "UPDATE hold SET obeyed = 1
         WHERE workspace = $1 AND id IN (SELECT value ->> 0 FROM json_each($2))",
        args![workspace, row::list(ids.iter().map(|id| id.simple().to_string()))?],
    )
    .await?;
    Ok(())
}

/// Changes a failure, if it still stands.
pub(super) async fn touch(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    failure: &Failure,
) -> Result<bool, Error> {
    let Failure { contact, system, dead, .. } = failure;
    let changed = tx
        .run(
            "UPDATE failure SET dead = $4, body = $5
             WHERE workspace = $1 AND contact = $2 AND system = $3",
            args![workspace, *contact, *system, *dead, row::body(failure)?],
        )
        .await?;
    Ok(changed == 1)
}

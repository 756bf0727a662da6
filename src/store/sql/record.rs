//! Storing what a run found out, all of it or nothing.
//!
//! People before work where links change, because a link may prove that two contacts are one; then
//! the fence; then everything else; the history last.

use chrono::{DateTime, Utc};

use super::arg::args;
use super::db::{Db, Tx};
use super::row::{self, LinkRow};
use super::{agreement, history, identity, ledger, merge, problem, work};
use crate::store::{CONTACT, EditOutcome, Error, Lease, Record, Recorded};
use crate::unified::{
    ContactId, Edit, EventDraft, Failure, Hold, Link, Sighting, System, SystemWrite, WorkspaceId,
    WriteOutcome,
};

pub(super) async fn record(
    db: &Db,
    lease: &Lease,
    record: Record,
    now: DateTime<Utc>,
) -> Result<Recorded, Error> {
    let workspace = &lease.workspace;
    let mut tx = db.write().await?;
    if !record.links.is_empty() || !record.unlinked.is_empty() {
        identity::lock(&mut tx, workspace).await?;
    }
    if !work::fence_with(&mut tx, lease, &record.marks).await? {
        return Ok(Recorded::Lost);
    }
    let mut events = record.events;
    let mut refused = Vec::new();
    let (mut failures, mut holds) = (record.failures, record.holds);
    work::mark(&mut tx, workspace, &record.marks).await?;
    if lease.kind == CONTACT {
        let contact = row::contact_id(&lease.key)?;
        if !record.agreement.is_empty() || !failures.is_empty() {
            let mut agreement =
                agreement::get(&mut tx, workspace, contact).await?.unwrap_or_default();
            let known = |system| record.given_up.get(&system);
            failures.retain(|one| agreement.given_up.get(&one.system) == known(one.system));
            if !record.agreement.is_empty() {
                record.agreement.apply(&mut agreement);
                agreement::put(&mut tx, workspace, contact, &agreement).await?;
            }
        }
        for system in record.cleared {
            problem::clear(&mut tx, workspace, (contact, system)).await?;
        }
        unlink(&mut tx, workspace, contact, &record.unlinked).await?;
        let linked = link(&mut tx, workspace, (contact, record.links), now).await?;
        refused = linked.refused;
        events.extend(linked.events);
        rename(&mut failures, &mut holds, (contact, linked.contact));
    }
    for failure in &failures {
        problem::put_failure(&mut tx, workspace, failure).await?;
    }
    for outcome in record.edits {
        settle_edit(&mut tx, workspace, outcome, now).await?;
    }
    if !record.closed.is_empty() {
        let closed = row::list(record.closed.iter().map(|id| id.simple().to_string()))?;
        tx.run(
            "DELETE FROM pending_write
             WHERE workspace = $1 AND id IN (SELECT value ->> 0 FROM json_each($2))",
            args![workspace, closed],
        )
        .await?;
    }
    let (everybodys, own): (Vec<_>, Vec<_>) =
        holds.iter().partition(|one| problem::is_everybodys(one));
    for hold in own {
        problem::put_hold(&mut tx, workspace, hold).await?;
    }
    problem::drop_holds(&mut tx, workspace, &record.dropped, now).await?;
    problem::obey(&mut tx, workspace, &record.obeyed).await?;
    work::settle(&mut tx, lease, &record.next, now).await?;
    let last_cursor = history::append(&mut tx, workspace, &events, now).await?;
    // Under the history's lock, so that of two who find the same only one says so.
    for hold in everybodys {
        problem::put_everybodys(&mut tx, workspace, hold).await?;
    }
    tx.commit().await?;
    Ok(Recorded::Stored { last_cursor, refused })
}

/// Stores what became of an edit, which is done when nothing of it is queued.
async fn settle_edit(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    EditOutcome { edit, writes, result, errors }: EditOutcome,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let sql = "SELECT contact, body FROM edit WHERE workspace = $1 AND id = $2";
    let row: Option<(String, String)> = tx.one(sql, args![workspace, edit]).await?;
    let Some(row) = row else { return Ok(()) };
    let stored = ledger::edit(row)?;
    let result = result.or_else(|| stored.result.clone());
    let writes = finally(&stored.writes, writes);
    put_edit(tx, workspace, &Edit { writes, result, errors, ..stored }, now).await
}

/// What was said of a system for good is not queued again by a run that began before.
fn finally(before: &[SystemWrite], mut writes: Vec<SystemWrite>) -> Vec<SystemWrite> {
    for write in writes.iter_mut().filter(|write| write.outcome == WriteOutcome::Queued) {
        let ended =
            |old: &&SystemWrite| old.system == write.system && old.outcome != WriteOutcome::Queued;
        if let Some(old) = before.iter().find(ended) {
            *write = old.clone();
        }
    }
    writes
}

/// Stores an edit's outcome.
pub(super) async fn put_edit(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    edit: &Edit,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let done_at = edit.is_done().then_some(now);
    tx.run(
        "UPDATE edit SET done_at = $3, body = $4 WHERE workspace = $1 AND id = $2",
        args![workspace, edit.id, done_at, row::body(edit)?],
    )
    .await?;
    Ok(())
}

/// What the run says of a contact that its own links proved to be somebody else.
fn rename(failures: &mut [Failure], holds: &mut [Hold], (old, new): (ContactId, ContactId)) {
    let of_failures = failures.iter_mut().map(|failure| &mut failure.contact);
    let of_holds =
        holds.iter_mut().flat_map(|hold| hold.contact.iter_mut().chain(&mut hold.contacts));
    for id in of_failures.chain(of_holds).filter(|id| **id == old) {
        *id = new;
    }
}

async fn unlink(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    contact: ContactId,
    links: &[(System, String)],
) -> Result<(), Error> {
    for (system, key) in links {
        tx.run(
            "DELETE FROM link WHERE workspace = $1 AND system = $2 AND key = $3 AND contact = $4",
            args![workspace, *system, key, contact],
        )
        .await?;
    }
    Ok(())
}

struct Linked {
    /// Who it is by now.
    contact: ContactId,
    events: Vec<EventDraft>,
    refused: Vec<(Sighting, ContactId)>,
}

/// Stores links of a contact. A record that is somebody else's proves that the two are one person,
/// unless they are two different ones in some system; the older survives, and the lease goes on if
/// that is its contact.
async fn link(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (contact, sightings): (ContactId, Vec<Sighting>),
    now: DateTime<Utc>,
) -> Result<Linked, Error> {
    let mut linked = Linked { contact, events: Vec::new(), refused: Vec::new() };
    for sighting in sightings {
        let contact = linked.contact;
        let owner: Option<(String,)> = tx
            .one(
                "SELECT contact FROM link WHERE workspace = $1 AND system = $2 AND key = $3",
                args![workspace, sighting.system, &sighting.key],
            )
            .await?;
        let owner = owner.map(|(id,)| row::contact_id(&id)).transpose()?;
        let other = owner.filter(|owner| *owner != contact);
        let mine = links(tx, workspace, contact).await?;
        let taken = mine.iter().any(|l| l.system == sighting.system && l.key != sighting.key);
        if let Some(other) = other {
            let theirs = links(tx, workspace, other).await?;
            if taken || theirs.iter().any(|l| mine.iter().any(|m| m.system == l.system)) {
                linked.refused.push((sighting, other));
                continue;
            }
            let (survivor, gone) = (contact.min(other), contact.max(other));
            linked.events.push(merge::merge(tx, workspace, (survivor, gone), now).await?);
            linked.contact = survivor;
        } else if taken {
            linked.refused.push((sighting, contact));
            continue;
        }
        let (Sighting { system, key, email, phone }, contact) = (sighting, linked.contact);
        identity::put(tx, workspace, &[&Link { system, key, contact, email, phone }], now).await?;
    }
    Ok(linked)
}

async fn links(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    contact: ContactId,
) -> Result<Vec<Link>, Error> {
    let rows: Vec<LinkRow> = tx
        .all(
            "SELECT system, key, contact, email, phone FROM link
             WHERE workspace = $1 AND contact = $2",
            args![workspace, contact],
        )
        .await?;
    rows.into_iter().map(row::link).collect()
}

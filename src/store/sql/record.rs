//! Storing what a run found out, all of it or nothing.
//!
//! People before work where links change, because a link may prove that two contacts are one; then
//! the fence; then everything else; the history last.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::arg::args;
use super::db::{Db, Tx};
use super::erasure::Guard;
use super::row::{self, LinkRow};
use super::{
    agreement, history, identity, imports, index, ledger, merge, polls, problem, runs, suppression,
    work,
};
use crate::store::{AgreementChange, CONTACT, EditOutcome, Error, Lease, Record, Recorded};
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
    let guard = Guard::enter(&mut tx, workspace).await?;
    if !record.links.is_empty() || !record.unlinked.is_empty() {
        identity::lock(&mut tx, workspace).await?;
    }
    if !work::fence_with(&mut tx, lease, &record.marks).await? {
        return Ok(Recorded::Lost);
    }
    let mut events = record.events;
    let mut refused = Vec::new();
    let (mut relinked, mut gone) = (Vec::new(), 0);
    let (mut failures, mut holds) = (record.failures, record.holds);
    work::mark(&mut tx, workspace, &record.marks).await?;
    if lease.kind == CONTACT {
        let contact = row::contact_id(&lease.key)?;
        let mut changed = Vec::new();
        if !record.links.is_empty() || !record.unlinked.is_empty() {
            changed.push(contact);
        }
        let (agreed, given_up) = (record.agreement, &record.given_up);
        agree(&mut tx, (workspace, contact), (agreed, given_up), &mut failures).await?;
        for system in record.cleared {
            problem::clear(&mut tx, workspace, (contact, system)).await?;
        }
        let moved = |(system, _): &&(System, String)| {
            record.links.iter().any(|link| link.system == *system)
        };
        let moved: Vec<_> = record.unlinked.iter().filter(moved).collect();
        remember(&mut tx, workspace, contact, &moved).await?;
        unlink(&mut tx, workspace, contact, &record.unlinked).await?;
        let (links, erased) = living(&mut tx, (workspace, guard), record.links).await?;
        let linked = link(&mut tx, workspace, (contact, links), now).await?;
        refused = [linked.refused, erased].concat();
        gone = linked.events.len();
        changed.extend(linked.merged);
        relinked = changed;
        events.extend(linked.events);
        rename(&mut failures, &mut holds, (contact, linked.contact));
        let of = (workspace, linked.contact);
        imports::put_parked(&mut tx, of, (&record.parked, &record.unparked)).await?;
        polls::saw_each(&mut tx, workspace, record.seen).await?;
        if let Some(outcome) = record.outcome {
            runs::tally(&mut tx, workspace, linked.contact, outcome).await?;
        }
    }
    if let Some((hashes, out)) = &record.suppression {
        suppression::put(&mut tx, workspace, (hashes, *out)).await?;
    }
    for failure in &failures {
        problem::put_failure(&mut tx, workspace, failure).await?;
    }
    for outcome in record.edits {
        settle_edit(&mut tx, workspace, outcome, now).await?;
    }
    close(&mut tx, workspace, &record.closed).await?;
    let (everybodys, own): (Vec<_>, Vec<_>) =
        holds.iter().partition(|one| problem::is_everybodys(one));
    for hold in own {
        problem::put_hold(&mut tx, workspace, hold).await?;
    }
    problem::drop_holds(&mut tx, workspace, &record.dropped, now).await?;
    problem::obey(&mut tx, workspace, &record.obeyed).await?;
    work::settle(&mut tx, lease, &record.next, now).await?;
    index::refresh(&mut tx, workspace, &relinked).await?;
    merge::count(&mut tx, workspace, gone).await?;
    let last_cursor = history::append(&mut tx, workspace, &events, now).await?;
    // Under the history's lock, so that of two who find the same only one says so.
    for hold in everybodys {
        problem::put_everybodys(&mut tx, workspace, hold).await?;
    }
    tx.commit().await?;
    Ok(Recorded::Stored { last_cursor, refused })
}

/// Forgets calls of which it is known by now what became of them.
async fn close(tx: &mut Tx, workspace: &WorkspaceId, calls: &[Uuid]) -> Result<(), Error> {
    if !calls.is_empty() {
        let closed = row::list(calls.iter().map(|id| id.simple().to_string()))?;
        tx.run(
            "DELETE FROM pending_write
             WHERE workspace = $1 AND id IN (SELECT value ->> 0 FROM json_each($2))",
            args![workspace, closed],
        )
        .await?;
    }
    Ok(())
}

/// Links without those to erased people's records, and the others with whose they were.
async fn living(
    tx: &mut Tx,
    (workspace, guard): (&WorkspaceId, Guard),
    links: Vec<Sighting>,
) -> Result<(Vec<Sighting>, Vec<(Sighting, ContactId)>), Error> {
    let (living, out) = guard.sift(tx, workspace, &links, &BTreeSet::new()).await?;
    let erased = links.into_iter().enumerate();
    let erased = erased.filter_map(|(place, link)| Some((link, *out.get(&place)?))).collect();
    Ok((living, erased))
}

/// Stores what is agreed, and takes out the failures of what was given up meanwhile.
async fn agree(
    tx: &mut Tx,
    (workspace, contact): (&WorkspaceId, ContactId),
    (change, given_up): (AgreementChange, &BTreeMap<System, DateTime<Utc>>),
    failures: &mut Vec<Failure>,
) -> Result<(), Error> {
    if change.is_empty() && failures.is_empty() {
        return Ok(());
    }
    let mut agreement = agreement::get(tx, workspace, contact).await?.unwrap_or_default();
    failures.retain(|one| agreement.given_up.get(&one.system) == given_up.get(&one.system));
    if !change.is_empty() {
        change.apply(&mut agreement);
        agreement::put(tx, workspace, contact, &agreement).await?;
    }
    Ok(())
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

/// Remembers whose a record was that gives way to another one of the same person.
async fn remember(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    contact: ContactId,
    moved: &[&(System, String)],
) -> Result<(), Error> {
    for (system, key) in moved {
        tx.run(
            "INSERT INTO former (workspace, system, key, contact)
             SELECT workspace, system, key, contact FROM link
             WHERE workspace = $1 AND system = $2 AND key = $3 AND contact = $4
             ON CONFLICT (key, system, workspace) DO UPDATE SET contact = excluded.contact",
            args![workspace, *system, key, contact],
        )
        .await?;
    }
    Ok(())
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
    /// Who was merged, both of each two.
    merged: Vec<ContactId>,
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
    let (events, refused, merged) = (Vec::new(), Vec::new(), Vec::new());
    let mut linked = Linked { contact, events, refused, merged };
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
            linked.merged.extend([survivor, gone]);
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

//! Two contacts that turned out to be one: all that was the one's becomes the other's.

use chrono::{DateTime, Utc};

use super::arg::args;
use super::db::Tx;
use super::{agreement, row, work};
use crate::store::{CONTACT, Error, Mark, Priority};
use crate::unified::{Agreement, ContactId, EventDraft, EventKind, Hold, STATUS, WorkspaceId};

/// Moves all that is `gone`'s to the survivor, and points everyone who was merged into `gone`
/// before straight at the survivor. What is to be said of it.
///
/// A worker that is at `gone` loses its lease with the row: what it finds out is about nobody. What
/// it has sent is among the survivor's pending writes.
pub(in crate::store) async fn merge(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (survivor, gone): (ContactId, ContactId),
    now: DateTime<Utc>,
) -> Result<EventDraft, Error> {
    // The contact before its work: who accepts an edit looks at it in this order too.
    let sql =
        "UPDATE contact SET survivor = $2 WHERE workspace = $1 AND (id = $3 OR survivor = $3)";
    tx.run(sql, args![workspace, survivor, gone]).await?;
    let (one, other) = (survivor.to_string(), gone.to_string());
    work::lock(tx, workspace, &[(CONTACT, &one), (CONTACT, &other)]).await?;
    let priority = work::forget(tx, workspace, gone).await?;
    for statement in [
        "UPDATE link SET contact = $2 WHERE workspace = $1 AND contact = $3",
        "UPDATE former SET contact = $2 WHERE workspace = $1 AND contact = $3",
        "UPDATE reservation SET contact = $2 WHERE workspace = $1 AND contact = $3",
        "INSERT INTO delivery_seen (workspace, contact, campaign, seen_at)
         SELECT workspace, $2, campaign, seen_at FROM delivery_seen
         WHERE workspace = $1 AND contact = $3
         ON CONFLICT (contact, campaign, workspace) DO UPDATE SET seen_at =
           CASE WHEN excluded.seen_at < delivery_seen.seen_at
             THEN excluded.seen_at ELSE delivery_seen.seen_at END",
        "DELETE FROM delivery_seen WHERE workspace = $1 AND $2 <> $3 AND contact = $3",
        "INSERT INTO engagement (workspace, contact, asked_at, body)
         SELECT workspace, $2, asked_at, body FROM engagement
         WHERE workspace = $1 AND contact = $3
         ON CONFLICT (contact, workspace) DO NOTHING",
        "DELETE FROM engagement WHERE workspace = $1 AND $2 <> $3 AND contact = $3",
        "UPDATE edit SET contact = $2 WHERE workspace = $1 AND contact = $3",
        "UPDATE pending_write SET contact = $2 WHERE workspace = $1 AND contact = $3",
        "UPDATE parked SET contact = $2 WHERE workspace = $1 AND contact = $3",
        "INSERT INTO failure (workspace, contact, system, code, dead, body)
         SELECT workspace, $2, system, code, dead, body FROM failure
         WHERE workspace = $1 AND contact = $3
         ON CONFLICT (workspace, contact, system) DO NOTHING",
        "DELETE FROM failure WHERE workspace = $1 AND $2 <> $3 AND contact = $3",
        // The survivor is part of the run by itself, or is marked all the same.
        "DELETE FROM run_contact WHERE workspace = $1 AND $2 <> $3 AND contact = $3",
    ] {
        tx.run(statement, args![workspace, survivor, gone]).await?;
    }
    holds(tx, workspace, survivor, gone).await?;
    agree(tx, workspace, survivor, gone).await?;
    let mark = Mark::contact(survivor, priority.unwrap_or(Priority::Live), now);
    work::mark(tx, workspace, &[mark]).await?;
    let message = "Two contacts turned out to be the same person and are one from now on";
    Ok(EventDraft { contact: Some(survivor), ..EventDraft::new(EventKind::Merged, message) })
}

/// Counts so many contacts less. Right before the history: whoever has the workspace's counter waits for
/// nothing any more.
pub(in crate::store) async fn count(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    gone: usize,
) -> Result<(), Error> {
    if gone > 0 {
        let gone = i64::try_from(gone).unwrap_or(i64::MAX);
        let sql = "UPDATE counter SET contacts = contacts - $2 WHERE workspace = $1";
        tx.run(sql, args![workspace, gone]).await?;
    }
    Ok(())
}

/// Holds that are about `gone` are about the survivor.
async fn holds(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    survivor: ContactId,
    gone: ContactId,
) -> Result<(), Error> {
    let rows: Vec<(String, String)> = tx
        .all(
            "SELECT h.id, h.body FROM hold_contact AS c CROSS JOIN hold AS h
             WHERE c.workspace = $1 AND c.contact = $2 AND h.workspace = $1 AND h.id = c.hold",
            args![workspace, gone],
        )
        .await?;
    for (id, body) in rows {
        let mut hold: Hold = row::model(&body, "hold")?;
        hold.contact = hold.contact.map(|id| if id == gone { survivor } else { id });
        let known = hold.contacts.contains(&survivor);
        hold.contacts.retain(|id| *id != gone || !known);
        for id in hold.contacts.iter_mut().filter(|id| **id == gone) {
            *id = survivor;
        }
        let sql = "UPDATE hold SET body = $3 WHERE workspace = $1 AND id = $2";
        tx.run(sql, args![workspace, id, row::body(&hold)?]).await?;
    }
    for statement in [
        "INSERT INTO hold_contact (workspace, hold, contact)
         SELECT workspace, hold, $2 FROM hold_contact WHERE workspace = $1 AND contact = $3
         ON CONFLICT (contact, hold, workspace) DO NOTHING",
        "DELETE FROM hold_contact WHERE workspace = $1 AND $2 <> $3 AND contact = $3",
    ] {
        tx.run(statement, args![workspace, survivor, gone]).await?;
    }
    Ok(())
}

/// The survivor agrees to what both had agreed to alike or only one had.
///
/// A field about which the two differ was never agreed: without canon and bases it is decided as at
/// the first meeting. Kept, the survivor's value would overwrite the other's as if it were news.
async fn agree(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    survivor: ContactId,
    gone: ContactId,
) -> Result<(), Error> {
    let Some(other) = agreement::get(tx, workspace, gone).await? else { return Ok(()) };
    let own = agreement::get(tx, workspace, survivor).await?.unwrap_or_default();
    agreement::put(tx, workspace, survivor, &united(own, other)).await?;
    tx.run("DELETE FROM agreement WHERE workspace = $1 AND contact = $2", args![workspace, gone])
        .await?;
    Ok(())
}

fn united(mut own: Agreement, other: Agreement) -> Agreement {
    let differs = |field: &String| {
        let (a, b) = (own.canon.get(field), other.canon.get(field));
        a.zip(b).is_some_and(|(a, b)| a.value != b.value)
    };
    let disputed: Vec<String> = own.canon.keys().filter(|field| differs(field)).cloned().collect();
    let other_status = other.canon.get(STATUS).cloned();
    for (field, canon) in other.canon {
        own.canon.entry(field).or_insert(canon);
    }
    for (field, base) in other.doppler {
        own.doppler.entry(field).or_insert(base);
    }
    for (field, base) in other.highlevel {
        own.highlevel.entry(field).or_insert(base);
    }
    for (system, until) in other.given_up {
        let own = own.given_up.entry(system).or_insert(until);
        *own = until.max(*own);
    }
    // One opt-out is everybody's. Without bases it is put right in both systems, whatever these say.
    let opted_out = [own.canon.get(STATUS), other_status.as_ref()].into_iter().flatten();
    let opted_out = { opted_out }.find(|canon| canon.is_out()).cloned();
    for field in disputed {
        own.canon.remove(&field);
        own.doppler.remove(&field);
        own.highlevel.remove(&field);
    }
    if let Some(canon) = opted_out {
        own.doppler.remove(STATUS);
        own.highlevel.remove(STATUS);
        own.canon.insert(STATUS.to_owned(), canon);
    }
    own
}

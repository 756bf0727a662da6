//! What an erased person is known by: every address, number and record key in what is stored of them.

use std::collections::BTreeSet;

use super::arg::args;
use super::db::Tx;
use super::{erasure, row};
use crate::store::{Error, Trace};
use crate::unified::{
    Agreement, Canonical, Edit, EditChange, SubscriberEdit, System, WorkspaceId, normalize_email,
    normalize_phone, opt_out_hash, subscriber_key,
};

/// See the module. Addresses and numbers are normalised, and nobody else's.
#[derive(Debug, Default)]
pub(super) struct Traces {
    pub emails: BTreeSet<String>,
    pub phones: BTreeSet<String>,
    records: BTreeSet<(System, String)>,
    /// Keys of their subscribers under an address that another contact has too. What is kept of these
    /// goes with them, and who is seen there later is that other.
    shared: BTreeSet<String>,
}

impl Traces {
    /// As they are remembered. Not numbers, which families share.
    pub fn all(&self) -> Vec<Trace> {
        let emails = self.emails.iter().cloned().map(Trace::Email);
        let records = self.records.iter().cloned();
        emails.chain(records.map(|(system, key)| Trace::Record(system, key))).collect()
    }

    /// Each system's keys, and nobody else's.
    pub fn records(&self) -> Vec<(&str, &str)> {
        let own = self.records.iter().map(|(system, key)| (system.as_str(), key.as_str()));
        // Whoever had an address may have been looked for under it.
        let by_email = self.emails.iter().map(|email| (System::Doppler.as_str(), email.as_str()));
        own.chain(by_email).collect()
    }

    /// The keys under which something is kept of them.
    pub fn kept_under(&self) -> Vec<(&str, &str)> {
        let shared = self.shared.iter().map(|key| (System::Doppler.as_str(), key.as_str()));
        self.records().into_iter().chain(shared).collect()
    }

    /// What is kept of the addresses if they opted out.
    pub fn opt_outs<'a>(&'a self, workspace: &'a WorkspaceId) -> impl Iterator<Item = String> + 'a {
        self.emails.iter().map(|email| opt_out_hash(workspace, email))
    }

    fn email(&mut self, raw: &str) {
        self.emails.extend(normalize_email(raw));
    }

    fn field(&mut self, name: &str, value: &Canonical) {
        let Canonical::Text(text) = value else { return };
        match name {
            "email" => self.email(text),
            "phone" => self.phones.extend(normalize_phone(text)),
            _ => {}
        }
    }

    fn agreement(&mut self, agreement: &Agreement) {
        for (name, canon) in &agreement.canon {
            self.field(name, &canon.value);
        }
        for system in System::ALL {
            for (name, base) in agreement.base(system) {
                self.field(name, &base.value);
                // What is no field's name is about the record: the key that it had.
                if let (true, Canonical::Text(key)) = (name.starts_with('#'), &base.value) {
                    self.records.insert((system, key.clone()));
                }
            }
        }
    }
}

/// Rows of one text each that are a contact's, whose ids are `$2`.
macro_rules! bodies {
    ($column:literal of $table:literal) => {
        concat!(
            "SELECT t.",
            $column,
            " FROM json_each($2) AS k CROSS JOIN ",
            $table,
            " AS t WHERE t.workspace = $1 AND t.contact = k.value ->> 0"
        )
    };
}

const LINKS: &str = "
    SELECT l.system, l.key, l.email, l.phone FROM json_each($2) AS k CROSS JOIN link AS l
    WHERE l.workspace = $1 AND l.contact = k.value ->> 0
    UNION ALL
    SELECT f.system, f.key, NULL, NULL FROM json_each($2) AS k CROSS JOIN former AS f
    WHERE f.workspace = $1 AND f.contact = k.value ->> 0";

/// Everything that the contact of these ids is known by.
pub(super) async fn of(tx: &mut Tx, workspace: &WorkspaceId, ids: String) -> Result<Traces, Error> {
    let mut traces = Traces::default();
    let args = || args![workspace, ids.clone()];
    let links: Vec<(String, String, Option<String>, Option<String>)> =
        tx.all(LINKS, args()).await?;
    for (system, key, email, phone) in links {
        let system = row::system(&system)?;
        if system == System::Doppler {
            traces.email(&key);
        }
        traces.records.insert((system, key));
        traces.emails.extend(email);
        traces.phones.extend(phone);
    }
    let reserved: Vec<(String,)> = tx.all(bodies!("value" of "reservation"), args()).await?;
    for (value,) in reserved {
        if value.contains('@') { traces.email(&value) } else { _ = traces.phones.insert(value) }
    }
    let agreements: Vec<(String,)> = tx.all(bodies!("body" of "agreement"), args()).await?;
    for (body,) in agreements {
        traces.agreement(&row::model(&body, "agreement")?);
    }
    let edits: Vec<(String,)> = tx.all(bodies!("body" of "edit"), args()).await?;
    for (body,) in edits {
        let edit: Edit = row::model(&body, "edit")?;
        if let EditChange::Upsert { fields, .. } = &edit.change {
            for (name, value) in fields {
                traces.field(name, value);
            }
        }
    }
    let parked: Vec<(String,)> = tx.all(bodies!("edit" of "parked"), args()).await?;
    for (body,) in parked {
        let edit: SubscriberEdit = row::model(&body, "parked")?;
        traces.records.insert((System::Doppler, subscriber_key(&edit.email)));
        traces.email(&edit.email);
    }
    leave_records(tx, workspace, (&ids, &mut traces)).await?;
    copies(tx, workspace, &mut traces).await?;
    leave_values(tx, workspace, (&ids, &mut traces)).await?;
    Ok(traces)
}

/// The addresses in the copies of the person's records.
async fn copies(tx: &mut Tx, workspace: &WorkspaceId, traces: &mut Traces) -> Result<(), Error> {
    let rows: Vec<(String,)> = tx
        .all(
            "SELECT c.body FROM copy AS c WHERE c.workspace = $1 AND c.body IS NOT NULL
               AND c.kind IN ('contact', 'subscriber', 'opt-out') AND EXISTS
               (SELECT 1 FROM json_each($2) AS k WHERE c.system = k.value ->> 0
                  AND substr(c.key, instr(c.key, '/') + 1) = k.value ->> 1)",
            args![workspace, row::json(traces.records())?],
        )
        .await?;
    for (body,) in rows {
        traces.email(&erasure::shown(Some(&body)));
    }
    Ok(())
}

/// Leaves out records that are another contact's: an earlier one's key may be that of somebody else by now.
async fn leave_records(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (ids, traces): (&str, &mut Traces),
) -> Result<(), Error> {
    let keys: Vec<_> = traces.records.iter().map(|(system, key)| (system.as_str(), key)).collect();
    let args = args![workspace, row::json(keys)?, ids];
    let rows: Vec<(String, String)> = tx.all(RECORDS_OF_OTHERS, args).await?;
    for (system, key) in rows {
        traces.records.remove(&(row::system(&system)?, key));
    }
    Ok(())
}

/// Leaves out addresses and numbers that another contact has too: they are that one's as well, and so is
/// the subscriber of such an address.
async fn leave_values(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (ids, traces): (&str, &mut Traces),
) -> Result<(), Error> {
    for (values, column, kind) in [
        (&mut traces.emails, EMAILS_OF_OTHERS, "EMAIL"),
        (&mut traces.phones, PHONES_OF_OTHERS, "PHONE"),
    ] {
        let args = args![workspace, row::list(values.iter())?, ids, kind];
        let rows: Vec<(String,)> = tx.all(column, args).await?;
        for (value,) in rows {
            values.remove(&value);
            if kind == "EMAIL" && traces.records.remove(&(System::Doppler, value.clone())) {
                traces.shared.insert(value);
            }
        }
    }
    Ok(())
}

/// `$2` systems and keys, `$3` the ids of whom they are.
const RECORDS_OF_OTHERS: &str = "
    SELECT l.system, l.key FROM json_each($2) AS k CROSS JOIN link AS l
    WHERE l.workspace = $1 AND l.system = k.value ->> 0 AND l.key = k.value ->> 1
      AND l.contact NOT IN (SELECT value ->> 0 FROM json_each($3))";

macro_rules! of_others {
    ($column:literal) => {
        concat!(
            "SELECT k.value ->> 0 FROM json_each($2) AS k CROSS JOIN link AS l
             WHERE l.workspace = $1 AND l.",
            $column,
            " = k.value ->> 0 AND l.contact NOT IN (SELECT value ->> 0 FROM json_each($3))
             UNION
             SELECT k.value ->> 0 FROM json_each($2) AS k CROSS JOIN reservation AS r
             WHERE r.workspace = $1 AND r.kind = $4 AND r.value = k.value ->> 0
               AND r.contact NOT IN (SELECT value ->> 0 FROM json_each($3))"
        )
    };
}

/// `$2` values, `$3` the ids of whom they are, `$4` the kind of a reservation.
const EMAILS_OF_OTHERS: &str = of_others!("email");
const PHONES_OF_OTHERS: &str = of_others!("phone");

//! Knowing erased people again: whatever stores something of people asks here first.
//!
//! [`Guard`] is entered before any lock is taken. While it is held nobody is erased, so that what it
//! says is so until the transaction ends.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret as _;

use super::arg::args;
use super::db::{Db, Tx};
use super::row;
use crate::store::{Copy, ErasureKey, Error, Trace};
use crate::unified::{ContactId, Sighting, System, WorkspaceId, normalize_email, subscriber_key};

/// The key of the hashes, once it was given.
#[derive(Clone, Default)]
pub(super) struct Pepper(Arc<OnceLock<hmac::Key>>);

impl Pepper {
    pub fn put(&self, key: &ErasureKey) {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.0.expose_secret());
        // The same one, if it was given before.
        let _ = self.0.set(key);
    }

    pub fn is_there(&self) -> bool {
        self.0.get().is_some()
    }

    /// What is kept of a trace.
    pub fn hash(&self, workspace: &WorkspaceId, trace: &Trace) -> Result<String, Error> {
        let key = self.0.get().ok_or(Error::Locked)?;
        let (kind, value) = match trace {
            Trace::Email(email) => ("EMAIL", email),
            Trace::Record(system, key) => (system.as_str(), key),
        };
        // No workspace's id and no kind has a line break.
        let text = format!("{}\n{kind}\n{value}", workspace.as_str());
        Ok(URL_SAFE_NO_PAD.encode(hmac::sign(key, text.as_bytes())))
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_there() { "Pepper(given)" } else { "Pepper(missing)" })
    }
}

const ANYBODY: &str = "SELECT hash FROM erased WHERE workspace = $1 LIMIT 1";

/// `$2`: hashes.
const WHOSE: &str = "
    SELECT k.key, e.contact FROM json_each($2) AS k CROSS JOIN erased AS e
    WHERE e.workspace = $1 AND e.hash = k.value ->> 0";

fn hashes(pepper: &Pepper, workspace: &WorkspaceId, traces: &[Trace]) -> Result<String, Error> {
    let hashes = traces.iter().map(|trace| pepper.hash(workspace, trace));
    row::list(hashes.collect::<Result<Vec<_>, _>>()?)
}

fn in_order(rows: Vec<(i64, String)>, count: usize) -> Result<Vec<Option<ContactId>>, Error> {
    let mut erased = vec![None; count];
    for (place, contact) in rows {
        if let Some(place) = usize::try_from(place).ok().and_then(|at| erased.get_mut(at)) {
            *place = Some(row::contact_id(&contact)?);
        }
    }
    Ok(erased)
}

/// See [`crate::store::Erasures::erased`].
pub(super) async fn erased(
    db: &Db,
    workspace: &WorkspaceId,
    traces: &[Trace],
) -> Result<Vec<Option<ContactId>>, Error> {
    let nobody = vec![None; traces.len()];
    if traces.is_empty() || db.one::<(String,)>(ANYBODY, args![workspace]).await?.is_none() {
        return Ok(nobody);
    }
    let hashes = hashes(&db.pepper, workspace, traces)?;
    in_order(db.all(WHOSE, args![workspace, hashes]).await?, traces.len())
}

/// Tells who was erased, as long as a transaction lasts.
#[derive(Clone, Copy)]
pub(super) struct Guard {
    anybody: bool,
}

impl Guard {
    /// Keeps erasures out to the end of the transaction. Before any other lock.
    pub async fn enter(tx: &mut Tx, workspace: &WorkspaceId) -> Result<Self, Error> {
        tx.lock_erasures(workspace, false).await?;
        let anybody = tx.one::<(String,)>(ANYBODY, args![workspace]).await?.is_some();
        Ok(Self { anybody })
    }

    /// Who was erased, of those whom the traces are of, in the order given.
    pub async fn whose(
        self,
        tx: &mut Tx,
        workspace: &WorkspaceId,
        traces: &[Trace],
    ) -> Result<Vec<Option<ContactId>>, Error> {
        if !self.anybody || traces.is_empty() {
            return Ok(vec![None; traces.len()]);
        }
        let hashes = hashes(&tx.pepper, workspace, traces)?;
        in_order(tx.all(WHOSE, args![workspace, hashes]).await?, traces.len())
    }

    /// Whether an address is an erased person's.
    pub async fn is_out(
        self,
        tx: &mut Tx,
        workspace: &WorkspaceId,
        email: Option<&str>,
    ) -> Result<bool, Error> {
        let trace = email.map(|email| Trace::Email(email.to_owned()));
        let found = self.whose(tx, workspace, trace.as_slice()).await?;
        Ok(found.into_iter().flatten().next().is_some())
    }

    /// Sightings without those of erased people, in their order, and who the others are by their places.
    ///
    /// A record that is somebody else's stays that somebody's; an erased person's address that it shows is
    /// not looked at. `linked`: the records that are somebody's.
    pub async fn sift(
        self,
        tx: &mut Tx,
        workspace: &WorkspaceId,
        sightings: &[Sighting],
        linked: &BTreeSet<(System, String)>,
    ) -> Result<(Vec<Sighting>, HashMap<usize, ContactId>), Error> {
        if !self.anybody {
            return Ok((sightings.to_vec(), HashMap::new()));
        }
        let (mut kept, mut out) = (Vec::with_capacity(sightings.len()), HashMap::new());
        let records: Vec<Trace> = sightings.iter().map(record).collect();
        let emails =
            sightings.iter().map(|one| Trace::Email(one.email.clone().unwrap_or_default()));
        let emails: Vec<Trace> = emails.collect();
        let by_record = self.whose(tx, workspace, &records).await?;
        let by_email = self.whose(tx, workspace, &emails).await?;
        for (place, sighting) in sightings.iter().enumerate() {
            let known = linked.contains(&(sighting.system, sighting.key.clone()));
            let email = sighting.email.clone().filter(|_| by_email[place].is_none());
            match by_record[place].or(by_email[place]) {
                Some(contact) if !known => _ = out.insert(place, contact),
                Some(_) | None => kept.push(Sighting { email, ..sighting.clone() }),
            }
        }
        Ok((kept, out))
    }

    /// Copies without those of erased people, and without those that show an erased person's address.
    pub async fn without<'a>(
        self,
        tx: &mut Tx,
        workspace: &WorkspaceId,
        copies: Vec<&'a Copy>,
    ) -> Result<Vec<&'a Copy>, Error> {
        if !self.anybody {
            return Ok(copies);
        }
        let records: Vec<Trace> = copies.iter().map(|copy| of_copy(copy)).collect();
        let emails: Vec<Trace> =
            copies.iter().map(|copy| Trace::Email(shown(copy.body.as_deref()))).collect();
        let by_record = self.whose(tx, workspace, &records).await?;
        let by_email = self.whose(tx, workspace, &emails).await?;
        let out = by_record.into_iter().zip(by_email).map(|(a, b)| a.or(b).is_some());
        Ok(copies.into_iter().zip(out).filter_map(|(copy, out)| (!out).then_some(copy)).collect())
    }
}

fn record(sighting: &Sighting) -> Trace {
    Trace::Record(sighting.system, sighting.key.clone())
}

/// The record that a copy is of: its key without the account.
fn of_copy(copy: &Copy) -> Trace {
    let system = copy.key.system;
    let own = copy.key.key.split_once('/').map_or(copy.key.key.as_str(), |(_, own)| own);
    let own = match system {
        System::Doppler => subscriber_key(own),
        System::HighLevel => own.to_owned(),
    };
    Trace::Record(system, own)
}

/// The address in a copy of a person, normalised; empty where there is none.
pub(super) fn shown(body: Option<&str>) -> String {
    /// What both systems' people have.
    #[derive(serde::Deserialize)]
    struct Person {
        email: Option<String>,
    }
    let person = body.and_then(|body| serde_json::from_str::<Person>(body).ok());
    let email = person.and_then(|person| person.email);
    email.as_deref().and_then(normalize_email).unwrap_or_default()
}

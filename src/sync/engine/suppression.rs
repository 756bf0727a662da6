//! Who opted out, known by the hash of the address alone: it outlives links, agreements and contacts.

use std::collections::BTreeSet;

use crate::store::{AgreementChange, Sheet, Trace};
use crate::sync::plan::{Suppressed, consent_is_out, consent_of, is_suppressed};
use crate::unified::{Agreement, System, WorkspaceId, normalize_email, opt_out_hash};

use super::look::Looked;
use super::run::Facts;
use super::{Error, Inner};

/// Every address that the person has.
fn addresses(sheet: &Sheet, looked: &Looked) -> BTreeSet<String> {
    let linked = sheet.known.links.iter().filter_map(|link| link.email.clone());
    let doppler = looked.subscriber.present().and_then(|one| normalize_email(&one.email));
    let highlevel = looked.contact.present().and_then(|one| one.email.clone());
    let highlevel = highlevel.as_deref().and_then(normalize_email);
    let canon = sheet.agreement.canon.get("email").map(|canon| canon.value.to_string());
    let canon = canon.as_deref().and_then(normalize_email);
    linked.chain(doppler).chain(highlevel).chain(canon).collect()
}

/// Those under which the person was met.
fn agreed(agreement: &Agreement) -> BTreeSet<String> {
    let canon = agreement.canon.get("email").map(|canon| &canon.value);
    let bases = System::ALL.into_iter().filter_map(|system| agreement.base(system).get("email"));
    let values = canon.into_iter().chain(bases.map(|base| &base.value));
    values.filter_map(|value| normalize_email(&value.to_string())).collect()
}

/// What is remembered of addresses beside what is agreed with those who have them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Past {
    pub suppressed: Suppressed,
    /// Somebody who had one of them was erased, and nothing else counts.
    pub erased: bool,
}

impl Inner {
    /// What is remembered of the addresses that the person has, or is to have.
    pub(super) async fn past(
        &self,
        workspace: &WorkspaceId,
        sheet: &Sheet,
        looked: &Looked,
    ) -> Result<Past, Error> {
        let mut all = addresses(sheet, looked);
        // And those that clients want the person to have.
        let wanted = sheet.edits.iter().filter_map(|edit| edit.change.email());
        all.extend(wanted.filter_map(normalize_email));
        if self.is_erased(workspace, &all).await? {
            return Ok(Past { erased: true, ..Past::default() });
        }
        all.extend(sheet.former.iter().cloned());
        let suppressed = self.suppressed(workspace, &sheet.agreement, &all).await?;
        Ok(Past { suppressed, erased: false })
    }

    /// Whether one of the person's addresses opted out before, where nothing else tells.
    async fn suppressed(
        &self,
        workspace: &WorkspaceId,
        agreement: &Agreement,
        all: &BTreeSet<String>,
    ) -> Result<Suppressed, Error> {
        let told = System::ALL.map(|system| consent_of(agreement, system).is_some());
        let agreed = agreed(agreement);
        // Once it is agreed that the person is out, no address says anything new: a decision to mail the
        // person again is about all of them.
        let is_known = told.contains(&true) && !agreement.is_out();
        let (new, old): (Vec<_>, Vec<_>) =
            all.iter().partition(|email| is_known && !agreed.contains(*email));
        if self.any_opted_out(workspace, new).await? {
            return Ok(Suppressed::Anew);
        }
        let asks = told.contains(&false) && self.any_opted_out(workspace, old).await?;
        Ok(if asks { Suppressed::Before } else { Suppressed::Nothing })
    }

    async fn any_opted_out(
        &self,
        workspace: &WorkspaceId,
        emails: Vec<&String>,
    ) -> Result<bool, Error> {
        let hashes: Vec<String> =
            emails.into_iter().map(|email| opt_out_hash(workspace, email)).collect();
        Ok(!hashes.is_empty() && self.parts.store.suppressed(workspace, &hashes).await?)
    }
}

impl Inner {
    /// Whether one of the addresses that the person has, or is to have, is an erased person's.
    async fn is_erased(
        &self,
        workspace: &WorkspaceId,
        all: &BTreeSet<String>,
    ) -> Result<bool, Error> {
        let traces: Vec<Trace> = all.iter().cloned().map(Trace::Email).collect();
        let erased = self.parts.store.erased(workspace, &traces).await?;
        Ok(erased.into_iter().flatten().next().is_some())
    }
}

/// What is to be remembered of a run: the hashes of the person's addresses, and whether they opted out.
pub(super) fn change(
    facts: &Facts,
    workspace: &WorkspaceId,
    (change, unlinked): (&AgreementChange, bool),
) -> Option<(Vec<String>, bool)> {
    let new = change.canon.get("status").and_then(Option::as_ref);
    let old = facts.sheet.agreement.canon.get("status").filter(|_| unlinked);
    let is_out = consent_is_out(&new.or(old)?.value);
    // What a run does not know is no opt-in, and nor is a record that was made anew.
    if !is_out && is_suppressed(&facts.input()) {
        return None;
    }
    let mut hashes = addresses(&facts.sheet, &facts.looked);
    hashes.extend(facts.sheet.former.iter().cloned());
    Some((hashes.iter().map(|email| opt_out_hash(workspace, email)).collect(), is_out))
}

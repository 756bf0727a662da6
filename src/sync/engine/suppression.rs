//! Who opted out, known by the hash of the address alone: it outlives links, agreements and contacts.

use std::collections::BTreeSet;

use crate::store::{AgreementChange, Sheet, Trace};
use crate::sync::plan::{consent_is_out, consent_of, is_suppressed};
use crate::unified::{System, WorkspaceId, normalize_email, opt_out_hash};

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

/// What is remembered of addresses beside what is agreed with those who have them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Past {
    Nothing,
    /// Somebody who had one of them opted out.
    OptedOut,
    /// Somebody who had one of them was erased.
    Erased,
}

impl Inner {
    /// What is remembered of the addresses that the person has, or is to have.
    pub(super) async fn past(
        &self,
        workspace: &WorkspaceId,
        sheet: &Sheet,
        looked: &Looked,
    ) -> Result<Past, Error> {
        if self.is_erased(workspace, sheet, looked).await? {
            return Ok(Past::Erased);
        }
        let suppressed = self.is_suppressed(workspace, sheet, looked).await?;
        Ok(if suppressed { Past::OptedOut } else { Past::Nothing })
    }

    /// Whether one of the person's addresses opted out before, where nothing else tells.
    async fn is_suppressed(
        &self,
        workspace: &WorkspaceId,
        sheet: &Sheet,
        looked: &Looked,
    ) -> Result<bool, Error> {
        let told = |system: System| consent_of(&sheet.agreement, system).is_some();
        if System::ALL.into_iter().all(told) {
            return Ok(false);
        }
        let hashes: Vec<String> =
            addresses(sheet, looked).iter().map(|email| opt_out_hash(workspace, email)).collect();
        Ok(!hashes.is_empty() && self.parts.store.suppressed(workspace, &hashes).await?)
    }
}

impl Inner {
    /// Whether one of the addresses that the person has, or is to have, is an erased person's.
    async fn is_erased(
        &self,
        workspace: &WorkspaceId,
        sheet: &Sheet,
        looked: &Looked,
    ) -> Result<bool, Error> {
        let wanted = sheet.edits.iter().filter_map(|edit| edit.change.email());
        let all = addresses(sheet, looked).into_iter().chain(wanted.filter_map(normalize_email));
        let traces: Vec<Trace> = all.map(Trace::Email).collect();
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
    let hashes = addresses(&facts.sheet, &facts.looked);
    Some((hashes.iter().map(|email| opt_out_hash(workspace, email)).collect(), is_out))
}

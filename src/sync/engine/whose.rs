//! Whose a record is that a reading found.

use crate::store::Known;
use crate::sync::plan::Other;
use crate::unified::{ContactId, HighLevelContact, Link, Sighting, WorkspaceId};
use crate::upstream::{Call, SearchTerm};

use super::look::Found;
use super::traces::Traces;
use super::{Error, Inner};

impl Inner {
    /// Whose a record is, if it is not this contact's.
    pub(super) async fn somebody_elses(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        record: Sighting,
    ) -> Result<Option<Other>, Error> {
        let (store, now) = (&self.parts.store, self.parts.clock.now());
        let known = store.recognize(workspace, std::slice::from_ref(&record), now).await?;
        let Some(known) = known.into_iter().next() else { return Err(Error::Unrecognized) };
        // The two may have turned out to be one person, and the other one the older.
        let own = store.contact(workspace, contact).await?;
        let links = own.as_ref().map(|own| own.links.as_slice()).unwrap_or_default();
        if known.id == contact || own.as_ref().is_some_and(|own| own.id == known.id) {
            return Ok(None);
        }
        Ok(Some(other(&known, record, links)))
    }

    /// Whose record has a number of somebody whose own is gone, although the addresses differ: the two may
    /// have been made one there. Until that can be read nobody knows that the person was deleted.
    pub(super) async fn by_number(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        traces: &Traces,
        call: &Call,
    ) -> Result<Found<HighLevelContact>, Error> {
        for phone in &traces.phones {
            let term = SearchTerm::Phone(phone.clone());
            let found = match self.parts.crm.duplicate(call, &term).await {
                Ok(Some(row)) => self.parts.crm.contact(call, &row.id).await,
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            };
            let found = match found {
                Ok(Some(found)) => found,
                Ok(None) => continue,
                Err(error) => return Ok(Found::Unread(error.kind.code())),
            };
            let record = Sighting::of_contact(&found);
            let other = self.somebody_elses(workspace, contact, record).await?;
            let taken = |other| Found::Taken(Box::new(Other { succeeds: false, ..other }));
            return Ok(other.map_or(Found::Absent, taken));
        }
        Ok(Found::Absent)
    }
}

/// A record that is another contact's, beside the links of one's own.
pub(super) fn other(known: &Known, record: Sighting, own: &[Link]) -> Other {
    let is_free = |own: &Link| known.key(own.system).is_none();
    let can_join = own.iter().all(is_free);
    let succeeds = own.iter().filter(|own| own.system != record.system).all(is_free);
    let beside = known.links.iter().find(|link| link.system != record.system);
    let counterpart = beside.map(|link| Sighting {
        system: link.system,
        key: link.key.clone(),
        email: link.email.clone(),
        phone: link.phone.clone(),
    });
    Other { contact: known.id, record, can_join, succeeds, counterpart }
}

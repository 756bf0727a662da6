//! Writes that HighLevel refuses because of another contact, or says that it refused.

use crate::store::Lease;
use crate::sync::plan::{Action, Payload, PlannedField, named_by_whom};
use crate::sync::settle::Outcome;
use crate::unified::{ContactDraft, HighLevelContact, HighLevelId, Sighting};
use crate::upstream::{Call, Error as UpstreamError, Kind, SearchTerm};

use super::perform::Done;
use super::run::Facts;
use super::{Error, Inner};

impl Inner {
    /// What a refused write comes to when another contact is in the way. Of a creation it may be this
    /// person, whom no search showed; anybody else is for a person to decide about.
    pub(super) async fn or_taken(
        &self,
        lease: &Lease,
        facts: &Facts,
        (action, error): (&Action, UpstreamError),
        call: &Call,
    ) -> Result<Done, Error> {
        let Kind::Duplicate { id, field } = &error.kind else { return Ok(Err(error)) };
        let found = match id {
            Some(id) => self.parts.crm.contact(call, &HighLevelId::from(id.as_str())).await,
            None => Ok(None),
        };
        let found = match found {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        let mut other = None;
        if let Some(found) = found {
            let (own, record) = (facts.sheet.known.id, Sighting::of_contact(&found));
            let whose = self.somebody_elses(&lease.workspace, own, record).await?;
            if whose.is_none() && matches!(action.payload, Payload::CreateContact(_)) {
                return Ok(Ok(Outcome::Found(Box::new(found))));
            }
            other = whose.map(|whose| whose.contact);
        }
        let (field, value) = if let Payload::CreateContact(draft) = &action.payload {
            (None, named_by_whom(draft))
        } else {
            let named = |one: &&PlannedField| match field.as_deref() {
                Some(name) => one.field == name,
                None => matches!(one.field.as_str(), "email" | "phone"),
            };
            let Some(planned) = action.fields.iter().find(named) else { return Ok(Err(error)) };
            (Some(planned.field.clone()), planned.after.clone())
        };
        Ok(Ok(Outcome::Taken { field, value, other }))
    }

    /// The contact that a refused creation may have made.
    pub(super) async fn made_all_the_same(
        &self,
        draft: &ContactDraft,
        call: &Call,
    ) -> Result<Option<HighLevelContact>, UpstreamError> {
        let email = draft.email.clone().map(SearchTerm::Email);
        let phone = draft.phone.clone().map(SearchTerm::Phone);
        for term in email.into_iter().chain(phone) {
            if let Some(row) = self.parts.crm.duplicate(call, &term).await? {
                return self.parts.crm.contact(call, &row.id).await;
            }
        }
        Ok(None)
    }
}

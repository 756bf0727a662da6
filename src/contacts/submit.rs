//! From a mutation to its outcome: find the contact, accept the edit, reconcile, say what became
//! of it.
//!
//! Once an edit is accepted nothing is lost: what the reconcile here does not get done in time the
//! engine finishes. Nothing was done before that, so a fault up to there gives the key back.

use tokio::time::Instant;

use crate::bus::What;
use crate::clock::new_id;
use crate::store::{Accept, Accepted, Attempt};
use crate::sync::Ran;
use crate::unified::{
    ContactId, Edit, EditChange, EditId, EventDraft, EventKind, System, SystemWrite, UserErrorCode,
    WriteOutcome,
};

use crate::upstream::Call;

use super::idempotency::Claim;
use super::writer::{Target, Written};
use super::{By, Error, Writer};

/// The code of a write that HighLevel's credential does not allow.
const READ_ONLY: &str = "SCOPE_MISSING";

/// Who an edit is for, or why it is not taken.
pub(super) type Addressed = Result<ContactId, Written>;

impl Writer {
    /// Does `change` to the contact that `by` names, which must exist.
    pub(super) async fn submit(
        &self,
        mutation: &'static str,
        key: Option<&str>,
        by: By,
        change: EditChange,
    ) -> Result<Written, Error> {
        let input = (by.to_string(), &change);
        let attempt = self.attempt(mutation, key, &input)?;
        self.once(attempt, change.clone(), || self.addressee(by)).await
    }

    /// Does `change` once for the key of `attempt`.
    pub(super) async fn once<F>(
        &self,
        attempt: Option<Attempt>,
        change: EditChange,
        addressee: impl FnOnce() -> F,
    ) -> Result<Written, Error>
    where
        F: Future<Output = Result<Addressed, Error>>,
    {
        if let Some(attempt) = &attempt
            && let Claim::Before(edit) = self.claim(attempt).await?
        {
            return self.carry_out(edit).await;
        }
        let accepted = match addressee().await {
            Ok(Ok(contact)) => self.accept(attempt.as_ref(), contact, change).await,
            Ok(Err(refused)) => Ok(Err(refused)),
            Err(error) => Err(error),
        };
        let edit = match accepted {
            Ok(Ok(edit)) => edit,
            refused => {
                self.abandon(attempt.as_ref()).await?;
                return refused.map(|refused| refused.expect_err("accepted is handled above"));
            }
        };
        self.carry_out(edit).await
    }

    /// Carries an edit out, or waits for whoever does, as long as a mutation may take; what became of
    /// it by then.
    async fn carry_out(&self, id: EditId) -> Result<Written, Error> {
        let (workspace, call) = (&self.session.requester.workspace, &self.session.call);
        let Some(edit) = self.core.store.edit(workspace, id).await? else {
            return self.outcome(id).await;
        };
        let mut ran = Ran::Elsewhere;
        if !edit.is_done() {
            let limit = Instant::now() + self.core.settings.sync.mutation_deadline;
            let call = Call { deadline: limit.min(call.deadline), ..call.clone() };
            ran = self.core.engine.reconcile(workspace, edit.contact, &call).await?;
        }
        if ran == Ran::Elsewhere {
            self.core.catch_up(workspace, edit.contact).await;
        }
        self.outcome(id).await
    }

    async fn accept(
        &self,
        attempt: Option<&Attempt>,
        contact: ContactId,
        change: EditChange,
    ) -> Result<Result<EditId, Written>, Error> {
        let clock = &self.core.clock;
        let requester = &self.session.requester;
        let received = EventDraft {
            contact: Some(contact),
            fields: change.fields(),
            ..EventDraft::new(EventKind::Received, change.in_words())
        };
        let edit = Edit {
            id: EditId(new_id(clock)),
            contact,
            at: clock.now(),
            by: requester.subject.clone(),
            change,
            writes: Vec::new(),
            result: None,
            errors: Vec::new(),
        };
        let events = [received];
        let accept = Accept { edit: &edit, events: &events, attempt };
        let accepted = self.core.store.accept(&requester.workspace, accept, clock.now()).await?;
        match accepted {
            Accepted::Stored { last_cursor, .. } => {
                let workspace = &requester.workspace;
                if let Some(last) = last_cursor {
                    self.core.publish(workspace, What::Events(last));
                }
                Ok(Ok(edit.id))
            }
            Accepted::Before(edit) => Ok(Ok(edit)),
            Accepted::Erased => Ok(Err(erased())),
        }
    }

    async fn abandon(&self, attempt: Option<&Attempt>) -> Result<(), Error> {
        match attempt {
            Some(attempt) => {
                let workspace = &self.session.requester.workspace;
                Ok(self.core.store.abandon(workspace, attempt).await?)
            }
            None => Ok(()),
        }
    }

    /// What became of an edit so far.
    async fn outcome(&self, id: EditId) -> Result<Written, Error> {
        let workspace = &self.session.requester.workspace;
        // An accepted edit is gone only with the person whom it is about.
        let Some(edit) = self.core.store.edit(workspace, id).await? else { return Ok(erased()) };
        // HighLevel said so only when it was asked.
        if edit.writes.iter().any(|write| write.code.as_deref() == Some(READ_ONLY)) {
            return Err(Error::ReadOnly);
        }
        let known = self.core.store.contact(workspace, edit.contact).await?;
        let highlevel = known.as_ref().and_then(|known| known.key(System::HighLevel));
        let target = match (highlevel, edit.result.clone()) {
            (Some(contact), Some(id)) => Some(Target { contact: contact.into(), id }),
            _ => None,
        };
        let deleted = matches!(edit.change, EditChange::Delete { .. })
            && known.is_none_or(|known| known.links.is_empty());
        Ok(Written {
            contact: Some(edit.contact),
            target,
            refusals: edit.errors.clone(),
            writes: with_queued(edit),
            deleted,
        })
    }

    /// The contact that a client named.
    pub(super) async fn addressee(&self, by: By) -> Result<Addressed, Error> {
        match self.reader()?.find(by).await {
            Ok(Some(person)) => Ok(Ok(person.id)),
            Ok(None) => {
                Ok(Err(Written::refused(UserErrorCode::NotFound, "no such contact", "contact")))
            }
            Err(Error::Ambiguous(_)) => {
                let message = "several contacts match; name one by its id";
                Ok(Err(Written::refused(UserErrorCode::Ambiguous, message, "contact")))
            }
            Err(error) => Err(error),
        }
    }
}

fn erased() -> Written {
    let message = "the person was erased on request";
    Written::refused(UserErrorCode::Erased, message, "contact")
}

/// An edit's writes, with those systems as queued about which nothing is known yet.
fn with_queued(edit: Edit) -> Vec<SystemWrite> {
    let mut writes = edit.writes;
    for system in edit.change.systems() {
        if !writes.iter().any(|write| write.system == *system) {
            writes.push(SystemWrite {
                system: *system,
                outcome: WriteOutcome::Queued,
                reason: Some("Tandem goes on with it".to_owned()),
                code: None,
            });
        }
    }
    writes.sort_by_key(|write| write.system);
    writes
}

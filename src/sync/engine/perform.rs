//! Making the calls of a plan's actions, each remembered before it is made.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each function here is about some of the actions"
)]

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::store::{Intended, Lease};
use crate::sync::plan::{Action, ListTarget, Payload, Plan};
use crate::sync::settle::{Outcome, Reread};
use crate::unified::{
    HighLevelContact, PendingWrite, SubscriberEdit, System, UserErrorCode, subscriber_key,
};
use crate::upstream::{Call, Error as UpstreamError, Kind};

use super::run::Facts;
use super::words::{outcome, refused};
use super::{Error, Inner, fault, id};

/// What a write-ahead record of an import holds: whoever finds it asks the import how far it is.
#[derive(Deserialize, Serialize)]
pub(super) struct Importing {
    pub import: String,
    pub edit: SubscriberEdit,
}

impl Importing {
    /// What a remembered write says of an import; `None`: it is another one.
    pub fn of(write: &PendingWrite) -> Option<Self> {
        serde_json::from_str(&write.body).ok()
    }
}

pub(super) type Done = Result<Outcome, UpstreamError>;

impl Inner {
    /// Performs one action. What was remembered of it comes back while its outcome is unknown or
    /// still to come; a lost lease ends the run.
    pub(super) async fn perform(
        &self,
        lease: &Lease,
        facts: &Facts,
        action: &Action,
        call: &Call,
    ) -> Result<(Outcome, Option<PendingWrite>), Error> {
        if !action.is_write() {
            return Ok((Outcome::Done { side: None, result: None }, None));
        }
        let until = self.parts.clock.now() + super::LEASE;
        if !self.parts.store.extend(lease, until).await? {
            return Err(Error::LeaseLost);
        }
        if let Payload::UpdateSubscriber { list: None, edit } = &action.payload {
            return self.import(lease, (facts, action), edit, call).await;
        }
        let body = serde_json::to_string(&action.payload).map_err(|_| Error::Encoding)?;
        let write = self.write(facts, action, body);
        if !self.remember(lease, facts, &write).await? {
            return Ok((Outcome::GivenUp, None));
        }
        if let Payload::Rename { edit, .. } = &action.payload {
            // A poll may see the new subscriber before this run is recorded, or dies.
            let (of, key) = (facts.sheet.known.id, subscriber_key(&edit.email));
            self.parts.store.foresee(&lease.workspace, of, System::Doppler, &key).await?;
        }
        fault::point("intended");
        let done = match &action.payload {
            Payload::Nothing | Payload::Link(_) | Payload::Unlink { .. } => Ok(done(None)),
            Payload::CreateSubscriber { .. }
            | Payload::UpdateSubscriber { .. }
            | Payload::Rename { .. }
            | Payload::Subscribe { .. }
            | Payload::RemoveFromList { .. }
            | Payload::OptOut { .. } => self.write_to_doppler(&action.payload, call).await,
            Payload::CreateContact(_)
            | Payload::UpdateContact { .. }
            | Payload::AddTags { .. }
            | Payload::RemoveTags { .. }
            | Payload::DeleteContact { .. } => {
                let done = self.write_contact(facts, &action.payload, call).await;
                match done {
                    Err(error) => self.or_taken(lease, facts, (action, error), call).await?,
                    done => done,
                }
            }
            Payload::CreateNote { .. }
            | Payload::UpdateNote { .. }
            | Payload::DeleteNote { .. }
            | Payload::CreateTask { .. }
            | Payload::UpdateTask { .. }
            | Payload::CompleteTask { .. }
            | Payload::DeleteTask { .. } => {
                let ours = matches!(action.payload, Payload::UpdateNote { .. });
                match self.write_attached(&action.payload, call).await {
                    // Somebody deleted a note of ours, and it is not written again.
                    Err(error) if ours && action.edit.is_none() && error.kind == Kind::NotFound => {
                        Ok(done(None))
                    }
                    done => done,
                }
            }
        };
        fault::point("called");
        let outcome = done.unwrap_or_else(|error| outcome(&error));
        Ok((outcome, Some(write)))
    }

    fn write(&self, facts: &Facts, action: &Action, body: String) -> PendingWrite {
        PendingWrite {
            id: id(&self.parts.clock),
            contact: facts.sheet.known.id,
            system: action.system,
            action: action.kind,
            edit: action.edit,
            fields: action.fields.iter().map(|planned| planned.field.clone()).collect(),
            body,
            begun_at: self.parts.clock.now(),
        }
    }

    /// Whether the call is still to be made.
    async fn remember(
        &self,
        lease: &Lease,
        facts: &Facts,
        write: &PendingWrite,
    ) -> Result<bool, Error> {
        let given_up = facts.sheet.agreement.given_up.get(&write.system).copied();
        match self.parts.store.intend(lease, write, given_up).await? {
            Intended::Stored => Ok(true),
            Intended::GivenUp => Ok(false),
            Intended::Lost => Err(Error::LeaseLost),
        }
    }

    /// Doppler answers a write with no more than its success: the side is read back once, after the
    /// last of them ([`Inner::read_back`]).
    async fn write_to_doppler(&self, payload: &Payload, call: &Call) -> Done {
        let mailing = &self.parts.mailing;
        match payload {
            Payload::CreateSubscriber { list, edit }
            | Payload::UpdateSubscriber { list: Some(list), edit } => {
                mailing.put_subscriber(call, list, edit).await?;
            }
            Payload::Rename { from, lists, edit, adopted: _ } => {
                for list in lists {
                    mailing.put_subscriber(call, list, edit).await?;
                }
                // Only when the new address is in place is the old one let go.
                if mailing.subscriber(call, &edit.email).await?.is_none() {
                    return Ok(Outcome::Unknown { code: "UPSTREAM_UNAVAILABLE".to_owned() });
                }
                for list in lists {
                    mailing.remove_from_list(call, list, from).await?;
                }
            }
            Payload::Subscribe { list, email } => {
                let list = self.list_id(list, call).await?;
                let edit = SubscriberEdit { email: email.clone(), fields: Vec::new() };
                mailing.put_subscriber(call, &list, &edit).await?;
            }
            Payload::RemoveFromList { list, email } => {
                mailing.remove_from_list(call, list, email).await?;
            }
            Payload::OptOut { email } => mailing.unsubscribe(call, email).await?,
            _ => {}
        }
        Ok(done(None))
    }

    async fn list_id(&self, list: &ListTarget, call: &Call) -> Result<String, UpstreamError> {
        let name = match list {
            ListTarget::Id(id) => return Ok(id.clone()),
            ListTarget::Named(name) => name,
        };
        if let Some(list) = self.catalog.list_named(call, name).await {
            return Ok(list.id.to_string());
        }
        match self.parts.mailing.create_list(call, name).await {
            Ok(list) => Ok(list.id.to_string()),
            // Somebody made it a moment ago.
            Err(error) if matches!(error.kind, Kind::Duplicate { .. }) => {
                let found = self.catalog.list_named(call, name).await;
                found.map(|list| list.id.to_string()).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn write_contact(&self, facts: &Facts, payload: &Payload, call: &Call) -> Done {
        let crm = &self.parts.crm;
        let contact = match payload {
            Payload::CreateContact(draft) => match crm.create_contact(call, draft).await {
                Ok(contact) => Some(contact),
                Err(error) => match &error.kind {
                    // Seen to be answered although the contact had been made.
                    Kind::Rejected { .. } if error.in_doubt() => {
                        match self.made_all_the_same(draft, call).await? {
                            Some(contact) => Some(contact),
                            None => return Ok(refused(&error)),
                        }
                    }
                    _ => return Err(error),
                },
            },
            Payload::UpdateContact { id, edit } => Some(crm.update_contact(call, id, edit).await?),
            Payload::AddTags { id, tags } => with_tags(facts, crm.add_tags(call, id, tags).await?),
            Payload::RemoveTags { id, tags } => {
                with_tags(facts, crm.remove_tags(call, id, tags).await?)
            }
            Payload::DeleteContact { id } => match crm.delete_contact(call, id).await {
                Ok(()) => None,
                Err(error) if error.kind == Kind::NotFound => None,
                Err(error) => return Err(error),
            },
            _ => None,
        };
        Ok(done(Some(Reread::HighLevel(contact.map(Box::new)))))
    }

    async fn write_attached(&self, payload: &Payload, call: &Call) -> Done {
        let crm = &self.parts.crm;
        let result = match payload {
            Payload::CreateNote { contact, draft } => {
                Some(crm.create_note(call, contact, draft).await?.id)
            }
            Payload::UpdateNote { contact, note, edit } => {
                Some(crm.update_note(call, contact, note, edit).await?.id)
            }
            Payload::DeleteNote { contact, note } => {
                crm.delete_note(call, contact, note).await?;
                Some(note.clone())
            }
            Payload::CreateTask { contact, draft } => {
                Some(crm.create_task(call, contact, draft).await?.id)
            }
            Payload::UpdateTask { contact, task, edit } => {
                Some(crm.update_task(call, contact, task, edit).await?.id)
            }
            Payload::CompleteTask { contact, task, completed } => {
                Some(crm.complete_task(call, contact, task, *completed).await?.id)
            }
            Payload::DeleteTask { contact, task } => {
                crm.delete_task(call, contact, task).await?;
                Some(task.clone())
            }
            _ => None,
        };
        Ok(Outcome::Done { side: None, result })
    }

    /// Updates a subscriber who is in no list, which Doppler does by an import that ends later.
    async fn import(
        &self,
        lease: &Lease,
        (facts, action): (&Facts, &Action),
        edit: &SubscriberEdit,
        call: &Call,
    ) -> Result<(Outcome, Option<PendingWrite>), Error> {
        // One that ended without effect is not repeated: its rows' errors are never told.
        if facts.looked.imported.as_ref() == Some(edit) {
            let message = "Doppler's import ended and did not take the values".to_owned();
            let code = "UPSTREAM_REJECTED".to_owned();
            let error = Some(UserErrorCode::Invalid);
            return Ok((Outcome::Refused { code, message, error }, None));
        }
        let body = serde_json::to_string(&action.payload).map_err(|_| Error::Encoding)?;
        let before = self.write(facts, action, body);
        if !self.remember(lease, facts, &before).await? {
            return Ok((Outcome::GivenUp, None));
        }
        fault::point("intended");
        let begun = self.parts.mailing.import(call, None, std::slice::from_ref(edit), None).await;
        fault::point("called");
        let task = match begun {
            Ok(task) => task,
            Err(error) => return Ok((outcome(&error), Some(before))),
        };
        let importing = Importing { import: task.id, edit: edit.clone() };
        let body = serde_json::to_string(&importing).map_err(|_| Error::Encoding)?;
        let after = self.write(facts, action, body);
        let stored = self.remember(lease, facts, &after).await?;
        Ok((Outcome::Accepted, Some(if stored { after } else { before })))
    }

    /// Reads the subscriber once after all writes to Doppler: what it made of them is the base, not
    /// what was meant.
    pub(super) async fn read_back(
        &self,
        facts: &Facts,
        plan: &Plan,
        done: &mut [(usize, Outcome, Option<PendingWrite>)],
        call: &Call,
    ) {
        let written = done.iter().filter(|(_, outcome, _)| matches!(outcome, Outcome::Done { .. }));
        let email = written.filter_map(|(index, ..)| address(plan, *index)).next_back();
        let Some(email) = email.or_else(|| opted_out(facts, plan, done)) else { return };
        let Ok(subscriber) = self.parts.mailing.subscriber(call, &email).await else { return };
        for (index, outcome, _) in done {
            if let Outcome::Done { side, .. } = outcome
                && plan.actions[*index].is_write()
            {
                *side = Some(Reread::Doppler(subscriber.clone()));
            }
        }
    }
}

fn done(side: Option<Reread>) -> Outcome {
    Outcome::Done { side, result: None }
}

/// The contact as it was read, with the tags that it has now.
fn with_tags(facts: &Facts, tags: Vec<String>) -> Option<HighLevelContact> {
    let contact = facts.looked.contact.present().map(Arc::as_ref).cloned();
    contact.map(|contact| HighLevelContact { tags, ..contact })
}

/// The address of the subscriber that an action of Doppler's is about.
fn address(plan: &Plan, index: usize) -> Option<String> {
    match &plan.actions.get(index)?.payload {
        Payload::CreateSubscriber { edit, .. }
        | Payload::UpdateSubscriber { edit, .. }
        | Payload::Rename { edit, .. } => Some(edit.email.clone()),
        Payload::Subscribe { email, .. } | Payload::RemoveFromList { email, .. } => {
            Some(email.clone())
        }
        _ => None,
    }
}

/// The address of somebody who was opted out, where nothing else was written.
fn opted_out(
    facts: &Facts,
    plan: &Plan,
    done: &[(usize, Outcome, Option<PendingWrite>)],
) -> Option<String> {
    let known = facts.sheet.known.key(System::Doppler).is_some();
    done.iter().find_map(|(index, outcome, _)| match &plan.actions.get(*index)?.payload {
        Payload::OptOut { email } if known && matches!(outcome, Outcome::Done { .. }) => {
            Some(email.clone())
        }
        _ => None,
    })
}

//! Erasing people: the handle that a client with `workspace.manage` holds.
//!
//! Who is meant is looked up in the store alone: what is erased is what is kept, and a system that is
//! down must not hold it up. In the systems nothing is changed; who is to go there too is deleted and
//! unsubscribed first.

use std::sync::Arc;

use crate::auth::Scope;
use crate::bus::What;
use crate::store::{Erasure, Trace};
use crate::telemetry::names;
use crate::unified::{
    ContactId, System, UserErrorCode, WorkspaceId, normalize_email, normalize_phone,
};

use super::admin::{Managed, refused};
use super::core::Core;
use super::{By, Error, Session};

/// The right to erase, for one request.
pub struct Eraser {
    core: Arc<Core>,
    session: Arc<Session>,
}

impl Eraser {
    pub(super) fn new(core: Arc<Core>, session: Arc<Session>) -> Result<Self, Error> {
        if session.requester.scopes.has(Scope::WorkspaceManage) {
            Ok(Self { core, session })
        } else {
            Err(Error::Denied(Scope::WorkspaceManage))
        }
    }

    /// Takes away everything that is kept of a person; the id, which stays and is nobody's. Who was
    /// erased before is erased.
    pub async fn erase(&self, by: By) -> Result<Managed<ContactId>, Error> {
        if !self.core.store.is_unlocked() {
            let message = "the settings name no key to know erased people by: set vault.keys";
            return Ok(Err(vec![refused(UserErrorCode::NotSupported, message, "contact")]));
        }
        let found = self.known(&by).await?;
        let contact = match found[..] {
            [contact] => contact,
            [] => {
                let message = "nobody is kept here who is known by that";
                return Ok(Err(vec![refused(UserErrorCode::NotFound, message, "contact")]));
            }
            [..] => {
                let message = "several contacts match; name one by its id";
                return Ok(Err(vec![refused(UserErrorCode::Ambiguous, message, "contact")]));
            }
        };
        let workspace = &self.session.requester.workspace;
        match self.core.store.erase(workspace, contact, self.core.clock.now()).await? {
            Erasure::Done { contact, last_cursor } => {
                self.core.forget_everything(workspace);
                self.core.publish(workspace, What::Erased(contact));
                if let Some(cursor) = last_cursor {
                    self.core.publish(workspace, What::Events(cursor));
                }
                self.core.engine.wake();
                let whose = workspace.as_str().to_owned();
                metrics::counter!(names::ERASURES, names::WORKSPACE => whose).increment(1);
                tracing::info!("a person was erased");
                Ok(Ok(contact))
            }
            Erasure::Before(contact) => Ok(Ok(contact)),
            Erasure::Unknown => {
                let message = "no such contact";
                Ok(Err(vec![refused(UserErrorCode::NotFound, message, "contact")]))
            }
        }
    }

    /// Whoever answers to it, or was erased.
    async fn known(&self, by: &By) -> Result<Vec<ContactId>, Error> {
        let (core, workspace) = (&self.core, &self.session.requester.workspace);
        let (mut found, trace) = match by {
            By::Id(id) => return Ok(vec![*id]),
            By::Email(raw) => {
                let email = normalize_email(raw)
                    .ok_or_else(|| Error::invalid("email", "not an e-mail address"))?;
                let found = core.store.contacts_by_email(workspace, &email).await?;
                (found, Some(Trace::Email(email)))
            }
            By::Phone(raw) => {
                let phone = normalize_phone(raw)
                    .ok_or_else(|| Error::invalid("phone", "not an international phone number"))?;
                (core.store.contacts_by_phone(workspace, &phone).await?, None)
            }
            By::HighLevelId(id) => {
                let keys = [id.as_str()];
                let found = core.store.linked(workspace, System::HighLevel, &keys).await?;
                let trace = Trace::Record(System::HighLevel, id.as_str().to_owned());
                (found.into_iter().flatten().collect(), Some(trace))
            }
        };
        if found.is_empty() {
            let before = core.store.erased(workspace, trace.as_slice()).await?;
            found.extend(before.into_iter().flatten());
        }
        Ok(found)
    }
}

impl Core {
    /// Forgets all that is at hand here: whose it is would have to be known to forget less.
    pub(super) fn forget_everything(&self, workspace: &WorkspaceId) {
        self.cache.clear();
        self.known.invalidate_all();
        self.tails.forget(workspace);
        self.recent.invalidate(workspace);
    }

    /// Whether an address is that of somebody who was erased.
    pub(super) async fn is_erased(
        &self,
        workspace: &WorkspaceId,
        email: &str,
    ) -> Result<bool, Error> {
        let trace = Trace::Email(email.to_owned());
        let erased = self.store.erased(workspace, std::slice::from_ref(&trace)).await?;
        Ok(erased.into_iter().flatten().next().is_some())
    }
}

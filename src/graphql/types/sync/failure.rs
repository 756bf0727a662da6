//! What could not be written yet.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::enums::SyncActionKind;
use crate::contacts::{self, Error};
use crate::graphql::context::ContextExt;
use crate::graphql::error::ErrorCode;
use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::graphql::types::{Contact, SystemName};
use crate::unified::{self, System};

/// What one system did not take for one person, so far or for good.
pub struct Failure(pub Arc<unified::Failure>);

/// What one system did not take for one person, so far or for good.
#[Object]
impl Failure {
    /// The failure's global id, for `retryFailures` and `discardFailure`.
    pub async fn id(&self) -> ID {
        GlobalId::Failure(self.0.contact, self.0.system).encode()
    }

    /// The person, from the last known copies.
    async fn contact(&self, context: &Context<'_>) -> Result<Option<Contact>> {
        let person = context.reader()?.person(self.0.contact).await?;
        Ok(person.map(Contact::remembered))
    }

    /// Which system.
    async fn system(&self) -> Option<SystemName> {
        Some(self.0.system.into())
    }

    /// What was tried.
    async fn action(&self) -> SyncActionKind {
        self.0.action.into()
    }

    /// Why it failed, as a code.
    async fn code(&self) -> ErrorCode {
        ErrorCode::named(&self.0.code).unwrap_or(ErrorCode::Internal)
    }

    /// Why it failed, in words.
    async fn message(&self) -> &str {
        &self.0.message
    }

    /// How often it was tried.
    async fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// When it is tried again; null once it is dead.
    async fn next_attempt_at(&self) -> Option<DateTime> {
        self.0.next_attempt_at.map(DateTime)
    }

    /// Whether it was given up: only `retryFailures` starts it again.
    async fn dead(&self) -> bool {
        self.0.dead
    }
}

/// Which failures. All conditions must hold.
#[derive(InputObject)]
pub struct FailureFilter {
    /// Of one of these systems.
    systems: Option<Vec<SystemName>>,
    /// With one of these codes.
    codes: Option<Vec<ErrorCode>>,
    /// About this person.
    contact: Option<ID>,
    /// Only those given up, or only those that go on.
    dead: Option<bool>,
}

impl TryFrom<FailureFilter> for contacts::FailureFilter {
    type Error = Error;

    fn try_from(filter: FailureFilter) -> Result<Self, Error> {
        let code = |code: ErrorCode| code.as_str().to_owned();
        Ok(Self {
            systems: filter.systems.map(|them| them.into_iter().map(System::from).collect()),
            codes: filter.codes.map(|codes| codes.into_iter().map(code).collect()),
            contact: filter.contact.map(|id| GlobalId::contact(&id, "contact")).transpose()?,
            dead: filter.dead,
        })
    }
}

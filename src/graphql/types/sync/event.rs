//! The history, entry by entry.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::SyncRun;
use super::enums::SyncEventKind;
use crate::contacts::{Error, EventFilter};
use crate::graphql::context::ContextExt;
use crate::graphql::error::ErrorCode;
use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::graphql::types::{Contact, SystemName};
use crate::unified::{self, System};

/// Something that Tandem saw, decided or did.
pub struct SyncEvent(pub Arc<unified::Event>);

/// Something that Tandem saw, decided or did.
#[Object]
impl SyncEvent {
    /// Continues after this entry: for `after` of `syncEvents`, in the query and the subscription.
    async fn cursor(&self) -> String {
        self.0.cursor.to_string()
    }

    /// When.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// What happened.
    async fn kind(&self) -> SyncEventKind {
        self.0.draft.kind.into()
    }

    /// The id of the person it is about, where it is about one.
    async fn contact_id(&self) -> Option<ID> {
        self.0.draft.contact.map(|id| GlobalId::Contact(id).encode())
    }

    /// The person, from the last known copies: following events costs no upstream call.
    async fn contact(&self, context: &Context<'_>) -> Result<Option<Contact>> {
        let Some(id) = self.0.draft.contact else { return Ok(None) };
        Ok(context.reader()?.person(id).await?.map(Contact::remembered))
    }

    /// The system it is about, where it is about one.
    async fn system(&self) -> Option<SystemName> {
        self.0.draft.system.map(Into::into)
    }

    /// The run in which it happened, where it was one; null once the run is forgotten.
    async fn run(&self, context: &Context<'_>) -> Result<Option<SyncRun>> {
        let Some(id) = self.0.draft.run else { return Ok(None) };
        Ok(context.observer()?.run(id).await?.map(Into::into))
    }

    /// The fields it is about, by the mapping's names.
    async fn fields(&self) -> &[String] {
        &self.0.draft.fields
    }

    /// What happened in words, for example `HighLevel took the new first name`.
    async fn message(&self) -> &str {
        &self.0.draft.message
    }

    /// Which attempt it was, where there were several.
    async fn attempt(&self) -> Option<u32> {
        self.0.draft.attempt
    }

    /// Why it failed, where it did.
    async fn code(&self) -> Option<ErrorCode> {
        self.0.draft.code.as_deref().and_then(ErrorCode::named)
    }
}

/// Which entries of the history. All conditions must hold.
#[derive(InputObject)]
pub struct SyncEventFilter {
    /// Of one of these kinds.
    kinds: Option<Vec<SyncEventKind>>,
    /// About one of these systems.
    systems: Option<Vec<SystemName>>,
    /// About this person.
    contact: Option<ID>,
    /// Of this run.
    run: Option<ID>,
    /// Not before this moment.
    since: Option<DateTime>,
}

impl TryFrom<SyncEventFilter> for EventFilter {
    type Error = Error;

    fn try_from(filter: SyncEventFilter) -> Result<Self, Error> {
        Ok(Self {
            kinds: filter.kinds.map(|kinds| kinds.into_iter().map(Into::into).collect()),
            systems: filter.systems.map(|them| them.into_iter().map(System::from).collect()),
            contact: filter.contact.map(|id| GlobalId::contact(&id, "contact")).transpose()?,
            run: filter.run.map(|id| GlobalId::run(&id)).transpose()?,
            since: filter.since.map(|at| at.0),
        })
    }
}

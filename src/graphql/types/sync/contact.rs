//! How one person stands in sync.

use std::sync::Arc;

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, Object, Result};

use super::event::SyncEvent;
use super::failure::Failure;
use super::hold::Hold;
use crate::contacts::{self, EventFilter};
use crate::graphql::context::ContextExt;
use crate::graphql::query::events;
use crate::graphql::scalars::DateTime;
use crate::unified::ContactId;

/// How one person stands in sync.
pub struct ContactSync(pub ContactId);

/// How one person stands, in a word.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "contacts::ContactSyncState")]
pub enum ContactSyncState {
    /// Both systems agree, as far as they can.
    InSync,
    /// A change is not in both systems yet.
    Pending,
    /// A decision is awaited.
    Held,
    /// A system refused a change, or was tried in vain for too long.
    Failed,
    /// Known in one system only.
    Unlinked,
    /// Sync is paused.
    Paused,
}

/// How one person stands in sync.
#[Object]
impl ContactSync {
    /// How the person stands, in a word.
    async fn state(&self, context: &Context<'_>) -> Result<ContactSyncState> {
        Ok(context.observer()?.standing(self.0).await?.state.into())
    }

    /// When something about the person was last agreed.
    async fn last_synced_at(&self, context: &Context<'_>) -> Result<Option<DateTime>> {
        Ok(context.observer()?.standing(self.0).await?.last_synced_at.map(DateTime))
    }

    /// Since when a change has waited.
    async fn pending_since(&self, context: &Context<'_>) -> Result<Option<DateTime>> {
        Ok(context.observer()?.standing(self.0).await?.pending_since.map(DateTime))
    }

    /// The decision that is awaited; the oldest where there are several.
    async fn hold(&self, context: &Context<'_>) -> Result<Option<Hold>> {
        Ok(context.observer()?.standing(self.0).await?.hold.map(|hold| Hold(Arc::new(hold))))
    }

    /// What could not be written.
    async fn failure(&self, context: &Context<'_>) -> Result<Option<Failure>> {
        let failure = context.observer()?.standing(self.0).await?.failure;
        Ok(failure.map(|failure| Failure(Arc::new(failure))))
    }

    /// What was done about the person, the newest first.
    async fn history(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 if not given.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the edge before: older entries follow.")] after: Option<
            String,
        >,
    ) -> Result<Connection<String, SyncEvent>> {
        let filter = EventFilter { contact: Some(self.0), ..EventFilter::default() };
        events(context, first, after, filter).await
    }
}

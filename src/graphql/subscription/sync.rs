//! Sync as it goes on.

use async_graphql::{Context, ID, Result, Subscription};
use futures_util::{Stream, StreamExt};

use crate::contacts;
use crate::graphql::context::ContextExt;
use crate::graphql::ids::GlobalId;
use crate::graphql::query::cursor;
use crate::graphql::types::{SyncEvent, SyncEventFilter, SyncRun, SyncStatus};

/// Sync as it goes on.
#[derive(Default)]
pub struct SyncNews;

/// Sync as it goes on.
#[Subscription]
impl SyncNews {
    /// How sync stands, at once and after each change. Needs `sync.readonly`.
    async fn sync_status(
        &self,
        context: &Context<'_>,
    ) -> Result<impl Stream<Item = Result<SyncStatus>> + use<>> {
        let statuses = context.observer()?.follow_status().await?;
        Ok(statuses.map(|status| Ok(contacts::Status::clone(&*status?).into())))
    }

    /// A run as it goes on, at once and after each change; the stream ends when the run is over. Needs
    /// `sync.readonly`.
    async fn sync_run(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which run.")] id: ID,
    ) -> Result<impl Stream<Item = Result<SyncRun>> + use<>> {
        let observer = context.observer()?;
        let runs = observer.follow_run(GlobalId::run(&id)?).await?;
        let runs = runs.ok_or_else(|| contacts::Error::invalid("id", "no such run"))?;
        let scopes = std::sync::Arc::clone(
            context.data::<std::sync::Arc<crate::graphql::context::Scopes>>()?,
        );
        Ok(runs.map(move |run| {
            // What is selected of a run is read with a deadline of its own.
            scopes.renew();
            Ok(run?.into())
        }))
    }

    /// What Tandem sees, decides and does, as it happens. With `after`, first everything since that
    /// cursor. A client that takes too long gets the error `SUBSCRIPTION_LAGGED` with the `cursor`
    /// to resume from. Needs `sync.readonly`.
    async fn sync_events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The cursor of the last event that was seen.")] after: Option<String>,
        #[graphql(desc = "Conditions that must hold.")] filter: Option<SyncEventFilter>,
    ) -> Result<impl Stream<Item = Result<SyncEvent>> + use<>> {
        let after = after.as_deref().map(cursor).transpose()?;
        let filter = filter.map(TryInto::try_into).transpose()?.unwrap_or_default();
        let scopes = std::sync::Arc::clone(
            context.data::<std::sync::Arc<crate::graphql::context::Scopes>>()?,
        );
        let events = context.observer()?.follow(after, filter).await?;
        Ok(events.map(move |event| {
            // What is selected of an event is read with the event's own deadline.
            scopes.renew();
            Ok(SyncEvent(event?))
        }))
    }
}

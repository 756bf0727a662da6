//! How sync stands, what it did and what it would do.

use std::sync::Arc;

use async_graphql::connection::{Connection, Edge};
use async_graphql::{Context, Object, Result};

use crate::contacts::{self, Error};
use crate::graphql::context::ContextExt;
use crate::graphql::ids::GlobalId;
use crate::graphql::types::{
    ContactBy, Failure, FailureFilter, Hold, HoldFilter, Mapping, MappingInput, MappingPreview,
    SyncEvent, SyncEventFilter, SyncPlan, SyncRun, SyncRunKind, SyncStatus, page_size,
};

/// What can be read of sync.
#[derive(Default)]
pub struct SyncReads;

/// What can be read of sync.
#[Object]
impl SyncReads {
    /// Which field here is which field there. Needs `sync.readonly`.
    async fn mapping(&self, context: &Context<'_>) -> Result<Mapping> {
        Ok(Mapping(context.observer()?.mapping()))
    }

    /// One real person before and after, under the present mapping or under one that is not saved
    /// yet; null if neither system knows them. Writes nothing. Needs `sync.readonly`.
    async fn mapping_preview(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The mapping to try; the present one if not given.")] mapping: Option<
            MappingInput,
        >,
        #[graphql(desc = "On whom.")] by: ContactBy,
    ) -> Result<Option<MappingPreview>> {
        let proposed = mapping.map(TryInto::try_into).transpose()?;
        let preview = context.observer()?.mapping_preview(proposed, by.try_into()?).await?;
        Ok(preview.map(Into::into))
    }

    /// How sync stands. Needs `sync.readonly`.
    async fn sync_status(&self, context: &Context<'_>) -> Result<SyncStatus> {
        Ok(contacts::Status::clone(&*context.observer()?.status().await?).into())
    }

    /// What a reconcile of one person would do now, by reading both systems; null if neither knows
    /// them. Writes nothing. Needs `sync.readonly`.
    async fn sync_plan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Of whom.")] by: ContactBy,
    ) -> Result<Option<SyncPlan>> {
        let plan = context.observer()?.plan(by.try_into()?).await?;
        Ok(plan.map(|(person, plan)| SyncPlan::new(Some(person), plan)))
    }

    /// Runs, the newest first. Of polls that found somebody the last 50 of each system are kept; one that found
    /// nobody is kept until the next one is over. Needs `sync.readonly`.
    async fn sync_runs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 if not given.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the edge before: older runs follow.")] after: Option<
            String,
        >,
        #[graphql(desc = "Only runs of these kinds.")] kinds: Option<Vec<SyncRunKind>>,
    ) -> Result<Connection<String, SyncRun>> {
        let kinds = kinds.map(|kinds| kinds.into_iter().map(Into::into).collect::<Vec<_>>());
        let first = page_size(first)?;
        let has_previous = after.is_some();
        let before = match after.as_deref().map(GlobalId::decode) {
            None => None,
            Some(Some(GlobalId::Run(id))) => Some(id),
            Some(_) => return Err(Error::invalid("after", "not a cursor of this list"))?,
        };
        let page = context.observer()?.runs(before, first, kinds.as_deref()).await?;
        let mut connection = Connection::new(has_previous, page.more);
        connection.edges.extend(page.rows.into_iter().map(|run| {
            let cursor = GlobalId::Run(run.id).encode().0;
            Edge::new(cursor, SyncRun::from(run))
        }));
        Ok(connection)
    }

    /// The history, the newest first. Needs `sync.readonly`.
    async fn sync_events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 if not given.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the edge before: older entries follow.")] after: Option<
            String,
        >,
        #[graphql(desc = "Conditions that must hold.")] filter: Option<SyncEventFilter>,
    ) -> Result<Connection<String, SyncEvent>> {
        let filter = filter.map(TryInto::try_into).transpose()?.unwrap_or_default();
        events(context, first, after, filter).await
    }

    /// What waits for a decision, the oldest first. Needs `sync.readonly`.
    async fn holds(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 if not given.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the edge before.")] after: Option<String>,
        #[graphql(desc = "Conditions that must hold.")] filter: Option<HoldFilter>,
    ) -> Result<Connection<String, Hold>> {
        let filter = filter.map(TryInto::try_into).transpose()?.unwrap_or_default();
        let first = page_size(first)?;
        let has_previous = after.is_some();
        let after = match after.as_deref().map(GlobalId::decode) {
            None => None,
            Some(Some(GlobalId::Hold(id))) => Some(id),
            Some(_) => return Err(Error::invalid("after", "not a cursor of this list"))?,
        };
        let page = context.observer()?.holds(&filter, after, first).await?;
        let mut connection = Connection::new(has_previous, page.more);
        connection.edges.extend(page.rows.into_iter().map(|hold| {
            let cursor = GlobalId::Hold(hold.id).encode().0;
            Edge::new(cursor, Hold(Arc::new(hold)))
        }));
        Ok(connection)
    }

    /// What could not be written yet, or was given up. Needs `sync.readonly`.
    async fn failures(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 if not given.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the edge before.")] after: Option<String>,
        #[graphql(desc = "Conditions that must hold.")] filter: Option<FailureFilter>,
    ) -> Result<Connection<String, Failure>> {
        let filter = filter.map(TryInto::try_into).transpose()?.unwrap_or_default();
        let first = page_size(first)?;
        let has_previous = after.is_some();
        let after = match after.as_deref().map(GlobalId::decode) {
            None => None,
            Some(Some(GlobalId::Failure(contact, system))) => Some((contact, system)),
            Some(_) => return Err(Error::invalid("after", "not a cursor of this list"))?,
        };
        let page = context.observer()?.failures(&filter, after, first).await?;
        let mut connection = Connection::new(has_previous, page.more);
        connection.edges.extend(page.rows.into_iter().map(|failure| {
            let cursor = GlobalId::Failure(failure.contact, failure.system).encode().0;
            Edge::new(cursor, Failure(Arc::new(failure)))
        }));
        Ok(connection)
    }
}

/// A page of the history.
pub async fn events(
    context: &Context<'_>,
    first: Option<i32>,
    after: Option<String>,
    filter: contacts::EventFilter,
) -> Result<Connection<String, SyncEvent>> {
    let first = page_size(first)?;
    let before = after.as_deref().map(cursor).transpose()?;
    let (found, more) = context.observer()?.events(&filter, before, first).await?;
    let mut connection = Connection::new(before.is_some(), more);
    connection.edges.extend(
        found
            .into_iter()
            .map(|event| Edge::new(event.cursor.to_string(), SyncEvent(Arc::new(event)))),
    );
    Ok(connection)
}

/// A cursor of the history as clients hold it.
pub fn cursor(text: &str) -> Result<i64, Error> {
    let cursor = text.parse().ok().filter(|cursor| *cursor >= 0);
    cursor.ok_or_else(|| Error::invalid("after", "not a cursor of the history"))
}

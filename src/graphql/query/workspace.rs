//! The workspaces there are.

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{Context, Object, Result};

use crate::graphql::context::ContextExt;
use crate::graphql::types::{Workspace, page_size};
use crate::unified::WorkspaceId;

/// What can be read of workspaces.
#[derive(Default)]
pub struct WorkspaceReads;

#[Object]
impl WorkspaceReads {
    /// The workspaces that the caller may see: those who manage the workspace `default` see all, in the
    /// order in which they were made, and everybody else their own.
    async fn workspaces(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 if not given.")] first: Option<i32>,
        #[graphql(desc = "Begin after the workspace with this cursor.")] after: Option<String>,
    ) -> Result<Connection<String, Workspace>> {
        let after_id = after.map(|after| WorkspaceId::from(after.as_str()));
        let first = page_size(first)?;
        let (page, more) = context.realm()?.list(first, after_id.as_ref()).await?;
        let mut connection = Connection::new(after_id.is_some(), more);
        connection.edges.extend(page.into_iter().map(|found| {
            let cursor = found.id.to_string();
            Edge::with_additional_fields(cursor, Workspace(found), EmptyFields)
        }));
        Ok(connection)
    }
}

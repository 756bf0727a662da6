//! Making workspaces.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::payload::{UserError, split};
use crate::contacts;
use crate::graphql::context::ContextExt;
use crate::graphql::types::Workspace;

/// The mutations of workspaces.
#[derive(Default)]
pub struct WorkspaceWrites;

/// The workspace that is to be made.
#[derive(InputObject)]
pub struct CreateWorkspaceInput {
    /// What people call it, for example `Sunny Bakery`. No two have the same name.
    name: String,
}

/// The workspace that was made.
#[derive(SimpleObject)]
pub struct CreateWorkspacePayload {
    /// It can be used at once, and is connected to nothing yet.
    workspace: Option<Workspace>,
    /// Why the input was not taken; empty when it was.
    user_errors: Vec<UserError>,
}

impl From<contacts::Workspace> for Workspace {
    fn from(stored: contacts::Workspace) -> Self {
        Self(stored)
    }
}

#[Object]
impl WorkspaceWrites {
    /// Makes a workspace: one Doppler account and one HighLevel location of its own. Needs
    /// `workspace.manage` in the workspace `default`.
    async fn create_workspace(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its name.")] input: CreateWorkspaceInput,
    ) -> Result<CreateWorkspacePayload> {
        let (workspace, user_errors) = split(context.realm()?.create(&input.name).await?);
        Ok(CreateWorkspacePayload { workspace, user_errors })
    }
}

//! Who asks.

use async_graphql::{Context, ID, Object, Result};

use super::Upstream;
use crate::auth::Requester;
use crate::contacts::Workspace as StoredWorkspace;
use crate::graphql::context::ContextExt;
use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::DateTime;

/// Who asks.
pub struct Viewer(pub Requester);

/// Who asks, as their token says.
#[Object]
impl Viewer {
    /// The token's subject; absent while client authentication is off.
    async fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// The workspace that the token is for.
    async fn workspace(&self, context: &Context<'_>) -> Result<Workspace> {
        Ok(Workspace(context.contacts()?.workspace().clone()))
    }

    /// What the token allows, for example `contacts.readonly`.
    async fn scopes(&self) -> Vec<String> {
        self.0.scopes.names()
    }
}

/// One Doppler account paired with one HighLevel location.
pub struct Workspace(pub StoredWorkspace);

/// One Doppler account paired with one HighLevel location.
#[Object]
impl Workspace {
    /// The workspace's global id.
    pub async fn id(&self) -> ID {
        GlobalId::Workspace(self.0.id.as_str().to_owned()).encode()
    }

    /// What a client's token names it by, for example `default`.
    async fn key(&self) -> &str {
        self.0.id.as_str()
    }

    /// For example `Sunny Bakery`.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// The connections to both systems.
    async fn upstreams(&self, context: &Context<'_>) -> Result<Vec<Upstream>> {
        context.reader()?;
        let upstreams = context.realm()?.upstreams(&self.0.id).await?;
        // Budgets and states change with every call.
        context.session()?.keep_private();
        Ok(upstreams.into_iter().map(Into::into).collect())
    }
}

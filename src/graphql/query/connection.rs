//! What waits before it connects a system.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use crate::contacts;
use crate::graphql::context::ContextExt;
use crate::graphql::scalars::DateTime;

/// What can be read of connections that are not made yet.
#[derive(Default)]
pub struct ConnectionReads;

/// An installation of the app that began at HighLevel's marketplace. Nobody here asked for it, so it
/// is used only when somebody confirms it.
#[derive(SimpleObject)]
pub struct HeldInstall {
    /// For `confirmInstall`.
    id: ID,
    /// The HighLevel location that it is for; where an agency granted it, the agency's id.
    account: String,
    /// Whether an agency granted it. It is for none of the agency's locations yet: `confirmInstall`
    /// says for which.
    agency: bool,
    /// The locations that it was granted for: the one that it is for; of an agency those that HighLevel
    /// named, a hundred at most and perhaps none.
    locations: Vec<String>,
    /// What was granted, for example `contacts.readonly`.
    scopes: Vec<String>,
    /// Until when it can be confirmed.
    expires_at: DateTime,
}

#[Object]
impl ConnectionReads {
    /// Installations that wait to be confirmed. Needs `workspace.manage`.
    async fn held_installs(&self, context: &Context<'_>) -> Result<Vec<HeldInstall>> {
        let held = context.connections()?.held_installs().await?;
        Ok(held.into_iter().map(HeldInstall::from).collect())
    }
}

impl From<contacts::HeldInstall> for HeldInstall {
    fn from(install: contacts::HeldInstall) -> Self {
        let contacts::HeldInstall { id, account, by_agency, locations, scopes, expires_at } =
            install;
        Self {
            id: ID(id.simple().to_string()),
            account,
            agency: by_agency,
            locations,
            scopes,
            expires_at: DateTime(expires_at),
        }
    }
}

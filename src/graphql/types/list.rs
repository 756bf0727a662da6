//! A Doppler list.

use async_graphql::{ID, Object};

use crate::graphql::ids::GlobalId;
use crate::unified::List;

/// A list of subscribers in Doppler.
pub struct DopplerList(pub List);

/// A list of subscribers in Doppler.
#[Object]
impl DopplerList {
    /// The list's global id.
    pub async fn id(&self) -> ID {
        GlobalId::List(self.0.id).encode()
    }

    /// Doppler's own id of it, for example `1459381`.
    async fn list_id(&self) -> String {
        self.0.id.to_string()
    }

    /// For example `Newsletter`.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How many subscribers are in it.
    async fn subscribers_count(&self) -> Option<i64> {
        self.0.subscribers_count
    }
}

//! A tag.

use async_graphql::SimpleObject;

/// A tag that HighLevel's location knows.
#[derive(Clone, Debug, SimpleObject)]
pub struct Tag {
    /// For example `vip`.
    pub name: String,
}

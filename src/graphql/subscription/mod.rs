//! Everything that can be followed. One file a topic.

mod contact;
mod sync;

use async_graphql::MergedSubscription;

/// Everything that can be followed.
#[derive(Default, MergedSubscription)]
#[graphql(name = "Subscription")]
pub struct Events(contact::ContactNews, sync::SyncNews);

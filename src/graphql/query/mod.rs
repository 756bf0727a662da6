//! Everything that can be read. One file a topic.

mod connection;
mod contacts;
mod sync;
mod workspace;

use async_graphql::MergedObject;

pub use sync::{cursor, events};

/// Everything that can be read.
#[derive(Default, MergedObject)]
pub struct Query(
    contacts::ContactReads,
    sync::SyncReads,
    connection::ConnectionReads,
    workspace::WorkspaceReads,
);

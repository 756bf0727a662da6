//! Everything that can be written. One file a topic; each mutation takes one `input` and answers a
//! payload in which expected refusals are data.

mod connection;
mod contact;
mod erasure;
mod mapping;
mod membership;
mod note;
mod payload;
mod run;
mod sync;
mod task;
mod workspace;

use async_graphql::MergedObject;

pub use payload::UserError;

/// Everything that can be written.
#[derive(Default, MergedObject)]
pub struct Mutation(
    contact::ContactWrites,
    membership::MembershipWrites,
    note::NoteWrites,
    task::TaskWrites,
    sync::SyncWrites,
    run::RunWrites,
    mapping::MappingWrites,
    connection::ConnectionWrites,
    workspace::WorkspaceWrites,
    erasure::ErasureWrites,
);

//! Everything that can be written. One file a topic; each mutation takes one `input` and answers a
//! payload in which expected refusals are data.

mod contact;
mod mapping;
mod membership;
mod note;
mod payload;
mod sync;
mod task;

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
    mapping::MappingWrites,
);

//! Everything that can be written. One file a topic; each mutation takes one `input` and answers a
//! payload in which expected refusals are data.

mod note;
mod payload;
mod task;

use async_graphql::MergedObject;

/// Everything that can be written.
#[derive(Default, MergedObject)]
pub struct Mutation(note::Notes, task::Tasks);

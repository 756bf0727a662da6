//! The types of the schema: thin shells over the domain's values.
//!
//! To add a field: a method with a description here, what it costs in calls in `graphql::limits`,
//! and `cargo run -- schema > schema.graphql`.

mod address;
mod appointment;
mod by;
mod contact;
mod contact_sides;
mod custom_field;
mod delivery;
mod difference;
mod doppler;
mod enums;
mod freshness;
mod highlevel;
mod list;
mod listing;
mod node;
mod note;
mod paging;
mod stats;
mod sync;
mod tag;
mod task;
mod upstream;
mod viewer;

pub use by::ContactBy;
pub use contact::Contact;
pub use custom_field::CustomFieldDefinition;
pub use enums::{MappingRule, SystemName};
pub use list::DopplerList;
pub use listing::{ContactConnection, ContactFilter, ContactOrder, ContactSource, contact_page};
pub use node::{Node, resolve};
pub use note::Note;
pub use paging::page_size;
pub use stats::{ContactStats, Coverage};
pub use sync::{
    ContactSyncState, Failure, FailureFilter, Hold, HoldFilter, Mapping, MappingDirection,
    MappingInput, MappingPreview, SyncEvent, SyncEventFilter, SyncPlan, SyncRun, SyncRunKind,
    SyncStatus, WriteOutcome,
};
pub use tag::Tag;
pub use task::Task;
pub use upstream::Upstream;
pub use viewer::{Viewer, Workspace};

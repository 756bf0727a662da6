//! What sync shows: plans, the history, holds, failures, the mapping and how it all stands.
//!
//! To add an enum value: the domain's enum and its twin in `enums.rs`, which the compiler holds
//! together.

mod contact;
mod enums;
mod event;
mod failure;
mod hold;
mod mapping;
mod mapping_input;
mod plan;
mod run;
mod status;

pub use contact::{ContactSync, ContactSyncState};
pub use enums::{MappingDirection, WriteOutcome};
pub use event::{SyncEvent, SyncEventFilter};
pub use failure::{Failure, FailureFilter};
pub use hold::{Hold, HoldFilter};
pub use mapping::Mapping;
pub use mapping_input::MappingInput;
pub use plan::{MappingPreview, SyncPlan};
pub use run::{SyncRun, SyncRunKind};
pub use status::SyncStatus;

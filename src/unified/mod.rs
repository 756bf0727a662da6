//! The domain: what a person is, whatever system knows them. Pure: no I/O, no time, no settings
//! beyond values handed in.
//!
//! [`Subscriber`] is Doppler's half and [`HighLevelContact`] is HighLevel's, both in neutral form;
//! [`Profile`] is what the two together say. Everything here can be printed, compared and tested
//! without a running system.
//!
//! To add a unified field: give it to [`Profile`], fill it in `profile.rs` from each side by the
//! mapping, compare it in `difference.rs`, and show it in `graphql::types::contact`.

mod budget;
mod difference;
mod engagement;
mod field;
mod freshness;
mod highlevel_contact;
mod identity;
mod ids;
mod list;
mod listing;
mod mapping;
mod note;
mod profile;
mod status;
mod subscriber;
mod system;
mod tags;
mod task;

pub use budget::Budget;
pub use engagement::{Delivery, DeliveryStatus};
pub use field::{CustomFieldValue, FieldDefinition};
pub use freshness::{Freshness, FreshnessSource};
pub use highlevel_contact::{Address, Appointment, DndStatus, HighLevelContact, Location};
pub use ids::{ContactId, HighLevelId, WorkspaceId};
pub use list::List;
pub use listing::{ContactFilter, ContactOrder};
pub use mapping::{FieldRule, Mapping, MappingRule, TagRepresentation};
pub use note::{Note, NoteDraft, NoteEdit};
pub use status::{ContactStatus, status};
pub use subscriber::{Subscriber, SubscriberField, SubscriberStatus};
pub use system::System;
pub use task::{Task, TaskDraft, TaskEdit};

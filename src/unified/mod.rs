//! The domain: what a person is, whatever system knows them. Pure: no I/O, no time, no settings
//! beyond values handed in.
//!
//! [`Subscriber`] is Doppler's half and [`HighLevelContact`] is HighLevel's, both in neutral form;
//! [`Profile`] is what the two together say. Everything here can be printed, compared and tested
//! without a running system.
//!
//! To add a unified field: a row in `value.rs` (its kind and where HighLevel keeps it) and one in
//! [`Mapping`]'s defaults (its name in Doppler), which is all that [`differences`] needs; then a
//! member of [`Profile`], filled in `profile.rs`, and a field in `graphql::types::contact`.

mod budget;
mod difference;
mod email;
mod engagement;
mod field;
#[cfg(test)]
mod fixture;
mod freshness;
mod highlevel_contact;
mod identity;
mod ids;
mod link;
mod list;
mod listing;
mod mapping;
mod note;
mod phone;
mod profile;
mod status;
mod subscriber;
mod system;
mod tags;
mod task;
mod value;

pub use budget::Budget;
pub use difference::{Difference, differences};
pub use email::normalize_email;
pub use engagement::{Delivery, DeliveryStatus};
pub use field::{CustomFieldValue, FieldDefinition};
pub use freshness::{Freshness, FreshnessSource};
pub use highlevel_contact::{Address, Appointment, DndStatus, HighLevelContact, Location};
pub use identity::{Change, Recognition};
pub use ids::{ContactId, HighLevelId, WorkspaceId};
pub use link::{Link, Sighting};
pub use list::{List, lists_of};
pub use listing::{ContactFilter, ContactOrder};
pub use mapping::{FieldRule, Mapping, MappingRule, TagRepresentation};
pub use note::{Note, NoteDraft, NoteEdit};
pub use phone::normalize_phone;
pub use profile::{Profile, Sides, unify};
pub use status::{ContactStatus, status};
pub use subscriber::{Subscriber, SubscriberField, SubscriberStatus};
pub use system::System;
pub use tags::{doppler_tags, join_tags, merge_tags};
pub use task::{Task, TaskDraft, TaskEdit};

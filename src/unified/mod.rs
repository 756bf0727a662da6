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

mod action;
mod agreement;
mod assign;
mod budget;
mod canonical;
mod capability;
mod contact_edit;
mod custom_value;
mod difference;
mod edit;
mod email;
mod engagement;
mod entry;
mod event;
pub mod expression;
mod failure;
mod field;
#[cfg(test)]
pub mod fixture;
mod freshness;
mod highlevel_contact;
mod hold;
mod identity;
mod ids;
mod json_text;
mod link;
mod list;
mod listing;
pub mod mapping;
mod note;
mod phone;
mod profile;
pub mod projection;
mod run;
mod status;
mod subscriber;
mod subscriber_edit;
mod sync_state;
mod system;
mod tags;
mod task;
mod user_error;
mod value;
mod write;

pub use action::ActionKind;
pub use agreement::{Agreement, Base, Canon, OPTED_OUT, Origin, STATUS};
pub use assign::Assign;
pub use budget::Budget;
pub use canonical::Canonical;
pub use capability::{Capability, Writable};
pub use contact_edit::{ContactDraft, ContactEdit, EmailDnd};
pub use custom_value::{CustomFieldEdit, CustomKind, CustomValue};
pub use difference::{Difference, differences};
pub use edit::{Edit, EditChange, EditId, SystemWrite, WriteOutcome};
pub use email::{folded, normalize_email, opt_out_hash};
pub use engagement::{Campaign, Delivery, DeliveryStatus, Engagement};
pub use entry::{
    Basis, Coverage, Entry, MOST_SHARED, Remembered, SORTS, Side, TOP_TAGS, Tally, beginnings,
    facet, time_key, words,
};
pub use event::{Event, EventDraft, EventKind};
pub use failure::Failure;
pub use field::{CustomFieldValue, Definitions, FieldDefinition, Lookup};
pub use freshness::{Freshness, FreshnessSource};
pub use highlevel_contact::{Address, Appointment, DndStatus, HighLevelContact, Location};
pub use hold::{Hold, HoldCandidate, HoldDecision, HoldKind, HoldResolution, choice};
pub use identity::{Change, Recognition};
pub use ids::{ContactId, HighLevelId, WorkspaceId};
pub use json_text::JsonText;
pub use link::{Former, Link, Reservation, Sighting, subscriber_key};
pub use list::{List, lists_of};
pub use listing::{ContactFilter, ContactOrder, ContactSource};
pub use mapping::{
    CreateRule, CreateRuleInput, FieldInput, FieldMapping, Ground, Mapping, MappingDirection,
    MappingInput, MappingRule, NoteMapping, NotesInput, TagRepresentation, TagsAs, TagsInput,
    validate,
};
pub use note::{Note, NoteDraft, NoteEdit};
pub use phone::normalize_phone;
pub use profile::{Profile, Sides, unify};
pub use run::{
    Begin, Estimate, RunKind, RunOutcome, RunState, RunTally, Stage, SyncRun, most_absent,
};
pub use status::{ContactStatus, doppler_forbids, highlevel_forbids, is_opt_out, status};
pub use subscriber::{Subscriber, SubscriberField, SubscriberStatus};
pub use subscriber_edit::{FieldDraft, ImportCounts, ImportState, ImportTask, SubscriberEdit};
pub use sync_state::{ContactSyncState, SyncSettings, SyncState};
pub use system::System;
pub use tags::{doppler_tags, join_tags, merge_tags, tags_without};
pub use task::{Task, TaskDraft, TaskEdit};
pub use user_error::{UserError, UserErrorCode};
pub use value::Kind;
pub use write::PendingWrite;

//! Keeping the two systems in step: what to do about a contact, doing it, and what to record of it.
//!
//! Deciding is pure. [`plan()`](plan::plan) turns what is known of a contact into a list of actions with reasons;
//! [`settle()`](settle::settle) turns what became of each action into what is to be recorded. Between the two,
//! [`engine`] only reads and makes calls. Preview, dry run, mutation and background work are the
//! same plan.
//!
//! [`work`] finds contacts that have work and hands them to the engine, [`poll`] looks for changes that
//! nobody told of, [`engagement`] for what people did with their mails; [`runs`] goes through
//! everybody; [`imports`] sends to Doppler together what many reconciles have to write;
//! [`mappings`] has each workspace's mapping at hand.

mod backoff;
mod engagement;
mod engine;
mod error;
mod imports;
mod mappings;
mod plan;
mod poll;
mod preview;
mod runs;
mod settle;
#[cfg(test)]
mod tests;
mod work;

pub use engagement::{Engagement, EngagementSettings, schedule_round};
pub use engine::{Attached, Engine, LEASE, Mirror, Parts, Ran, Seen, Settings};
pub use error::Error;
pub use imports::{ImportSettings, Imports, hint as import_hint};
pub use mappings::Mappings;
pub use plan::{Action, Deletion, Plan, PlannedField, WhenChanged, WhenUnchanged};
pub use poll::{Pages, read_through, schedule};
pub use preview::Preview;
pub use runs::{
    COMPARE, Change, Compare, Poll, PollSettings, PreviewCount, PreviewHold, Rates, RunPreview,
    RunSample, Runner, begin, schedule_compare,
};
pub use work::{Crew, Handler, Handlers, Wake, Workers};

// What the tests of deciding name.
#[cfg(test)]
use plan::{
    Defined, Deleted, Extra, HoldDraft, Input, ListTarget, Need, OpenHold, Other, Part, Payload,
    Scope, Side, Suppressed, Target, When, plan,
};
#[cfg(test)]
use settle::{LinkChange, Outcome, Reread, Settled, settle};

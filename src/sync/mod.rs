//! Keeping the two systems in step: what to do about a contact, doing it, and what to record of it.
//!
//! Deciding is pure. [`plan()`](plan::plan) turns what is known of a contact into a list of actions with reasons;
//! [`settle()`](settle::settle) turns what became of each action into what is to be recorded. Between the two,
//! [`engine`] only reads and makes calls. Preview, dry run, mutation and background work are the
//! same plan.
//!
//! [`work`] finds contacts that have work and hands them to the engine, [`poll`] looks for changes that
//! nobody told of; [`mappings`] has each
//! workspace's mapping at hand.

mod backoff;
mod engine;
mod error;
mod mappings;
mod plan;
mod poll;
mod preview;
mod settle;
#[cfg(test)]
mod tests;
mod work;

pub use engine::{Attached, Engine, LEASE, Mirror, Parts, Ran, Seen, Settings};
pub use error::Error;
pub use mappings::Mappings;
pub use plan::{Action, Plan, PlannedField};
pub use poll::{Poll, PollSettings, schedule};
pub use preview::Preview;
pub use work::{Handler, Handlers, Wake};

// What the tests of deciding name.
#[cfg(test)]
use plan::{
    Extra, Input, ListTarget, Need, OpenHold, Part, Payload, Scope, Side, Target, When, plan,
};
#[cfg(test)]
use settle::{LinkChange, Outcome, Reread, Settled, settle};

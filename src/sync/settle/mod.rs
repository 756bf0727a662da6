//! What is to be recorded once it is known what became of a plan's actions.
//!
//! One file a topic, each a pure function: what is agreed ([`bases`]), what the edits came to
//! ([`edits`]), and what people are told ([`events`]).

mod bases;
mod edits;
mod events;
mod outcome;

pub use events::{Course, damp};
pub use outcome::{EditSettled, FailureDraft, LinkChange, Outcome, Reread, Settled};

use super::plan::{Input, Plan};

/// What is to be recorded; `outcomes` holds one entry an action of the plan, in its order.
pub fn settle(input: &Input<'_>, plan: &Plan, outcomes: &[Outcome]) -> Settled {
    let (failures, recovered) = outcome::failures(plan, outcomes);
    let holds = outcome::holds(plan, outcomes);
    Settled {
        agreement: bases::settle(input, plan, outcomes),
        edits: edits::settle(input, plan, outcomes),
        events: events::settle(plan, outcomes, &holds),
        holds,
        links: outcome::links(input.mapping, plan, outcomes),
        failures,
        recovered,
    }
}

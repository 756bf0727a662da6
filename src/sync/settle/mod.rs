//! What is to be recorded once it is known what became of a plan's actions.
//!
//! One file a topic, each a pure function: what is agreed ([`bases`]), what the edits came to
//! ([`edits`]), what people are told ([`events`]), and what polls need not show again ([`echo`]).

mod bases;
mod echo;
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
    let agreement = bases::settle(input, plan, outcomes);
    let echo::Echoes { agreement, seen } = echo::echoes(input, plan, outcomes, agreement);
    Settled {
        agreement,
        seen,
        edits: edits::settle(input, plan, outcomes),
        events: events::settle(plan, outcomes, &holds),
        holds,
        links: outcome::links(input.mapping, plan, outcomes),
        failures,
        recovered,
    }
}

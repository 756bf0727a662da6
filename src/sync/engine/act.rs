//! Performing a plan: one system beside the other, each in order.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::join;
use tokio::time::timeout;

use crate::store::Lease;
use crate::sync::plan::{Plan, When};
use crate::sync::settle::Outcome;
use crate::unified::{PendingWrite, System};
use crate::upstream::{Call, Kind, Writing};

use super::run::Facts;
use super::{Error, Inner, park, together};

/// How long Doppler's writes wait for the first that HighLevel ever took.
const FIRST_WORD: Duration = Duration::from_secs(2);
/// The code of a write that HighLevel's credential does not allow.
const READ_ONLY: &str = "SCOPE_MISSING";

/// Why a write waits that an import would overtake.
const IN_IMPORT: &str = "Doppler works on an import of the subscriber";

/// An action by its place in the plan, what became of it, and what was remembered of it.
type Done = (usize, Outcome, Option<PendingWrite>);

impl Inner {
    /// Performs a plan's actions: those in one system one after the other, the two systems beside
    /// each other. One outcome an action, and the writes that were remembered.
    pub(super) async fn act(
        &self,
        lease: &Lease,
        facts: &Facts,
        plan: &Plan,
        call: &Call,
    ) -> Result<(Vec<Outcome>, Vec<PendingWrite>), Error> {
        let doppler = self.act_in(System::Doppler, (lease, facts, plan), call);
        let highlevel = self.act_in(System::HighLevel, (lease, facts, plan), call);
        let (doppler, highlevel) = match self.writing() {
            Writing::Forbidden | Writing::Refused => {
                (barred(plan, System::Doppler), barred(plan, System::HighLevel))
            }
            // A token does not say what it may do: the first write tells, before anything else is written.
            Writing::Unknown | Writing::Doubted
                if System::ALL.into_iter().all(|system| writes(plan, system)) =>
            {
                let mut highlevel = pin!(highlevel);
                if let Ok(done) = timeout(FIRST_WORD, &mut highlevel).await {
                    let done = done?;
                    let refused = done.iter().any(|(_, outcome, _)| is_read_only(outcome));
                    let barred = || barred(plan, System::Doppler);
                    (if refused { barred() } else { doppler.await? }, done)
                } else {
                    let (doppler, highlevel) = join(doppler, highlevel).await;
                    (doppler?, highlevel?)
                }
            }
            Writing::Unknown | Writing::Doubted | Writing::Seen => {
                let (doppler, highlevel) = join(doppler, highlevel).await;
                (doppler?, highlevel?)
            }
        };
        let mut outcomes: Vec<Option<Outcome>> = plan.actions.iter().map(|_| None).collect();
        let mut writes = Vec::new();
        for (index, outcome, write) in doppler.into_iter().chain(highlevel) {
            outcomes[index] = Some(outcome);
            writes.extend(write);
        }
        let untried =
            || Outcome::NotTried { code: "INTERNAL".to_owned(), reason: "not tried".to_owned() };
        Ok((outcomes.into_iter().map(|one| one.unwrap_or_else(untried)).collect(), writes))
    }

    async fn act_in(
        &self,
        system: System,
        (lease, facts, plan): (&Lease, &Facts, &Plan),
        call: &Call,
    ) -> Result<Vec<Done>, Error> {
        let mut done: Vec<Done> = Vec::new();
        let parked = park::parks(facts, plan);
        // What ended the run in this system: nothing more is tried in it.
        let mut ended: Option<String> = None;
        for (index, action) in plan.actions.iter().enumerate() {
            if action.system != system || done.iter().any(|(made, ..)| *made == index) {
                continue;
            }
            let only = |outcome| vec![(index, outcome, None)];
            let made = match (&action.when, &ended) {
                (When::Later { code }, _) => only(not_tried(code, &action.reason)),
                (When::Never, _) => only(not_tried("INTERNAL", &action.reason)),
                (When::Now, Some(code)) => only(not_tried(code, "an earlier step did not work")),
                (When::Now, None) if parked == Some(index) => only(Outcome::Parked),
                (When::Now, None) if facts.is_overtaken(action) => {
                    only(not_tried(Kind::Busy.code(), IN_IMPORT))
                }
                (When::Now, None) => {
                    self.perform_with_next(lease, facts, (plan, index), call).await?
                }
            };
            if let Some((_, Outcome::Failed { code, .. } | Outcome::Unknown { code }, _)) =
                made.last()
            {
                ended = Some(code.clone());
            }
            done.extend(made);
        }
        if system == System::Doppler {
            self.read_back(facts, plan, &mut done, call).await;
        }
        Ok(done)
    }

    /// Performs an action, and with it the next one where one call makes both. Of several outcomes of one
    /// action the last counts.
    async fn perform_with_next(
        &self,
        lease: &Lease,
        facts: &Facts,
        (plan, index): (&Plan, usize),
        call: &Call,
    ) -> Result<Vec<Done>, Error> {
        let action = &plan.actions[index];
        let Some((next, both)) = together::with_next(plan, index) else {
            let (outcome, write) = self.perform(lease, facts, action, call).await?;
            return Ok(vec![(index, outcome, write)]);
        };
        let (outcome, write) = self.perform(lease, facts, &both, call).await?;
        let mut made = vec![(index, outcome.clone(), write)];
        let is_refused = matches!(outcome, Outcome::Refused { .. } | Outcome::Taken { .. });
        if is_refused && !is_read_only(&outcome) {
            // What is wrong with the one does not hold up the other.
            let (alone, write) = self.perform(lease, facts, action, call).await?;
            made.push((index, alone, write));
        } else if matches!(outcome, Outcome::Done { .. }) {
            made.push((next, outcome, None));
        }
        Ok(made)
    }
}

fn is_read_only(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused { code, .. } if code == READ_ONLY)
}

/// Whether a plan writes to a system now.
fn writes(plan: &Plan, system: System) -> bool {
    let mut actions = plan.actions.iter();
    actions.any(|one| one.system == system && one.when == When::Now && one.is_write())
}

/// A system's part of a plan that HighLevel's credential does not allow: nothing is half written.
fn barred(plan: &Plan, system: System) -> Vec<Done> {
    let message = match system {
        System::Doppler => "HighLevel's credential may not write, so Doppler is left as it is, too",
        System::HighLevel => "HighLevel's credential may not write",
    };
    let of_it = plan.actions.iter().enumerate().filter(|(_, action)| action.system == system);
    let refused = of_it.map(|(index, action)| {
        let outcome = match &action.when {
            When::Later { code } => not_tried(code, &action.reason),
            When::Never => not_tried("INTERNAL", &action.reason),
            When::Now if !action.is_write() => Outcome::Done { side: None, result: None },
            When::Now => Outcome::Refused {
                code: READ_ONLY.to_owned(),
                message: message.to_owned(),
                error: None,
            },
        };
        (index, outcome, None)
    });
    refused.collect()
}

fn not_tried(code: &str, reason: &str) -> Outcome {
    Outcome::NotTried { code: code.to_owned(), reason: reason.to_owned() }
}

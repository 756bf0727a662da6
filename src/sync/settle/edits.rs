//! What the edits came to, one outcome a system.

use std::collections::BTreeMap;

use crate::sync::plan::{Action, Input, Part, Plan, When};
use crate::unified::{EditId, System, SystemWrite, UserError, WriteOutcome};

use super::{EditSettled, Outcome};

/// What one part of an edit came to.
struct Came {
    outcome: WriteOutcome,
    reason: Option<String>,
    code: Option<String>,
}

/// What every open edit came to.
pub(super) fn settle(input: &Input<'_>, plan: &Plan, outcomes: &[Outcome]) -> Vec<EditSettled> {
    input
        .edits
        .iter()
        .map(|edit| {
            let mut came: BTreeMap<System, Vec<Came>> = BTreeMap::new();
            let (mut errors, mut result) = (Vec::new(), edit.result.clone());
            let parts = plan.edits.iter().filter(|part| part.edit == edit.id);
            for part in parts {
                let entry = came.entry(part.system).or_default();
                match &part.part {
                    Part::Known(known) => {
                        entry.push(Came::from(&known.write));
                        errors.extend(known.error.clone());
                        result = known.result.clone().or(result);
                    }
                    Part::Depends(on) => {
                        for index in on {
                            let outcome = outcomes.get(*index);
                            entry.extend(plan.actions.get(*index).map(|a| of_action(a, outcome)));
                            match outcome {
                                Some(Outcome::Done { result: Some(id), .. }) => {
                                    result = Some(id.clone());
                                }
                                Some(Outcome::Refused { message, error: Some(error), .. }) => {
                                    errors.push(UserError::new(*error, message, ["input"]));
                                }
                                _ => {}
                            }
                        }
                    }
                }
            }
            let writes = came.into_iter().map(|(system, came)| merge(system, &came));
            finish(edit.id, earlier(&edit.writes, writes.collect()), (errors, result))
        })
        .collect()
}

fn finish(
    edit: EditId,
    writes: Vec<SystemWrite>,
    (errors, result): (Vec<UserError>, Option<String>),
) -> EditSettled {
    EditSettled { edit, writes, errors, result }
}

/// What was applied in an earlier run stays so: that nothing was left to do now says nothing else.
fn earlier(before: &[SystemWrite], now: Vec<SystemWrite>) -> Vec<SystemWrite> {
    let mut writes: Vec<SystemWrite> = now;
    for old in before.iter().filter(|old| old.outcome != WriteOutcome::Queued) {
        match writes.iter_mut().find(|write| write.system == old.system) {
            Some(write) if write.outcome == WriteOutcome::Unchanged => *write = old.clone(),
            Some(_) => {}
            None => writes.push(old.clone()),
        }
    }
    // Queued before, and nothing is left to do: it was carried out meanwhile.
    for old in before.iter().filter(|old| old.outcome == WriteOutcome::Queued) {
        match writes.iter_mut().find(|write| write.system == old.system) {
            Some(write) if write.outcome == WriteOutcome::Unchanged => {
                write.outcome = WriteOutcome::Applied;
            }
            _ => {}
        }
    }
    writes.sort_by_key(|write| write.system);
    writes
}

fn of_action(action: &Action, outcome: Option<&Outcome>) -> Came {
    let queued = |code: &str, reason: &str| Came {
        outcome: WriteOutcome::Queued,
        reason: Some(reason.to_owned()),
        code: Some(code.to_owned()),
    };
    match (&action.when, outcome) {
        (When::Never, _) => {
            Came { outcome: WriteOutcome::Skipped, reason: Some(action.reason.clone()), code: None }
        }
        (When::Later { code }, _) => queued(code, "the system could not be read"),
        (When::Now, None) => queued("INTERNAL", "it was not tried yet"),
        (When::Now, Some(outcome)) => match outcome {
            Outcome::Done { .. } => {
                Came { outcome: WriteOutcome::Applied, reason: None, code: None }
            }
            Outcome::Accepted => Came {
                outcome: WriteOutcome::Queued,
                reason: Some("Doppler works on the import".to_owned()),
                code: None,
            },
            Outcome::Parked => Came {
                outcome: WriteOutcome::Queued,
                reason: Some("it waits for the next import".to_owned()),
                code: None,
            },
            Outcome::Refused { code, message, .. } => Came {
                outcome: WriteOutcome::Rejected,
                reason: Some(message.clone()),
                code: Some(code.clone()),
            },
            Outcome::Failed { code, message } => queued(code, message),
            Outcome::Unknown { code } => queued(code, "it is not known whether it took effect"),
            Outcome::NotTried { code, reason } => queued(code, reason),
            Outcome::Found(_) => Came {
                outcome: WriteOutcome::Queued,
                reason: Some("the person is there already; what differs comes next".to_owned()),
                code: None,
            },
            Outcome::Taken { .. } => Came {
                outcome: WriteOutcome::Queued,
                reason: Some("it waits for a decision: another record has the same".to_owned()),
                code: None,
            },
            Outcome::GivenUp => Came {
                outcome: WriteOutcome::Skipped,
                reason: Some("Discarded by a person".to_owned()),
                code: None,
            },
        },
    }
}

/// Several parts as one: what is still open counts before what was refused, that before what was
/// done, and that before what was not needed.
fn merge(system: System, came: &[Came]) -> SystemWrite {
    let order = [
        WriteOutcome::Queued,
        WriteOutcome::Rejected,
        WriteOutcome::Applied,
        WriteOutcome::Unchanged,
        WriteOutcome::Skipped,
    ];
    let found = order.into_iter().find(|outcome| came.iter().any(|c| c.outcome == *outcome));
    let outcome = found.unwrap_or(WriteOutcome::Unchanged);
    let mut reasons: Vec<&str> = Vec::new();
    for reason in came.iter().filter_map(|came| came.reason.as_deref()) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let code = came.iter().filter(|came| came.outcome == outcome).find_map(|c| c.code.clone());
    let reason = (!reasons.is_empty()).then(|| reasons.join("; "));
    SystemWrite { system, outcome, reason, code }
}

impl From<&SystemWrite> for Came {
    fn from(write: &SystemWrite) -> Self {
        Self { outcome: write.outcome, reason: write.reason.clone(), code: write.code.clone() }
    }
}

//! What another mapping would do to one person: the same plan, only looked at.

use crate::unified::{HoldKind, UserError, UserErrorCode};

use super::plan::{HoldDraft, Input, PlannedField, Scope, plan};

/// One person before and after.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// Every field that would be written; the reason begins with the system.
    pub fields: Vec<PlannedField>,
    /// What could not be written, or not be decided.
    pub problems: Vec<UserError>,
}

/// What `input.mapping`, the proposed one, would do to the person, whatever is paused or asked for.
pub fn preview(input: &Input<'_>) -> Preview {
    let input = Input { scope: Scope::Everything, edits: &[], ..*input };
    let plan = plan(&input);
    let mut preview = Preview::default();
    for action in plan.actions.iter().filter(|action| !action.fields.is_empty()) {
        let system = action.system.name();
        for field in &action.fields {
            let why = field.reason.as_deref().unwrap_or(&action.reason);
            let reason = Some(format!("{system}: {why}"));
            preview.fields.push(PlannedField { reason, ..field.clone() });
        }
    }
    preview.problems = plan.holds.iter().map(problem).collect();
    preview.problems.extend(
        plan.reasons
            .iter()
            .map(|reason| UserError::new(UserErrorCode::NotSupported, reason.clone(), ["mapping"])),
    );
    preview
}

fn problem(hold: &HoldDraft) -> UserError {
    let code = match hold.kind {
        HoldKind::Overflow => UserErrorCode::TooLong,
        HoldKind::RemoteFieldGone => UserErrorCode::NotFound,
        HoldKind::AmbiguousMatch => UserErrorCode::Ambiguous,
        HoldKind::Consent => UserErrorCode::OptedOut,
        HoldKind::Conflict
        | HoldKind::Oscillation
        | HoldKind::MassDelete
        | HoldKind::EmptyListing
        | HoldKind::InvalidValue => UserErrorCode::Invalid,
    };
    let field = std::iter::once("mapping").chain(hold.field.as_deref());
    UserError::new(code, hold.reason.clone(), field)
}

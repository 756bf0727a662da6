//! What is to be written to a system whose fields could not be read: nobody can say yet which of them takes
//! it, so it waits as if the system could not be read at all.

use crate::unified::projection::Missing;
use crate::unified::{ActionKind, Canon, Canonical, EditId, Origin, System};
use crate::upstream::Kind;

use super::draft::Draft;
use super::fields::Topic;
use super::{Action, Defined, Input, Payload, PlannedField, When};

/// What the error is called where the person could be read and the fields could not.
pub(super) const UNREAD: &str = "UPSTREAM_UNAVAILABLE";

/// The code of what waits for a scope.
pub(in crate::sync) const UNGRANTED: &str = Kind::ScopeMissing("").code();

/// Whether a system's fields are unknown for want of a scope, and so for good: what may be among them is not
/// waited for.
pub(super) fn is_hidden(input: &Input<'_>, system: System) -> bool {
    let is_ungranted = input.defined(system) == Defined::Unread { code: UNGRANTED };
    is_ungranted && input.definitions.of(system).is_none()
}

/// Has a value wait that a system is to have.
pub(super) fn wait(draft: &mut Draft<'_>, topic: &Topic<'_>, canon: &Canon, system: System) {
    let Some(before) = before(draft, topic, canon, system) else { return };
    let planned = PlannedField {
        field: topic.field.name().to_owned(),
        before: super::fields::shown(&before),
        after: super::fields::shown(&canon.value),
        rule: topic.field.mapping.rule,
        reason: None,
    };
    let code = draft.input.unread(system).unwrap_or(UNREAD);
    put_off(draft, system, (code, Some(planned)), &topic.edits);
}

/// Has edits, or what was to be written, wait for a system's fields: one action for all that does.
pub(super) fn put_off(
    draft: &mut Draft<'_>,
    system: System,
    (code, planned): (&str, Option<PlannedField>),
    edits: &[EditId],
) {
    let is_it = |action: &Action| {
        action.system == system
            && action.payload == Payload::Nothing
            && matches!((action.kind, &action.when), (ActionKind::Update, When::Later { .. }))
    };
    if let Some(index) = draft.actions.iter().position(is_it) {
        draft.actions[index].fields.extend(planned);
        draft.depend(index, edits);
        return;
    }
    let reason = format!("the fields of {} could not be read", system.name());
    let action = Action::new(system, ActionKind::Update, Payload::Nothing, reason);
    draft.wait(action.with(Vec::from_iter(planned)), code, edits);
}

/// What the system had of it when it last agreed, if it is to have something else and may get it.
fn before(
    draft: &Draft<'_>,
    topic: &Topic<'_>,
    canon: &Canon,
    system: System,
) -> Option<Canonical> {
    let (input, field) = (draft.input, &topic.field);
    if !field.missing.contains(&(system, Missing::Unknown)) {
        return None;
    }
    // For want of a scope HighLevel's custom fields are unknown for good, while the person can be read.
    let may_pass = system == System::Doppler || input.unread(system).is_some();
    let is_there =
        input.is_in(system) || (input.link(system).is_some() && input.unread(system).is_some());
    let wanted = canon.origin == Origin::Client && !topic.edits.is_empty();
    let leads = field.mapping.direction.leads_to(system) && input.is_open(system);
    let given_up = input.agreement.gave_up(system, canon.changed_at);
    if !may_pass || !is_there || !(wanted || leads) || given_up {
        return None;
    }
    let base = draft.agreement.base(system).get(field.name());
    let before = base.map_or(Canonical::Null, |base| base.value.clone());
    (!field.kind.agrees(&before, &canon.value)).then_some(before)
}

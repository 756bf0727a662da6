//! What has to be written to one system so that one field agrees, if anything has and can.

use crate::unified::projection::Misfit;
use crate::unified::{Base, Canon, Canonical, Origin, System};

use super::draft::Draft;
use super::fields::{Change, Topic, read, shown};
use super::{PlannedField, holds, others};

/// What has to be written to a system so that it agrees, if anything has and can.
pub(super) fn of<'a>(
    draft: &mut Draft<'a>,
    topic: &Topic<'a>,
    canon: &Canon,
    system: System,
) -> Option<Change<'a>> {
    let input = draft.input;
    let (field, name) = (&topic.field, topic.field.name());
    let slot = *field.slot(system)?;
    let wanted = canon.origin == Origin::Client && !topic.edits.is_empty();
    let leads = field.mapping.direction.leads_to(system) && input.is_open(system);
    let held = read(input, field, system);
    let base = draft.agreement.base(system).get(name).cloned();
    let before = match (&held, input.unread(system)) {
        (Some(held), _) => held.clone(),
        // It would be written now if it could be read; who is not there is created as a whole.
        (None, Some(_)) if input.link(system).is_some() => {
            base.as_ref().map_or(Canonical::Null, |base| base.value.clone())
        }
        (None, _) => return None,
    };
    if field.kind.agrees(&before, &canon.value) {
        return None;
    }
    if !(wanted || leads) {
        return None;
    }
    if input.agreement.gave_up(system, canon.changed_at) {
        let reason = "what was to be written by then was given up by hand";
        draft.because(format!("{name} stays different in {}: {reason}", system.name()));
        return None;
    }
    let after = match slot.project(field.kind, &canon.value, true) {
        Ok(after) => after,
        Err(misfit) => {
            unfit(draft, topic, canon, (system, &misfit));
            return None;
        }
    };
    if field.kind.agrees(&before, &after) {
        return None;
    }
    let settled = base.as_ref().is_some_and(|base| {
        base.sent.as_ref() == Some(&after) && field.kind.agrees(&base.value, &before)
    });
    if settled {
        draft.because(format!("{} keeps its own form of {name}", system.name()));
        return None;
    }
    let shown_after = shown(&after);
    if system == System::HighLevel
        && others::refused_before(draft, Some(name), shown_after.as_deref(), &topic.edits)
    {
        return None;
    }
    Some(Change {
        system,
        slot,
        value: canon.value.clone(),
        planned: PlannedField {
            field: name.to_owned(),
            before: shown(&before),
            after: shown_after,
            rule: field.mapping.rule,
            reason: Some(origin_reason(canon, system)),
        },
        edits: topic.edits.clone(),
        tags: None,
    })
}

/// A value that the system cannot hold: for good, or until a person changes it.
fn unfit(
    draft: &mut Draft<'_>,
    topic: &Topic<'_>,
    canon: &Canon,
    (system, misfit): (System, &Misfit),
) {
    let name = topic.field.name();
    let reason = format!("{} cannot hold {name}: {misfit}", system.name());
    if !misfit.is_of_the_value() {
        draft.because(reason.clone());
        if !topic.edits.is_empty() {
            draft.skip(system, reason, &topic.edits);
        }
        return;
    }
    let left = draft
        .agreement
        .base(system)
        .get(name)
        .is_some_and(|base| base.sent.as_ref() == Some(&canon.value));
    if left {
        draft.because(reason);
        return;
    }
    let wanted = holds::misfit(draft.input.contact, name, system, misfit);
    if let Some(base) = holds::left_alone(draft, &wanted, system, name) {
        let base = Base { sent: Some(canon.value.clone()), ..base };
        draft.agreement.base_mut(system).insert(name.to_owned(), base);
        return;
    }
    holds::wait(draft, &topic.edits, &wanted);
    draft.wanted.push(wanted);
}

/// Why a system is given a value.
fn origin_reason(canon: &Canon, system: System) -> String {
    match canon.origin {
        Origin::Client => "a client asked for it".to_owned(),
        Origin::Doppler if system == System::HighLevel => "Doppler has it".to_owned(),
        Origin::HighLevel if system == System::Doppler => "HighLevel has it".to_owned(),
        Origin::Doppler | Origin::HighLevel => "it is what was agreed".to_owned(),
    }
}

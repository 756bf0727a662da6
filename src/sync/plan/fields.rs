//! The mapped fields: what each is to be, and which of them differ where.

use chrono::{DateTime, Utc};

use crate::unified::projection::{Field, Missing, Slot};
use crate::unified::{
    Base, Canon, Canonical, Definitions, EditChange, EditId, HoldKind, Mapping, Origin, System,
    UserErrorCode, WriteOutcome,
};

use super::decide::{Case, SKEW, SideCase, Source, Verdict, Wish, decide};
use super::draft::Draft;
use super::{
    Defined, Input, Over, PlannedField, Scope, TagsDelta, difference, emptied, holds, unplaced,
};

/// One field that is to be written to one system.
#[derive(Clone, Debug)]
pub(super) struct Change<'a> {
    pub system: System,
    pub slot: Slot<'a>,
    /// What is written: the canon.
    pub value: Canonical,
    pub planned: PlannedField,
    /// The edits that named the field.
    pub edits: Vec<EditId>,
    /// Which tags it adds and takes away, where it holds tags.
    pub tags: Option<TagsDelta>,
}

/// A field of the plan, with what clients want of it.
pub(super) struct Topic<'a> {
    pub field: Field<'a>,
    pub wish: Option<Wish>,
    pub edits: Vec<EditId>,
}

/// The fields that the plan is about: all, or those that the open edits name.
pub(super) fn topics<'a>(input: &'a Input<'a>) -> Vec<Topic<'a>> {
    let mut found: Vec<Topic<'a>> = Vec::new();
    if input.scope == Scope::Everything {
        let rows = input.mapping.fields.iter().filter(|row| row.expression.is_none());
        found.push(Topic::new(Field::email()));
        found.extend(rows.map(|row| Topic::new(Field::resolve(row, input.definitions))));
    }
    for edit in input.edits {
        let EditChange::Upsert { fields, .. } = &edit.change else { continue };
        for (name, value) in fields {
            let known = found.iter().position(|topic| topic.field.name() == name);
            let at = known.or_else(|| {
                let field = find(name, input.mapping, input.definitions)?;
                let same = found.iter().position(|topic| topic.field.name() == field.name());
                same.or_else(|| {
                    found.push(Topic::new(field));
                    Some(found.len() - 1)
                })
            });
            let Some(topic) = at.and_then(|at| found.get_mut(at)) else { continue };
            let value = topic.field.kind.normalize(value);
            topic.edits.push(edit.id);
            if name == "email" && is_only_the_key(input, &value, edit.at) {
                continue;
            }
            topic.wish = Some(Wish { value, at: edit.at, unseen: edit.writes.is_empty() });
        }
    }
    found
}

/// Whether an address names the person and asks for nothing: it is the one that both systems agreed
/// on, or did when it was given. Taken for a wish it would undo a change of address that was made in a
/// system meanwhile.
fn is_only_the_key(input: &Input<'_>, value: &Canonical, at: DateTime<Utc>) -> bool {
    let agreement = input.agreement;
    let agreed = |system: System| {
        agreement.base(system).get("email").is_some_and(|base| base.value == *value)
    };
    let changed_since = agreement.canon.get("email").is_some_and(|canon| canon.changed_at > at);
    let is_key = changed_since || System::ALL.into_iter().all(agreed);
    input.scope == Scope::Everything && is_key
}

fn find<'a>(name: &str, mapping: &'a Mapping, definitions: &'a Definitions) -> Option<Field<'a>> {
    Field::find(name, mapping, definitions).filter(|field| field.mapping.expression.is_none())
}

impl<'a> Topic<'a> {
    pub(super) fn new(field: Field<'a>) -> Self {
        Self { field, wish: None, edits: Vec::new() }
    }
}

/// What a system says of a field; `None`: not known.
pub(super) fn read(input: &Input<'_>, field: &Field<'_>, system: System) -> Option<Canonical> {
    let held = held(input, field, system)?;
    (!emptied::is_in_doubt(input, field, system, &held)).then_some(held)
}

/// What a system's record shows of a field, be it there or not.
pub(super) fn held(input: &Input<'_>, field: &Field<'_>, system: System) -> Option<Canonical> {
    let slot = field.slot(system)?;
    match system {
        System::Doppler => Some(slot.of_subscriber(field.kind, input.doppler.present()?)),
        System::HighLevel => slot.of_contact(field.kind, input.highlevel.present()?),
    }
}

/// Decides about every field and answers what is to be written where.
pub(super) fn plan<'a>(draft: &mut Draft<'a>, topics: &[Topic<'a>]) -> Vec<Change<'a>> {
    refuse_unknown(draft);
    let mut changes = Vec::new();
    for topic in topics {
        missing(draft, topic);
        emptied::look_again(draft, &topic.field, &topic.edits);
        if let Some(canon) = settle_canon(draft, topic) {
            for system in System::ALL {
                changes.extend(difference::of(draft, topic, &canon, system));
                unplaced::wait(draft, topic, &canon, system);
            }
        }
    }
    changes
}

/// Tells of fields that an edit names and nobody can write.
fn refuse_unknown(draft: &mut Draft<'_>) {
    let input = draft.input;
    for edit in input.edits {
        let EditChange::Upsert { fields, .. } = &edit.change else { continue };
        for name in fields.keys() {
            let known = Field::find(name, input.mapping, input.definitions);
            if known.as_ref().is_some_and(|field| field.mapping.expression.is_none()) {
                continue;
            }
            let is_hidden = |system: &System| unplaced::is_hidden(input, *system);
            let is_unread =
                |system: System| input.definitions.of(system).is_none() && !is_hidden(&system);
            let unread = System::ALL.into_iter().any(is_unread);
            for system in System::ALL {
                if known.is_some() {
                    let message = format!("{name} is worked out from other fields");
                    draft.refuse(edit, system, UserErrorCode::NotSupported, &message);
                } else if is_unread(system) {
                    let code = match input.defined(system) {
                        Defined::Unread { code } => code,
                        Defined::Since | Defined::Before => unplaced::UNREAD,
                    };
                    unplaced::put_off(draft, system, (code, None), &[edit.id]);
                } else if unread {
                    let reason = format!("the fields could not be read, so {name} is not known");
                    draft.know(edit.id, system, WriteOutcome::Queued, Some(reason));
                } else {
                    let hidden = System::ALL.into_iter().find(is_hidden);
                    let hidden = hidden.map_or_else(String::new, |system| {
                        let here = system.name();
                        format!(
                            "; {here}'s own fields cannot be seen, because its credential lacks the \
                             scope for them"
                        )
                    });
                    let message = format!("there is no field {name}{hidden}");
                    draft.refuse(edit, system, UserErrorCode::NotFound, &message);
                }
            }
        }
    }
}

/// What is to be written of a field that is worked out from others; no side has a say about it.
pub(super) fn derived<'a>(
    draft: &mut Draft<'a>,
    topic: &Topic<'a>,
    canon: &Canon,
) -> Vec<Change<'a>> {
    missing(draft, topic);
    emptied::look_again(draft, &topic.field, &[]);
    let case = case(draft.input, topic, false);
    draft.agreement.canon.insert(topic.field.name().to_owned(), canon.clone());
    for side in &case.sides {
        let Some(read) = side.read.clone() else { continue };
        let sent = side.base.filter(|base| base.value == read).and_then(|b| b.sent.clone());
        let base = Base { value: read, sent };
        draft.agreement.base_mut(side.system).insert(topic.field.name().to_owned(), base);
    }
    drop(case);
    let mut changes = Vec::new();
    for system in System::ALL {
        if let Some(mut change) = difference::of(draft, topic, canon, system) {
            change.planned.reason = Some("it is worked out from other fields".to_owned());
            changes.push(change);
        }
        unplaced::wait(draft, topic, canon, system);
    }
    changes
}

/// Tells of places that the mapping names and that are not there.
fn missing(draft: &mut Draft<'_>, topic: &Topic<'_>) {
    for (system, why) in &topic.field.missing {
        let name = topic.field.mapping.name_in(*system).unwrap_or_default();
        let was_there = draft.input.agreement.base(*system).contains_key(topic.field.name());
        match why {
            Missing::Gone if was_there => {
                let wanted = holds::field_gone(topic.field.name(), *system, name);
                if let Some((open, _)) = holds::choice(draft.input, &wanted) {
                    let field = Some(topic.field.name().to_owned());
                    let reason = "it was looked again, and the field is not there".to_owned();
                    draft.decided.push(Over { hold: open.hold.id, field, reason });
                }
                draft.wanted.push(wanted);
                // Should it be back, it is empty, which then says nothing.
                draft.agreement.base_mut(*system).remove(topic.field.name());
            }
            Missing::Gone => {
                draft.because(format!("{} has no field {name}", system.name()));
            }
            Missing::Unknown => draft.because(format!(
                "the fields of {} could not be read, so {} is left alone there",
                system.name(),
                topic.field.name()
            )),
        }
    }
}

/// The canon of a field as it is from now on; `None` where nothing is known or a person decides.
fn settle_canon(draft: &mut Draft<'_>, topic: &Topic<'_>) -> Option<Canon> {
    let input = draft.input;
    let name = topic.field.name();
    let paused = topic.field.mapping.paused
        || input.settings.paused_fields.iter().any(|field| field == name);
    if paused && topic.edits.is_empty() {
        draft.because(format!("{name} is paused"));
        return None;
    }
    let case = case(input, topic, paused);
    if topic.edits.is_empty() && waits_for_resume(input, topic, &case) {
        draft.because(format!("{name} has a change that waits until sync is resumed"));
        return None;
    }
    let verdict = match holds::decision(draft, topic, &case) {
        Some(verdict) => verdict,
        None => match decide(&case) {
            Verdict::Conflict(sources) => {
                let before = holds::as_before(draft, name, &sources);
                before.unwrap_or(Verdict::Conflict(sources))
            }
            verdict @ (Verdict::Nothing | Verdict::Agreed(_) | Verdict::Oscillates(_)) => verdict,
        },
    };
    match verdict {
        Verdict::Nothing => {
            note_bases(draft, topic, &case);
            None
        }
        Verdict::Agreed(canon) => {
            draft.agreement.canon.insert(name.to_owned(), canon.clone());
            note_bases(draft, topic, &case);
            Some(canon)
        }
        Verdict::Conflict(sources) => {
            hold(draft, topic, HoldKind::Conflict, &sources);
            None
        }
        Verdict::Oscillates(sources) => {
            hold(draft, topic, HoldKind::Oscillation, &sources);
            None
        }
    }
}

fn hold(draft: &mut Draft<'_>, topic: &Topic<'_>, kind: HoldKind, sources: &[Source]) {
    let wanted = holds::of_values(draft.input.contact, topic.field.name(), kind, sources);
    holds::wait(draft, &topic.edits, &wanted);
    draft.wanted.push(wanted);
}

/// The field as both systems, the canon and the client see it.
pub(super) fn case<'a>(input: &'a Input<'_>, topic: &'a Topic<'_>, paused: bool) -> Case<'a> {
    let field = &topic.field;
    let canon = input.agreement.canon.get(field.name());
    // What is the canon already is still a wish towards a side that never met it.
    let met = |system: System| {
        input.agreement.base(system).contains_key(field.name())
            || read(input, field, system).is_none()
    };
    let all_met = System::ALL.into_iter().all(met);
    let open = |wish: &Wish| {
        canon.is_none_or(|c| {
            let same = c.origin == Origin::Client && c.changed_at == wish.at;
            let later =
                if wish.unseen { c.changed_at <= wish.at + SKEW } else { c.changed_at < wish.at };
            later || (same && !all_met)
        })
    };
    let wish = topic.wish.clone().filter(open);
    let side = |system: System| {
        let base = input.agreement.base(system).get(field.name());
        let projected = canon
            .and_then(|canon| field.slot(system)?.project(field.kind, &canon.value, true).ok());
        let awaits = projected.as_ref().is_some_and(|canon| {
            base.is_some_and(|base| {
                !field.kind.agrees(canon, &base.value) && base.sent.as_ref() != Some(canon)
            }) && field.mapping.direction.leads_to(system)
        }) && canon
            .is_some_and(|canon| !input.agreement.gave_up(system, canon.changed_at));
        SideCase {
            system,
            read: read(input, field, system),
            base,
            speaks: !paused
                && field.mapping.direction.leads_to(system.other())
                && input.is_open(system.other()),
            projected,
            awaits,
            updated_at: updated_at(input, system),
        }
    };
    Case {
        kind: field.kind,
        mapping: &field.mapping,
        canon,
        sides: System::ALL.map(side),
        wish,
        now: input.now,
    }
}

/// When a system says that it last changed the person; Doppler says nothing.
fn updated_at(input: &Input<'_>, system: System) -> Option<DateTime<Utc>> {
    match system {
        System::Doppler => None,
        System::HighLevel => input.highlevel.present().and_then(|contact| contact.date_updated),
    }
}

/// Whether a side has a change that a paused direction keeps from counting: writing over it would
/// lose it.
fn waits_for_resume(input: &Input<'_>, topic: &Topic<'_>, case: &Case<'_>) -> bool {
    case.sides.iter().any(|side| {
        let closed = topic.field.mapping.direction.leads_to(side.system.other())
            && !input.is_open(side.system.other());
        let Some(read) = side.read.as_ref().filter(|_| closed) else { return false };
        let old = side.base.map_or(&Canonical::Null, |base| &base.value);
        !case.kind.agrees(read, old)
    })
}

/// What was read and counted is the base from now on: a change that lost is not a change again.
fn note_bases(draft: &mut Draft<'_>, topic: &Topic<'_>, case: &Case<'_>) {
    for side in &case.sides {
        let Some(read) = &side.read else { continue };
        let unchanged = side.base.filter(|base| case.kind.agrees(&base.value, read));
        // Left for later where it did not count.
        let ignored = unchanged.is_none()
            && !side.speaks
            && topic.field.mapping.direction.leads_to(side.system.other());
        if ignored {
            continue;
        }
        let sent = unchanged.and_then(|base| base.sent.clone());
        let base = Base { value: read.clone(), sent };
        draft.agreement.base_mut(side.system).insert(topic.field.name().to_owned(), base);
    }
}

/// A value as a plan shows it.
pub(super) fn shown(value: &Canonical) -> Option<String> {
    (!value.is_empty()).then(|| value.to_string())
}

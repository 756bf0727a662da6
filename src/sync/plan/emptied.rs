//! A field that was emptied, or that its system does not have any more: a person's record shows both alike.
//!
//! Definitions are kept for minutes. Where they are older than what was read of the person, a field that had a
//! value and of which the record shows nothing counts as unread until they are read again; where they cannot
//! be, it waits. Else the deletion of one field in one system would empty it for everybody in the other.

use crate::unified::projection::{Field, Missing};
use crate::unified::{Canonical, EditId, Lookup, System, TagRepresentation, WriteOutcome};

use super::draft::Draft;
use super::tags::TAGS;
use super::{Defined, Input, Need, fields, unplaced};

/// Whether it is not known if what a system shows of a field is that it was emptied.
pub(super) fn is_in_doubt(
    input: &Input<'_>,
    field: &Field<'_>,
    system: System,
    held: &Canonical,
) -> bool {
    let base = input.agreement.base(system).get(field.name());
    let is_emptied = held.is_empty() && base.is_some_and(|base| !base.value.is_empty());
    let (doppler, highlevel) = (input.doppler.present(), input.highlevel.present());
    is_emptied
        && input.defined(system) != Defined::Since
        && field
            .slot(system)
            .is_some_and(|slot| slot.may_be_gone(doppler.copied(), highlevel.copied()))
}

/// Has it looked up, or waits for it, where a field may be gone; whether it may be.
pub(super) fn look_again(draft: &mut Draft<'_>, field: &Field<'_>, edits: &[EditId]) -> bool {
    let input = draft.input;
    let is_open = |system: &System| {
        let held = fields::held(input, field, *system);
        held.is_some_and(|held| is_in_doubt(input, field, *system, &held))
    };
    let open: Vec<System> = System::ALL.into_iter().filter(is_open).collect();
    for system in &open {
        wait(draft, *system, field.name(), edits);
    }
    !open.is_empty()
}

/// The same of all fields that are kept in step.
pub(super) fn look_at_all_again(draft: &mut Draft<'_>) -> bool {
    let input = draft.input;
    let rows = input.mapping.fields.iter().filter(|row| row.expression.is_none());
    let mut any = false;
    for row in rows {
        any |= look_again(draft, &Field::resolve(row, input.definitions), &[]);
    }
    any
}

fn wait(draft: &mut Draft<'_>, system: System, name: &str, edits: &[EditId]) {
    let here = system.name();
    match draft.input.defined(system) {
        Defined::Since => {}
        Defined::Before => {
            draft.ask(Need::Definitions(system));
            for edit in edits {
                let reason = format!("it is looked up whether {here} still has {name}");
                draft.know(*edit, system, WriteOutcome::Queued, Some(reason));
            }
        }
        Defined::Unread { code } => {
            draft.because(format!(
                "the fields of {here} could not be read, so it is not known whether {name} was \
                 emptied there or is gone"
            ));
            unplaced::put_off(draft, system, (code, None), edits);
        }
    }
}

/// Why Doppler shows nothing any more of the field that held the tags; `None`: it shows it, or somebody took
/// all tags away.
pub(super) fn tags(input: &Input<'_>) -> Option<Missing> {
    let TagRepresentation::Field { field: name, .. } = &input.mapping.tags else { return None };
    let subscriber = input.doppler.present()?;
    let is_shown = subscriber.fields.iter().any(|field| field.name.eq_ignore_ascii_case(name));
    let had = input.agreement.doppler.get(TAGS).is_some_and(|base| !base.value.is_empty());
    if is_shown || !had {
        return None;
    }
    match input.definitions.find(System::Doppler, name) {
        Lookup::Missing => Some(Missing::Gone),
        Lookup::Unknown => Some(Missing::Unknown),
        Lookup::Found(_) => {
            (input.defined(System::Doppler) != Defined::Since).then_some(Missing::Unknown)
        }
    }
}

/// Leaves the tags in Doppler alone while it is not known whether their field is there; whether it does.
pub(super) fn tags_wait(draft: &mut Draft<'_>, edits: &[EditId]) -> bool {
    let system = System::Doppler;
    match tags(draft.input) {
        Some(Missing::Unknown) if draft.input.defined(system) != Defined::Since => {
            wait(draft, system, TAGS, edits);
            true
        }
        Some(Missing::Gone) => {
            // Should the field be back, it is empty, which then says nothing.
            draft.agreement.doppler.remove(TAGS);
            false
        }
        Some(Missing::Unknown) | None => false,
    }
}

//! What expressions may know of the person: the agreed values, else what a side says.

use crate::unified::expression::Facts;
use crate::unified::projection::Field;
use crate::unified::{Canonical, System, status};

use super::draft::Draft;
use super::{fields, tags};

/// The facts, as far as the plan has decided them.
pub(super) fn of(draft: &Draft<'_>) -> Facts {
    let input = draft.input;
    let mut facts = Facts::default();
    let rows = input.mapping.fields.iter().filter(|row| row.expression.is_none());
    let topics = rows.map(|row| Field::resolve(row, input.definitions));
    for field in std::iter::once(Field::email()).chain(topics) {
        let agreed = draft.agreement.canon.get(field.name()).map(|canon| canon.value.clone());
        let owner = field.mapping.owner();
        let read = || {
            [owner, owner.other()]
                .into_iter()
                .filter_map(|system: System| fields::read(input, &field, system))
                .find(|value| !value.is_empty())
        };
        let value = agreed.or_else(read).unwrap_or(Canonical::Null);
        facts.set(field.name(), field.kind, value);
    }
    let known = tags::agreed(draft);
    let held = input.highlevel.present().map(|contact| contact.tags.clone()).unwrap_or_default();
    facts.tags = if known.is_empty() { held } else { known };
    facts.status = status(input.doppler.present().copied(), input.highlevel.present().copied());
    facts
}

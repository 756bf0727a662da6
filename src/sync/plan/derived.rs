//! Fields whose value is worked out from others by an expression.

use crate::unified::expression;
use crate::unified::projection::Field;
use crate::unified::{Canon, Canonical, Origin};

use super::draft::Draft;
use super::fields::{self, Change, Topic};
use super::{Scope, facts};

/// Works the derived fields out and answers what is to be written.
pub(super) fn plan<'a>(draft: &mut Draft<'a>) -> Vec<Change<'a>> {
    let input = draft.input;
    let mut rows = input.mapping.fields.iter().filter(|row| row.expression.is_some()).peekable();
    if input.scope != Scope::Everything || rows.peek().is_none() {
        return Vec::new();
    }
    let facts = facts::of(draft);
    let mut changes = Vec::new();
    for row in rows {
        let Some(source) = row.expression.as_deref() else { continue };
        if row.paused || input.settings.paused_fields.contains(&row.field) {
            continue;
        }
        let topic = Topic::new(Field::resolve(row, input.definitions));
        let value = match expression::value(source, &facts) {
            Ok(value) => topic.field.kind.normalize(&value),
            Err(error) => {
                draft.because(format!("{} could not be worked out: {error}", row.field));
                continue;
            }
        };
        let canon = canon(draft, &row.field, value);
        changes.extend(fields::derived(draft, &topic, &canon));
    }
    changes
}

/// The canon of a derived field, dated when its value changed.
fn canon(draft: &Draft<'_>, field: &str, value: Canonical) -> Canon {
    let old = draft.agreement.canon.get(field).filter(|old| old.value == value);
    old.cloned().unwrap_or(Canon {
        value,
        origin: Origin::Client,
        changed_at: draft.input.now,
        certain: true,
        alternated: Vec::new(),
    })
}

//! Since when something is to be written that no mapped field is: notes from a field, the last note in one.
//! What a person gave up by then is not written, as with fields, whose canon tells the time.

use crate::unified::{Canon, Canonical, Origin, System};

use super::draft::Draft;

/// Remembers under a name since when a value is to be written to a system; whether that was given up.
pub(super) fn is_given_up(
    draft: &mut Draft<'_>,
    name: &str,
    (system, value): (System, &Canonical),
) -> bool {
    let known = draft.agreement.canon.get(name).filter(|canon| canon.value == *value);
    let changed_at = known.map_or(draft.input.now, |canon| canon.changed_at);
    let canon = Canon {
        value: value.clone(),
        origin: Origin::of(system.other()),
        changed_at,
        certain: false,
        alternated: Vec::new(),
    };
    draft.agreement.canon.insert(name.to_owned(), canon);
    let given_up = draft.input.agreement.gave_up(system, changed_at);
    if given_up {
        draft.because(format!(
            "what was to be written to {} by then was given up by hand",
            system.name()
        ));
    }
    given_up
}

/// Forgets what is not to be written any more.
pub(super) fn is_over(draft: &mut Draft<'_>, name: &str) {
    draft.agreement.canon.remove(name);
}

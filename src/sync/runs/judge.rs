//! Whether listings can be believed. One that lies, because a key lost its rights or a system is being
//! restored, looks as if everybody had been deleted. Pure.

use crate::store::Presence;
use crate::unified::{HoldKind, HoldResolution, System, choice, most_absent};

/// Why a run stops.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Doubt {
    pub kind: HoldKind,
    pub system: System,
    pub reason: String,
}

/// What makes a listing of a system hard to believe, if anything does.
pub(super) fn doubt(system: System, presence: Presence) -> Option<Doubt> {
    let Presence { links, absent, seen } = presence;
    let name = system.name();
    // Who opted out is in a listing of its own, and counts as there and not as seen.
    if absent > 0 && seen == 0 {
        let reason = format!(
            "{name} showed nobody, although {links} people are known to be there; nothing is \
             changed until somebody has looked"
        );
        return Some(Doubt { kind: HoldKind::EmptyListing, system, reason });
    }
    if absent > most_absent(links) {
        let reason = format!(
            "{absent} of {links} people who are known to be in {name} were not in its listing; \
             nothing is changed until somebody has looked"
        );
        return Some(Doubt { kind: HoldKind::MassDelete, system, reason });
    }
    None
}

/// The ways out.
pub(super) fn resolutions() -> Vec<HoldResolution> {
    let resolution = |choice: &str, effect: &str| HoldResolution {
        choice: choice.to_owned(),
        effect: effect.to_owned(),
    };
    vec![
        resolution(
            choice::GO_ON,
            "The run goes on, this once; whoever is missing is asked for one by one, and who is \
             really gone is remembered as gone",
        ),
        resolution(choice::LEAVE, "The run ends here, and everybody stays as they are"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_doubted_when_it_is_empty_or_lacks_too_many() {
        let judge = |links, absent, seen| {
            doubt(System::Doppler, Presence { links, absent, seen }).map(|doubt| doubt.kind)
        };
        assert_eq!(judge(0, 0, 0), None);
        assert_eq!(judge(1, 1, 0), Some(HoldKind::EmptyListing));
        assert_eq!(judge(9, 1, 0), Some(HoldKind::EmptyListing), "the others opted out");
        assert_eq!(judge(9, 0, 0), None, "all of them opted out");
        assert_eq!(judge(300, 20, 280), None);
        assert_eq!(judge(300, 21, 279), Some(HoldKind::MassDelete));
        assert_eq!(judge(2_000, 40, 1_960), None);
        assert_eq!(judge(2_000, 41, 1_959), Some(HoldKind::MassDelete));
    }
}

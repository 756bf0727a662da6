//! A person of the workspace, before either system was asked about them.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::store::{Known, Sighting};
use crate::unified::{ContactId, HighLevelId, System, WorkspaceId};

/// Who a contact is: its id and what leads to it in both systems.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: ContactId,
    /// Its HighLevel contact, when the link is known.
    pub highlevel: Option<HighLevelId>,
    /// Its Doppler subscriber's normalised address, when the link is known.
    pub doppler: Option<Arc<str>>,
    /// A normalised address by which to look for it in the system that has no link.
    pub email: Option<Arc<str>>,
    /// An E.164 number to the same end.
    pub phone: Option<Arc<str>>,
    /// Whether the person was erased: they are shown to nobody.
    pub erased: bool,
}

impl From<&Known> for Person {
    fn from(known: &Known) -> Self {
        let first = |part: fn(&crate::store::Link) -> Option<&String>| {
            known.links.iter().find_map(part).map(|text| Arc::from(text.as_str()))
        };
        Self {
            id: known.id,
            highlevel: known.key(System::HighLevel).map(HighLevelId::from),
            doppler: known.key(System::Doppler).map(Arc::from),
            email: first(|link| link.email.as_ref()),
            phone: first(|link| link.phone.as_ref()),
            erased: known.erased,
        }
    }
}

/// A sighting in short: whole ones would take more memory than the people whom they lead to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Glimpse([u8; 16]);

impl Glimpse {
    pub fn of(workspace: &WorkspaceId, sighting: &Sighting) -> Self {
        let Sighting { system, key, email, phone } = sighting;
        let parts = [Some(workspace.as_str()), Some(system.as_str()), Some(key)];
        let mut hash = Sha256::new();
        for part in parts.into_iter().chain([email.as_deref(), phone.as_deref()]) {
            // Lengths keep the parts apart, and what is absent from what is empty.
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            hash.update(length.to_le_bytes());
            hash.update(part.unwrap_or_default());
        }
        let mut short = [0; 16];
        short.copy_from_slice(&hash.finalize()[..16]);
        Self(short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(key: &str, email: Option<&str>, phone: Option<&str>) -> Sighting {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let (email, phone) = (owned(email), owned(phone));
        Sighting { system: System::HighLevel, key: key.to_owned(), email, phone }
    }

    #[test]
    fn different_sightings_are_different_in_short() {
        let here = WorkspaceId::from("here");
        let seen = [
            Glimpse::of(&here, &sighting("ab", None, None)),
            Glimpse::of(&here, &sighting("a", Some("b"), None)),
            Glimpse::of(&here, &sighting("a", None, Some("b"))),
            Glimpse::of(&here, &sighting("ab", Some(""), None)),
            Glimpse::of(&here, &sighting("ab", None, Some(""))),
            Glimpse::of(&WorkspaceId::from("there"), &sighting("ab", None, None)),
            Glimpse::of(&here, &Sighting { system: System::Doppler, ..sighting("ab", None, None) }),
        ];
        let again = Glimpse::of(&here, &sighting("ab", None, None));
        assert_eq!(seen[0], again);
        for (place, one) in seen.iter().enumerate() {
            assert!(!seen[place + 1..].contains(one), "{place}");
        }
    }
}

//! The mapped fields: of which kind each is, where HighLevel keeps it, and when two values of a
//! kind are the same.
//!
//! Doppler's values always travel as text, so texts are what is compared; a kind knows how its
//! texts are written down. To add a field: a row in [`SHAPES`] and one in the mapping's defaults.

use chrono::NaiveDate;
use unicode_normalization::UnicodeNormalization;

use super::{HighLevelContact, normalize_phone};

/// What kind of value a field holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Text,
    Phone,
    Date,
    /// ISO 3166-1 alpha-2.
    Country,
}

/// A unified field and where HighLevel keeps it.
pub(super) struct Shape {
    pub field: &'static str,
    pub kind: Kind,
    pub highlevel: fn(&HighLevelContact) -> Option<String>,
    /// Why HighLevel cannot be given a new value, if it cannot: its update takes no such member.
    pub highlevel_fixed: Option<&'static str>,
}

const fn text(field: &'static str, highlevel: fn(&HighLevelContact) -> Option<String>) -> Shape {
    Shape { field, kind: Kind::Text, highlevel, highlevel_fixed: None }
}

/// Every unified field that can be mapped, by its name in the public schema.
pub(super) const SHAPES: &[Shape] = &[
    text("firstName", |contact| contact.first_name.clone()),
    text("lastName", |contact| contact.last_name.clone()),
    Shape {
        field: "phone",
        kind: Kind::Phone,
        highlevel: |contact| contact.phone.clone(),
        highlevel_fixed: None,
    },
    Shape {
        // `UpdateContactDto` of HighLevel's contacts.json lacks it; only a create takes it.
        highlevel_fixed: Some("HighLevel cannot update companyName"),
        ..text("companyName", |contact| contact.company_name.clone())
    },
    Shape {
        field: "birthday",
        kind: Kind::Date,
        highlevel: |contact| contact.birthday.map(|day| day.to_string()),
        highlevel_fixed: None,
    },
    Shape {
        field: "country",
        kind: Kind::Country,
        highlevel: |contact| contact.address.country.clone(),
        highlevel_fixed: None,
    },
    text("address.line1", |contact| contact.address.line1.clone()),
    text("address.city", |contact| contact.address.city.clone()),
    text("address.state", |contact| contact.address.state.clone()),
    text("address.postalCode", |contact| contact.address.postal_code.clone()),
];

/// The row of a field.
pub(super) fn shape(field: &str) -> Option<&'static Shape> {
    SHAPES.iter().find(|shape| shape.field == field)
}

impl Kind {
    /// The value as it is shown: trimmed, and in the kind's one spelling where it has one. A text
    /// that does not fit its kind is shown as it is, so that nobody loses sight of it. `None` when
    /// there is nothing but white space.
    pub fn shown(self, raw: &str) -> Option<String> {
        let raw = raw.trim();
        if raw.is_empty() {
            return None;
        }
        let spelled = match self {
            Self::Text => None,
            Self::Phone => normalize_phone(raw),
            Self::Date => parse_date(raw).map(|day| day.to_string()),
            Self::Country => is_country_code(raw).then(|| raw.to_ascii_uppercase()),
        };
        Some(spelled.unwrap_or_else(|| raw.to_owned()))
    }

    /// Whether two values mean the same.
    ///
    /// Texts are compared by what a reader sees: composed (NFC) and with runs of white space as
    /// one. Not NFKC, under which `m²` and `m2` would agree, and not without regard to case, since
    /// "ANA" beside "Ana" is what a person would want put right. Countries ignore case.
    pub fn same(self, a: &str, b: &str) -> bool {
        self.comparable(a) == self.comparable(b)
    }

    fn comparable(self, raw: &str) -> String {
        let shown = self.shown(raw).unwrap_or_default();
        let mut seen = String::with_capacity(shown.len());
        for word in shown.split_whitespace() {
            if !seen.is_empty() {
                seen.push(' ');
            }
            seen.extend(word.nfc());
        }
        if self == Self::Country { seen.to_lowercase() } else { seen }
    }
}

/// The day of `2001-02-03` or of a time that begins with it.
pub(super) fn parse_date(raw: &str) -> Option<NaiveDate> {
    let raw = raw.trim();
    let day = raw.split_once(['T', ' ']).map_or(raw, |(day, _)| day);
    NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()
}

fn is_country_code(raw: &str) -> bool {
    raw.len() == 2 && raw.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KINDS: [Kind; 4] = [Kind::Text, Kind::Phone, Kind::Date, Kind::Country];

    #[test]
    fn what_is_the_same() {
        for (kind, a, b) in [
            (Kind::Text, " Ana  María ", "Ana Mari\u{301}a"),
            (Kind::Text, "", " \t"),
            (Kind::Phone, "+54 11 5555-1234", "005411 5555 1234"),
            (Kind::Phone, " 5555-1234", "5555-1234 "),
            (Kind::Date, "1990-09-25", "1990-09-25T00:00:00.000Z"),
            (Kind::Country, "ar", "AR"),
            (Kind::Country, "argentina", "Argentina"),
        ] {
            assert!(kind.same(a, b), "{kind:?}: {a:?}, {b:?}");
        }
        for (kind, a, b) in [
            (Kind::Text, "Ana", "ANA"),
            (Kind::Text, "5 m²", "5 m2"),
            (Kind::Text, "Ana", ""),
            (Kind::Phone, "+541155551234", "11 5555 1234"),
            (Kind::Date, "1990-09-25", "25/09/1990"),
            (Kind::Country, "AR", "BR"),
        ] {
            assert!(!kind.same(a, b), "{kind:?}: {a:?}, {b:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_the_same_as_what_is_shown_of_it(raw in "\\PC*|[\u{590}-\u{6ff}\u{300}-\u{36f} ]*") {
            for kind in KINDS {
                let shown = kind.shown(&raw);
                prop_assert!(kind.same(&raw, shown.as_deref().unwrap_or_default()));
                prop_assert_eq!(shown.as_deref().and_then(|text| kind.shown(text)), shown);
            }
        }
    }
}

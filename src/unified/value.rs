//! The mapped fields: of which kind each is, where HighLevel keeps it, and when two values of a
//! kind are the same.
//!
//! Doppler's values always travel as text, so texts are what is compared; a kind knows how its
//! texts are written down. To add a field: a row in [`SHAPES`] and one in the mapping's defaults.

use chrono::NaiveDate;
use unicode_normalization::UnicodeNormalization;

use super::{HighLevelContact, normalize_email, normalize_phone};

/// What kind of value a field holds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    Text,
    /// The person's address.
    Email,
    Phone,
    Date,
    /// ISO 3166-1 alpha-2.
    Country,
    /// Decimal.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `M`, `F` or `N/A`, as Doppler writes them.
    Gender,
    /// Any number of options, compared as a set.
    Options,
}

/// A unified field and where HighLevel keeps it.
pub(super) struct Shape {
    pub field: &'static str,
    /// HighLevel's own name, by which a mapping names it.
    pub name: &'static str,
    pub kind: Kind,
    pub highlevel: fn(&HighLevelContact) -> Option<String>,
    /// Why HighLevel cannot be given a new value, if it cannot: its update takes no such member.
    pub highlevel_fixed: Option<&'static str>,
}

const fn text(
    field: &'static str,
    name: &'static str,
    highlevel: fn(&HighLevelContact) -> Option<String>,
) -> Shape {
    Shape { field, name, kind: Kind::Text, highlevel, highlevel_fixed: None }
}

/// The e-mail address, which is no row of a mapping: it is what both systems know a person by.
pub(super) const EMAIL: Shape =
    Shape { kind: Kind::Email, ..text("email", "email", |contact| contact.email.clone()) };

/// Every unified field that can be mapped, by its name in the public schema.
pub(super) const SHAPES: &[Shape] = &[
    text("firstName", "firstName", |contact| contact.first_name.clone()),
    text("lastName", "lastName", |contact| contact.last_name.clone()),
    Shape {
        field: "phone",
        name: "phone",
        kind: Kind::Phone,
        highlevel: |contact| contact.phone.clone(),
        highlevel_fixed: None,
    },
    Shape {
        // `UpdateContactDto` of HighLevel's contacts.json lacks it; only a create takes it.
        highlevel_fixed: Some("HighLevel cannot update companyName"),
        ..text("companyName", "companyName", |contact| contact.company_name.clone())
    },
    Shape {
        field: "birthday",
        name: "dateOfBirth",
        kind: Kind::Date,
        highlevel: |contact| contact.birthday.map(|day| day.to_string()),
        highlevel_fixed: None,
    },
    Shape {
        field: "country",
        name: "country",
        kind: Kind::Country,
        highlevel: |contact| contact.address.country.clone(),
        highlevel_fixed: None,
    },
    text("address.line1", "address1", |contact| contact.address.line1.clone()),
    text("address.city", "city", |contact| contact.address.city.clone()),
    text("address.state", "state", |contact| contact.address.state.clone()),
    text("address.postalCode", "postalCode", |contact| contact.address.postal_code.clone()),
];

/// The row of a field.
pub(super) fn shape(field: &str) -> Option<&'static Shape> {
    SHAPES.iter().find(|shape| shape.field == field)
}

/// The row of a member of a HighLevel contact, by HighLevel's own name.
pub(super) fn shape_named(name: &str) -> Option<&'static Shape> {
    SHAPES.iter().find(|shape| shape.name == name)
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
            Self::Text | Self::Options => None,
            Self::Email => normalize_email(raw),
            Self::Phone => normalize_phone(raw),
            Self::Date => parse_date(raw).map(|day| day.to_string()),
            Self::Country => is_country_code(raw).then(|| raw.to_ascii_uppercase()),
            Self::Number => plain_number(raw),
            Self::Boolean => ["true", "false"]
                .into_iter()
                .find(|word| word.eq_ignore_ascii_case(raw))
                .map(str::to_owned),
            Self::Gender => gender(raw).map(str::to_owned),
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
        if matches!(self, Self::Country | Self::Email) { seen.to_lowercase() } else { seen }
    }
}

/// The day of `2001-02-03` or of a time that begins with it.
pub(super) fn parse_date(raw: &str) -> Option<NaiveDate> {
    let raw = raw.trim();
    let day = raw.split_once(['T', ' ']).map_or(raw, |(day, _)| day);
    NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()
}

/// A decimal number without needless zeros: `007.50` is `7.5`. `None` if it is written otherwise.
pub(super) fn plain_number(raw: &str) -> Option<String> {
    let (sign, unsigned) = raw.strip_prefix('-').map_or(("", raw), |rest| ("-", rest));
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let fraction = fraction.trim_end_matches('0');
    Some(match (whole, fraction) {
        ("0", "") => "0".to_owned(),
        (whole, "") => format!("{sign}{whole}"),
        (whole, fraction) => format!("{sign}{whole}.{fraction}"),
    })
}

/// Doppler's letter for a gender written as a letter or a word.
fn gender(raw: &str) -> Option<&'static str> {
    Some(match raw.to_lowercase().as_str() {
        "m" | "male" => "M",
        "f" | "female" => "F",
        "n/a" => "N/A",
        _ => return None,
    })
}

pub(super) fn is_country_code(raw: &str) -> bool {
    raw.len() == 2 && raw.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KINDS: [Kind; 9] = [
        Kind::Text,
        Kind::Email,
        Kind::Phone,
        Kind::Date,
        Kind::Country,
        Kind::Number,
        Kind::Boolean,
        Kind::Gender,
        Kind::Options,
    ];

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
            (Kind::Email, " Ana@Example.com", "ana@example.com"),
            (Kind::Number, "007.50", "7.5"),
            (Kind::Number, "-0", "0.0"),
            (Kind::Boolean, "True", "true"),
            (Kind::Gender, "female", "F"),
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
            (Kind::Number, "1.5", "-1.5"),
            (Kind::Number, "1e3", "1000"),
            (Kind::Gender, "M", "F"),
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

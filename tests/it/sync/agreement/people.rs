//! Whom the histories are about, and the fields that are looked at.

use serde_json::{Value, json};

use super::super::ANA;

/// One who is in both systems, and one who is in neither at first.
pub const WHO: [&str; 2] = [ANA, "new.person@example.com"];

/// One field by its names.
pub struct Field {
    pub name: &'static str,
    pub doppler: &'static str,
    pub highlevel: &'static str,
    pub values: &'static [&'static str],
}

/// Beside free texts: one that HighLevel takes only once, and one that it cannot clear.
pub const FIELDS: [Field; 5] = [
    Field { name: "firstName", doppler: "FIRSTNAME", highlevel: "firstName", values: &NAMES },
    Field { name: "lastName", doppler: "LASTNAME", highlevel: "lastName", values: &NAMES },
    Field { name: "companyName", doppler: "COMPANY", highlevel: "companyName", values: &NAMES },
    Field { name: "address.city", doppler: "CITY", highlevel: "city", values: &NAMES },
    Field {
        name: "country",
        doppler: "COUNTRY",
        highlevel: "country",
        values: &["AR", "BR", "UY"],
    },
];

/// The last one is longer than Doppler takes.
const NAMES: [&str; 5] = ["Ana", "ana", "Bea Núñez", "O'Higgins, \"y\" Cía", LONG];
const LONG: &str = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor \
    incididunt ut labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation \
    ullamco laboris nisi ut aliquip ex ea commodo consequat. Duis aute irure dolor in reprehenderit \
    in voluptate velit esse cillum dolore eu fugiat nulla pariatur. Excepteur sint occaecat \
    cupidatat non proident, sunt in culpa qui officia deserunt";

pub const TAGS: [&str; 4] = ["vip", "expo 2026", "newsletter", "ñandú"];

impl Field {
    /// The value with this number; the first one is none at all.
    pub fn value(&self, number: usize) -> Option<&'static str> {
        number.checked_sub(1).map(|number| self.values[number % self.values.len()])
    }

    /// Puts a value into an `UpsertContactInput`.
    pub fn give(&self, input: &mut Value, value: Option<&str>) {
        match self.name.split_once('.') {
            Some((outer, inner)) => input[outer][inner] = json!(value),
            None => input[self.name] = json!(value),
        }
    }
}

//! Whom the histories are about, and the fields that are looked at.

use serde_json::{Value, json};

use super::super::ANA;

/// One who is in both systems, and one who is in neither at first, by their first addresses.
pub const WHO: [&str; 2] = [ANA, "new.person@example.com"];

/// One field by its names.
pub struct Field {
    pub name: &'static str,
    pub doppler: &'static str,
    pub highlevel: &'static str,
    values: &'static [&'static str],
}

/// Beside free texts: one that HighLevel takes only once, one that it cannot clear, one that is a
/// person's own, and custom fields of three types.
pub const FIELDS: [Field; 9] = [
    Field { name: "firstName", doppler: "FIRSTNAME", highlevel: "firstName", values: &NAMES },
    Field { name: "lastName", doppler: "LASTNAME", highlevel: "lastName", values: &NAMES },
    Field { name: "companyName", doppler: "COMPANY", highlevel: "companyName", values: &NAMES },
    Field { name: "address.city", doppler: "CITY", highlevel: "city", values: &NAMES },
    Field { name: "country", doppler: "COUNTRY", highlevel: "country", values: &COUNTRIES },
    Field { name: "phone", doppler: "PHONE", highlevel: "phone", values: &PHONES },
    Field {
        name: "birthplace",
        doppler: "NroCliente",
        highlevel: "contact.birthplace",
        values: &NAMES,
    },
    Field { name: "orders", doppler: "presupuesto", highlevel: "contact.orders", values: &NUMBERS },
    Field {
        name: "renewal",
        doppler: "FechaAlta",
        highlevel: "contact.renewal_date",
        values: &DAYS,
    },
];

/// The last one is longer than Doppler takes.
const NAMES: [&str; 5] = ["Ana", "ana", "Bea Núñez", "O'Higgins, \"y\" Cía", LONG];
const LONG: &str = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor \
    incididunt ut labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation \
    ullamco laboris nisi ut aliquip ex ea commodo consequat. Duis aute irure dolor in reprehenderit \
    in voluptate velit esse cillum dolore eu fugiat nulla pariatur. Excepteur sint occaecat \
    cupidatat non proident, sunt in culpa qui officia deserunt";
const COUNTRIES: [&str; 3] = ["AR", "BR", "UY"];
/// Two of each person.
const PHONES: [&str; 4] = ["+5491155550101", "+5491155550102", "+5491155550103", "+5491155550104"];
const NUMBERS: [&str; 3] = ["12", "7", "1000"];
const DAYS: [&str; 2] = ["2026-06-30", "2027-01-02"];

pub const TAGS: [&str; 4] = ["vip", "expo 2026", "newsletter", "ñandú"];

impl Field {
    /// The value with this number for a person; the first one is none at all.
    pub fn value(&self, who: usize, number: usize) -> Option<&'static str> {
        let number = number.checked_sub(1)?;
        let place = if self.name == "phone" { 2 * who + number % 2 } else { number };
        Some(self.values[place % self.values.len()])
    }

    /// Whether HighLevel has it as a custom field.
    pub fn is_custom(&self) -> bool {
        self.highlevel.starts_with("contact.")
    }

    /// Puts a value into an `UpsertContactInput`.
    pub fn give(&self, input: &mut Value, value: Option<&str>) {
        if self.is_custom() {
            let given = json!({"key": self.highlevel, "value": self.typed(value)});
            if !input["customFields"].is_array() {
                input["customFields"] = json!([]);
            }
            let all = input["customFields"].as_array_mut().unwrap();
            all.retain(|one| one["key"] != self.highlevel);
            return all.push(given);
        }
        match self.name.split_once('.') {
            Some((outer, inner)) => input[outer][inner] = json!(value),
            None => input[self.name] = json!(value),
        }
    }

    /// A value in the field's own type.
    pub fn typed(&self, value: Option<&str>) -> Value {
        match value {
            Some(value) if self.name == "orders" => json!(value.parse::<u32>().unwrap()),
            value => json!(value),
        }
    }

    /// What a contact of HighLevel's state holds.
    pub fn of_contact(&self, contact: &Value) -> String {
        let held = if self.is_custom() { &contact["customFields"] } else { contact };
        text(&held[self.highlevel])
    }
}

/// A text or a number as a text; empty for none.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

//! Doppler's side: every value is a text, in the form that the field's type takes.

use super::Misfit;
use crate::unified::tags::{DOPPLER_FIELD_CHARACTERS, join_tags};
use crate::unified::value::{is_country_code, parse_date, plain_number};
use crate::unified::{Canonical, Kind, normalize_email, normalize_phone};

/// The longest address that Doppler takes, in characters (two clients state it).
const ADDRESS_CHARACTERS: usize = 100;

/// The kind of value that a Doppler type holds.
pub(super) fn kind_of(type_name: &str) -> Kind {
    match type_name {
        "number" => Kind::Number,
        "boolean" => Kind::Boolean,
        "date" => Kind::Date,
        "gender" => Kind::Gender,
        "country" => Kind::Country,
        "phone" => Kind::Phone,
        "email" => Kind::Email,
        _ => Kind::Text,
    }
}

/// The Doppler type in which a kind is at home.
pub(super) fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::Date => "date",
        Kind::Gender => "gender",
        Kind::Country => "country",
        Kind::Phone => "phone",
        Kind::Text | Kind::Options | Kind::Email => "string",
    }
}

/// The value as a field of this type is given it; empty clears. It is checked as Doppler is seen to
/// check, so that nobody's whole update is refused for one value.
pub fn to_doppler(type_name: &str, value: &Canonical) -> Result<String, Misfit> {
    let text = match value {
        Canonical::Null => return Ok(String::new()),
        Canonical::Text(text) => text.trim().to_owned(),
        Canonical::Set(items) => join_tags(items, super::OPTION_SEPARATOR)?,
    };
    if text.is_empty() {
        return Ok(text);
    }
    let characters = text.chars().count();
    if characters > DOPPLER_FIELD_CHARACTERS {
        return Err(Misfit::Overflow { characters, limit: DOPPLER_FIELD_CHARACTERS });
    }
    let (spelled, expected) = match type_name {
        "number" => (plain_number(&text), "a number"),
        "boolean" => (Kind::Boolean.shown(&text).filter(|t| is_truth(t)), "true or false"),
        "date" => (parse_date(&text).map(|day| day.to_string()), "a date such as 1990-09-25"),
        "gender" => (Kind::Gender.shown(&text).filter(|t| is_gender(t)), "M, F or N/A"),
        "country" => (
            Some(text.to_ascii_uppercase()).filter(|t| is_country_code(t)),
            "a country's two letters such as AR",
        ),
        "phone" => (normalize_phone(&text), "an international number such as +54 11 5555 0199"),
        _ => (Some(text), ""),
    };
    spelled.ok_or_else(|| Misfit::Invalid(format!("Doppler takes {expected} there")))
}

/// The value as Doppler's key.
pub(super) fn to_address(value: &Canonical) -> Result<String, Misfit> {
    let Canonical::Text(text) = value else {
        return Err(Misfit::Invalid("it is not an e-mail address".to_owned()));
    };
    let address = normalize_email(text)
        .ok_or_else(|| Misfit::Invalid("it is not an e-mail address".to_owned()))?;
    match address.chars().count() {
        0..=ADDRESS_CHARACTERS => Ok(address),
        characters => Err(Misfit::Overflow { characters, limit: ADDRESS_CHARACTERS }),
    }
}

fn is_truth(text: &str) -> bool {
    matches!(text, "true" | "false")
}

fn is_gender(text: &str) -> bool {
    matches!(text, "M" | "F" | "N/A")
}

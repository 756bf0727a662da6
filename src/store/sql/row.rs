//! Between rows and values.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::store::{Error, Place};
use crate::unified::{ContactId, Link, System};

/// A row of `link`.
#[derive(sqlx::FromRow)]
pub(super) struct LinkRow {
    pub(super) system: String,
    pub(super) key: String,
    pub(super) contact: String,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
}

pub(super) fn link(row: LinkRow) -> Result<Link, Error> {
    let LinkRow { system, key, contact, email, phone } = row;
    Ok(Link { system: self::system(&system)?, key, contact: contact_id(&contact)?, email, phone })
}

pub(super) fn system(text: &str) -> Result<System, Error> {
    System::ALL
        .into_iter()
        .find(|known| known.as_str() == text)
        .ok_or(Error::Inconsistent { table: "link", column: "system" })
}

pub(super) fn contact_id(text: &str) -> Result<ContactId, Error> {
    ContactId::from_str(text).map_err(|_| Error::Inconsistent { table: "contact", column: "id" })
}

/// Between the key and the contact of a place in an order. It comes before all that keys are made of, so that places
/// are in the order of their keys. One text, because PostgreSQL passes all rows of a key at the end of a range of pairs.
/// Statements take the contact by its length, 32 characters: a key may be of any length.
const BEHIND_KEY: char = '\u{1}';

pub(super) fn of_place(place: &Place) -> String {
    format!("{}{BEHIND_KEY}{}", place.key, place.contact)
}

pub(super) fn place(text: &str) -> Result<Place, Error> {
    let unreadable = Error::Inconsistent { table: "entry_order", column: "place" };
    let (key, contact) = text.rsplit_once(BEHIND_KEY).ok_or(unreadable)?;
    Ok(Place { key: key.to_owned(), contact: contact_id(contact)? })
}

pub(super) fn contact_ids(rows: &[(String,)]) -> Result<Vec<ContactId>, Error> {
    rows.iter().map(|(row,)| contact_id(row)).collect()
}

pub(super) fn uuid(text: &str, table: &'static str, column: &'static str) -> Result<Uuid, Error> {
    Uuid::try_parse(text).map_err(|_| Error::Inconsistent { table, column })
}

/// A time from a row; those that no calendar holds were not written by us.
pub(super) fn time(
    millis: i64,
    table: &'static str,
    column: &'static str,
) -> Result<DateTime<Utc>, Error> {
    DateTime::from_timestamp_millis(millis).ok_or(Error::Inconsistent { table, column })
}

/// A count from a row.
pub(super) fn count(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// Values as one JSON parameter for `json_each`, each of them an array.
pub(super) fn json(values: impl Serialize) -> Result<String, Error> {
    let text = serde_json::to_string(&values).map_err(|error| sqlx::Error::Encode(error.into()))?;
    Ok(without_nul(text))
}

/// PostgreSQL takes no U+0000 out of JSON either, and one in a list would fail all of it.
fn without_nul(json: String) -> String {
    if !json.contains("\\u0000") {
        return json;
    }
    let mut clean = String::with_capacity(json.len());
    let mut rest = json.as_str();
    while let Some(at) = rest.find('\\') {
        clean.push_str(&rest[..at]);
        if let Some(after) = rest[at..].strip_prefix("\\u0000") {
            clean.push('\u{fffd}');
            rest = after;
        } else {
            // An escape is two characters at least, and its second may be a backslash.
            clean.push_str(&rest[at..at + 2]);
            rest = &rest[at + 2..];
        }
    }
    clean.push_str(rest);
    clean
}

/// A list of texts as `json_each` takes it.
pub(super) fn list<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<String, Error> {
    json(texts.into_iter().map(|text| [text.as_ref().to_owned()]).collect::<Vec<_>>())
}

/// The JSON of a whole model, in a column that no statement looks into.
pub(super) fn body(model: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(model).map_err(|error| sqlx::Error::Encode(error.into()).into())
}

/// A model out of its column.
pub(super) fn model<T: DeserializeOwned>(body: &str, table: &'static str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|_| Error::Inconsistent { table, column: "body" })
}

/// The word that serde writes for a variant without members.
pub(super) fn word(variant: &impl Serialize) -> Result<String, Error> {
    match serde_json::to_value(variant) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(_) | Err(_) => Err(Error::Inconsistent { table: "a word", column: "variant" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_true_nul_is_replaced() {
        let texts = ["a\0b", "\\u0000", "\\\0", "é\\\\u0000\0", "\n\u{1}", ""];
        for text in texts {
            let back: Vec<String> = serde_json::from_str(&json([text]).unwrap()).unwrap();
            assert_eq!(back, [text.replace('\0', "\u{fffd}")]);
        }
    }
}

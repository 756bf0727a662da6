//! Reading members whose type the documents and the answers do not agree on.
//!
//! A contact must not become unreadable because one of its members is a number where the documents
//! say text: what is of no known form counts as absent.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Text; numbers and truth values as their text; empty text as absent.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match scalar(from)? {
        Scalar::Text(text) => Some(text).filter(|text| !text.is_empty()),
        Scalar::Whole(number) => Some(number.to_string()),
        Scalar::Float(number) => Some(number.to_string()),
        Scalar::Truth(truth) => Some(truth.to_string()),
        Scalar::None => None,
    })
}

/// A truth value, also one written as text.
pub(super) fn truth<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    Ok(match scalar(from)? {
        Scalar::Truth(truth) => Some(truth),
        Scalar::Text(text) => text.to_ascii_lowercase().parse().ok(),
        Scalar::Whole(_) | Scalar::Float(_) | Scalar::None => None,
    })
}

/// A moment: ISO 8601 with an offset, or epoch milliseconds.
pub(super) fn moment<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(match scalar(from)? {
        Scalar::Text(text) => {
            let iso = DateTime::parse_from_rfc3339(&text).map(|moment| moment.to_utc());
            iso.ok().or_else(|| DateTime::from_timestamp_millis(text.parse().ok()?))
        }
        Scalar::Whole(millis) => DateTime::from_timestamp_millis(millis),
        Scalar::Float(_) | Scalar::Truth(_) | Scalar::None => None,
    })
}

/// A member of which it matters whether it was there at all, be it null.
#[derive(Debug)]
pub(super) struct Member<T> {
    pub given: bool,
    pub value: Option<T>,
}

impl<T> Default for Member<T> {
    fn default() -> Self {
        Self { given: false, value: None }
    }
}

/// As [`text`].
pub(super) fn member<'de, D: Deserializer<'de>>(from: D) -> Result<Member<String>, D::Error> {
    Ok(Member { given: true, value: text(from)? })
}

/// As [`truth`].
pub(super) fn member_truth<'de, D: Deserializer<'de>>(from: D) -> Result<Member<bool>, D::Error> {
    Ok(Member { given: true, value: truth(from)? })
}

/// The texts in a list, or a single text; anything else, and anything else in it, counts as absent.
pub(super) fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    from.deserialize_any(Texts)
}

enum Scalar {
    Text(String),
    Whole(i64),
    Float(f64),
    Truth(bool),
    None,
}

fn scalar<'de, D: Deserializer<'de>>(from: D) -> Result<Scalar, D::Error> {
    from.deserialize_any(Scalars)
}

struct Scalars;

impl<'de> Visitor<'de> for Scalars {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Scalar, E> {
        Ok(Scalar::Truth(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(i64::try_from(number).map_or(Scalar::None, Scalar::Whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
        Ok(Scalar::Float(number))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::None)
    }
}

struct Texts;

impl<'de> Visitor<'de> for Texts {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
        let mut texts = Vec::with_capacity(list.size_hint().unwrap_or_default());
        while let Some(Element(text)) = list.next_element()? {
            texts.extend(text);
        }
        Ok(texts)
    }

    fn visit_unit<E>(self) -> Result<Vec<String>, E> {
        Ok(Vec::new())
    }

    fn visit_str<E>(self, text: &str) -> Result<Vec<String>, E> {
        Ok(vec![text.to_owned()])
    }

    fn visit_bool<E>(self, _: bool) -> Result<Vec<String>, E> {
        Ok(Vec::new())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Vec<String>, E> {
        Ok(Vec::new())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Vec<String>, E> {
        Ok(Vec::new())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Vec<String>, E> {
        Ok(Vec::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Vec::new())
    }
}

#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Element(#[serde(deserialize_with = "text")] Option<String>);

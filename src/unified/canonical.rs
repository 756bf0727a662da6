//! Values in the form in which they are compared and agreed on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A field's value in its kind's one spelling, whatever system it came from.
///
/// A field without an entry is unknown, [`Canonical::Null`] was said to be empty, and an empty text
/// is a text: the three are never taken for each other.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Canonical {
    Null,
    Text(String),
    /// In the order of first appearance; compared as a set, without regard to case.
    Set(Vec<String>),
}

impl Canonical {
    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::Set(items) => items.is_empty(),
        }
    }
}

/// As it is shown to people.
impl fmt::Display for Canonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Text(text) => f.write_str(text),
            Self::Set(items) => f.write_str(&items.join(", ")),
        }
    }
}

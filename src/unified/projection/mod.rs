//! What a value becomes in a system: each system's way to write every type, and back.
//!
//! A value is written into a [`Slot`] (`encode`) and read out of it (`decode`); the two together are
//! the projection `p(v)`, with the law `p(p(v)) = p(v)`. Values are compared through it, so that what
//! a system cannot tell apart is no difference: without this, any lossy pair of fields would be
//! written for ever. A value that does not fit is a [`Misfit`] and is never cut to fit.
//!
//! To add a type: a row in [`Kind`]'s `shown`, in [`Slot::kind`] and an arm in
//! the system's file here.

mod doppler;
mod field;
mod highlevel;
mod slot;
#[cfg(test)]
mod tests;

pub use field::{Field, Missing, kinds_agree};
pub use highlevel::{into_draft, into_edit};
#[cfg(test)]
pub use slot::Place;
pub use slot::Slot;

use super::tags::{JoinError, join_tags, same_tags, split_tags};
use super::{Canonical, Kind, TagRepresentation};

/// What stands between two options in a Doppler text.
const OPTION_SEPARATOR: &str = ", ";

/// Why a system cannot hold a value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Misfit {
    /// Longer than the field; never cut.
    #[error("it takes {characters} characters and the field holds {limit}")]
    Overflow { characters: usize, limit: usize },
    /// Not what the field takes.
    #[error("{0}")]
    Invalid(String),
    /// Nothing can be written there (any more), or not taken away: the difference lasts.
    #[error("{0}")]
    Fixed(&'static str),
}

impl Misfit {
    /// Whether another value would fit, so that a person can do something about it.
    pub fn is_of_the_value(&self) -> bool {
        !matches!(self, Self::Fixed(_))
    }
}

impl From<JoinError> for Misfit {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::Overflow { characters } => {
                Self::Overflow { characters, limit: super::tags::DOPPLER_FIELD_CHARACTERS }
            }
            JoinError::Separator => Self::Invalid(error.to_string()),
        }
    }
}

impl Kind {
    /// A text as a value of this kind.
    pub fn read(self, raw: &str) -> Canonical {
        if self == Self::Options {
            return set(split_tags(raw, OPTION_SEPARATOR));
        }
        self.shown(raw).map_or(Canonical::Null, Canonical::Text)
    }

    /// Any value as one of this kind, such as a client's.
    pub fn normalize(self, value: &Canonical) -> Canonical {
        match (self, value) {
            (_, Canonical::Null) => Canonical::Null,
            (Self::Options, Canonical::Set(items)) => {
                set(super::merge_tags(items.iter().map(String::as_str)))
            }
            // A text handed in for a set is one item: options may contain what separates them.
            (Self::Options, Canonical::Text(text)) => set(super::merge_tags([text.as_str()])),
            (_, Canonical::Text(text)) => self.read(text),
            (_, Canonical::Set(items)) => self.read(&items.join(OPTION_SEPARATOR)),
        }
    }

    /// Whether two values mean the same. Whatever is empty is the same.
    pub fn agrees(self, a: &Canonical, b: &Canonical) -> bool {
        match (a, b) {
            (a, b) if a.is_empty() || b.is_empty() => a.is_empty() && b.is_empty(),
            (Canonical::Text(a), Canonical::Text(b)) => self.same(a, b),
            (Canonical::Set(a), Canonical::Set(b)) => same_tags(a, b),
            _ => false,
        }
    }
}

/// A set, or nothing.
pub fn set(items: Vec<String>) -> Canonical {
    if items.is_empty() { Canonical::Null } else { Canonical::Set(items) }
}

/// The items of a value.
pub fn items(value: &Canonical) -> &[String] {
    match value {
        Canonical::Set(items) => items,
        Canonical::Null | Canonical::Text(_) => &[],
    }
}

/// The text in which Doppler's field holds a set of tags.
pub fn tag_text(tags: &[String], representation: &TagRepresentation) -> Result<String, Misfit> {
    match representation {
        TagRepresentation::Field { separator, .. } => Ok(join_tags(tags, separator)?),
        TagRepresentation::Lists { .. } | TagRepresentation::Off => Ok(String::new()),
    }
}

/// What Doppler makes of a set of tags; HighLevel holds any.
pub fn project_tags(
    tags: &[String],
    representation: &TagRepresentation,
) -> Result<Canonical, Misfit> {
    match representation {
        TagRepresentation::Field { separator, .. } => {
            Ok(set(split_tags(&tag_text(tags, representation)?, separator)))
        }
        TagRepresentation::Lists { prefix } => {
            let length = |tag: &String| prefix.chars().count() + tag.chars().count();
            match tags.iter().map(length).find(|characters| *characters > LIST_NAME) {
                Some(characters) => Err(Misfit::Overflow { characters, limit: LIST_NAME }),
                None => Ok(set(super::merge_tags(tags.iter().map(String::as_str)))),
            }
        }
        TagRepresentation::Off => Ok(Canonical::Null),
    }
}

/// The longest name of a Doppler list, in characters (Doppler's Magento module).
const LIST_NAME: usize = 100;

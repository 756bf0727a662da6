//! What a change says of one member.

use serde::{Deserialize, Serialize};

/// A member of a change: what is not given stays, and clearing is not the same as an empty text.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Assign<T> {
    /// Not part of the change.
    #[default]
    Keep,
    /// To be emptied.
    Clear,
    /// The new value.
    Set(T),
}

impl<T> Assign<T> {
    /// Whether the change leaves the member alone.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The same of the value's own.
    pub fn as_ref(&self) -> Assign<&T> {
        match self {
            Self::Keep => Assign::Keep,
            Self::Clear => Assign::Clear,
            Self::Set(value) => Assign::Set(value),
        }
    }

    /// The same with another value.
    pub fn map<U>(self, value: impl FnOnce(T) -> U) -> Assign<U> {
        match self {
            Self::Keep => Assign::Keep,
            Self::Clear => Assign::Clear,
            Self::Set(held) => Assign::Set(value(held)),
        }
    }
}

/// A value that is to be set, or nothing, which clears.
impl<T> From<Option<T>> for Assign<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Clear, Self::Set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_what_is_cleared_and_what_is_set_are_three() {
        let twice = |member: Assign<u8>| member.as_ref().map(|value| value * 2);
        assert_eq!(twice(Assign::default()), Assign::Keep);
        assert_eq!(twice(Assign::from(None)), Assign::Clear);
        assert_eq!(twice(Assign::from(Some(7))), Assign::Set(14));
        assert!(Assign::<u8>::Keep.is_keep() && !Assign::<u8>::Clear.is_keep());
    }
}

//! What is wrong with something that a person asked for: data, not a failure.

use serde::{Deserialize, Serialize};

/// One thing that is wrong.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct UserError {
    pub code: UserErrorCode,
    /// What is wrong and what to do, in words for people.
    pub message: String,
    /// The path of the input's member, such as `["mapping", "fields", "2", "doppler"]`.
    pub field: Vec<String>,
}

/// What kind of wrong it is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserErrorCode {
    Invalid,
    NotFound,
    Ambiguous,
    Duplicate,
    Erased,
    OptedOut,
    NotSupported,
    TooLong,
    Stale,
}

impl UserError {
    /// An error about the input's member at `field`.
    pub fn new(
        code: UserErrorCode,
        message: impl Into<String>,
        field: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let field = field.into_iter().map(Into::into).collect();
        Self { code, message: message.into(), field }
    }
}

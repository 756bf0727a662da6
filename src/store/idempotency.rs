//! Idempotency keys: the first use of a key decides what all later uses answer.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// One use of an idempotency key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attempt {
    /// Who uses it: two clients may choose the same key.
    pub client: String,
    /// The mutation's name: one key may serve two mutations.
    pub mutation: &'static str,
    pub key: String,
    /// SHA-256 over the canonical input, in hexadecimal.
    pub input_hash: String,
}

/// What became of claiming a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Begun {
    /// The key is ours: go on.
    Fresh,
    /// The key was ours or another process's and that process died at work, begun at this time:
    /// find out what it did before anything is sent again.
    Unfinished { since: DateTime<Utc> },
    /// Somebody is at it right now, or died at it less than a lease ago: the key can be claimed
    /// when `left` has passed.
    InFlight { left: Duration },
    /// It was used with the same input; its outcome as stored by `finish`.
    Done(String),
    /// It was used with other input.
    Reused,
}

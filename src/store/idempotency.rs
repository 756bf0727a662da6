//! Idempotency keys: the first use of a key decides what all later uses answer.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Error;
use crate::unified::{EditId, WorkspaceId};

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
    /// It was used with the same input, which was accepted as this edit: answer with what became
    /// of it.
    Accepted(EditId),
    /// Somebody is at it right now, or died at it less than a lease ago: the key can be claimed
    /// when `left` has passed.
    InFlight { left: Duration },
    /// It was used with other input.
    Reused,
}

/// Idempotency keys.
#[async_trait]
pub trait Idempotency: Send + Sync {
    /// Claims an idempotency key for 24 hours, or says what became of its first use. A claim left
    /// open longer than `lease_seconds` (its process died) can be claimed again:
    /// [`Begun::Unfinished`].
    async fn begin(
        &self,
        workspace: &WorkspaceId,
        attempt: &Attempt,
        now: DateTime<Utc>,
        lease_seconds: u32,
    ) -> Result<Begun, Error>;

    /// Gives a claim back: the attempt had no effect (bad input, or the system refused it).
    async fn abandon(&self, workspace: &WorkspaceId, attempt: &Attempt) -> Result<(), Error>;
}

//! A mutation with an idempotency key takes effect once.
//!
//! The first use of a key decides: the edit that it was accepted as is tied to the key for 24 hours,
//! and every later use with the same input answers what became of that edit. Up to its acceptance a
//! use has no effect, so one that fails before gives the key back, and one whose process died is
//! begun again.

use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::store::{Attempt, Begun};
use crate::unified::EditId;

use super::{Error, Writer};

/// What a use may take beyond its request's time before its claim counts as abandoned by its
/// process.
const GRACE: Duration = Duration::from_secs(10);
/// How often a use that waits for another looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Stripe's bound on keys, which clients' libraries already keep.
const LONGEST_KEY: usize = 255;

/// What became of claiming a key.
pub(super) enum Claim {
    /// It is ours.
    Go,
    /// It was used with the same input, and accepted as this edit.
    Before(EditId),
}

impl Writer {
    /// The use of a key.
    pub(super) fn attempt<I: Serialize>(
        &self,
        mutation: &'static str,
        key: Option<&str>,
        input: &I,
    ) -> Result<Option<Attempt>, Error> {
        let Some(key) = key else { return Ok(None) };
        if key.is_empty() || key.len() > LONGEST_KEY {
            return Err(Error::invalid("idempotencyKey", "1 to 255 bytes"));
        }
        let input = serde_json::to_vec(input).map_err(|_| Error::Internal("input"))?;
        let client = self.session.requester.subject.as_deref().unwrap_or_default();
        Ok(Some(Attempt {
            client: client.to_owned(),
            mutation,
            key: key.to_owned(),
            input_hash: format!("{:x}", Sha256::digest(input)),
        }))
    }

    /// Claims the key, waiting for a use that is under way.
    pub(super) async fn claim(&self, attempt: &Attempt) -> Result<Claim, Error> {
        let workspace = &self.session.requester.workspace;
        let clock = &self.core.clock;
        let time = self.session.call.deadline.saturating_duration_since(Instant::now());
        let lease_seconds = lease_seconds(time);
        loop {
            let begun =
                self.core.store.begin(workspace, attempt, clock.now(), lease_seconds).await?;
            match begun {
                Begun::Fresh | Begun::Unfinished { .. } => return Ok(Claim::Go),
                Begun::Accepted(edit) => return Ok(Claim::Before(edit)),
                Begun::Reused => return Err(Error::KeyReused),
                Begun::InFlight { left } => {
                    let wait = tokio::time::sleep(LOOK_AGAIN);
                    if tokio::time::timeout_at(self.session.call.deadline, wait).await.is_err() {
                        return Err(Error::KeyInUse { left });
                    }
                }
            }
        }
    }
}

/// How long a claim holds, for a request that has `time`. Whoever holds it had no more time for its
/// request than we have for ours.
fn lease_seconds(time: Duration) -> u32 {
    let lease = time + GRACE;
    u32::try_from(lease.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_outlasts_the_request_that_made_it() {
        for millis in [0, 1, 999, 1_000, 9_801, 300_000] {
            let time = Duration::from_millis(millis);
            let lease = Duration::from_secs(lease_seconds(time).into());
            assert!(lease >= time + GRACE, "{time:?}: {lease:?}");
            assert!(lease < time + GRACE + Duration::from_secs(1), "{time:?}: {lease:?}");
        }
        assert_eq!(lease_seconds(Duration::from_secs(u64::MAX / 2)), u32::MAX);
    }
}

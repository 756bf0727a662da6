//! A mutation with an idempotency key takes effect once.
//!
//! The first use of a key decides: its outcome is stored and answered to every later use for 24
//! hours. A use whose effect is unknown (no answer in time, a crash) is not repeated blindly: the
//! next use is told to look for the effect first.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::store::{Attempt, Begun};
use crate::upstream;

use super::{Error, Writer};

/// What a write may take beyond its request's time, on its way and in HighLevel, before its claim
/// counts as abandoned by its process.
const GRACE: Duration = Duration::from_secs(10);
/// How often a use that waits for another looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Stripe's bound on keys, which clients' libraries already keep.
const LONGEST_KEY: usize = 255;

/// How a claimed piece of work is to be done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    /// Nothing was sent before.
    Fresh,
    /// Something may have been sent since then: look for it first.
    Doubtful(DateTime<Utc>),
}

impl Writer {
    /// Does `work` once for `key`. Without a key it is simply done.
    pub(super) async fn once<I, T, F>(
        &self,
        mutation: &'static str,
        key: Option<&str>,
        input: &I,
        work: impl FnOnce(Start) -> F,
    ) -> Result<T, Error>
    where
        I: Serialize,
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T, Error>>,
    {
        let Some(key) = key else { return work(Start::Fresh).await };
        let attempt = self.attempt(mutation, key, input)?;
        let start = match self.claim(&attempt).await? {
            Claim::Go(start) => start,
            Claim::Done(outcome) => {
                let outcome = serde_json::from_str(&outcome);
                return outcome.map_err(|_| Error::Internal("stored outcome"));
            }
        };
        let (store, workspace) = (&self.core.store, &self.session.requester.workspace);
        match work(start).await {
            Ok(outcome) => {
                let stored = serde_json::to_string(&outcome);
                let stored = stored.map_err(|_| Error::Internal("outcome"))?;
                store.finish(workspace, &attempt, &stored).await?;
                Ok(outcome)
            }
            Err(error) if in_doubt(&error) => {
                store.doubt(workspace, &attempt).await?;
                Err(error)
            }
            Err(error) => {
                store.abandon(workspace, &attempt).await?;
                Err(error)
            }
        }
    }

    fn attempt<I: Serialize>(
        &self,
        mutation: &'static str,
        key: &str,
        input: &I,
    ) -> Result<Attempt, Error> {
        if key.is_empty() || key.len() > LONGEST_KEY {
            return Err(Error::invalid("idempotencyKey", "1 to 255 bytes"));
        }
        let input = serde_json::to_vec(input).map_err(|_| Error::Internal("input"))?;
        let client = self.session.requester.subject.as_deref().unwrap_or_default();
        Ok(Attempt {
            client: client.to_owned(),
            mutation,
            key: key.to_owned(),
            input_hash: format!("{:x}", Sha256::digest(input)),
        })
    }

    /// Claims the key, waiting for a use that is under way.
    async fn claim(&self, attempt: &Attempt) -> Result<Claim, Error> {
        let workspace = &self.session.requester.workspace;
        let clock = &self.core.clock;
        let time = self.session.call.deadline.saturating_duration_since(Instant::now());
        let lease_seconds = lease_seconds(time);
        loop {
            let begun =
                self.core.store.begin(workspace, attempt, clock.now(), lease_seconds).await?;
            match begun {
                Begun::Fresh => return Ok(Claim::Go(Start::Fresh)),
                Begun::Unfinished { since } => return Ok(Claim::Go(Start::Doubtful(since))),
                Begun::Done(outcome) => return Ok(Claim::Done(outcome)),
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
/// request than we have for ours, so that a write is never looked for while it is on its way.
fn lease_seconds(time: Duration) -> u32 {
    let lease = time + GRACE;
    u32::try_from(lease.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}

enum Claim {
    Go(Start),
    Done(String),
}

/// Whether a failed write may have taken effect all the same.
fn in_doubt(error: &Error) -> bool {
    match error {
        Error::Upstream(error) => matches!(
            error.kind,
            upstream::Kind::Timeout | upstream::Kind::Unavailable | upstream::Kind::Malformed
        ),
        Error::Store(_) | Error::Internal(_) => true,
        Error::Denied(_)
        | Error::ReadOnly
        | Error::Invalid { .. }
        | Error::Ambiguous(_)
        | Error::NotCached
        | Error::KeyReused
        | Error::KeyInUse { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_outlasts_the_request_that_made_it_and_its_way_through_highlevel() {
        for millis in [0, 1, 999, 1_000, 9_801, 300_000] {
            let time = Duration::from_millis(millis);
            let lease = Duration::from_secs(lease_seconds(time).into());
            assert!(lease >= time + GRACE, "{time:?}: {lease:?}");
            assert!(lease < time + GRACE + Duration::from_secs(1), "{time:?}: {lease:?}");
        }
        assert_eq!(lease_seconds(Duration::from_secs(u64::MAX / 2)), u32::MAX);
    }
}

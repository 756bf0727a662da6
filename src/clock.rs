//! Time, ids and randomness, handed in as values so that tests can hold them still.
//!
//! Nothing else in the crate asks the machine for the time or for entropy; clippy's
//! `disallowed-methods` names this module as the replacement. A test shares one [`Clock`] between
//! the gateway and the sandbox and moves it by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use uuid::Uuid;

/// A shared source of "now" (UTC, millisecond precision).
///
/// Clones are handles on the same clock: advancing one advances all.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// `None`: follow the machine. `Some`: stand still at this time, in epoch milliseconds.
    frozen_at: Option<i64>,
    /// What [`Clock::advance`] has added so far, in milliseconds.
    offset: AtomicI64,
    moved: watch::Sender<()>,
}

impl Clock {
    /// Follows the machine's clock.
    pub fn system() -> Self {
        Self::with(None)
    }

    /// Stands still at `start` until advanced.
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self::with(Some(start.timestamp_millis()))
    }

    fn with(frozen_at: Option<i64>) -> Self {
        let (moved, _) = watch::channel(());
        Self(Arc::new(Inner { frozen_at, offset: AtomicI64::new(0), moved }))
    }

    /// The current time.
    pub fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.now_ms()).unwrap_or_default()
    }

    /// The current time in epoch milliseconds.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now_ms(&self) -> i64 {
        let base = self.0.frozen_at.unwrap_or_else(|| Utc::now().timestamp_millis());
        base + self.0.offset.load(Ordering::Relaxed)
    }

    /// Moves the clock forward and wakes everyone who sleeps on it.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.0.offset.fetch_add(millis, Ordering::Relaxed);
        self.0.moved.send_replace(());
    }

    /// Sleeps until `duration` has passed on this clock.
    ///
    /// Cancel-safe. On a manual clock it ends only when [`Clock::advance`] reaches the time.
    pub async fn sleep(&self, duration: Duration) {
        let by = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        let until = self.now().checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC);
        self.sleep_until(until).await;
    }

    /// Sleeps until a time on this clock; see [`Clock::sleep`].
    pub async fn sleep_until(&self, until: DateTime<Utc>) {
        let mut moved = self.0.moved.subscribe();
        loop {
            let Ok(left) = (until - self.now()).to_std() else { return };
            if left.is_zero() {
                return;
            }
            if self.0.frozen_at.is_some() {
                // The sender lives as long as `self`, so this ends only by an advance.
                let _ = moved.changed().await;
            } else {
                tokio::select! {
                    () = tokio::time::sleep(left) => return,
                    _ = moved.changed() => {}
                }
            }
        }
    }
}

/// A new id that sorts by the time it was made (UUID version 7).
pub fn new_id(clock: &Clock) -> Uuid {
    new_id_at(clock.now())
}

/// A new id made at a time that the caller has already taken from a [`Clock`].
pub fn new_id_at(at: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &rand::random::<[u8; 10]>()).into_uuid()
}

/// A text that nobody can guess: 128 random bits.
pub fn unguessable() -> String {
    format!("{:032x}", u128::from_ne_bytes(secret_bytes()))
}

/// A random share of `duration`, between half of it and all of it, so that retries spread out.
pub fn jitter(duration: Duration) -> Duration {
    duration.mul_f64(rand::random_range(0.5..=1.0))
}

/// Bytes that nobody can guess, for keys, nonces and what stands for a secret.
pub fn secret_bytes<const N: usize>() -> [u8; N] {
    rand::random()
}

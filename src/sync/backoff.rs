//! How long to wait before trying again.

use std::time::Duration;

use crate::clock::jitter;
use crate::upstream::{Error, Retry};

/// The first wait.
const FIRST: Duration = Duration::from_secs(2);
/// The longest one: that a system is back after hours is noticed within this.
const LONGEST: Duration = Duration::from_secs(600);

/// How long to wait after so many failed attempts (from 1): twice as long each time, spread at
/// random so that many contacts do not come back at once.
pub(super) fn after(attempts: u32) -> Duration {
    let doubled = 1u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    jitter(FIRST.saturating_mul(doubled).min(LONGEST))
}

/// How long to wait after a call of that attempt failed: as long as its system says, if it does.
pub(super) fn until_retry(error: &Error, attempt: u32) -> Duration {
    match error.retry() {
        Retry::After(wait) => wait,
        Retry::Soon | Retry::Never => after(attempt),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_bounded() {
        for (attempts, longest) in [(0, 2), (1, 2), (2, 4), (3, 8), (20, 600), (u32::MAX, 600)] {
            let wait = after(attempts);
            let longest = Duration::from_secs(longest);
            assert!(wait <= longest && wait >= longest / 2, "{attempts}: {wait:?}");
        }
    }
}

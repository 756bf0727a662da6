//! How long a run waits when a system was asked and did not answer. Pure.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::store::Next;
use crate::sync::backoff;
use crate::upstream::{Error, Kind, Retry};

/// How often it is looked whether a system is connected that was not; that is no call.
const UNTIL_CONNECTED: Duration = Duration::from_secs(2);
/// How often a system is asked that refused the credential, without having heard that it was mended.
const UNTIL_MENDED: Duration = Duration::from_mins(1);
/// How often in a row a system that does not answer is asked before the run is given up.
const MOST_ATTEMPTS: u32 = 20;
/// The longest wait before a poll asks a system again: one call a minute finds out that it is back, and
/// with it goes on all that waited.
const POLL_TRIES: Duration = Duration::from_secs(60);

/// What a run does about an error.
#[derive(Debug, PartialEq)]
pub(super) enum Wait {
    /// Somebody has to mend a credential: it waits for that, however long it takes, and says so.
    ForSomebody(Next),
    /// It is tried again.
    ForTheSystem(Next),
    /// It was tried often enough.
    NoLonger,
}

/// What to do about an error of the attempt of that number. `went_on`: a step was stored since it began,
/// so that what failed before it says nothing of the system as it is now.
pub(super) fn after(
    error: &Error,
    (attempt, went_on): (u32, bool),
    is_poll: bool,
    now: DateTime<Utc>,
) -> Wait {
    if error.kind == Kind::NotConnected {
        return Wait::ForSomebody(Next::Again(now + UNTIL_CONNECTED));
    }
    if error.kind == Kind::Unauthorized {
        return Wait::ForSomebody(Next::Again(now + UNTIL_MENDED));
    }
    let attempt = if went_on { 1 } else { attempt };
    if attempt >= MOST_ATTEMPTS {
        return Wait::NoLonger;
    }
    let mut wait = backoff::until_retry(error, attempt);
    if is_poll && !matches!(error.retry(), Retry::After(_)) {
        wait = wait.min(POLL_TRIES);
    }
    let at = now + wait;
    Wait::ForTheSystem(if went_on {
        // Counts anew.
        Next::Again(at)
    } else {
        Next::Retry { at, error: error.kind.code().to_owned() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unified::System;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap()
    }

    fn error(kind: Kind) -> Error {
        Error::new(System::HighLevel, "/contacts/search", kind)
    }

    #[test]
    fn whoever_mends_a_credential_is_waited_for_as_long_as_it_takes() {
        for kind in [Kind::NotConnected, Kind::Unauthorized] {
            for is_poll in [true, false] {
                let wait = after(&error(kind.clone()), (1_000, false), is_poll, now());
                assert!(matches!(wait, Wait::ForSomebody(Next::Again(_))), "{kind:?}: {wait:?}");
            }
        }
    }

    #[test]
    fn a_system_that_does_not_answer_is_asked_twenty_times_in_a_row() {
        let down = error(Kind::Unavailable);
        let tried = |attempt, went_on| after(&down, (attempt, went_on), false, now());
        assert!(matches!(tried(19, false), Wait::ForTheSystem(Next::Retry { .. })));
        assert_eq!(tried(20, false), Wait::NoLonger);
        // Here and there an error in a listing of a million people is none of them.
        assert!(matches!(tried(20, true), Wait::ForTheSystem(Next::Again(_))));
    }

    #[test]
    fn a_poll_asks_at_last_once_a_minute() {
        let down = error(Kind::Unavailable);
        let Wait::ForTheSystem(Next::Retry { at, .. }) = after(&down, (15, false), true, now())
        else {
            panic!("it is tried again");
        };
        assert!(at <= now() + POLL_TRIES);
    }
}

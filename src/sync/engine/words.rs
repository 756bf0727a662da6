//! Upstream failures as outcomes of writes.

use crate::sync::settle::Outcome;
use crate::unified::UserErrorCode;
use crate::upstream::{Error, Kind};

/// What a failed write comes to.
pub(super) fn outcome(error: &Error) -> Outcome {
    let code = error.kind.code().to_owned();
    if error.in_doubt() {
        return Outcome::Unknown { code };
    }
    match &error.kind {
        Kind::ScopeMissing(_)
        | Kind::NotFound
        | Kind::ListGone
        | Kind::Duplicate { .. }
        | Kind::OptedOut { .. }
        | Kind::Full
        | Kind::Rejected { .. } => refused(error),
        Kind::Unauthorized
        | Kind::RateLimited { .. }
        | Kind::Busy
        | Kind::Unavailable
        | Kind::Timeout
        | Kind::Malformed
        | Kind::NotConnected => Outcome::Failed { code, message: error.in_words() },
    }
}

/// A refusal that will be repeated.
pub(super) fn refused(error: &Error) -> Outcome {
    let wrong = match &error.kind {
        Kind::NotFound | Kind::ListGone => Some(UserErrorCode::NotFound),
        Kind::Duplicate { .. } => Some(UserErrorCode::Duplicate),
        Kind::OptedOut { .. } => Some(UserErrorCode::OptedOut),
        Kind::Full => Some(UserErrorCode::NotSupported),
        Kind::Rejected { .. } => Some(UserErrorCode::Invalid),
        Kind::ScopeMissing(_)
        | Kind::Unauthorized
        | Kind::RateLimited { .. }
        | Kind::Busy
        | Kind::Unavailable
        | Kind::Timeout
        | Kind::Malformed
        | Kind::NotConnected => None,
    };
    let (code, message) = (error.kind.code().to_owned(), error.in_words());
    Outcome::Refused { code, message, error: wrong }
}

//! Upstream failures as outcomes: a code of the public schema and words for people.

use crate::sync::settle::Outcome;
use crate::unified::{System, UserErrorCode};
use crate::upstream::{Error, Kind};

/// What a failed write comes to.
pub(super) fn outcome(error: &Error) -> Outcome {
    let code = code(&error.kind).to_owned();
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
        | Kind::NotConnected => Outcome::Failed { code, message: in_words(error) },
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
    let (code, message) = (code(&error.kind).to_owned(), in_words(error));
    Outcome::Refused { code, message, error: wrong }
}

/// The public name of a failure.
pub(super) fn code(kind: &Kind) -> &'static str {
    match kind {
        Kind::Unauthorized => "UPSTREAM_UNAUTHORIZED",
        Kind::ScopeMissing(_) => "SCOPE_MISSING",
        Kind::RateLimited { .. } | Kind::Busy => "UPSTREAM_RATE_LIMITED",
        Kind::NotFound
        | Kind::ListGone
        | Kind::Duplicate { .. }
        | Kind::OptedOut { .. }
        | Kind::Full
        | Kind::Rejected { .. } => "UPSTREAM_REJECTED",
        Kind::Unavailable | Kind::Malformed => "UPSTREAM_UNAVAILABLE",
        Kind::Timeout => "UPSTREAM_TIMEOUT",
        Kind::NotConnected => "NOT_CONNECTED",
    }
}

/// A stored code as one of the names above.
pub(super) fn known_code(stored: &str) -> &'static str {
    const NAMES: [&str; 9] = [
        "UPSTREAM_UNAUTHORIZED",
        "SCOPE_MISSING",
        "UPSTREAM_RATE_LIMITED",
        "UPSTREAM_REJECTED",
        "UPSTREAM_UNAVAILABLE",
        "UPSTREAM_TIMEOUT",
        "NOT_CONNECTED",
        "CONFLICT",
        "INTERNAL",
    ];
    NAMES.into_iter().find(|name| *name == stored).unwrap_or("INTERNAL")
}

/// A failure in words for people, without the system's own.
pub(super) fn in_words(error: &Error) -> String {
    let name = match error.system {
        System::Doppler => "Doppler",
        System::HighLevel => "HighLevel",
    };
    match &error.kind {
        Kind::Unauthorized => format!("{name} refuses its credential; connect it anew"),
        Kind::ScopeMissing(scope) => format!("{name}'s credential lacks the scope {scope}"),
        Kind::NotFound => format!("{name} does not know it"),
        Kind::ListGone => "the list does not exist any more".to_owned(),
        Kind::Duplicate { .. } => {
            format!("another record in {name} has the same address or number")
        }
        Kind::OptedOut { own_will: true } => "the person has opted out".to_owned(),
        Kind::OptedOut { own_will: false } => {
            format!("{name} does not mail this address any more")
        }
        Kind::Busy => format!("{name} is still busy with an earlier import"),
        Kind::Full => format!("{name} takes no more of these"),
        Kind::Rejected { fields } if fields.is_empty() => format!("{name} refused the values"),
        Kind::Rejected { fields } => format!("{name} refused {}", fields.join(", ")),
        Kind::RateLimited { daily: true, .. } => format!("{name}'s daily limit is reached"),
        Kind::RateLimited { daily: false, .. } => format!("{name}'s rate limit is reached"),
        Kind::Unavailable => format!("{name} does not answer"),
        Kind::Timeout => format!("{name} did not answer in time"),
        Kind::Malformed => format!("{name}'s answer could not be understood"),
        Kind::NotConnected => format!("{name} is not connected"),
    }
}

//! What can go wrong upstream, said as what the caller may do about it.

use std::sync::Arc;
use std::time::Duration;

use crate::unified::System;

/// When to look again whether an earlier request is over. Doppler's imports take seconds to minutes.
const BUSY: Duration = Duration::from_secs(10);

/// A failed upstream call. Cheap to clone, because callers that shared one call share its failure.
///
/// The message holds the route template and never the URL, the body or a header: both contain
/// people's addresses. The source chain is for the log.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{system}: {route}: {kind}")]
pub struct Error {
    pub system: System,
    /// The route template, such as `/contacts/{contactId}/notes`.
    pub route: &'static str,
    pub kind: Kind,
    /// See [`Error::in_doubt`].
    pub(super) doubt: bool,
    #[source]
    pub source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// What happened.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Kind {
    /// The credential is wrong, expired or revoked: only a person can mend it.
    #[error("the credential was refused")]
    Unauthorized,
    /// The credential is good but lacks a scope.
    #[error("the credential lacks the scope {0}")]
    ScopeMissing(&'static str),
    /// The system, or our own budget before it, asks to wait. `daily`: until tomorrow.
    #[error("the rate limit is reached")]
    RateLimited { retry_after: Duration, daily: bool },
    /// What was addressed does not exist.
    #[error("not found")]
    NotFound,
    /// The list that was addressed does not exist; of the subscriber it says nothing.
    #[error("the list does not exist")]
    ListGone,
    /// Another record is in the way; its id and the member that both have, when the system names
    /// them.
    #[error("a duplicate exists")]
    Duplicate { id: Option<String>, field: Option<String> },
    /// The person may not be written to again through the API. `own_will`: by his own decision,
    /// else by a bounce, a complaint or the system's policy.
    #[error("the person has opted out")]
    OptedOut { own_will: bool },
    /// The system is busy with an earlier request of the same kind.
    #[error("an earlier request is still under way")]
    Busy,
    /// The account may have no more of these.
    #[error("the account holds no more of these")]
    Full,
    /// The input was refused; the names of the refused fields as far as they are known.
    #[error("the input was refused")]
    Rejected { fields: Vec<String> },
    /// No answer, or an answer that says "later".
    #[error("the system is unavailable")]
    Unavailable,
    /// The deadline passed. For a write, whether it took effect is unknown.
    #[error("the deadline passed")]
    Timeout,
    /// The answer could not be understood.
    #[error("the answer could not be understood")]
    Malformed,
    /// No credential is configured.
    #[error("the system is not connected")]
    NotConnected,
}

/// Whether to try again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Retry {
    /// At once or with a short backoff.
    Soon,
    /// Not before this has passed.
    After(Duration),
    /// Only after somebody changed something.
    Never,
}

impl Error {
    /// An error without a source.
    pub fn new(system: System, route: &'static str, kind: Kind) -> Self {
        Self { system, route, kind, doubt: false, source: None }
    }

    /// The same, of a write that may have taken effect.
    #[must_use]
    pub fn doubtful(self) -> Self {
        Self { doubt: true, ..self }
    }

    /// Whether the write may have taken effect although it failed: it was sent, and no answer said
    /// that it was not done. Whoever made it reads before sending it again. Never so of a read.
    pub fn in_doubt(&self) -> bool {
        self.doubt
    }

    /// Whether the same call may succeed later.
    pub fn retry(&self) -> Retry {
        match &self.kind {
            Kind::RateLimited { retry_after, .. } => Retry::After(*retry_after),
            Kind::Busy => Retry::After(BUSY),
            Kind::Unavailable | Kind::Timeout | Kind::Malformed => Retry::Soon,
            Kind::Unauthorized
            | Kind::ScopeMissing(_)
            | Kind::NotFound
            | Kind::ListGone
            | Kind::Duplicate { .. }
            | Kind::OptedOut { .. }
            | Kind::Full
            | Kind::Rejected { .. }
            | Kind::NotConnected => Retry::Never,
        }
    }

    /// Whether the system could not be asked, so that an older copy may stand in.
    pub fn unreachable(&self) -> bool {
        matches!(
            self.kind,
            Kind::RateLimited { .. }
                | Kind::Unavailable
                | Kind::Timeout
                | Kind::Malformed
                | Kind::Unauthorized
        )
    }
}

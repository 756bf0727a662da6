//! Upstream failures as clients see them: a code of the public schema and words for people, without
//! the system's own text. The only place where a failure is put into words.
//!
//! To add a kind: an arm in each of the two functions; a new code joins [`CODES`].

use super::{Error, Kind};

/// Every code of a failure that the store may hold.
const CODES: [&str; 9] = [
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

/// A stored code as one of the known ones.
pub fn known_code(stored: &str) -> &'static str {
    CODES.into_iter().find(|name| *name == stored).unwrap_or("INTERNAL")
}

impl Kind {
    /// The failure's name in the public schema.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized => "UPSTREAM_UNAUTHORIZED",
            Self::ScopeMissing(_) => "SCOPE_MISSING",
            Self::RateLimited { .. } => "UPSTREAM_RATE_LIMITED",
            Self::NotFound
            | Self::ListGone
            | Self::Duplicate { .. }
            | Self::OptedOut { .. }
            | Self::Full
            | Self::Rejected { .. } => "UPSTREAM_REJECTED",
            Self::Busy | Self::Unavailable | Self::Malformed => "UPSTREAM_UNAVAILABLE",
            Self::Timeout => "UPSTREAM_TIMEOUT",
            Self::NotConnected => "NOT_CONNECTED",
        }
    }
}

impl Error {
    /// What happened, in words for people.
    pub fn in_words(&self) -> String {
        let name = self.system.name();
        match &self.kind {
            Kind::Unauthorized => format!("{name} refused its credential; connect it anew"),
            Kind::ScopeMissing(scope) => format!("{name}'s credential lacks the scope {scope}"),
            Kind::NotFound => format!("{name} does not know it"),
            Kind::ListGone => format!("{name} does not have that list any more"),
            Kind::Duplicate { .. } => {
                format!("another record in {name} has the same address or number")
            }
            Kind::OptedOut { own_will: true } => "the person has opted out".to_owned(),
            Kind::OptedOut { own_will: false } => {
                format!("{name} does not mail this address any more")
            }
            Kind::Busy => format!("{name} is still busy with an earlier request; try again later"),
            Kind::Full => format!("{name} takes no more of these"),
            Kind::Rejected { fields } if fields.is_empty() => format!("{name} refused the values"),
            Kind::Rejected { fields } => format!("{name} refused {}", fields.join(", ")),
            Kind::RateLimited { daily: true, .. } => {
                format!("{name}'s daily rate limit is reached; try again later")
            }
            Kind::RateLimited { daily: false, .. } => {
                format!("{name}'s rate limit is reached; try again later")
            }
            Kind::Unavailable => format!("{name} does not answer"),
            Kind::Timeout => format!("{name} did not answer in time"),
            Kind::Malformed => format!("{name}'s answer could not be understood"),
            Kind::NotConnected => format!("{name} is not connected"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_store() {
        for kind in [
            Kind::Unauthorized,
            Kind::ScopeMissing("contacts.write"),
            Kind::NotFound,
            Kind::Busy,
            Kind::Timeout,
            Kind::NotConnected,
        ] {
            assert_eq!(known_code(kind.code()), kind.code());
        }
        assert_eq!(known_code("SOMETHING_OLD"), "INTERNAL");
    }
}

//! How old an answer is and where it came from.

use chrono::{DateTime, Utc};

/// The age and origin of what was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Freshness {
    /// When the system said it; `None` when nothing was read.
    pub fetched_at: Option<DateTime<Utc>>,
    /// True when the system could not be asked and an older copy stands in.
    pub stale: bool,
    pub source: FreshnessSource,
}

/// Where an answer came from, the freshest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum FreshnessSource {
    /// Read from the system for this request.
    Live,
    /// Read earlier and still within its time to live.
    Cache,
    /// The copy in the store, because the system could not be asked.
    LastKnown,
}

impl Freshness {
    /// The combination of two parts of one answer: as old as the older, stale if either is.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            fetched_at: match (self.fetched_at, other.fetched_at) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            stale: self.stale || other.stale,
            source: self.source.max(other.source),
        }
    }
}

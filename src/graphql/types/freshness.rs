//! How old an answer is.

use async_graphql::SimpleObject;

use super::enums::FreshnessSource;
use crate::graphql::scalars::DateTime;
use crate::unified;

/// How old what is shown of a contact is: as old as the older of its two sides.
#[derive(Clone, Debug, SimpleObject)]
pub struct Freshness {
    /// When the system said it.
    fetched_at: Option<DateTime>,
    /// True when a system could not be asked and an older copy, or nothing, stands in.
    stale: bool,
    /// Where it came from.
    source: FreshnessSource,
}

impl From<unified::Freshness> for Freshness {
    fn from(freshness: unified::Freshness) -> Self {
        Self {
            fetched_at: freshness.fetched_at.map(DateTime),
            stale: freshness.stale,
            source: freshness.source.into(),
        }
    }
}

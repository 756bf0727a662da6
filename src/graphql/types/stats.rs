//! The index in numbers, and how much it knows.

use async_graphql::SimpleObject;

use super::enums::ContactStatus;
use crate::graphql::scalars::DateTime;
use crate::unified;

/// How much of both systems the index knows.
#[derive(Clone, Debug, SimpleObject)]
pub struct Coverage {
    /// Whether every connected system was read to its end once: until then people are missing.
    pub complete: bool,
    /// Whatever was changed before this moment is in the index; null as long as it is not complete.
    pub as_of: Option<DateTime>,
}

impl From<unified::Coverage> for Coverage {
    fn from(coverage: unified::Coverage) -> Self {
        Self { complete: coverage.complete, as_of: coverage.as_of.map(DateTime) }
    }
}

/// People in numbers, by the index.
#[derive(Clone, Debug, SimpleObject)]
pub struct ContactStats {
    /// How many there are.
    total: u64,
    /// Whether all were counted. With a filter counting stops at 10,000, and all numbers are of those.
    exact: bool,
    /// Known in Doppler and in HighLevel.
    in_both: u64,
    /// Known in Doppler only.
    only_doppler: u64,
    /// Known in HighLevel only.
    #[graphql(name = "onlyHighLevel")]
    only_highlevel: u64,
    /// How many have which status, the most restrictive first; those whose status is not known are
    /// in none.
    by_status: Vec<StatusCount>,
    /// The ten tags that most of them have, the most frequent first.
    top_tags: Vec<TagCount>,
}

/// How many people have a status.
#[derive(Clone, Debug, SimpleObject)]
pub struct StatusCount {
    /// The status.
    status: ContactStatus,
    /// How many.
    count: u64,
}

/// How many people have a tag.
#[derive(Clone, Debug, SimpleObject)]
pub struct TagCount {
    /// The tag as tags are compared: in small letters.
    tag: String,
    /// How many.
    count: u64,
}

impl From<unified::Tally> for ContactStats {
    fn from(tally: unified::Tally) -> Self {
        let by_status = tally.by_status.into_iter();
        let top_tags = tally.top_tags.into_iter();
        Self {
            total: tally.total,
            exact: tally.exact,
            in_both: tally.in_both,
            only_doppler: tally.only_doppler,
            only_highlevel: tally.only_highlevel,
            by_status: by_status
                .map(|(status, count)| StatusCount { status: status.into(), count })
                .collect(),
            top_tags: top_tags.map(|(tag, count)| TagCount { tag, count }).collect(),
        }
    }
}

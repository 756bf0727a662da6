//! The index in numbers.

use super::facet;
use crate::unified::{ContactStatus, System};

/// What the index holds of a filter's people, in numbers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    pub total: u64,
    /// Whether everybody was counted.
    pub exact: bool,
    pub in_both: u64,
    pub only_doppler: u64,
    pub only_highlevel: u64,
    pub by_status: Vec<(ContactStatus, u64)>,
    /// Those that most people have, the most frequent first.
    pub top_tags: Vec<(String, u64)>,
}

/// How many tags a [`Tally`] names.
pub const TOP_TAGS: usize = 10;

impl Tally {
    /// Of these counts by [`facet`].
    pub fn of(counts: impl IntoIterator<Item = (String, u64)>, exact: bool) -> Self {
        let mut tally = Self { exact, ..Self::default() };
        let mut tags = Vec::new();
        for (name, count) in counts {
            if name == facet::ALL {
                tally.total = count;
            } else if name == facet::systems(&[System::Doppler]) {
                tally.only_doppler = count;
            } else if name == facet::systems(&[System::HighLevel]) {
                tally.only_highlevel = count;
            } else if name == facet::systems(&System::ALL) {
                tally.in_both = count;
            } else if let Some(tag) = name.strip_prefix(facet::TAG) {
                tags.push((tag.to_owned(), count));
            } else if let Some(status) =
                ContactStatus::ALL.into_iter().find(|one| facet::status(*one) == name)
            {
                tally.by_status.push((status, count));
            }
        }
        tally.by_status.retain(|(_, count)| *count > 0);
        tally.by_status.sort_unstable();
        tags.retain(|(_, count)| *count > 0);
        tags.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
        tags.truncate(TOP_TAGS);
        tally.top_tags = tags;
        tally
    }
}

//! What the index of contacts says of a person: enough to find, filter, order and count them without
//! either system. Made of the last known copies and of nothing else, so that it can be made again.
//!
//! To add a condition: a member of [`Entry`], a line in [`Entry::matches`]; where it should be as
//! quick as a tag, a [`facet`] as well. To add an order: an arm in [`Entry::key`].

mod tally;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::tags::tag_identity;
use super::{
    ContactFilter, ContactOrder, ContactStatus, Delivery, DeliveryStatus, HighLevelContact, List,
    Mapping, Subscriber, System, status, unify,
};

/// How much of a name or an address is put in order; what differs later only is in no order.
const KEY_CHARACTERS: usize = 120;
/// Before the text of an order, and before the other one of somebody who has none.
const OWN: char = '0';
const OTHER: char = '1';
/// See [`Entry::shared`].
pub const MOST_SHARED: usize = 9;
/// How many words of a person are searched.
const MOST_TERMS: usize = 24;

pub use tally::{TOP_TAGS, Tally};

/// What entries are made with, beside the copies: when it changes, all entries are made again.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Basis {
    /// The Doppler account and the HighLevel location: copies of another account's people are not
    /// listed.
    pub accounts: [String; 2],
    /// Who owns which field.
    pub mapping: Mapping,
    /// Doppler's lists, where they stand for tags.
    pub lists: Vec<List>,
}

/// What is known of one side of a person.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Side<T> {
    /// No link leads there.
    #[default]
    Unlinked,
    /// There is a link and no copy yet.
    Unread,
    /// The system said that there is no such thing (any more).
    Gone,
    /// As it was last read.
    There(T),
}

impl<T> Side<T> {
    fn get(&self) -> Option<&T> {
        match self {
            Self::There(value) => Some(value),
            Self::Unlinked | Self::Unread | Self::Gone => None,
        }
    }
}

/// What is known of a person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remembered {
    pub subscriber: Side<Subscriber>,
    pub contact: Side<HighLevelContact>,
    /// `None`: their deliveries were never read.
    pub deliveries: Option<Vec<Delivery>>,
}

/// See the module.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Entry {
    /// Folded, as everything that is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `None`: it is not known, as in [`status()`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ContactStatus>,
    pub systems: Vec<System>,
    /// In the spelling in which they are compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<i64>,
    /// Whether an e-mail was opened; `None`: nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clicked: Option<bool>,
}

/// What many people have in common and can be listed by at once.
pub mod facet {
    use super::{ContactStatus, KEY_CHARACTERS, System, tag_identity};

    /// Everybody.
    pub const ALL: &str = "all";
    /// Before a tag.
    pub const TAG: &str = "tag:";
    const STATUS: &str = "status:";
    /// How many letters of a word have a facet, and what stands before them. Those that begin with one letter
    /// less are no more than an alphabet.
    const LETTERS: [(usize, &str); 3] = [(2, "two:"), (4, "four:"), (usize::MAX, "word:")];
    /// The same in the orders by times, where a word needs no list of its own: those asked for are anywhere among
    /// those that begin alike.
    const START: (usize, &str) = (4, "start:");

    fn cut((letters, before): (usize, &str), word: &str) -> String {
        format!("{before}{}", word.chars().take(letters).collect::<String>())
    }

    /// Those with a word and with others that begin alike, in the orders by times.
    pub fn start(word: &str) -> String {
        cut(START, word)
    }

    /// Between which facets those are that together list everybody with a word that begins so, in the orders by
    /// times.
    pub fn starts(word: &str) -> (String, String) {
        let first = start(word);
        let behind = if word.chars().count() < START.0 { "\u{10FFFF}" } else { "" };
        let last = format!("{first}{behind}");
        (first, last)
    }

    /// Those with a word and with others that begin alike, in the orders by texts.
    pub fn words(word: &str) -> [String; 3] {
        LETTERS.map(|letters| cut(letters, word))
    }

    /// Between which facets those are that together list everybody with a word that begins so, in the orders by
    /// texts.
    pub fn beginning(word: &str) -> (String, String) {
        let letters = word.chars().count();
        let before = LETTERS.iter().find(|(most, _)| letters <= *most).map_or("", |(_, it)| it);
        (format!("{before}{word}"), format!("{before}{word}\u{10FFFF}"))
    }

    /// Those with a word that has its first letters in common with this one: everybody with a word that begins
    /// so is there. `None`: it is too short for that.
    pub fn wider(word: &str) -> Option<String> {
        let letters = word.chars().count();
        let fewer = LETTERS.into_iter().rev().find(|(most, _)| *most < letters)?;
        Some(cut(fewer, word))
    }

    /// Those of a status.
    pub fn status(status: ContactStatus) -> String {
        format!("{STATUS}{}", status.as_str())
    }

    /// Those with a tag, however it is spelled.
    pub fn tag(tag: &str) -> String {
        let tag = tag_identity(tag);
        format!("{TAG}{}", tag.chars().take(KEY_CHARACTERS).collect::<String>())
    }

    /// Those who are in exactly these systems: counted and not listed.
    pub fn systems(systems: &[System]) -> &'static str {
        match systems {
            [System::Doppler] => "in:DOPPLER",
            [System::HighLevel] => "in:HIGHLEVEL",
            _ => "in:BOTH",
        }
    }
}

/// The ways in which people are put in order, whichever end comes first.
pub const SORTS: [ContactOrder; 4] = [
    ContactOrder::UpdatedAsc,
    ContactOrder::CreatedDesc,
    ContactOrder::EmailAsc,
    ContactOrder::NameAsc,
];

impl ContactOrder {
    /// A letter for what it sorts by; both directions of one thing share it.
    pub const fn sort(self) -> &'static str {
        match self {
            Self::UpdatedDesc | Self::UpdatedAsc => "u",
            Self::CreatedDesc => "c",
            Self::EmailAsc => "e",
            Self::NameAsc => "n",
        }
    }

    /// Whether people stand in it by a text.
    pub const fn is_by_text(self) -> bool {
        match self {
            Self::UpdatedDesc | Self::UpdatedAsc | Self::CreatedDesc => false,
            Self::EmailAsc | Self::NameAsc => true,
        }
    }

    /// Whether the greatest key comes first.
    pub const fn is_descending(self) -> bool {
        matches!(self, Self::UpdatedDesc | Self::CreatedDesc)
    }
}

impl Entry {
    /// The entry of a person; `None` for somebody of whom no system has said anything.
    pub fn of(known: &Remembered, basis: &Basis) -> Option<Self> {
        let (subscriber, contact) = (known.subscriber.get(), known.contact.get());
        let mut systems = Vec::new();
        systems.extend(subscriber.map(|_| System::Doppler));
        systems.extend(contact.map(|_| System::HighLevel));
        if systems.is_empty() {
            return None;
        }
        let profile = unify(subscriber, contact, &basis.mapping, &basis.lists);
        let half = known.subscriber == Side::Unread || known.contact == Side::Unread;
        // Nothing outranks a bounce; anything less may be outranked by what was not read yet.
        let status =
            status(subscriber, contact).filter(|status| !half || *status == ContactStatus::Bounced);
        let mut tags: Vec<String> = profile.tags.iter().map(|tag| tag_identity(tag)).collect();
        tags.sort_unstable();
        let deliveries = known.deliveries.as_deref();
        let any = |of: fn(&Delivery) -> bool| deliveries.map(|all| all.iter().any(of));
        Some(Self {
            email: profile.email.as_deref().and_then(fold),
            name: profile.name.as_deref().and_then(fold),
            status,
            systems,
            tags,
            created: profile.created_at.map(|at| at.timestamp_millis()),
            updated: profile.updated_at.map(|at| at.timestamp_millis()),
            opened: any(|one| one.status == DeliveryStatus::Opened || one.clicks > 0),
            clicked: any(|one| one.clicks > 0),
        })
    }

    /// Where the person stands in an order: keys are compared byte by byte. Who has no name or
    /// address comes last, by the other of the two, and who has no time counts as the oldest.
    pub fn key(&self, order: ContactOrder) -> String {
        match order {
            ContactOrder::UpdatedDesc | ContactOrder::UpdatedAsc => time_key(self.updated),
            ContactOrder::CreatedDesc => time_key(self.created),
            ContactOrder::EmailAsc | ContactOrder::NameAsc => {
                let text = cut(self.text(order).unwrap_or_default());
                let rank = if self.own_text(order).is_some() { OWN } else { OTHER };
                format!("{rank}{text}")
            }
        }
    }

    fn own_text(&self, order: ContactOrder) -> Option<&str> {
        match order {
            ContactOrder::EmailAsc => self.email.as_deref(),
            ContactOrder::NameAsc => self.name.as_deref(),
            ContactOrder::UpdatedDesc | ContactOrder::UpdatedAsc | ContactOrder::CreatedDesc => {
                None
            }
        }
    }

    /// By which text the person stands in an order by texts.
    fn text(&self, order: ContactOrder) -> Option<&str> {
        self.own_text(order).or(self.name.as_deref()).or(self.email.as_deref())
    }

    /// The facets that list the person.
    pub fn facets(&self) -> Vec<String> {
        // Very long tags may differ behind what is looked at.
        let tags: BTreeSet<String> = self.tags.iter().map(|tag| facet::tag(tag)).collect();
        let status = self.status.map(facet::status);
        status.into_iter().chain(tags).chain([facet::ALL.to_owned()]).collect()
    }

    /// The words by which a query finds the person: those of the name, also behind a hyphen or an
    /// apostrophe, and the whole address. An address's domain alone is no word of it: it would find
    /// half of everybody.
    pub fn terms(&self) -> Vec<String> {
        let mut terms: Vec<String> = Vec::new();
        let name = self.name.iter().flat_map(|name| name.split_whitespace());
        let whole = name.chain(self.email.iter().flat_map(|email| email.split_whitespace()));
        for word in whole {
            terms.push(cut(word));
            if !word.contains('@') {
                let parts = word.split(|c: char| !c.is_alphanumeric());
                terms.extend(parts.filter(|part| !part.is_empty()).map(cut));
            }
        }
        terms.sort_unstable();
        terms.dedup();
        terms.truncate(MOST_TERMS);
        terms
    }

    /// The facets that list the person by words. In an order by times: one for how each begins. In one by texts: one
    /// for each word of the name, and for its first letters; who has a word at the beginning of the text needs none,
    /// because they stand side by side.
    pub fn word_facets(&self, order: ContactOrder) -> BTreeSet<String> {
        let terms = self.terms().into_iter();
        if !order.is_by_text() {
            return terms.map(|term| facet::start(&term)).collect();
        }
        let text = self.text(order).unwrap_or_default();
        let listed = terms.filter(|term| !self.is_address(term));
        let listed = listed.filter(|term| !text.starts_with(term.as_str()));
        listed.flat_map(|term| facet::words(&term)).collect()
    }

    /// What the index keeps of a word besides: of an address how many characters the name begins with in
    /// common, [`MOST_SHARED`] at most, so that it is not looked at for whom that finds.
    pub fn shared(&self, term: &str) -> String {
        if !self.is_address(term) {
            return String::new();
        }
        let name = self.text(ContactOrder::NameAsc).unwrap_or_default();
        let shared = term.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
        shared.min(MOST_SHARED).to_string()
    }

    fn is_address(&self, term: &str) -> bool {
        self.email.as_deref().map(cut).as_deref() == Some(term)
    }

    /// Whether all conditions hold, but for the state of sync, which is not known here.
    pub fn matches(&self, filter: &ContactFilter) -> bool {
        let has = |tag: &String| self.tags.contains(&tag_identity(tag));
        let since = filter.updated_since.map(|at| at.timestamp_millis());
        filter.systems.as_ref().is_none_or(|any| any.iter().any(|one| self.systems.contains(one)))
            && filter
                .status
                .as_ref()
                .is_none_or(|any| self.status.is_some_and(|s| any.contains(&s)))
            && filter.tags_any.as_ref().is_none_or(|any| any.iter().any(has))
            && filter.tags_all.as_ref().is_none_or(|all| all.iter().all(has))
            && since.is_none_or(|since| self.updated.is_some_and(|at| at >= since))
            && filter.opened.is_none_or(|wanted| self.opened == Some(wanted))
            && filter.clicked.is_none_or(|wanted| self.clicked == Some(wanted))
            && filter.query.as_deref().is_none_or(|query| self.answers(query))
    }

    /// Whether every word of the query begins one of the person's.
    fn answers(&self, query: &str) -> bool {
        let words = words(query);
        if words.is_empty() {
            return true;
        }
        let terms = self.terms();
        words.iter().all(|word| terms.iter().any(|term| term.starts_with(word.as_str())))
    }
}

/// The key of a time in an order.
pub fn time_key(millis: Option<i64>) -> String {
    // Sixteen digits of the shifted number are in the number's order; nothing is before everything.
    millis.map_or_else(String::new, |at| format!("{:016x}", at.cast_unsigned() ^ (1 << 63)))
}

/// Between which keys of an order by texts everybody stands whose text begins with a word.
pub fn beginnings(word: &str) -> [(String, String); 2] {
    [OWN, OTHER].map(|rank| (format!("{rank}{word}"), format!("{rank}{word}\u{10FFFF}")))
}

/// The words of a query, the longest first, because that one finds the fewest.
pub fn words(query: &str) -> Vec<String> {
    let folded = fold(query).unwrap_or_default();
    let mut words: Vec<String> = folded.split_whitespace().map(cut).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.dedup();
    words
}

/// A text as it is compared: compatibility forms and capitals make no difference, accents do.
fn fold(text: &str) -> Option<String> {
    let folded: String = text.nfkc().collect::<String>().to_lowercase().nfkc().collect();
    // PostgreSQL's texts cannot hold the first, and the other one ends a key of an order.
    let folded = folded.replace(['\0', '\u{1}'], "\u{fffd}");
    let folded = folded.trim();
    (!folded.is_empty()).then(|| folded.to_owned())
}

fn cut(word: &str) -> String {
    word.chars().take(KEY_CHARACTERS).collect()
}

/// Since when everything is in the index, as far as both systems are connected.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Coverage {
    pub complete: bool,
    pub as_of: Option<DateTime<Utc>>,
}

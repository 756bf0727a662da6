//! Tags: HighLevel's own, and how Doppler, which has none, shows them.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;

use super::{List, Subscriber, TagRepresentation, lists_of};

/// How many characters a Doppler field holds. Doppler's Magento module cuts its texts there and
/// two other clients state the same; its own documents give no number.
pub const DOPPLER_FIELD_CHARACTERS: usize = 400;

/// Why a set of tags does not fit into one text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JoinError {
    /// They are never cut: half a tag is another tag.
    #[error("the tags take {characters} characters of {DOPPLER_FIELD_CHARACTERS}")]
    Overflow { characters: usize },
    /// A tag holds the separator and would come back as two.
    #[error("a tag contains the separator")]
    Separator,
}

/// The tags in a text, in its order, each once. White space around a tag or the separator is not
/// part of it, so `a,b` and `a, b` are the same two.
pub fn split_tags(text: &str, separator: &str) -> Vec<String> {
    match bare(separator) {
        "" => merge_tags([text]),
        separator => merge_tags(text.split(separator)),
    }
}

/// The tags as one text of at most [`DOPPLER_FIELD_CHARACTERS`]; [`split_tags`] gives them back.
pub fn join_tags<S: AsRef<str>>(tags: &[S], separator: &str) -> Result<String, JoinError> {
    let tags = merge_tags(tags.iter().map(AsRef::as_ref));
    let splits = |tag: &String| split_tags(tag, separator) != std::slice::from_ref(tag);
    if (bare(separator).is_empty() && tags.len() > 1) || tags.iter().any(splits) {
        return Err(JoinError::Separator);
    }
    let text = tags.join(separator);
    match text.chars().count() {
        0..=DOPPLER_FIELD_CHARACTERS => Ok(text),
        characters => Err(JoinError::Overflow { characters }),
    }
}

/// The separator without the white space around it, unless it is nothing else.
fn bare(separator: &str) -> &str {
    match separator.trim() {
        "" => separator,
        trimmed => trimmed,
    }
}

/// The union, in the order of first appearance and in the first spelling; empty ones are dropped.
pub fn merge_tags<'a>(tags: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut seen = HashSet::new();
    tags.into_iter()
        .map(str::trim)
        .filter(|tag| !tag.is_empty() && seen.insert(tag_identity(tag)))
        .map(str::to_owned)
        .collect()
}

/// The tags of the first set that the second has not.
pub fn tags_without(tags: &[String], others: &[String]) -> Vec<String> {
    let others: HashSet<String> = others.iter().map(|tag| tag_identity(tag)).collect();
    tags.iter().filter(|tag| !others.contains(&tag_identity(tag))).cloned().collect()
}

/// Whether two sets hold the same tags.
pub(super) fn same_tags(a: &[String], b: &[String]) -> bool {
    let set = |tags: &[String]| tags.iter().map(|tag| tag_identity(tag)).collect::<HashSet<_>>();
    set(a) == set(b)
}

/// What makes two spellings one tag: HighLevel writes tags in lower case whatever it is given.
pub(super) fn tag_identity(tag: &str) -> String {
    let tag = tag.trim();
    if tag.is_ascii() {
        return tag.to_ascii_lowercase();
    }
    tag.nfc().collect::<String>().to_lowercase()
}

/// The tags that Doppler shows for a subscriber. `lists` are the account's lists, needed where a
/// tag is a list; without a list's name its tag is not known and is left out.
pub fn doppler_tags(
    subscriber: &Subscriber,
    representation: &TagRepresentation,
    lists: &[List],
) -> Vec<String> {
    match representation {
        TagRepresentation::Field { field, separator } => {
            split_tags(subscriber.field(field).unwrap_or_default(), separator)
        }
        TagRepresentation::Lists { prefix } => {
            let lists = lists_of(subscriber, lists);
            merge_tags(lists.into_iter().filter_map(|list| list.name.strip_prefix(prefix.as_str())))
        }
        TagRepresentation::Off => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn splitting_forgives_spacing() {
        assert_eq!(split_tags(" vip,  new lead , ,VIP", ", "), ["vip", "new lead"]);
        assert_eq!(split_tags("a | b|c", "|"), ["a", "b", "c"]);
        assert_eq!(split_tags("a b", " "), ["a", "b"]);
        assert_eq!(split_tags("a b", ""), ["a b"]);
        assert!(split_tags("", ", ").is_empty());
    }

    #[test]
    fn the_first_spelling_wins_and_order_is_kept() {
        assert_eq!(
            merge_tags(["Vip", "new", "VIP", " vip ", "", "Ñandú", "n\u{303}andu\u{301}"]),
            ["Vip", "new", "Ñandú"]
        );
    }

    #[test]
    fn an_overflow_is_an_error_and_nothing_is_cut() {
        let fits = "x".repeat(DOPPLER_FIELD_CHARACTERS);
        assert_eq!(join_tags(&[&fits], ", "), Ok(fits.clone()));
        let wide = "ñ".repeat(DOPPLER_FIELD_CHARACTERS);
        assert_eq!(join_tags(&[&wide], ", "), Ok(wide));
        assert_eq!(
            join_tags(&[fits.as_str(), "y"], ", "),
            Err(JoinError::Overflow { characters: 403 })
        );
    }

    #[test]
    fn a_tag_that_would_come_back_as_two_is_an_error() {
        assert_eq!(join_tags(&["a,b"], ", "), Err(JoinError::Separator));
        assert_eq!(join_tags(&["a", "b"], ""), Err(JoinError::Separator));
    }

    proptest! {
        #[test]
        fn what_joins_splits_again(tags in prop::collection::vec("\\PC{0,12}", 0..6), separator in ", |;|\\|| ") {
            if let Ok(text) = join_tags(&tags, &separator) {
                prop_assert!(text.chars().count() <= DOPPLER_FIELD_CHARACTERS);
                prop_assert_eq!(split_tags(&text, &separator), merge_tags(tags.iter().map(String::as_str)));
            }
        }

        #[test]
        fn merging_is_idempotent_and_keeps_every_tag(tags in prop::collection::vec("\\PC{0,6}", 0..8)) {
            let once = merge_tags(tags.iter().map(String::as_str));
            prop_assert!(same_tags(&once, &tags.iter().filter(|t| !t.trim().is_empty()).cloned().collect::<Vec<_>>()));
            prop_assert_eq!(merge_tags(once.iter().map(String::as_str)), once);
        }
    }
}

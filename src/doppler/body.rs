//! What is sent.

use std::collections::HashSet;

use serde::Serialize;

use crate::unified::{FieldDraft, SubscriberEdit};

/// Most rows of one import, by connectors that were written from Doppler's documents.
const MOST_ROWS: usize = 10_000;

/// A subscriber: address and the values that are given.
#[derive(Serialize)]
pub(super) struct Subscriber<'a> {
    email: &'a str,
    fields: Vec<Value<'a>>,
}

#[derive(Serialize)]
struct Value<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> From<&'a SubscriberEdit> for Subscriber<'a> {
    fn from(edit: &'a SubscriberEdit) -> Self {
        let fields = edit.fields.iter().map(|(name, value)| Value { name, value });
        Self { email: &edit.email, fields: fields.collect() }
    }
}

/// A person's address alone.
#[derive(Serialize)]
pub(super) struct Person<'a> {
    pub email: &'a str,
}

#[derive(Serialize)]
pub(super) struct List<'a> {
    pub name: &'a str,
}

#[derive(Serialize)]
pub(super) struct Field<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    private: bool,
}

impl<'a> From<&'a FieldDraft> for Field<'a> {
    fn from(draft: &'a FieldDraft) -> Self {
        Self { name: &draft.name, kind: &draft.kind, private: draft.private }
    }
}

/// An import. `fields` names the columns that take part, each of which is cleared for a row that has
/// no value of it.
#[derive(Serialize)]
pub(super) struct Import<'a> {
    items: Vec<Subscriber<'a>>,
    fields: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<&'a str>,
}

impl<'a> Import<'a> {
    /// The names in the error are those that not all edits have, or `items` when there are too many.
    pub(super) fn new(
        edits: &'a [SubscriberEdit],
        callback: Option<&'a str>,
    ) -> Result<Self, Vec<String>> {
        if edits.len() > MOST_ROWS {
            return Err(vec!["items".to_owned()]);
        }
        let names = |edit: &'a SubscriberEdit| edit.fields.iter().map(|(name, _)| name.as_str());
        let fields: Vec<&str> = edits.first().map(names).into_iter().flatten().collect();
        let shared: HashSet<&str> = fields.iter().copied().collect();
        for edit in edits {
            let own: HashSet<&str> = names(edit).collect();
            let mut differing: Vec<String> =
                own.symmetric_difference(&shared).map(|name| (*name).to_owned()).collect();
            if !differing.is_empty() {
                differing.sort_unstable();
                return Err(differing);
            }
        }
        Ok(Self { items: edits.iter().map(Subscriber::from).collect(), fields, callback })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(names: &[&str]) -> SubscriberEdit {
        let fields = names.iter().map(|&name| (name.to_owned(), String::new())).collect();
        SubscriberEdit { email: "a@b.co".to_owned(), fields }
    }

    #[test]
    fn an_import_that_would_clear_what_nobody_named_is_none() {
        let differing = |edits: &[SubscriberEdit]| Import::new(edits, None).err();
        assert_eq!(differing(&[edit(&["A", "B"]), edit(&["B", "A"])]), None);
        assert_eq!(differing(&[edit(&["A", "B"]), edit(&["A"])]), Some(vec!["B".to_owned()]));
        assert_eq!(
            differing(&[edit(&["A"]), edit(&["C"])]),
            Some(vec!["A".to_owned(), "C".to_owned()])
        );
        assert_eq!(differing(&vec![edit(&[]); 10_000]), None);
        assert_eq!(differing(&vec![edit(&[]); 10_001]), Some(vec!["items".to_owned()]));
    }
}

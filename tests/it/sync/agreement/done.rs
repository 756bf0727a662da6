//! What was done so far, by anybody: what the end is judged by.

use std::collections::BTreeMap;

use super::people::{FIELDS, WHO};

/// What was done.
pub struct Done {
    /// How often each person's fields were changed.
    changes: BTreeMap<(usize, &'static str), usize>,
    /// Every address that each person had, the latest last.
    pub addresses: [Vec<String>; 2],
    /// Notes that were written, and whether each is certain to be there.
    pub notes: Vec<(String, bool)>,
    /// The ids of HighLevel's custom fields, by their keys.
    pub custom: BTreeMap<String, String>,
}

impl Done {
    pub fn new(custom: BTreeMap<String, String>) -> Self {
        let addresses = WHO.map(|email| vec![email.to_owned()]);
        Self { changes: BTreeMap::new(), addresses, notes: Vec::new(), custom }
    }

    pub fn note(&mut self, who: usize, field: &'static str) {
        *self.changes.entry((who, field)).or_default() += 1;
    }

    /// Fields by their places in [`FIELDS`].
    pub fn note_fields(&mut self, who: usize, fields: impl Iterator<Item = usize>) {
        let mut fields: Vec<usize> = fields.collect();
        fields.sort_unstable();
        fields.dedup();
        for field in fields {
            self.note(who, FIELDS[field].name);
        }
    }

    /// Another address, which is another subscriber of Doppler's: all that the person has is written
    /// once more there.
    pub fn renamed(&mut self, who: usize, to: String) {
        self.addresses[who].push(to);
        self.note_fields(who, 0..FIELDS.len());
        self.note(who, "tags");
    }

    /// An address that nobody has had.
    pub fn fresh(&self, who: usize) -> String {
        let (name, domain) = WHO[who].split_once('@').unwrap();
        format!("{name}.{}@{domain}", self.addresses[who].len())
    }

    pub fn of(&self, who: usize, field: &str) -> usize {
        let found = self.changes.iter().find(|((one, name), _)| *one == who && *name == field);
        found.map_or(0, |(_, count)| *count)
    }
}

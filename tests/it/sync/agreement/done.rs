//! What was done so far, by anybody: what the end is judged by.

use std::collections::{BTreeMap, BTreeSet};

use super::people::{FIELDS, WHO};

/// What was done.
pub struct Done {
    /// How often each person's fields were changed.
    changes: BTreeMap<(usize, &'static str), usize>,
    /// Every address that each person had, the latest last.
    pub addresses: [Vec<String>; 2],
    /// Notes that were written, and whether each is certain to be there.
    pub notes: Vec<(String, bool)>,
    /// Whose note each is.
    writers: Vec<usize>,
    /// Of whom a client asked anything.
    asked: BTreeSet<usize>,
    /// Who was deleted in which system, and not made there again by anybody in it.
    gone: BTreeSet<(usize, &'static str)>,
    /// The ids of HighLevel's custom fields, by their keys.
    pub custom: BTreeMap<String, String>,
}

impl Done {
    pub fn new(custom: BTreeMap<String, String>) -> Self {
        let addresses = WHO.map(|email| vec![email.to_owned()]);
        Self {
            changes: BTreeMap::new(),
            addresses,
            notes: Vec::new(),
            writers: Vec::new(),
            asked: BTreeSet::new(),
            gone: BTreeSet::new(),
            custom,
        }
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

    /// The next note.
    pub fn wrote_note(&mut self, who: usize, is_certain: bool) {
        self.notes.push((format!("Note {}", self.notes.len()), is_certain));
        self.writers.push(who);
    }

    /// Whoever makes the person again there writes all that they have, and their notes are gone.
    pub fn deleted(&mut self, who: usize, system: &'static str) {
        self.gone.insert((who, system));
        self.note_fields(who, 0..FIELDS.len());
        self.note(who, "tags");
        self.note(who, "status");
        for ((_, is_certain), writer) in self.notes.iter_mut().zip(&self.writers) {
            *is_certain &= *writer != who;
        }
    }

    /// Somebody changed the person inside a system, where they are then.
    pub fn is_back(&mut self, who: usize, system: &'static str) {
        self.gone.remove(&(who, system));
    }

    /// A client asked something of the person, which may make them again.
    pub fn asked(&mut self, who: usize) {
        self.asked.insert(who);
    }

    /// Whether a person was deleted inside a system and not made there again by anybody in it.
    pub fn was_deleted(&self, who: usize, system: &'static str) -> bool {
        self.gone.contains(&(who, system))
    }

    /// Whether nobody but the gateway itself could have brought a person back into a system. Another
    /// address is another subscriber.
    pub fn stays_gone(&self, who: usize, system: &'static str) -> bool {
        let is_renamed = self.addresses[who].len() > 1;
        self.was_deleted(who, system) && !self.asked.contains(&who) && !is_renamed
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

//! Everything one location holds, with the indexes that keep reads cheap, and what search may see
//! of it.
//!
//! Search is eventually consistent, as HighLevel's is ("updates may take a few seconds to
//! appear"): each write leaves the version search knew in [`Directory::stale`] until the delay has
//! passed on the clock. There is one set of indexes, of the live contacts; search reads it through
//! the stale versions.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use serde_json::Value;

use super::fields::{Field, LocationTag};
use super::model::{Appointment, Contact, Id, Note, Task};
use super::when::Millis;

/// The location's contents.
#[derive(Debug, Default)]
pub struct Directory {
    entries: HashMap<Id, Entry>,
    by_email: HashMap<String, Vec<Id>>,
    by_phone: HashMap<String, Vec<Id>>,
    /// Oldest first; read backwards.
    by_added: BTreeSet<(i64, Id)>,
    /// The longest unchanged first.
    by_updated: BTreeSet<(i64, Reverse<Id>)>,
    stale: HashMap<Id, Stale>,
    unseen: VecDeque<Unseen>,
    /// Ids that once existed: bulk calls tell "deleted" from "not an id".
    deleted: BTreeSet<Id>,
    /// Custom field definitions, in the order they were made.
    pub fields: Vec<Field>,
    /// The location's tags, in the order they were made.
    pub tags: Vec<LocationTag>,
}

/// A contact with what belongs to it.
#[derive(Debug)]
pub struct Entry {
    pub contact: Arc<Contact>,
    pub notes: Vec<Note>,
    pub tasks: Vec<Task>,
    pub appointments: Vec<Appointment>,
}

#[derive(Debug)]
struct Stale {
    /// What search still shows; `None`: it does not know the contact yet.
    shown: Option<Arc<Contact>>,
    /// How many writes it has not seen.
    behind: usize,
}

#[derive(Debug)]
struct Unseen {
    written: i64,
    id: Id,
    version: Option<Arc<Contact>>,
}

impl Directory {
    /// Nobody, with these custom fields.
    pub fn new(fields: Vec<Field>) -> Self {
        Self { fields, ..Self::default() }
    }

    /// The live contact and what belongs to it.
    pub fn get(&self, id: &str) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// The same, to change notes, tasks and appointments.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Entry> {
        self.entries.get_mut(id)
    }

    /// How many contacts are live.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether `id` belonged to a contact that is gone.
    pub fn was_deleted(&self, id: &str) -> bool {
        self.deleted.contains(id)
    }

    /// Live contacts in no order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Live contacts, newest first, then by id from the end: a stable order even where many were
    /// added in one millisecond.
    pub fn newest(&self) -> impl Iterator<Item = &Arc<Contact>> {
        self.by_added.iter().rev().filter_map(|(_, id)| self.contact(id))
    }

    /// Live contacts that follow `(added, id)` in the order of [`Directory::newest`].
    pub fn older_than<'a>(
        &'a self,
        added: i64,
        id: &str,
    ) -> impl Iterator<Item = &'a Arc<Contact>> + use<'a> {
        let end = (added, Id::from(id));
        self.by_added.range(..end).rev().filter_map(|(_, id)| self.contact(id))
    }

    /// Live contacts, the longest unchanged first, then by id from the end; those that follow `(updated, id)`.
    pub fn unchanged<'a>(
        &'a self,
        after: Option<(i64, &str)>,
    ) -> impl Iterator<Item = &'a Arc<Contact>> + use<'a> {
        let after = after.map(|(updated, id)| (updated, Reverse(Id::from(id))));
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_updated
            .range((from, Bound::Unbounded))
            .filter_map(|(_, Reverse(id))| self.contact(id))
    }

    /// The live contacts changed at a time (epoch milliseconds) or later.
    pub fn changed_since(&self, from: f64) -> impl Iterator<Item = &Id> {
        let is_since = move |at: &i64| Value::from(*at).as_f64().is_some_and(|at| at >= from);
        let last_first = self.by_updated.iter().rev().take_while(move |(at, _)| is_since(at));
        last_first.map(|(_, Reverse(id))| id)
    }

    /// The live contacts with an e-mail, primary or further, whatever its case.
    pub fn with_email(&self, email: &str) -> &[Id] {
        self.by_email.get(&email.to_lowercase()).map_or(&[], Vec::as_slice)
    }

    /// The live contacts with a phone number in E.164.
    pub fn with_phone(&self, phone: &str) -> &[Id] {
        self.by_phone.get(phone).map_or(&[], Vec::as_slice)
    }

    /// The live contact.
    pub fn contact(&self, id: &str) -> Option<&Arc<Contact>> {
        self.entries.get(id).map(|entry| &entry.contact)
    }

    /// Adds a contact that search sees at once: the seed.
    pub fn plant(&mut self, entry: Entry) {
        self.index(&entry.contact);
        for tag in &entry.contact.tags {
            self.know_tag(tag);
        }
        self.entries.insert(entry.contact.id.clone(), entry);
    }

    /// Adds a contact or puts a new version in its place.
    pub fn put(&mut self, mut contact: Contact, now: Millis) -> Arc<Contact> {
        contact.refold();
        for tag in &contact.tags {
            self.know_tag(tag);
        }
        let id = contact.id.clone();
        let contact = Arc::new(contact);
        let before = self.contact(&id).cloned();
        if let Some(before) = &before {
            self.unindex(before);
        }
        self.index(&contact);
        match self.entries.get_mut(&id) {
            Some(entry) => entry.contact = Arc::clone(&contact),
            None => {
                self.entries.insert(id.clone(), Entry::new(Arc::clone(&contact)));
            }
        }
        self.hide(now, id, before, Some(Arc::clone(&contact)));
        contact
    }

    /// Takes a contact away with everything that belongs to it.
    pub fn remove(&mut self, id: &str, now: Millis) -> Option<Entry> {
        let (id, entry) = self.entries.remove_entry(id)?;
        self.unindex(&entry.contact);
        self.deleted.insert(id.clone());
        self.hide(now, id, Some(Arc::clone(&entry.contact)), None);
        Some(entry)
    }

    fn hide(
        &mut self,
        now: Millis,
        id: Id,
        before: Option<Arc<Contact>>,
        after: Option<Arc<Contact>>,
    ) {
        let stale = self.stale.entry(id.clone()).or_insert(Stale { shown: before, behind: 0 });
        stale.behind += 1;
        self.unseen.push_back(Unseen { written: now.0, id, version: after });
    }

    /// Whether search has something to catch up with at `now`.
    pub fn is_behind(&self, now: Millis, delay_ms: i64) -> bool {
        self.unseen.front().is_some_and(|unseen| unseen.written + delay_ms <= now.0)
    }

    /// Lets search see what was written `delay_ms` or longer before `now`.
    pub fn catch_up(&mut self, now: Millis, delay_ms: i64) {
        while self.is_behind(now, delay_ms) {
            let Some(unseen) = self.unseen.pop_front() else { return };
            if let Some(stale) = self.stale.get_mut(&unseen.id) {
                stale.shown = unseen.version;
                stale.behind -= 1;
                if stale.behind == 0 {
                    self.stale.remove(&unseen.id);
                }
            }
        }
    }

    /// The contact as search sees it.
    pub fn searched(&self, id: &str) -> Option<&Arc<Contact>> {
        match self.stale.get(id) {
            Some(stale) => stale.shown.as_ref(),
            None => self.contact(id),
        }
    }

    /// Ids whose searched version differs from the live one.
    pub fn stale_ids(&self) -> impl Iterator<Item = &Id> {
        self.stale.keys()
    }

    /// How many contacts search sees.
    pub fn searched_len(&self) -> usize {
        let gone =
            |(id, stale): &(&Id, &Stale)| stale.shown.is_some() && !self.entries.contains_key(*id);
        let hidden =
            |(id, stale): &(&Id, &Stale)| stale.shown.is_none() && self.entries.contains_key(*id);
        let stale = || self.stale.iter();
        self.len() + stale().filter(gone).count() - stale().filter(hidden).count()
    }

    /// Whether search sees everything as it is.
    pub fn searches_live(&self) -> bool {
        self.stale.is_empty()
    }

    /// Everything search sees, newest first.
    pub fn searched_newest(&self) -> Box<dyn Iterator<Item = &Arc<Contact>> + '_> {
        if self.stale.is_empty() {
            return Box::new(self.newest());
        }
        let mut all: Vec<&Arc<Contact>> =
            self.by_added.iter().filter_map(|(_, id)| self.searched(id)).collect();
        let gone = self.stale.iter().filter(|(id, _)| !self.entries.contains_key(*id));
        all.extend(gone.filter_map(|(_, stale)| stale.shown.as_ref()));
        all.sort_by(|a, b| (b.date_added, &b.id).cmp(&(a.date_added, &a.id)));
        Box::new(all.into_iter())
    }

    fn index(&mut self, contact: &Contact) {
        self.by_added.insert((contact.date_added.0, contact.id.clone()));
        self.by_updated.insert((contact.date_updated.0, Reverse(contact.id.clone())));
        for email in addresses(contact) {
            self.by_email.entry(email).or_default().push(contact.id.clone());
        }
        if let Some(phone) = &contact.phone {
            self.by_phone.entry(phone.clone()).or_default().push(contact.id.clone());
        }
    }

    fn unindex(&mut self, contact: &Contact) {
        self.by_added.remove(&(contact.date_added.0, contact.id.clone()));
        self.by_updated.remove(&(contact.date_updated.0, Reverse(contact.id.clone())));
        for email in addresses(contact) {
            forget(&mut self.by_email, &email, &contact.id);
        }
        if let Some(phone) = &contact.phone {
            forget(&mut self.by_phone, phone, &contact.id);
        }
    }
}

/// Primary and further addresses, in lower case.
fn addresses(contact: &Contact) -> impl Iterator<Item = String> {
    let further = contact.additional_emails.iter().map(|further| further.email.to_lowercase());
    contact.lower.email.clone().into_iter().chain(further)
}

fn forget(index: &mut HashMap<String, Vec<Id>>, key: &str, id: &Id) {
    if let Some(ids) = index.get_mut(key) {
        ids.retain(|held| held != id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}

impl Entry {
    /// A contact with nothing that belongs to it.
    pub fn new(contact: Arc<Contact>) -> Self {
        Self { contact, notes: Vec::new(), tasks: Vec::new(), appointments: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(id: &str, email: &str) -> Contact {
        let mut contact = Contact::blank(id.into(), Millis(0));
        contact.email = Some(email.to_owned());
        contact
    }

    fn searched_email(directory: &Directory) -> Option<&str> {
        directory.searched("a").and_then(|contact| contact.email.as_deref())
    }

    #[test]
    fn search_sees_each_write_after_its_own_delay() {
        let mut directory = Directory::default();
        directory.put(contact("a", "one@example.com"), Millis(0));
        directory.put(contact("a", "two@example.com"), Millis(1000));
        assert_eq!(searched_email(&directory), None);
        assert_eq!(directory.searched_newest().count(), 0);
        directory.catch_up(Millis(2000), 2000);
        assert_eq!(searched_email(&directory), Some("one@example.com"));
        directory.catch_up(Millis(3000), 2000);
        assert_eq!(searched_email(&directory), Some("two@example.com"));
        directory.remove("a", Millis(3000));
        assert_eq!(directory.searched_newest().count(), 1);
        directory.catch_up(Millis(5000), 2000);
        assert_eq!(directory.searched_newest().count(), 0);
    }

    #[test]
    fn the_indexes_follow_a_change_of_address() {
        let mut directory = Directory::default();
        directory.put(contact("a", "One@Example.com"), Millis(0));
        directory.put(contact("a", "two@example.com"), Millis(1));
        assert!(directory.with_email("one@example.com").is_empty());
        assert_eq!(directory.with_email("TWO@example.com").len(), 1);
        assert!(directory.remove("a", Millis(2)).is_some());
        assert!(directory.with_email("two@example.com").is_empty());
        assert!(directory.was_deleted("a") && !directory.was_deleted("b"));
    }

    #[test]
    fn equal_times_still_have_one_order() {
        let mut directory = Directory::default();
        for id in ["b", "a", "c"] {
            directory.put(Contact::blank(id.into(), Millis(7)), Millis(7));
        }
        let ids: Vec<_> = directory.newest().map(|contact| contact.id.to_string()).collect();
        assert_eq!(ids, ["c", "b", "a"]);
        let rest: Vec<_> = directory.older_than(7, "c").map(|c| c.id.to_string()).collect();
        assert_eq!(rest, ["b", "a"]);
    }

    #[test]
    fn the_longest_unchanged_come_first_and_a_change_is_the_last() {
        let mut directory = Directory::default();
        for (id, at) in [("b", 7), ("a", 7), ("c", 3)] {
            directory.put(Contact::blank(id.into(), Millis(at)), Millis(at));
        }
        let ids = |directory: &Directory, after| {
            directory.unchanged(after).map(|contact| contact.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&directory, None), ["c", "b", "a"]);
        assert_eq!(ids(&directory, Some((7, "b"))), ["a"]);
        let mut changed = Contact::clone(directory.contact("c").unwrap());
        changed.date_updated = Millis(9);
        directory.put(changed, Millis(9));
        assert_eq!(ids(&directory, Some((3, "c"))), ["b", "a", "c"]);
        directory.remove("a", Millis(9));
        assert_eq!(ids(&directory, None), ["b", "c"]);
    }
}

//! The account's contents and the rules that keep them whole: addresses are unique, a list knows
//! its members and a member its lists, an unsubscribed person is in no list.

use std::collections::{BTreeMap, HashMap};

use super::campaign::Campaign;
use super::email;
use super::field::Fields;
use super::subscriber::{PermissionChange, Subscriber, Unsubscription};
use super::task::ImportTask;
use super::value::FieldType;
use crate::sandbox::here;

/// Everything one account has.
#[derive(Debug)]
pub struct Account {
    /// Field definitions.
    pub fields: Fields,
    /// By id.
    pub lists: BTreeMap<u64, List>,
    /// By id.
    pub campaigns: BTreeMap<u64, Campaign>,
    /// By number.
    pub tasks: BTreeMap<u64, ImportTask>,
    next_list: u64,
    next_task: u64,
    next_join: u64,
    subscribers: Vec<Option<Subscriber>>,
    /// Numbers of those that exist, oldest first.
    order: Vec<usize>,
    by_email: HashMap<String, usize>,
}

/// A list.
#[derive(Clone, Debug)]
pub struct List {
    /// Unique without case.
    pub name: String,
    /// Epoch milliseconds.
    pub created: i64,
    /// Subscriber number and time of joining, in the order of joining.
    pub members: BTreeMap<u64, (usize, i64)>,
    /// Imports that have not ended.
    pub importing: usize,
}

impl Default for Account {
    fn default() -> Self {
        // Ids are one sequence over all accounts of the real system.
        let further = here::account().number as u64 - 1;
        Self {
            fields: Fields::default(),
            lists: BTreeMap::new(),
            campaigns: BTreeMap::new(),
            tasks: BTreeMap::new(),
            // Real accounts are far from 1, too; clients must not take an id for an index.
            next_list: 27_311_001 + 1_000 * further,
            next_task: 99_562_001 + 1_000 * further,
            next_join: 0,
            subscribers: Vec::new(),
            order: Vec::new(),
            by_email: HashMap::new(),
        }
    }
}

impl Account {
    /// By address, in any case.
    pub fn find(&self, address: &str) -> Option<usize> {
        self.by_email.get(email::key(address).as_str()).copied()
    }

    /// By number.
    pub fn subscriber(&self, id: usize) -> Option<&Subscriber> {
        self.subscribers.get(id)?.as_ref()
    }

    /// By number, to change anything but the address and lists.
    pub fn subscriber_mut(&mut self, id: usize) -> Option<&mut Subscriber> {
        self.subscribers.get_mut(id)?.as_mut()
    }

    /// Everyone, oldest first.
    pub fn subscribers(&self) -> impl ExactSizeIterator<Item = usize> {
        self.order.iter().copied()
    }

    /// The subscriber with this address, made when there is none; `true` if it was.
    pub fn ensure(&mut self, address: &str) -> (usize, bool) {
        if let Some(id) = self.find(address) {
            return (id, false);
        }
        let id = self.subscribers.len();
        self.subscribers.push(Some(Subscriber::new(address.trim())));
        self.order.push(id);
        self.by_email.insert(email::key(address), id);
        (id, true)
    }

    /// Sets a field. Permissions and consents leave a trace.
    pub fn set(&mut self, id: usize, field: usize, value: &str, change: (i64, &'static str)) {
        let kind = self.fields.get(field).map(|field| field.kind);
        let names = (self.fields.find("FIRSTNAME"), self.fields.find("LASTNAME"));
        let Some(subscriber) = self.subscriber_mut(id) else { return };
        let before = subscriber.value(field).unwrap_or_default();
        if before == value && !before.is_empty() {
            return;
        }
        if matches!(kind, Some(FieldType::Permission | FieldType::Consent)) {
            let value = (!value.is_empty()).then(|| value.to_owned());
            let (at, origin) = change;
            subscriber.permissions.push(PermissionChange { field, at, value, origin });
        }
        match subscriber.values.iter_mut().find(|(known, _)| *known == field) {
            Some((_, place)) => value.clone_into(place),
            None => subscriber.values.push((field, value.to_owned())),
        }
        if names.0 == Some(field) || names.1 == Some(field) {
            let name = |field: Option<usize>| field.and_then(|field| subscriber.value(field));
            let haystack = [name(names.0), name(names.1), Some(subscriber.email.as_str())];
            let haystack = haystack.into_iter().flatten().collect::<Vec<_>>().join(" ");
            subscriber.haystack = haystack.to_lowercase();
        }
    }

    /// Puts a subscriber into a list; already being there is fine.
    pub fn join(&mut self, id: usize, list: u64, now: i64) {
        let Some(subscriber) = self.subscribers.get_mut(id).and_then(Option::as_mut) else {
            return;
        };
        let Some(members) = self.lists.get_mut(&list).map(|list| &mut list.members) else {
            return;
        };
        if subscriber.lists.iter().any(|(known, _)| *known == list) {
            return;
        }
        self.next_join += 1;
        subscriber.lists.push((list, self.next_join));
        members.insert(self.next_join, (id, now));
    }

    /// Takes a subscriber out of a list; `false` when it was not there.
    pub fn leave(&mut self, id: usize, list: u64) -> bool {
        let Some(subscriber) = self.subscribers.get_mut(id).and_then(Option::as_mut) else {
            return false;
        };
        let Some(index) = subscriber.lists.iter().position(|(known, _)| *known == list) else {
            return false;
        };
        let (_, place) = subscriber.lists.remove(index);
        if let Some(list) = self.lists.get_mut(&list) {
            list.members.remove(&place);
        }
        true
    }

    /// Takes a subscriber out of everything, for good; a repeated one changes nothing.
    pub fn unsubscribe(&mut self, id: usize, how: Unsubscription) {
        let Some(subscriber) = self.subscriber_mut(id) else { return };
        if subscriber.unsubscription.is_some() {
            return;
        }
        subscriber.unsubscription = Some(how);
        for (list, _) in subscriber.lists.clone() {
            self.leave(id, list);
        }
    }

    /// Forgets a subscriber. No API call does that; a person in the control panel can.
    pub fn forget(&mut self, id: usize) {
        let Some(subscriber) = self.subscriber(id) else { return };
        let key = email::key(&subscriber.email);
        for (list, _) in subscriber.lists.clone() {
            self.leave(id, list);
        }
        self.by_email.remove(&key);
        self.order.retain(|known| *known != id);
        self.subscribers[id] = None;
    }

    /// Gives a subscriber another address, which must be free.
    pub fn rename(&mut self, id: usize, address: &str) {
        let Some(subscriber) = self.subscriber_mut(id) else { return };
        let before = email::key(&subscriber.email);
        address.clone_into(&mut subscriber.email);
        subscriber.haystack = subscriber.haystack.replace(&before, &email::key(address));
        self.by_email.remove(&before);
        self.by_email.insert(email::key(address), id);
    }

    /// Makes a list and answers its id.
    pub fn add_list(&mut self, name: &str, now: i64) -> u64 {
        let id = self.next_list;
        self.next_list += 1;
        let list =
            List { name: name.to_owned(), created: now, members: BTreeMap::new(), importing: 0 };
        self.lists.insert(id, list);
        id
    }

    /// Removes a list; its members stay in the account.
    pub fn remove_list(&mut self, id: u64) {
        let Some(list) = self.lists.get(&id) else { return };
        let members: Vec<_> = list.members.values().map(|(member, _)| *member).collect();
        for member in members {
            self.leave(member, id);
        }
        self.lists.remove(&id);
    }

    /// A list by name, in any case.
    pub fn list_named(&self, name: &str) -> Option<u64> {
        let name = name.to_lowercase();
        self.lists.iter().find(|(_, list)| list.name.to_lowercase() == name).map(|(id, _)| *id)
    }

    /// A list's name, empty where there is no such list.
    pub fn list_name(&self, id: u64) -> &str {
        self.lists.get(&id).map(|list| list.name.as_str()).unwrap_or_default()
    }

    /// Removes a field and everybody's values of it.
    pub fn remove_field(&mut self, field: usize) {
        self.fields.remove(field);
        for subscriber in self.subscribers.iter_mut().flatten() {
            subscriber.values.retain(|(known, _)| *known != field);
        }
    }

    /// Remembers a task and answers its number.
    pub fn add_task(&mut self, task: ImportTask) -> u64 {
        let number = self.next_task;
        self.next_task += 1;
        self.tasks.insert(number, task);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::doppler::subscriber::UnsubscriptionType;

    #[test]
    fn an_address_is_one_person_in_any_case() {
        let mut account = Account::default();
        let (id, new) = account.ensure("Ana@Example.com");
        assert!(new);
        assert_eq!(account.ensure("ana@example.COM"), (id, false));
        account.rename(id, "ana.paz@example.com");
        assert_eq!(account.find("ana@example.com"), None);
        assert_eq!(account.find("ANA.PAZ@example.com"), Some(id));
    }

    #[test]
    fn who_unsubscribes_leaves_every_list() {
        let mut account = Account::default();
        let (a, b) = (account.add_list("A", 0), account.add_list("B", 0));
        let (id, _) = account.ensure("a@b.co");
        account.join(id, a, 1);
        account.join(id, a, 2);
        account.join(id, b, 3);
        assert_eq!(account.lists[&a].members.len(), 1);
        let how = Unsubscription {
            at: 4,
            kind: UnsubscriptionType::Manual,
            reason: None,
            comment: String::new(),
        };
        account.unsubscribe(id, how);
        assert!(account.lists.values().all(|list| list.members.is_empty()));
        assert!(account.subscriber(id).unwrap().lists.is_empty());
    }

    #[test]
    fn a_removed_field_takes_its_values_along() {
        let mut account = Account::default();
        let (id, _) = account.ensure("a@b.co");
        let field = account.fields.find("FIRSTNAME").unwrap();
        account.set(id, field, "Ana", (0, "Manual"));
        assert!(account.subscriber(id).unwrap().haystack.contains("ana"));
        account.remove_field(field);
        assert!(account.subscriber(id).unwrap().values.is_empty());
    }
}

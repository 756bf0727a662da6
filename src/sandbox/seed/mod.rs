//! The people of a sandbox: made up, and the same for the same seed and size.
//!
//! Of twenty people fourteen are in both systems and three in each alone. Their trouble is that of
//! real data: a value differs, an address is missing on one side so that only a phone number ties
//! them together, or two contacts claim one address or number. E-mail domains and the rest are
//! reserved for examples; phone numbers are not anybody's on purpose.

pub mod ana;
mod doppler;
mod highlevel;
mod person;
mod place;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

pub use self::person::today;

use self::person::{Person, draw};
use super::doppler::seed::SeedSubscriber;
use super::highlevel::seed::SeedContact;

/// What each system is filled with.
#[derive(Clone, Debug, Default)]
pub struct People {
    /// In the order they are added.
    pub subscribers: Vec<SeedSubscriber>,
    /// In the order they are added.
    pub contacts: Vec<SeedContact>,
}

/// Who knows a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Both,
    DopplerOnly,
    HighLevelOnly,
}

/// Spread over every twenty people so that any size keeps the shares.
fn known(index: usize) -> Known {
    match index % 20 {
        6 | 12 | 18 => Known::DopplerOnly,
        4 | 10 | 16 => Known::HighLevelOnly,
        _ => Known::Both,
    }
}

/// `size` people for `seed`.
pub fn people(seed: u64, size: usize) -> People {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut people = People::default();
    if size > 0 {
        people.subscribers.push(ana::subscriber());
        people.contacts.push(ana::contact());
    }
    // Somebody in both systems whom a later contact may be confused with.
    let mut confusable = None;
    let mut alone = 0;
    for index in 1..size {
        let person = draw(index, &mut rng);
        match known(index) {
            Known::Both => {
                both(&mut people, index, &person, &mut rng);
                confusable = Some(person);
            }
            Known::DopplerOnly => {
                people.subscribers.push(doppler::subscriber(&person, &mut rng));
            }
            Known::HighLevelOnly => {
                let mut contact = highlevel::contact(&person, &mut rng);
                alone += 1;
                confuse(&mut contact, alone, confusable.as_ref());
                people.contacts.push(contact);
            }
        }
    }
    people
}

/// Every fifteenth contact of HighLevel alone is one too many: it claims somebody's address or
/// number.
fn confuse(contact: &mut SeedContact, alone: usize, other: Option<&Person>) {
    let Some(other) = other else { return };
    match alone % 15 {
        5 => contact.email = Some(other.email.clone()),
        11 => {
            contact.email = None;
            contact.phone = Some(other.phone.clone());
        }
        // And some have an address nowhere.
        3 => contact.email = None,
        _ => {}
    }
}

/// Somebody in both systems, who may not look the same in both.
fn both(people: &mut People, index: usize, person: &Person, rng: &mut ChaCha8Rng) {
    let mut subscriber = doppler::subscriber(person, rng);
    let mut contact = highlevel::contact(person, rng);
    match index % 17 {
        // Only the phone number ties them together, once written in another way.
        3 => contact.email = None,
        9 => {
            contact.email = None;
            set(&mut subscriber, "PHONE", &spaced(&person.phone));
        }
        5 => {
            let shout = person.email.to_uppercase();
            contact.email = Some(shout);
        }
        _ => {}
    }
    match rng.random_range(0..20) {
        0 => contact.company_name = Some("Self-employed".to_owned()),
        1 => set(&mut subscriber, "FIRSTNAME", person.email.split('.').next().unwrap_or_default()),
        2 => contact.city = None,
        3 => set(&mut subscriber, "CITY", "—"),
        4 => contact.tags.push("only in highlevel".to_owned()),
        _ => {}
    }
    people.subscribers.push(subscriber);
    people.contacts.push(contact);
}

fn set(subscriber: &mut SeedSubscriber, name: &str, value: &str) {
    if let Some((_, place)) = subscriber.fields.iter_mut().find(|(field, _)| *field == name) {
        value.clone_into(place);
    }
}

/// `+54 911 5555 0101`: the same number as a person writes it.
fn spaced(phone: &str) -> String {
    let (front, back) = phone.split_at(phone.len().saturating_sub(4));
    let (country, middle) = front.split_at(3.min(front.len()));
    format!("{country} {middle} {back}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_seed_and_size_give_the_same_people() {
        let text = |seed, size| format!("{:?}", people(seed, size));
        assert_eq!(text(1, 60), text(1, 60));
        assert_ne!(text(1, 60), text(2, 60));
    }

    #[test]
    fn the_shares_are_kept() {
        let of = |kind| (0..300).filter(|index| known(*index) == kind).count();
        assert_eq!(
            (of(Known::Both), of(Known::DopplerOnly), of(Known::HighLevelOnly)),
            (210, 45, 45)
        );
        let all = people(1, 300);
        assert_eq!((all.subscribers.len(), all.contacts.len()), (255, 255));
    }

    #[test]
    fn addresses_and_numbers_are_unique_where_nobody_was_to_be_confused() {
        let all = people(1, 5000);
        let emails: HashSet<_> = all.subscribers.iter().map(|one| one.email.clone()).collect();
        assert_eq!(emails.len(), all.subscribers.len());
        let fields = all.subscribers.iter().flat_map(|one| &one.fields);
        let phones = fields.filter(|(name, _)| *name == "PHONE");
        let phones: Vec<_> = phones.map(|(_, value)| value).collect();
        assert_eq!(phones.iter().collect::<HashSet<_>>().len(), phones.len());
    }

    #[test]
    fn the_trouble_of_real_data_is_there() {
        let all = people(1, 300);
        let no_email = all.contacts.iter().filter(|one| one.email.is_none()).count();
        assert!(no_email > 10, "{no_email}");
        let mut seen = HashSet::new();
        let twice = all
            .contacts
            .iter()
            .filter_map(|one| one.email.as_deref())
            .filter(|email| !seen.insert(email.to_lowercase()))
            .count();
        assert!((1..10).contains(&twice), "{twice}");
        assert!(all.subscribers.iter().any(|one| one.unsubscription.is_some()));
        assert!(all.contacts.iter().any(|one| one.dnd));
        assert!(all.contacts.iter().any(|one| !one.dnd_settings.is_empty()));
    }

    #[test]
    fn nobody_is_an_empty_sandbox() {
        let none = people(1, 0);
        assert!(none.subscribers.is_empty() && none.contacts.is_empty());
    }
}

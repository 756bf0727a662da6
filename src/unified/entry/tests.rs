//! What an entry says, and whom it answers to.

use proptest::prelude::*;

use super::*;
use crate::unified::fixture::{contact, subscriber};
use crate::unified::{DndStatus, HighLevelContact, SubscriberStatus};

fn basis() -> Basis {
    let accounts = ["acc".to_owned(), "loc".to_owned()];
    Basis { accounts, mapping: Mapping::default(), lists: Vec::new() }
}

fn named(name: &str) -> HighLevelContact {
    HighLevelContact { name: Some(name.to_owned()), ..contact() }
}

fn entry(of: HighLevelContact) -> Entry {
    let known = Remembered { contact: Side::There(of), ..Remembered::default() };
    Entry::of(&known, &basis()).unwrap()
}

fn asks(query: &str) -> ContactFilter {
    ContactFilter { query: Some(query.to_owned()), ..ContactFilter::default() }
}

#[test]
fn an_entry_says_what_the_contact_says() {
    let mut doppler = subscriber(&[("FIRSTNAME", "Anita"), ("TAGS", "Expo, VIP")]);
    doppler.status = SubscriberStatus::Unsubscribed;
    let mut highlevel = named("Ana Díaz");
    highlevel.tags = vec!["vip".to_owned()];
    highlevel.date_updated = DateTime::from_timestamp_millis(7);
    let opened = Delivery {
        campaign_id: "1".to_owned(),
        campaign_name: None,
        campaign_subject: None,
        status: DeliveryStatus::Opened,
        clicks: 0,
    };
    let known = Remembered {
        subscriber: Side::There(doppler),
        contact: Side::There(highlevel),
        deliveries: Some(vec![opened]),
    };
    let entry = Entry::of(&known, &basis()).unwrap();
    assert_eq!(entry.name.as_deref(), Some("ana díaz"));
    assert_eq!(entry.email.as_deref(), Some("ana@example.com"));
    assert_eq!(entry.status, Some(ContactStatus::Unsubscribed));
    assert_eq!((entry.systems.as_slice(), entry.updated), (&System::ALL[..], Some(7)));
    assert_eq!(entry.tags, ["expo", "vip"]);
    assert_eq!((entry.opened, entry.clicked), (Some(true), Some(false)));
}

#[test]
fn whom_nobody_knows_is_not_listed() {
    let gone = Remembered { contact: Side::Gone, ..Remembered::default() };
    let unread = Remembered { subscriber: Side::Unread, ..Remembered::default() };
    for known in [Remembered::default(), gone, unread] {
        assert_eq!(Entry::of(&known, &basis()), None, "{known:?}");
    }
}

#[test]
fn a_status_is_not_guessed_from_one_half() {
    let half = |contact| {
        let contact = Side::There(contact);
        let known = Remembered { contact, subscriber: Side::Unread, deliveries: None };
        Entry::of(&known, &basis()).unwrap().status
    };
    assert_eq!(half(contact()), None);
    let silenced = HighLevelContact { email_dnd: Some(DndStatus::Active), ..contact() };
    assert_eq!(half(silenced), None);
    let bounced = HighLevelContact { bounced: true, ..contact() };
    assert_eq!(half(bounced), Some(ContactStatus::Bounced));
}

#[test]
fn every_word_must_begin_one_of_the_persons() {
    let ana = entry(named("Ana-Sofía O'Brien Ｄíaz"));
    for query in ["ANA", "sof", "ana-s", "díaz", "o'br", "brien", "dí  an", "ana@example", "", " "]
    {
        assert!(ana.matches(&asks(query)), "{query}");
    }
    for query in ["na", "example.com", "ana paz", "diaz", "@"] {
        assert!(!ana.matches(&asks(query)), "{query}");
    }
}

#[test]
fn unknown_is_neither_yes_nor_no() {
    let ana = entry(named("Ana"));
    for answer in [true, false] {
        let opened = ContactFilter { opened: Some(answer), ..ContactFilter::default() };
        assert!(!ana.matches(&opened));
    }
    let since = DateTime::from_timestamp_millis(0);
    assert!(!ana.matches(&ContactFilter { updated_since: since, ..ContactFilter::default() }));
}

#[test]
fn tags_that_are_alike_as_far_as_is_looked_at_are_one_facet() {
    let mut tagged = contact();
    tagged.tags = ["a", "b"].map(|end| format!("{}{end}", "long ".repeat(30))).to_vec();
    let facets = entry(tagged).facets();
    assert_eq!(facets.iter().filter(|one| one.starts_with(facet::TAG)).count(), 1, "{facets:?}");
}

/// The one is in no text of PostgreSQL, the other one ends the key of a stored place.
#[test]
fn characters_with_a_meaning_of_their_own_in_the_store_are_in_no_key() {
    let mut odd = named("Ana\u{1}Be\0a");
    odd.email = Some("a\u{1}\0@example.com".to_owned());
    let entry = entry(odd);
    for order in SORTS {
        assert!(!entry.key(order).contains(['\0', '\u{1}']), "{order:?}");
    }
    assert!(entry.matches(&asks("ana\u{1}be")));
}

#[test]
fn who_has_none_comes_last_or_counts_as_the_oldest() {
    let (named, nameless) = (entry(named("ž")), entry(contact()));
    assert!(named.key(ContactOrder::NameAsc) < nameless.key(ContactOrder::NameAsc));
    let mut dated = contact();
    dated.date_added = DateTime::from_timestamp_millis(-1);
    let order = ContactOrder::CreatedDesc;
    assert!(entry(dated).key(order) > nameless.key(order));
}

proptest! {
    #[test]
    fn keys_of_times_are_in_their_order(a in any::<i64>(), b in any::<i64>()) {
        prop_assert_eq!(time_key(Some(a)).cmp(&time_key(Some(b))), a.cmp(&b));
        prop_assert!(time_key(None) < time_key(Some(a)));
    }

    #[test]
    fn who_is_found_by_a_name_is_found_by_its_beginnings(name in "\\PC{1,20}", cut in 1usize..20) {
        let entry = entry(named(&name));
        let beginning: String = name.chars().take(cut).collect();
        let whole = words(&beginning);
        // A combining mark at the end makes another letter of the one before.
        prop_assume!(words(&name).iter().any(|w| whole.iter().all(|b| w.starts_with(b.as_str()))));
        prop_assert!(entry.matches(&asks(&beginning)));
    }

    /// By times: by a list of the word. By texts: also at the beginning, or by the address.
    #[test]
    fn who_answers_is_found_in_each_order(
        name in "[ab .@'-]{0,24}", email in "([ab.]{1,14}@[ab]{1,2})?", at in 0usize..9,
        letters in 1usize..16
    ) {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let entry = Entry { name: text(&name), email: text(&email), ..Entry::default() };
        let terms = entry.terms();
        prop_assume!(!terms.is_empty());
        let word: String = terms[at % terms.len()].chars().take(letters).collect();
        prop_assert!(entry.matches(&asks(&word)));
        for order in [ContactOrder::UpdatedDesc, ContactOrder::CreatedDesc] {
            let (first, last) = facet::starts(&word);
            prop_assert!(entry.word_facets(order).range(first..=last).next().is_some(), "{:?}", entry);
        }
        for order in [ContactOrder::EmailAsc, ContactOrder::NameAsc] {
            let key = entry.key(order);
            let begins = beginnings(&word).iter().any(|(a, b)| *a <= key && key <= *b);
            let (first, last) = facet::beginning(&word);
            let listed = entry.word_facets(order).range(first..=last).next().is_some();
            // Walked to along the names that begin as the word does, so far as it is shared.
            let by_address = |term: &String| {
                let Ok(shared) = entry.shared(term).parse::<usize>() else { return false };
                let common: String = word.chars().take(shared).collect();
                term.starts_with(&word)
                    && shared < word.chars().count()
                    && entry.key(order).starts_with(&format!("0{common}"))
            };
            let by_address = order == ContactOrder::NameAsc && terms.iter().any(by_address);
            prop_assert!(begins || listed || by_address, "{:?} {:?}", order, entry);
        }
    }
}

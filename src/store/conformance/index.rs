//! The index of contacts.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{Place, accept, at, claim, contact, edit, event, ids, open, record, subscriber};
use crate::store::{Copy, CopyKey, Place as Spot, Record, Search, Store};
use crate::unified::EventKind::Received;
use crate::unified::System::{Doppler, HighLevel};
use crate::unified::{
    Basis, ContactFilter, ContactId, ContactOrder, ContactStatus, ContactSyncState, Entry,
    HighLevelContact, Mapping, Remembered, Side, Subscriber, SubscriberStatus, System, Tally,
    WorkspaceId, fixture,
};

const ORDERS: [ContactOrder; 5] = [
    ContactOrder::UpdatedDesc,
    ContactOrder::UpdatedAsc,
    ContactOrder::CreatedDesc,
    ContactOrder::EmailAsc,
    ContactOrder::NameAsc,
];

fn basis() -> Basis {
    let accounts = ["acc".to_owned(), "loc".to_owned()];
    Basis { accounts, mapping: Mapping::default(), lists: Vec::new() }
}

fn copy(system: System, key: &str, body: Option<String>, seconds: i64) -> Copy {
    let (kind, account) = match system {
        Doppler => ("subscriber", "acc"),
        HighLevel => ("contact", "loc"),
    };
    let key = CopyKey { system, kind, key: format!("{account}/{key}") };
    Copy { key, body, fetched_at: at(seconds) }
}

fn of_contact(contact: &HighLevelContact, seconds: i64) -> Copy {
    let body = serde_json::to_string(contact).unwrap();
    copy(HighLevel, contact.id.as_str(), Some(body), seconds)
}

fn of_subscriber(subscriber: &Subscriber, seconds: i64) -> Copy {
    let body = serde_json::to_string(subscriber).unwrap();
    copy(Doppler, &subscriber.email, Some(body), seconds)
}

fn named(id: &str, name: &str, tags: &[&str], seconds: i64) -> HighLevelContact {
    HighLevelContact {
        id: id.into(),
        email: Some(format!("{id}@example.com")),
        name: Some(name.to_owned()),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        date_added: Some(at(-seconds)),
        date_updated: Some(at(seconds)),
        ..fixture::contact()
    }
}

/// Known and copied; the ids in the order given.
async fn put(
    store: &Arc<dyn Store>,
    w: &WorkspaceId,
    contacts: &[HighLevelContact],
    seconds: i64,
) -> Vec<ContactId> {
    let sightings: Vec<_> =
        contacts.iter().map(|one| contact(one.id.as_str(), one.email.as_deref())).collect();
    let known = store.recognize(w, &sightings, at(seconds)).await.unwrap();
    let copies: Vec<Copy> = contacts.iter().map(|one| of_contact(one, seconds)).collect();
    store.put_copies(w, &copies).await.unwrap();
    ids(&known)
}

async fn indexed(place: &impl Place) -> (Arc<dyn Store>, WorkspaceId) {
    let (store, w) = open(place).await;
    assert!(store.set_basis(&w, &basis()).await.unwrap());
    while !store.fill(&w, 2).await.unwrap() {}
    (store, w)
}

async fn page(
    store: &Arc<dyn Store>,
    w: &WorkspaceId,
    (filter, order): (&ContactFilter, ContactOrder),
    (after, limit): (Option<&Spot>, u32),
) -> Vec<(Spot, ContactId)> {
    let search = Search { filter, order, after, limit };
    let found = store.search(w, search).await.unwrap();
    found.into_iter().map(|(place, known)| (place, known.id)).collect()
}

/// Everybody whom a filter finds, page by page.
async fn all(
    store: &Arc<dyn Store>,
    w: &WorkspaceId,
    filter: &ContactFilter,
    order: ContactOrder,
) -> Vec<ContactId> {
    let mut found: Vec<ContactId> = Vec::new();
    let mut after = None;
    loop {
        let page = page(store, w, (filter, order), (after.as_ref(), 3)).await;
        found.extend(page.iter().map(|(_, id)| *id));
        match page.into_iter().last() {
            Some((place, _)) => after = Some(place),
            None => return found,
        }
    }
}

async fn everybody(store: &Arc<dyn Store>, w: &WorkspaceId) -> Vec<ContactId> {
    all(store, w, &ContactFilter::default(), ContactOrder::NameAsc).await
}

async fn total(store: &Arc<dyn Store>, w: &WorkspaceId) -> u64 {
    store.total(w, &ContactFilter::default()).await.unwrap().unwrap()
}

fn tagged(tag: &str) -> ContactFilter {
    ContactFilter { tags_all: Some(vec![tag.to_owned()]), ..ContactFilter::default() }
}

pub async fn what_was_there_before_is_filled_in(place: &impl Place) {
    let (store, w) = open(place).await;
    let people: Vec<_> =
        (0..7).map(|n| named(&format!("h{n}"), &format!("Person {n}"), &[], n)).collect();
    let ids = put(&store, &w, &people, 1).await;
    store.reserve(&w, Some("nobody@example.com"), None, at(9)).await.unwrap();
    assert_eq!(everybody(&store, &w).await, []);
    assert!(!store.is_filled(&w).await.unwrap());

    assert!(store.set_basis(&w, &basis()).await.unwrap());
    assert!(!store.set_basis(&w, &basis()).await.unwrap());
    assert!(!store.fill(&w, 3).await.unwrap());
    assert_eq!(total(&store, &w).await, 3);
    while !store.fill(&w, 3).await.unwrap() {}
    assert!(store.is_filled(&w).await.unwrap());
    assert_eq!(everybody(&store, &w).await, ids, "who is only reserved is not listed");

    let elsewhere = Basis { accounts: ["acc".to_owned(), "other".to_owned()], ..basis() };
    assert!(store.set_basis(&w, &elsewhere).await.unwrap());
    assert!(!store.is_filled(&w).await.unwrap());
    while !store.fill(&w, 3).await.unwrap() {}
    assert_eq!(everybody(&store, &w).await, [], "copies of another account are not listed");
    assert_eq!(total(&store, &w).await, 0);
}

pub async fn a_copy_changes_the_entry(place: &impl Place) {
    let (store, w) = indexed(place).await;
    let ids = put(&store, &w, &[named("h1", "Ana", &["VIP"], 1)], 1).await;
    assert_eq!(all(&store, &w, &tagged("vip"), ContactOrder::NameAsc).await, ids);
    store.put_copies(&w, &[of_contact(&named("h1", "Ana", &["lead"], 2), 3)]).await.unwrap();
    store.put_copies(&w, &[of_contact(&named("h1", "Ana", &["old"], 1), 2)]).await.unwrap();
    for (tag, there) in [("vip", 0), ("Lead", 1), ("old", 0)] {
        assert_eq!(store.total(&w, &tagged(tag)).await.unwrap(), Some(there), "{tag}");
        assert_eq!(
            all(&store, &w, &tagged(tag), ContactOrder::UpdatedDesc).await.len() as u64,
            there
        );
    }
    store.put_copies(&w, &[copy(HighLevel, "h1", None, 4)]).await.unwrap();
    assert_eq!(everybody(&store, &w).await, []);
    assert_eq!(total(&store, &w).await, 0);
}

/// Their rows are several times what one statement changes.
pub async fn many_come_and_go_at_once(place: &impl Place) {
    let (store, w) = indexed(place).await;
    let person = |n| named(&format!("h{n:02}"), &format!("Person {n:02}"), &["vip"], n);
    let people: Vec<_> = (0..100).map(person).collect();
    put(&store, &w, &people, 1).await;
    let listed = async |order| {
        let found = page(&store, &w, (&tagged("vip"), order), (None, 200)).await;
        found.len()
    };
    for order in ORDERS {
        assert_eq!(listed(order).await, people.len(), "{order:?}");
    }
    let gone = people.iter().map(|one| copy(HighLevel, one.id.as_str(), None, 2));
    store.put_copies(&w, &gone.collect::<Vec<_>>()).await.unwrap();
    for order in ORDERS {
        assert_eq!(listed(order).await, 0, "{order:?}");
    }
    assert_eq!(total(&store, &w).await, 0);
}

pub async fn who_comes_between_two_pages_disturbs_nobody(place: &impl Place) {
    let (store, w) = indexed(place).await;
    let people: Vec<_> =
        (1..=6).map(|n| named(&format!("h{n}"), &format!("{n}"), &[], n)).collect();
    let ids = put(&store, &w, &people, 1).await;
    let asked = (&ContactFilter::default(), ContactOrder::NameAsc);
    let first = page(&store, &w, asked, (None, 3)).await;
    let last = &first.last().unwrap().0;
    // Before and behind the cursor, and whoever stands at it leaves.
    let new = [named("a", "0", &[], 9), named("b", "45", &[], 9), named("h3", "7", &[], 9)];
    let new = put(&store, &w, &new, 2).await;
    let second = page(&store, &w, asked, (Some(last), 9)).await;
    let second: Vec<_> = second.into_iter().map(|(_, id)| id).collect();
    assert_eq!(second, [ids[3], new[1], ids[4], ids[5], ids[2]]);
}

pub async fn merges_and_unlinks_show(place: &impl Place) {
    let (store, w) = indexed(place).await;
    let known = put(&store, &w, &[named("h1", "Ana", &["vip"], 1)], 1).await;
    let mut in_doppler = fixture::subscriber(&[("TAGS", "expo")]);
    in_doppler.email = "ana@example.com".to_owned();
    let other = store.recognize(&w, &[subscriber("ana@example.com")], at(2)).await.unwrap()[0].id;
    store.put_copies(&w, &[of_subscriber(&in_doppler, 2)]).await.unwrap();
    assert_eq!(everybody(&store, &w).await.len(), 2);

    store.recognize(&w, &[contact("h1", Some("ana@example.com"))], at(3)).await.unwrap();
    assert_eq!(everybody(&store, &w).await, known);
    assert_eq!(all(&store, &w, &tagged("expo"), ContactOrder::EmailAsc).await, known);
    let tally = store.tally(&w, &ContactFilter::default(), 9).await.unwrap();
    assert_eq!((tally.total, tally.in_both, tally.only_doppler), (1, 1, 0));

    accept(&store, &w, &edit(other, "x", 4)).await;
    let lease = claim(&store, 5, 9).await.pop().unwrap();
    let unlinked = vec![(Doppler, "ana@example.com".to_owned())];
    let events = vec![event(Received, Some(known[0]))];
    store.record(&lease, Record { unlinked, events, ..Record::default() }, at(5)).await.unwrap();
    assert_eq!(all(&store, &w, &tagged("expo"), ContactOrder::EmailAsc).await, []);
    let tally = store.tally(&w, &ContactFilter::default(), 9).await.unwrap();
    assert_eq!((tally.total, tally.in_both, tally.only_highlevel), (1, 0, 1));
}

pub async fn opening_shows_when_deliveries_are_read(place: &impl Place) {
    let (store, w) = indexed(place).await;
    let mut ana = fixture::subscriber(&[]);
    ana.email = "ana@example.com".to_owned();
    let ids = ids(&store.recognize(&w, &[subscriber(&ana.email)], at(1)).await.unwrap());
    store.put_copies(&w, &[of_subscriber(&ana, 1)]).await.unwrap();
    let opened = |opened| ContactFilter { opened: Some(opened), ..ContactFilter::default() };
    for answer in [true, false] {
        assert_eq!(all(&store, &w, &opened(answer), ContactOrder::EmailAsc).await, []);
    }
    let key = CopyKey { kind: "deliveries", ..of_subscriber(&ana, 2).key };
    let body = r#"[{"campaign_id":"1","status":"Opened","clicks":0}]"#.to_owned();
    store.put_copies(&w, &[Copy { key, body: Some(body), fetched_at: at(2) }]).await.unwrap();
    assert_eq!(all(&store, &w, &opened(true), ContactOrder::EmailAsc).await, ids);
    let clicked = ContactFilter { clicked: Some(true), ..opened(true) };
    assert_eq!(all(&store, &w, &clicked, ContactOrder::EmailAsc).await, []);
}

pub async fn how_people_stand_is_a_condition(place: &impl Place) {
    let (store, w) = indexed(place).await;
    let people: Vec<_> = (0..4).map(|n| named(&format!("h{n}"), "Ana", &[], n)).collect();
    let ids = put(&store, &w, &people, 1).await;
    accept(&store, &w, &edit(ids[1], "x", 1)).await;
    let lease = claim(&store, 2, 9).await.pop().unwrap();
    let failures = vec![record::failure(ids[1], Doppler)];
    store.record(&lease, Record { failures, ..Record::default() }, at(2)).await.unwrap();
    accept(&store, &w, &edit(ids[2], "x", 3)).await;
    let found = async |states: &[ContactSyncState]| {
        let sync_state = Some(states.to_vec());
        let filter = ContactFilter { sync_state, ..ContactFilter::default() };
        all(&store, &w, &filter, ContactOrder::UpdatedAsc).await
    };
    assert_eq!(found(&[ContactSyncState::Pending]).await, ids[1..3]);
    assert_eq!(found(&[ContactSyncState::Unlinked]).await, [ids[0], ids[3]]);
    assert_eq!(found(&[ContactSyncState::Held, ContactSyncState::Failed]).await, []);
    assert_eq!(found(&[ContactSyncState::Unlinked, ContactSyncState::Pending]).await, ids);
}

pub async fn an_index_is_a_workspaces_own(place: &impl Place) {
    let (store, w) = indexed(place).await;
    let other = WorkspaceId::from("other");
    store.workspace(&other, "Other", at(0)).await.unwrap();
    store.set_basis(&other, &basis()).await.unwrap();
    put(&store, &w, &[named("h1", "Ana", &["vip"], 1)], 1).await;
    assert_eq!(everybody(&store, &other).await, []);
    assert_eq!(store.tally(&other, &tagged("vip"), 9).await.unwrap().total, 0);
    let query = ContactFilter { query: Some("ana".to_owned()), ..ContactFilter::default() };
    assert_eq!(all(&store, &other, &query, ContactOrder::NameAsc).await, []);
}

/// What the test knows of a person.
#[derive(Clone, Debug)]
struct Person {
    contact: Option<HighLevelContact>,
    subscriber: Option<Subscriber>,
}

/// Many with few words at any place of the name, so that lists of them are walked.
const NAMES: [&str; 17] = [
    "Ana",
    "Zoe Ana",
    "Bea Ana Zoe",
    "Ana Zoe Abel",
    "Cleo Zoe-Ana O'Brien",
    "Bea Anabel",
    "Zoe Anais Anadia",
    "Zoe Annabel-Annabella Annabelle",
    "Ana.Ana.Anb Zoe",
    "Aldo Zoé",
    "Ａna Díaz",
    "Ñandú",
    "",
    "李",
    "Pazos Ana Ana",
    "p3@example.com",
    "Zoe p4@example.com",
];
const TAGS: [&str; 4] = ["vip", "VIP", "Ñ", "lead"];
const QUERIES: [&str; 22] = [
    "an",
    "ANA p",
    "ñ",
    "zo ann",
    "o'b",
    "p3@",
    "p",
    "diaz",
    "李",
    "a",
    "zo",
    "ana zo",
    "zoe ana an",
    "zoe ana bea",
    "ab zo",
    "ana",
    "ana.",
    "ana. zo",
    "ana.ana.ana",
    "annab",
    "an zoe1",
    "zoe1",
];

fn address(n: usize) -> String {
    let before = match n % 9 {
        0 | 3 => "ana.",
        6 | 8 => "ana.ana.ana",
        4 | 7 => "zoe1",
        _ => "p",
    };
    format!("{before}{n}@example.com")
}

fn a_person(n: usize) -> impl Strategy<Value = Person> {
    let tags = subsequence(TAGS.to_vec(), 0..=TAGS.len());
    let in_highlevel = (select(NAMES.to_vec()), tags.clone(), any::<[bool; 4]>(), 0i64..4);
    let in_doppler = (select(NAMES.to_vec()), tags, 0usize..4);
    (proptest::option::weighted(0.8, in_highlevel), proptest::option::weighted(0.6, in_doppler))
        .prop_map(move |(highlevel, doppler)| {
            let email = address(n);
            let contact = highlevel.map(|(name, tags, [mail, dated, bounced, dnd], at_)| {
                let mut one = named(&format!("h{n}"), name, &tags, at_);
                one.email = Some(email.clone()).filter(|_| mail);
                (one.bounced, one.dnd) = (bounced && at_ == 0, Some(dnd));
                one.date_added = one.date_added.filter(|_| dated);
                one
            });
            let subscriber = doppler.map(|(name, tags, status)| {
                let tags = tags.join(", ");
                let mut one = fixture::subscriber(&[("FIRSTNAME", name), ("TAGS", &tags)]);
                one.email = email.clone();
                one.status = [
                    SubscriberStatus::Active,
                    SubscriberStatus::Pending,
                    SubscriberStatus::Unsubscribed,
                    SubscriberStatus::Other("odd".to_owned()),
                ][status]
                    .clone();
                one
            });
            Person { contact, subscriber }
        })
}

fn a_filter() -> impl Strategy<Value = ContactFilter> {
    let some = |tags: Vec<&str>| Some(tags.into_iter().map(str::to_owned).collect::<Vec<_>>());
    let tags = || subsequence(TAGS.to_vec(), 0..=2);
    let maybe = 0.35;
    (
        proptest::option::weighted(maybe, select(QUERIES.to_vec())),
        proptest::option::weighted(maybe, subsequence(System::ALL.to_vec(), 0..=2)),
        proptest::option::weighted(maybe, subsequence(ContactStatus::ALL.to_vec(), 0..=3)),
        proptest::option::weighted(maybe, tags()),
        proptest::option::weighted(maybe, tags()),
        proptest::option::weighted(maybe, 0i64..4),
    )
        .prop_map(move |(query, systems, status, tags_any, tags_all, since)| ContactFilter {
            query: query.map(str::to_owned),
            systems,
            status,
            tags_any: tags_any.and_then(some),
            tags_all: tags_all.and_then(some),
            updated_since: since.map(at),
            ..ContactFilter::default()
        })
}

fn model(
    people: &BTreeMap<ContactId, Entry>,
    filter: &ContactFilter,
    order: ContactOrder,
) -> Vec<ContactId> {
    let mut found: Vec<_> = people
        .iter()
        .filter(|(_, entry)| entry.matches(filter))
        .map(|(id, entry)| (entry.key(order), *id))
        .collect();
    found.sort();
    if order.is_descending() {
        found.reverse();
    }
    found.into_iter().map(|(_, id)| id).collect()
}

pub async fn any_search_is_as_its_model_says(place: &impl Place) {
    let (store, w) = indexed(place).await;
    let mut runner = TestRunner::default();
    let mut people: BTreeMap<ContactId, Entry> = BTreeMap::new();
    for round in 0..3 {
        // The second and third change who is there.
        for n in 0..25 {
            let person = a_person(n).new_tree(&mut runner).unwrap().current();
            let key = format!("h{n}");
            let email = address(n);
            let mut copies = Vec::new();
            let mut sightings = vec![contact(&key, Some(&email)), subscriber(&email)];
            match &person.contact {
                Some(one) => copies.push(of_contact(one, round)),
                None => copies.push(copy(HighLevel, &key, None, round)),
            }
            match &person.subscriber {
                Some(one) => copies.push(of_subscriber(one, round)),
                None => copies.push(copy(Doppler, &email, None, round)),
            }
            if n % 2 == 1 {
                sightings.reverse();
            }
            let id = store.recognize(&w, &sightings, at(round)).await.unwrap()[0].id;
            store.put_copies(&w, &copies).await.unwrap();
            let known = Remembered {
                contact: person.contact.map_or(Side::Gone, Side::There),
                subscriber: person.subscriber.map_or(Side::Gone, Side::There),
                deliveries: None,
            };
            match Entry::of(&known, &basis()) {
                Some(entry) => people.insert(id, entry),
                None => people.remove(&id),
            };
        }
        for _ in 0..25 {
            let filter = a_filter().new_tree(&mut runner).unwrap().current();
            for order in ORDERS {
                let expected = model(&people, &filter, order);
                assert_eq!(all(&store, &w, &filter, order).await, expected, "{order:?} {filter:?}");
            }
            let expected = model(&people, &filter, ContactOrder::EmailAsc);
            let total = store.total(&w, &filter).await.unwrap();
            assert!(total.is_none_or(|total| total == expected.len() as u64), "{filter:?}");
            let tally = store.tally(&w, &filter, 1_000).await.unwrap();
            assert_eq!(tally, counted(&people, &expected), "{filter:?}");
        }
        let unfiltered = ContactFilter::default();
        let expected = model(&people, &unfiltered, ContactOrder::EmailAsc);
        let tally = store.tally(&w, &unfiltered, 1).await.unwrap();
        assert_eq!(tally, counted(&people, &expected));
        let one = ContactFilter { systems: Some(System::ALL.to_vec()), ..unfiltered };
        let tally = store.tally(&w, &one, 2).await.unwrap();
        assert!(!tally.exact && tally.total == 2, "{tally:?}");
    }
}

fn counted(people: &BTreeMap<ContactId, Entry>, found: &[ContactId]) -> Tally {
    let mut tally = Tally { exact: true, total: found.len() as u64, ..Tally::default() };
    let mut statuses = BTreeMap::new();
    let mut tags = BTreeMap::new();
    for entry in found.iter().map(|id| &people[id]) {
        match entry.systems[..] {
            [Doppler] => tally.only_doppler += 1,
            [HighLevel] => tally.only_highlevel += 1,
            _ => tally.in_both += 1,
        }
        if let Some(status) = entry.status {
            *statuses.entry(status).or_insert(0) += 1;
        }
        for tag in &entry.tags {
            *tags.entry(tag.clone()).or_insert(0u64) += 1;
        }
    }
    tally.by_status = statuses.into_iter().collect();
    tally.top_tags = tags.into_iter().collect();
    tally.top_tags.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    tally
}

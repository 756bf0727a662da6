//! Who is who.

use std::collections::HashSet;

use futures_util::FutureExt;
use futures_util::future::join_all;

use super::{Place, at, contact, ids, open, subscriber, with_phone};
use crate::store::Sighting;
use crate::unified::System::{Doppler, HighLevel};
use crate::unified::{ContactId, WorkspaceId};

pub async fn ids_come_in_order_and_stay(place: &impl Place) {
    let (store, w) = open(place).await;
    let people = [contact("h1", None), contact("h2", None), contact("h1", None)];
    let first = store.recognize(&w, &people, at(0)).await.unwrap();
    assert_eq!(first[0], first[2]);
    assert_ne!(first[0].id, first[1].id);
    assert_eq!(first[0].key(HighLevel), Some("h1"));
    assert_eq!(store.recognize(&w, &people, at(9)).await.unwrap(), first);
    assert_eq!(store.recognize(&w, &[], at(9)).await.unwrap(), []);
    let later = store.recognize(&w, &[contact("h3", None)], at(9)).await.unwrap();
    assert!(later[0].id > first[1].id, "ids sort by the time they were minted");
    assert_eq!(store.contact(&w, first[1].id).await.unwrap().as_ref(), Some(&first[1]));
    assert_eq!(store.contact(&w, ContactId(uuid::Uuid::nil())).await.unwrap(), None);
}

pub async fn records_tell_whose_they_are(place: &impl Place) {
    let (store, w) = open(place).await;
    let seen = [contact("h1", Some("ana@example.com")), contact("h2", None)];
    let known = ids(&store.recognize(&w, &seen, at(0)).await.unwrap());
    let keys = ["h2", "none", "h1", "h2"];
    let linked = store.linked(&w, HighLevel, &keys).await.unwrap();
    assert_eq!(linked, [Some(known[1]), None, Some(known[0]), Some(known[1])]);
    assert_eq!(store.linked(&w, Doppler, &keys).await.unwrap(), [None; 4]);
    assert!(store.linked(&w, HighLevel, &[]).await.unwrap().is_empty());
    let again = store.recognize(&w, &seen, at(1)).await.unwrap();
    assert_eq!(again[0].links[0].email.as_deref(), Some("ana@example.com"), "nothing changed");
}

pub async fn both_halves_of_a_person_are_one(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = contact("h1", Some("ana@example.com"));
    let bob = with_phone(contact("h2", None), "+5411");
    let seen = store.recognize(&w, &[ana, bob], at(0)).await.unwrap();
    let halves =
        [subscriber("ana@example.com"), with_phone(subscriber("bob@example.com"), "+5411")];
    let joined = store.recognize(&w, &halves, at(1)).await.unwrap();
    assert_eq!(ids(&joined), ids(&seen));
    assert_eq!(joined[0].key(Doppler), Some("ana@example.com"));
    assert_eq!(joined[0].key(HighLevel), Some("h1"));
    assert_eq!(store.recognize(&w, &halves, at(2)).await.unwrap(), joined);
    assert_eq!(store.contact(&w, joined[1].id).await.unwrap().as_ref(), Some(&joined[1]));
}

pub async fn a_batch_may_hold_both_halves(place: &impl Place) {
    let (store, w) = open(place).await;
    let batch = [subscriber("ana@example.com"), contact("h1", Some("ana@example.com"))];
    let known = store.recognize(&w, &batch, at(0)).await.unwrap();
    assert_eq!(known[0], known[1], "the first answer knows what the second found out");
    assert_eq!(known[0].links.len(), 2);
}

pub async fn what_cannot_be_told_is_kept_apart(place: &impl Place) {
    let (store, w) = open(place).await;
    let twins = [contact("h1", Some("a@example.com")), contact("h2", Some("a@example.com"))];
    store.recognize(&w, &twins, at(0)).await.unwrap();
    store.recognize(&w, &[subscriber("a@example.com")], at(1)).await.unwrap();
    let all = store.contacts_by_email(&w, "a@example.com").await.unwrap();
    assert_eq!(all.len(), 3);
    assert!(all.is_sorted(), "the oldest first");
}

pub async fn a_proof_merges_and_both_ids_answer(place: &impl Place) {
    let (store, w) = open(place).await;
    let old = store.recognize(&w, &[contact("h1", None)], at(0)).await.unwrap()[0].id;
    let young = store.recognize(&w, &[subscriber("a@example.com")], at(1)).await.unwrap()[0].id;
    assert_ne!(old, young);
    let proof = [contact("h1", Some("a@example.com"))];
    let known = store.recognize(&w, &proof, at(2)).await.unwrap().remove(0);
    assert_eq!((known.id, known.links.len()), (old, 2));
    for id in [old, young] {
        assert_eq!(store.contact(&w, id).await.unwrap().as_ref(), Some(&known));
    }
    assert_eq!(store.contacts_by_email(&w, "a@example.com").await.unwrap(), [old]);
    let again = store.recognize(&w, &[subscriber("a@example.com")], at(3)).await.unwrap();
    assert_eq!(again, [known]);
}

pub async fn changes_move_the_lookups(place: &impl Place) {
    let (store, w) = open(place).await;
    let before = with_phone(contact("h1", Some("old@example.com")), "+541");
    let after = with_phone(contact("h1", Some("new@example.com")), "+542");
    let id = store.recognize(&w, &[before], at(0)).await.unwrap()[0].id;
    assert_eq!(store.contacts_by_phone(&w, "+541").await.unwrap(), [id]);
    store.recognize(&w, &[after], at(1)).await.unwrap();
    assert_eq!(store.contacts_by_email(&w, "old@example.com").await.unwrap(), []);
    assert_eq!(store.contacts_by_email(&w, "new@example.com").await.unwrap(), [id]);
    assert_eq!(store.contacts_by_phone(&w, "+541").await.unwrap(), []);
    assert_eq!(store.contacts_by_phone(&w, "+542").await.unwrap(), [id]);
}

pub async fn workspaces_know_nothing_of_each_other(place: &impl Place) {
    let (store, w) = open(place).await;
    let other = WorkspaceId::from("other");
    let made = store.workspace(&other, "Other", at(5)).await.unwrap();
    assert_eq!((made.name.as_str(), made.created_at), ("Other", at(5)));
    let kept = store.workspace(&other, "Renamed", at(6)).await.unwrap();
    assert_eq!(kept, made, "an existing workspace stays as it is");

    let ana = [with_phone(contact("h1", Some("ana@example.com")), "+541")];
    let here = store.recognize(&w, &ana, at(0)).await.unwrap()[0].id;
    assert_eq!(store.contact(&other, here).await.unwrap(), None);
    assert_eq!(store.contacts_by_email(&other, "ana@example.com").await.unwrap(), []);
    assert_eq!(store.contacts_by_phone(&other, "+541").await.unwrap(), []);
    let there = store.recognize(&other, &ana, at(0)).await.unwrap()[0].id;
    assert_ne!(here, there);
    let joined = store.recognize(&other, &[subscriber("ana@example.com")], at(1)).await.unwrap();
    assert_eq!(joined[0].id, there);
}

pub async fn ids_outlive_the_store(place: &impl Place) {
    let people = [contact("h1", Some("ana@example.com")), subscriber("bob@example.com")];
    let (store, w) = open(place).await;
    let before = store.recognize(&w, &people, at(0)).await.unwrap();
    store.close().await;
    assert!(store.ping().await.is_err(), "a closed store says so");
    let (store, _) = open(place).await;
    store.ping().await.unwrap();
    assert_eq!(store.recognize(&w, &people, at(1)).await.unwrap(), before);
    drop(store);
    let (store, _) = open(place).await;
    assert_eq!(store.recognize(&w, &people, at(2)).await.unwrap(), before);
}

pub async fn two_who_see_a_new_person_mint_one_id(place: &impl Place) {
    let (one, w) = open(place).await;
    let (two, _) = open(place).await;
    for round in 0..10 {
        let email = format!("p{round}@example.com");
        let halves = [[subscriber(&email)], [contact(&format!("h{round}"), Some(&email))]];
        let seen = (0..12).map(|n| {
            let (store, half) = (if n % 3 == 0 { &two } else { &one }, &halves[n % 2]);
            store.recognize(&w, half, at(round))
        });
        let all = join_all(seen).await.into_iter().map(|known| known.unwrap()[0].id);
        assert_eq!(all.collect::<HashSet<_>>().len(), 1);
    }
}

pub async fn odd_texts_are_texts(place: &impl Place) {
    let (store, w) = open(place).await;
    let odd = [
        "",
        " ",
        "a\"b",
        "a\\b",
        "'; DROP TABLE link; --",
        "שלום",
        "e\u{301}",
        "é",
        "🙂",
        "[1]",
        "null",
        "7",
        "7.0",
    ];
    let people: Vec<Sighting> = odd.iter().map(|key| contact(key, Some(key))).collect();
    let known = store.recognize(&w, &people, at(0)).await.unwrap();
    assert_eq!(known.iter().map(|k| k.id).collect::<HashSet<_>>().len(), odd.len());
    for (key, known) in odd.iter().zip(&known) {
        assert_eq!(known.key(HighLevel), Some(*key));
        assert_eq!(store.contacts_by_email(&w, key).await.unwrap(), [known.id], "{key:?}");
    }
    assert_eq!(store.recognize(&w, &people, at(1)).await.unwrap(), known);
}

/// A request that is cut off drops its future wherever it stands.
pub async fn a_write_that_was_given_up_harms_nobody(place: &impl Place) {
    let (store, w) = open(place).await;
    for polls in 0..30 {
        let person = [contact(&format!("h{polls}"), None)];
        let mut write = store.recognize(&w, &person, at(polls));
        for _ in 0..polls {
            if (&mut write).now_or_never().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(write);
        let known = store.recognize(&w, &person, at(99)).await.unwrap();
        assert_eq!(store.recognize(&w, &person, at(100)).await.unwrap(), known);
    }
}

/// What is found out does not depend on how the sightings were cut into batches.
pub async fn any_batch_is_as_good_as_one_by_one(place: &impl Place) {
    let (store, w) = open(place).await;
    let other = WorkspaceId::from("other");
    store.workspace(&other, "Other", at(0)).await.unwrap();
    let email = |n: usize| format!("p{}@example.com", n % 7);
    let people: Vec<Sighting> = (0..60)
        .map(|n| match n % 4 {
            0 => subscriber(&email(n)),
            1 => contact(&format!("h{}", n % 9), None),
            2 => with_phone(contact(&format!("h{}", n % 9), Some(&email(n / 3))), "+541"),
            _ => with_phone(subscriber(&email(n / 2)), &format!("+54{}", n % 3)),
        })
        .collect();
    store.recognize(&w, &people, at(0)).await.unwrap();
    for person in &people {
        store.recognize(&other, std::slice::from_ref(person), at(0)).await.unwrap();
    }
    let last: Vec<Sighting> = people
        .iter()
        .enumerate()
        .filter(|(n, p)| !people[n + 1..].iter().any(|q| (q.system, &q.key) == (p.system, &p.key)))
        .map(|(_, person)| person.clone())
        .collect();
    let whole = ids(&store.recognize(&w, &last, at(1)).await.unwrap());
    let single = ids(&store.recognize(&other, &last, at(1)).await.unwrap());
    for (a, b) in (0..last.len()).flat_map(|a| (0..a).map(move |b| (a, b))) {
        assert_eq!(whole[a] == whole[b], single[a] == single[b], "{:?}, {:?}", last[a], last[b]);
    }
}

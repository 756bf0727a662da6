//! People who are about to be created.

use std::sync::Arc;

use futures_util::future::join_all;

use super::{Place, at, contact, ids, open, subscriber, with_phone};
use crate::store::{Reserved, Store};
use crate::unified::{ContactId, WorkspaceId};

const ANA: Option<&str> = Some("ana@example.com");

async fn reserve(
    store: &Arc<dyn Store>,
    w: &WorkspaceId,
    email: Option<&str>,
    phone: Option<&str>,
) -> Reserved {
    store.reserve(w, email, phone, at(1)).await.unwrap()
}

fn minted(reserved: &Reserved) -> ContactId {
    match reserved {
        Reserved::Minted(id) => *id,
        Reserved::Known(_) | Reserved::Ambiguous(_) | Reserved::Erased => panic!("{reserved:?}"),
    }
}

pub async fn fifty_who_ask_at_once_get_one(place: &impl Place) {
    let (one, w) = open(place).await;
    let (two, _) = open(place).await;
    let asked = (0..50).map(|n| {
        let store = if n % 2 == 0 { &one } else { &two };
        store.reserve(&w, ANA, Some("+541"), at(n))
    });
    let got: Vec<Reserved> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
    let first: Vec<_> = got.iter().filter(|got| matches!(got, Reserved::Minted(_))).collect();
    assert_eq!(first.len(), 1, "{got:?}");
    let id = minted(first[0]);
    assert!(
        got.iter().all(|got| matches!(got, Reserved::Minted(i) | Reserved::Known(i) if *i == id))
    );
    assert_eq!(one.counts(&w).await.unwrap().total, 1);
    let known = two.contact(&w, id).await.unwrap().unwrap();
    assert_eq!((known.id, known.links), (id, Vec::new()), "a contact that no system knows yet");
}

pub async fn a_new_person_is_joined_to_who_reserved_them(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = minted(&reserve(&store, &w, ANA, None).await);
    assert_eq!(store.contacts_by_email(&w, "ana@example.com").await.unwrap(), [ana]);
    let seen = [contact("h1", ANA), subscriber("ana@example.com")];
    assert_eq!(ids(&store.recognize(&w, &seen[..1], at(2)).await.unwrap()), [ana]);
    assert_eq!(ids(&store.recognize(&w, &seen[1..], at(3)).await.unwrap()), [ana]);
    assert_eq!(store.contacts_by_email(&w, "ana@example.com").await.unwrap(), [ana]);
    assert_eq!(reserve(&store, &w, ANA, None).await, Reserved::Known(ana));

    let bea = minted(&reserve(&store, &w, None, Some("+542")).await);
    let seen = with_phone(contact("h2", Some("bea@example.com")), "+542");
    assert_eq!(ids(&store.recognize(&w, &[seen], at(4)).await.unwrap()), [bea]);

    let older = ids(&store.recognize(&w, &[contact("h3", None)], at(0)).await.unwrap())[0];
    let carl = minted(&reserve(&store, &w, Some("carl@example.com"), None).await);
    let seen = [contact("h3", Some("carl@example.com"))];
    assert_eq!(ids(&store.recognize(&w, &seen, at(5)).await.unwrap()), [older], "one all along");
    assert_eq!(store.contact(&w, carl).await.unwrap().unwrap().id, older);
    assert_eq!(store.counts(&w).await.unwrap().total, 3);
}

pub async fn an_address_decides_before_a_number(place: &impl Place) {
    let (store, w) = open(place).await;
    let people = [
        with_phone(contact("h1", ANA), "+541"),
        with_phone(contact("h2", None), "+542"),
        contact("h3", Some("twin@example.com")),
        contact("h4", Some("twin@example.com")),
    ];
    let mut known = ids(&store.recognize(&w, &people, at(0)).await.unwrap());
    known[2..].sort_unstable();
    assert_eq!(reserve(&store, &w, ANA, Some("+542")).await, Reserved::Known(known[0]));
    let bea = reserve(&store, &w, Some("bea@example.com"), Some("+541")).await;
    assert!(!known.contains(&minted(&bea)), "one who has another address is another");
    let carl = reserve(&store, &w, Some("carl@example.com"), Some("+542")).await;
    assert_eq!(carl, Reserved::Known(known[1]));
    assert_eq!(reserve(&store, &w, Some("carl@example.com"), None).await, carl, "and has it now");
    let twins = Reserved::Ambiguous(known[2..].to_vec());
    assert_eq!(reserve(&store, &w, Some("twin@example.com"), None).await, twins);
    let other = WorkspaceId::from("other");
    store.workspace(&other, "Other", at(0)).await.unwrap();
    assert!(!known.contains(&minted(&reserve(&store, &other, ANA, None).await)));
    let nobody = minted(&reserve(&store, &w, None, None).await);
    assert_ne!(minted(&reserve(&store, &w, None, None).await), nobody);
}

pub async fn a_reservation_ends_with_its_link(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = minted(&reserve(&store, &w, ANA, None).await);
    store.recognize(&w, &[contact("h1", ANA)], at(2)).await.unwrap();
    store.recognize(&w, &[contact("h1", Some("ana@new.example"))], at(3)).await.unwrap();
    let next = store.recognize(&w, &[contact("h2", ANA)], at(4)).await.unwrap();
    assert_ne!(next[0].id, ana, "her old address is somebody else's now");
}

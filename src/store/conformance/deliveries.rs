//! When deliveries were first seen.

use super::{Place, at, contact, open, subscriber};

fn campaigns(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

pub async fn first_sight_is_kept(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = store.recognize(&w, &[subscriber("ana@example.com")], at(0)).await.unwrap()[0].id;
    let first = store.deliveries_seen(&w, ana, &campaigns(&["1", "2"]), at(1)).await.unwrap();
    assert_eq!(first, [at(1), at(1)]);
    let mixed = campaigns(&["3", "1", "3", "2"]);
    let second = store.deliveries_seen(&w, ana, &mixed, at(2)).await.unwrap();
    assert_eq!(second, [at(2), at(1), at(2), at(1)]);
    assert_eq!(store.deliveries_seen(&w, ana, &mixed, at(3)).await.unwrap(), second);
    assert!(store.deliveries_seen(&w, ana, &[], at(3)).await.unwrap().is_empty());
}

pub async fn a_merge_keeps_the_earliest_sight(place: &impl Place) {
    let (store, w) = open(place).await;
    let old = store.recognize(&w, &[contact("h1", None)], at(0)).await.unwrap()[0].id;
    let young = store.recognize(&w, &[subscriber("a@example.com")], at(1)).await.unwrap()[0].id;
    store.deliveries_seen(&w, young, &campaigns(&["1", "2"]), at(2)).await.unwrap();
    store.deliveries_seen(&w, old, &campaigns(&["1"]), at(3)).await.unwrap();
    store.recognize(&w, &[contact("h1", Some("a@example.com"))], at(4)).await.unwrap();
    for id in [old, young] {
        let seen = store.deliveries_seen(&w, id, &campaigns(&["1", "2"]), at(5)).await.unwrap();
        assert_eq!(seen, [at(2), at(2)]);
    }
}

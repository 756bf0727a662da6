//! Idempotency keys.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::{Place, at, edit, open, person};
use crate::store::{Accept, Attempt, Begun, Retention, Store};
use crate::unified::{EditId, WorkspaceId};

const LEASE: u32 = 60;
const DAY: i64 = 24 * 60 * 60;

fn attempt(key: &str) -> Attempt {
    Attempt {
        client: "ana".to_owned(),
        mutation: "createNote",
        key: key.to_owned(),
        input_hash: "aa".to_owned(),
    }
}

/// Accepts an edit for a claimed key.
async fn accept(store: &Arc<dyn Store>, w: &WorkspaceId, attempt: &Attempt) -> EditId {
    let edit = edit(person(store, w, &attempt.key).await, "vip", 1);
    let accept = Accept { edit: &edit, events: &[], attempt: Some(attempt) };
    store.accept(w, accept, at(1)).await.unwrap();
    edit.id
}

/// What is told `seconds` after a claim.
fn in_flight(seconds: u32) -> Begun {
    let left = Duration::from_secs((LEASE - seconds).into()) + Duration::from_millis(1);
    Begun::InFlight { left }
}

pub async fn the_first_use_decides(place: &impl Place) {
    let (store, w) = open(place).await;
    let first = attempt("k");
    let other_input = Attempt { input_hash: "bb".to_owned(), ..first.clone() };
    assert_eq!(store.begin(&w, &first, at(0), LEASE).await.unwrap(), Begun::Fresh);
    let last = store.begin(&w, &first, at(LEASE.into()), LEASE).await.unwrap();
    assert_eq!(last, Begun::InFlight { left: Duration::from_millis(1) });
    assert_eq!(store.begin(&w, &other_input, at(1), LEASE).await.unwrap(), Begun::Reused);
    let done = Begun::Accepted(accept(&store, &w, &first).await);
    assert_eq!(store.begin(&w, &first, at(DAY - 1), LEASE).await.unwrap(), done);
    assert_eq!(store.begin(&w, &other_input, at(2), LEASE).await.unwrap(), Begun::Reused);
    store.abandon(&w, &first).await.unwrap();
    assert_eq!(store.begin(&w, &first, at(2), LEASE).await.unwrap(), done, "an edit stands");
    drop(store);
    let (store, _) = open(place).await;
    assert_eq!(store.begin(&w, &first, at(2), LEASE).await.unwrap(), done, "a restart too");
}

pub async fn keys_of_others_do_not_clash(place: &impl Place) {
    let (store, w) = open(place).await;
    let other = WorkspaceId::from("other");
    store.workspace(&other, "Other", at(0)).await.unwrap();
    let mine = attempt("k");
    let bobs = Attempt { client: "bob".to_owned(), ..mine.clone() };
    let task = Attempt { mutation: "createTask", ..mine.clone() };
    for (workspace, attempt) in [(&w, &mine), (&w, &bobs), (&w, &task), (&other, &mine)] {
        assert_eq!(store.begin(workspace, attempt, at(0), LEASE).await.unwrap(), Begun::Fresh);
    }
    accept(&store, &w, &mine).await;
    for (workspace, attempt) in [(&w, &bobs), (&w, &task), (&other, &mine)] {
        assert_eq!(store.begin(workspace, attempt, at(1), LEASE).await.unwrap(), in_flight(1));
    }
}

pub async fn a_claim_can_be_given_back(place: &impl Place) {
    let (store, w) = open(place).await;
    store.begin(&w, &attempt("k"), at(0), LEASE).await.unwrap();
    store.abandon(&w, &attempt("k")).await.unwrap();
    let other_input = Attempt { input_hash: "bb".to_owned(), ..attempt("k") };
    assert_eq!(store.begin(&w, &other_input, at(1), LEASE).await.unwrap(), Begun::Fresh);
}

pub async fn a_lapsed_claim_can_be_taken_up(place: &impl Place) {
    let (store, w) = open(place).await;
    let lapsed = i64::from(LEASE) + 1;
    store.begin(&w, &attempt("k"), at(0), LEASE).await.unwrap();
    let unfinished = Begun::Unfinished { since: at(0) };
    let again = store.begin(&w, &attempt("k"), at(lapsed), LEASE).await.unwrap();
    assert_eq!(again, unfinished);
    let soon = store.begin(&w, &attempt("k"), at(lapsed + 1), LEASE).await.unwrap();
    assert_eq!(soon, in_flight(1), "the one who took it up is at it");
    let later = store.begin(&w, &attempt("k"), at(2 * lapsed), LEASE).await.unwrap();
    assert_eq!(later, unfinished, "since the very first use");
    let edit = accept(&store, &w, &attempt("k")).await;
    let done = store.begin(&w, &attempt("k"), at(9 * lapsed), LEASE).await.unwrap();
    assert_eq!(done, Begun::Accepted(edit));
}

pub async fn a_day_later_it_is_forgotten(place: &impl Place) {
    let (store, w) = open(place).await;
    for key in ["a", "b", "c"] {
        store.begin(&w, &attempt(key), at(0), LEASE).await.unwrap();
        accept(&store, &w, &attempt(key)).await;
    }
    let other_input = Attempt { input_hash: "bb".to_owned(), ..attempt("a") };
    assert_eq!(store.begin(&w, &other_input, at(DAY), LEASE).await.unwrap(), Begun::Fresh);
    assert_eq!(store.begin(&w, &other_input, at(DAY + 1), LEASE).await.unwrap(), in_flight(1));
    let retention = Retention { events_before: at(0), bodies_before: at(0) };
    assert_eq!(store.prune(at(DAY - 1), retention).await.unwrap(), 0);
    assert_eq!(
        store.prune(at(DAY), retention).await.unwrap(),
        2,
        "the key in use again is not old"
    );
    assert_eq!(store.begin(&w, &other_input, at(DAY + 1), LEASE).await.unwrap(), in_flight(1));
}

pub async fn one_of_many_gets_the_key(place: &impl Place) {
    let (one, w) = open(place).await;
    let (two, _) = open(place).await;
    let key = attempt("k");
    let begun = join_all(
        (0..12).map(|n| (if n % 2 == 0 { &one } else { &two }).begin(&w, &key, at(n), LEASE)),
    );
    let begun: Vec<Begun> = begun.await.into_iter().map(Result::unwrap).collect();
    assert_eq!(begun.iter().filter(|begun| **begun == Begun::Fresh).count(), 1, "{begun:?}");
    assert_eq!(
        begun.iter().filter(|begun| matches!(begun, Begun::InFlight { .. })).count(),
        11,
        "{begun:?}"
    );
}

//! Last known copies.

use super::{Place, at, open};
use crate::store::{Copy, CopyKey};
use crate::unified::System::{Doppler, HighLevel};
use crate::unified::WorkspaceId;

fn key(key: &str) -> CopyKey {
    CopyKey { system: HighLevel, kind: "contact", key: key.to_owned() }
}

fn copy(of: &str, body: Option<&str>, seconds: i64) -> Copy {
    Copy { key: key(of), body: body.map(str::to_owned), fetched_at: at(seconds) }
}

pub async fn the_newest_copy_stays(place: &impl Place) {
    let (store, w) = open(place).await;
    store.put_copies(&w, &[]).await.unwrap();
    store.put_copies(&w, &[copy("h1", Some("second"), 2)]).await.unwrap();
    store.put_copies(&w, &[copy("h1", Some("first"), 1)]).await.unwrap();
    assert_eq!(store.copies(&w, &[key("h1")]).await.unwrap(), [copy("h1", Some("second"), 2)]);
    let batch =
        [copy("h1", Some("third"), 3), copy("h1", Some("fifth"), 5), copy("h1", Some("fourth"), 4)];
    store.put_copies(&w, &batch).await.unwrap();
    assert_eq!(store.copies(&w, &[key("h1")]).await.unwrap(), [copy("h1", Some("fifth"), 5)]);
}

pub async fn absence_is_remembered(place: &impl Place) {
    let (store, w) = open(place).await;
    store.put_copies(&w, &[copy("h1", Some("there"), 1), copy("h1", None, 2)]).await.unwrap();
    let found = store.copies(&w, &[key("h1"), key("never seen")]).await.unwrap();
    assert_eq!(found, [copy("h1", None, 2)]);
    assert_eq!(store.copies(&w, &[]).await.unwrap(), []);
}

pub async fn many_copies_at_once(place: &impl Place) {
    let (store, w) = open(place).await;
    let body = "x".repeat(2_000);
    let copies: Vec<Copy> = (0..450).map(|n| copy(&n.to_string(), Some(&body), n)).collect();
    store.put_copies(&w, &copies).await.unwrap();
    let keys: Vec<CopyKey> = copies.iter().map(|copy| copy.key.clone()).collect();
    let mut found = store.copies(&w, &keys).await.unwrap();
    found.sort_by_key(|copy| copy.fetched_at);
    assert_eq!(found, copies);
}

pub async fn copies_of_odd_things(place: &impl Place) {
    let (store, w) = open(place).await;
    let texts =
        ["", "a\"b\\c", "{\"a\":[1,null]}", "שלום\u{202e}", "🙂\n\t", "e\u{301}", "'); --", "1.0"];
    let copies: Vec<Copy> = texts.iter().map(|text| copy(text, Some(text), 1)).collect();
    store.put_copies(&w, &copies).await.unwrap();
    for copy in copies {
        assert_eq!(store.copies(&w, std::slice::from_ref(&copy.key)).await.unwrap(), [copy]);
    }
}

pub async fn copies_are_a_workspaces_own(place: &impl Place) {
    let (store, w) = open(place).await;
    let other = WorkspaceId::from("other");
    store.workspace(&other, "Other", at(0)).await.unwrap();
    store.put_copies(&w, &[copy("h1", Some("here"), 1)]).await.unwrap();
    assert_eq!(store.copies(&other, &[key("h1")]).await.unwrap(), []);
    let notes = CopyKey { kind: "notes", ..key("h1") };
    let doppler = CopyKey { system: Doppler, ..key("h1") };
    assert_eq!(store.copies(&w, &[notes, doppler]).await.unwrap(), []);
}

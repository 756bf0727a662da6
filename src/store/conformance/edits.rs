//! Accepted edits.

use futures_util::future::join_all;

use super::{Place, accept, at, claim_only, contact, edit, event, open, pair, person, write_of};
use crate::store::{
    Accept, Accepted, Attempt, Begun, EditOutcome, EventFilter, Events, Priority, Record,
    Retention, Span,
};
use crate::unified::EventKind::{Planned, Received};
use crate::unified::System::{Doppler, HighLevel};
use crate::unified::WriteOutcome::{Applied, Queued};

fn attempt() -> Attempt {
    Attempt {
        client: "ana".to_owned(),
        mutation: "addTags",
        key: "k".to_owned(),
        input_hash: "aa".to_owned(),
    }
}

pub async fn an_accepted_edit_is_all_there(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = person(&store, &w, "h1").await;
    let edit = edit(ana, "vip", 1);
    let events = [event(Received, Some(ana)), event(Planned, Some(ana))];
    assert_eq!(store.begin(&w, &attempt(), at(1), 60).await.unwrap(), Begun::Fresh);
    let accept = Accept { edit: &edit, events: &events, attempt: Some(&attempt()) };
    let stored = store.accept(&w, accept, at(1)).await.unwrap();
    assert_eq!(stored, Accepted::Stored { contact: ana, last_cursor: Some(2) });
    store.close().await;

    let (store, _) = open(place).await;
    assert_eq!(store.edit(&w, edit.id).await.unwrap().as_ref(), Some(&edit));
    let sheet = store.sheet(&w, ana).await.unwrap().unwrap();
    assert_eq!(sheet.known.id, ana);
    assert_eq!(sheet.edits, std::slice::from_ref(&edit));
    let begun = store.begin(&w, &attempt(), at(2), 60).await.unwrap();
    assert_eq!(begun, Begun::Accepted(edit.id));
    let found = store.events(&w, Span::After(None), &EventFilter::default(), 9).await.unwrap();
    let Events::Found { events: found, .. } = found else { panic!("{found:?}") };
    assert_eq!(found.iter().map(|e| e.draft.clone()).collect::<Vec<_>>(), events);
    let lease = claim_only(&store, 2).await;
    assert_eq!((lease.key, lease.priority), (ana.to_string(), Priority::Client));
}

pub async fn a_key_is_tied_to_the_first_edit(place: &impl Place) {
    let (one, w) = open(place).await;
    let (two, _) = open(place).await;
    let ana = person(&one, &w, "h1").await;
    one.begin(&w, &attempt(), at(1), 0).await.unwrap();
    let edits: Vec<_> = (0..6).map(|n| edit(ana, "vip", n)).collect();
    let key = attempt();
    let accepted = edits.iter().enumerate().map(|(n, edit)| {
        let accept = Accept { edit, events: &[], attempt: Some(&key) };
        (if n % 2 == 0 { &one } else { &two }).accept(&w, accept, at(2))
    });
    let accepted: Vec<_> = join_all(accepted).await.into_iter().map(Result::unwrap).collect();
    let sheet = one.sheet(&w, ana).await.unwrap().unwrap();
    assert_eq!(sheet.edits.len(), 1, "one of them came first: {accepted:?}");
    let first = sheet.edits[0].id;
    let others = accepted.iter().filter(|a| **a == Accepted::Before(first)).count();
    assert_eq!(others, 5, "{accepted:?}");
    one.abandon(&w, &key).await.unwrap();
    assert_eq!(one.begin(&w, &key, at(3), 0).await.unwrap(), Begun::Accepted(first));
}

pub async fn an_edit_is_done_when_nothing_is_queued(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = person(&store, &w, "h1").await;
    let edits = [edit(ana, "first", 1), edit(ana, "second", 2)];
    for edit in &edits {
        accept(&store, &w, edit).await;
    }
    let sheet = store.sheet(&w, ana).await.unwrap().unwrap();
    assert_eq!(sheet.edits, edits, "the oldest first");
    let half = vec![write_of(HighLevel, Applied), write_of(Doppler, Queued)];
    for (writes, left) in [(half, 2), (vec![write_of(HighLevel, Applied)], 1)] {
        let lease = claim_only(&store, 9).await;
        let result = (left == 2).then(|| "n1".to_owned());
        let outcome =
            EditOutcome { edit: edits[0].id, writes: writes.clone(), result, errors: Vec::new() };
        let next = crate::store::Next::Again(at(9));
        let record = Record { edits: vec![outcome], next, ..Record::default() };
        store.record(&lease, record, at(9)).await.unwrap();
        assert_eq!(store.sheet(&w, ana).await.unwrap().unwrap().edits.len(), left);
        let stored = store.edit(&w, edits[0].id).await.unwrap().unwrap();
        assert_eq!(stored.writes, writes);
        assert_eq!(stored.result.as_deref(), Some("n1"), "a result that was known stays");
    }
}

pub async fn an_edit_of_a_merged_contact_is_the_survivors(place: &impl Place) {
    let (store, w) = open(place).await;
    let known = pair(&store, &w).await;
    let before = edit(known[1], "before", 1);
    accept(&store, &w, &before).await;
    store.recognize(&w, &[contact("h1", Some("ana@example.com"))], at(2)).await.unwrap();
    let after = edit(known[1], "after", 3);
    assert_eq!(accept(&store, &w, &after).await, known[0]);
    let sheet = store.sheet(&w, known[1]).await.unwrap().unwrap();
    assert_eq!(sheet.known.id, known[0]);
    let about: Vec<_> = sheet.edits.iter().map(|edit| (edit.id, edit.contact)).collect();
    assert_eq!(about, [(before.id, known[0]), (after.id, known[0])]);
    assert_eq!(claim_only(&store, 4).await.key, known[0].to_string());
}

pub async fn an_edit_is_forgotten_later_than_its_key(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = person(&store, &w, "h1").await;
    let (done, open_edit) = (edit(ana, "done", 0), edit(ana, "open", 0));
    accept(&store, &w, &done).await;
    accept(&store, &w, &open_edit).await;
    let lease = claim_only(&store, 1).await;
    let writes = vec![write_of(HighLevel, Applied)];
    let outcome = EditOutcome { edit: done.id, writes, result: None, errors: Vec::new() };
    let record = Record { edits: vec![outcome], ..Record::default() };
    store.record(&lease, record, at(1)).await.unwrap();
    let day = 24 * 60 * 60;
    for (seconds, there) in [(day, true), (day + 2, false)] {
        let retention = Retention { events_before: at(0), bodies_before: at(seconds) };
        store.prune(at(seconds), retention).await.unwrap();
        assert_eq!(store.edit(&w, done.id).await.unwrap().is_some(), there);
        assert!(store.edit(&w, open_edit.id).await.unwrap().is_some(), "not done");
    }
}

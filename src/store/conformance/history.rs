//! The history and its cursors.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;

use super::{Place, accept, at, claim, edit, event, open, person};
use crate::store::{EventFilter, Events, Record, Retention, Span, Store};
use crate::unified::EventKind::{Held, Received, Written};
use crate::unified::System::{Doppler, HighLevel};
use crate::unified::{EventDraft, WorkspaceId};

async fn cursors(
    store: &Arc<dyn Store>,
    w: &WorkspaceId,
    (span, filter): (Span, &EventFilter),
    limit: u32,
) -> (Vec<i64>, i64, bool) {
    match store.events(w, span, filter, limit).await.unwrap() {
        Events::Found { events, searched, more } => {
            (events.iter().map(|event| event.cursor).collect(), searched, more)
        }
        Events::Expired { oldest } => panic!("expired before {oldest}"),
    }
}

pub async fn cursors_count_up_and_filters_hold(place: &impl Place) {
    let (store, w) = open(place).await;
    let other = WorkspaceId::from("other");
    store.workspace(&other, "Other", at(0)).await.unwrap();
    let ana = person(&store, &w, "h1").await;
    let run = Some(uuid::Uuid::from_u128(7));
    let drafts = [
        event(Received, Some(ana)),
        EventDraft {
            system: Some(Doppler),
            fields: vec!["tags".to_owned()],
            ..event(Written, Some(ana))
        },
        EventDraft { system: Some(HighLevel), attempt: Some(2), ..event(Written, None) },
        EventDraft { run, code: Some("CONFLICT".to_owned()), ..event(Held, None) },
    ];
    assert_eq!(store.append(&w, &drafts[..2], at(1)).await.unwrap(), 2);
    assert_eq!(store.append(&other, &drafts[..1], at(1)).await.unwrap(), 1);
    assert_eq!(store.append(&w, &drafts[2..], at(2)).await.unwrap(), 4);
    assert_eq!(store.append(&w, &[], at(3)).await.unwrap(), 4);
    assert_eq!(store.last_cursor(&w).await.unwrap(), 4);
    assert_eq!(store.last_cursor(&WorkspaceId::from("none")).await.unwrap(), 0);

    let all = EventFilter::default();
    let Events::Found { events, .. } = store.events(&w, Span::After(None), &all, 9).await.unwrap()
    else {
        panic!("nothing is forgotten yet")
    };
    assert_eq!(events.iter().map(|e| e.draft.clone()).collect::<Vec<_>>(), drafts);
    assert_eq!(events.iter().map(|e| e.at).collect::<Vec<_>>(), [at(1), at(1), at(2), at(2)]);
    for (filter, wanted) in [
        (EventFilter { kinds: Some(vec![Written, Held]), ..all.clone() }, vec![2, 3, 4]),
        (EventFilter { systems: Some(vec![Doppler]), ..all.clone() }, vec![2]),
        (EventFilter { contact: Some(ana), ..all.clone() }, vec![1, 2]),
        (EventFilter { run, ..all.clone() }, vec![4]),
        (EventFilter { since: Some(at(2)), ..all.clone() }, vec![3, 4]),
        (EventFilter { kinds: Some(vec![Written]), contact: Some(ana), ..all.clone() }, vec![2]),
        (EventFilter { kinds: Some(Vec::new()), ..all.clone() }, vec![]),
    ] {
        let found = cursors(&store, &w, (Span::After(None), &filter), 9).await;
        assert_eq!(found, (wanted.clone(), 4, false), "{filter:?}");
        let found = cursors(&store, &w, (Span::Before(None), &filter), 9).await.0;
        assert_eq!(found, wanted.into_iter().rev().collect::<Vec<_>>(), "{filter:?}");
    }
    let after = |cursor| (Span::After(Some(cursor)), &all);
    assert_eq!(cursors(&store, &w, after(1), 2).await, (vec![2, 3], 3, true));
    assert_eq!(cursors(&store, &w, after(3), 2).await, (vec![4], 4, false));
    assert_eq!(cursors(&store, &w, after(4), 2).await, (vec![], 4, false));
    let before = |cursor| (Span::Before(Some(cursor)), &all);
    assert_eq!(cursors(&store, &w, before(4), 2).await, (vec![3, 2], 2, true));
    assert_eq!(cursors(&store, &w, before(2), 2).await, (vec![1], 1, false));
}

/// Many write through two stores, in transactions of different length, while one reads on from
/// where it is.
pub async fn whoever_reads_on_misses_nothing(place: &impl Place) {
    const EACH: i64 = 12;
    let stores = [open(place).await.0, open(place).await.0];
    let (reader, w) = open(place).await;
    let people = join_all((0..6).map(|n| {
        let (store, w) = (&stores[0], &w);
        async move { person(store, w, &format!("h{n}")).await }
    }));
    let people = people.await;
    let done = AtomicBool::new(false);
    let writer = |n: usize| {
        let (store, w, ana) = (&stores[n % 2], &w, people[n]);
        async move {
            for round in 0..EACH {
                let told = vec![event(Received, Some(ana)); n % 3 + 1];
                if n < 3 {
                    store.append(w, &told, at(round)).await.unwrap();
                } else {
                    accept(store, w, &edit(ana, "vip", round)).await;
                    for lease in claim(store, 99, 1).await {
                        let events = vec![event(Written, Some(ana)), event(Written, Some(ana))];
                        let record = Record { events, ..Record::default() };
                        store.record(&lease, record, at(round)).await.unwrap();
                    }
                }
            }
        }
    };
    let read = async {
        let mut seen = Vec::new();
        loop {
            let is_over = done.load(Ordering::Acquire);
            let after = Some(seen.last().copied().unwrap_or(0));
            let span = (Span::After(after), &EventFilter::default());
            let (found, searched, _) = cursors(&reader, &w, span, 7).await;
            seen.extend(found);
            assert_eq!(seen.last().copied().unwrap_or(0), searched);
            if is_over && searched == reader.last_cursor(&w).await.unwrap() {
                return seen;
            }
            tokio::task::yield_now().await;
        }
    };
    let write = async {
        join_all((0..6).map(writer)).await;
        done.store(true, Ordering::Release);
    };
    let (seen, ()) = futures_util::join!(read, write);
    let last = reader.last_cursor(&w).await.unwrap();
    assert!(last >= EACH * 6, "{last}");
    assert_eq!(seen, (1..=last).collect::<Vec<_>>(), "each once and in order");
}

pub async fn what_is_forgotten_is_said_to_be(place: &impl Place) {
    let (store, w) = open(place).await;
    for n in 0..6 {
        store.append(&w, &[event(Received, None)], at(n)).await.unwrap();
    }
    let prune = |seconds| {
        let retention = Retention { events_before: at(seconds), bodies_before: at(0) };
        store.prune(at(0), retention)
    };
    assert_eq!(prune(0).await.unwrap(), 0);
    assert_eq!(prune(3).await.unwrap(), 3);
    let all = EventFilter::default();
    let expired = store.events(&w, Span::After(Some(2)), &all, 9).await.unwrap();
    assert_eq!(expired, Events::Expired { oldest: 4 });
    for span in [Span::After(None), Span::After(Some(3))] {
        assert_eq!(cursors(&store, &w, (span, &all), 9).await.0, [4, 5, 6]);
    }
    assert_eq!(cursors(&store, &w, (Span::Before(None), &all), 9).await.0, [6, 5, 4]);
    assert_eq!(prune(99).await.unwrap(), 3);
    assert_eq!(cursors(&store, &w, (Span::After(Some(6)), &all), 9).await, (vec![], 6, false));
    let expired = store.events(&w, Span::After(Some(5)), &all, 9).await.unwrap();
    assert_eq!(expired, Events::Expired { oldest: 7 });
    assert_eq!(store.append(&w, &[event(Received, None)], at(9)).await.unwrap(), 7);
    assert_eq!(cursors(&store, &w, (Span::After(Some(6)), &all), 9).await.0, [7]);
}

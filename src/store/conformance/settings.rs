//! Mapping, sync settings and counts.

use super::record::failure;
use super::{Place, accept, at, claim, edit, event, holds, mark, open, person};
use crate::store::{
    Counts, EventFilter, Events, Mark, Next, Priority, Put, Record, Span, StoredMapping,
};
use crate::unified::EventKind::{Held, SettingsChanged};
use crate::unified::System::Doppler;
use crate::unified::{SyncSettings, SyncState};

pub async fn a_mapping_is_not_overwritten_unseen(place: &impl Place) {
    let (store, w) = open(place).await;
    let told = event(SettingsChanged, None);
    let put = async |revision, body: &str| {
        let mapping = StoredMapping { revision, body: body.to_owned() };
        store.put_mapping(&w, &mapping, &told, at(1)).await.unwrap()
    };
    assert_eq!(store.mapping(&w).await.unwrap(), None);
    assert_eq!(put(3, "{}").await, Put::Stale(0));
    assert_eq!(put(0, "[1]").await, Put::Stored(1));
    assert_eq!(put(0, "[2]").await, Put::Stale(1));
    assert_eq!(put(1, "[2]").await, Put::Stored(2));
    assert_eq!(put(1, "[3]").await, Put::Stale(2));
    let stored = store.mapping(&w).await.unwrap();
    assert_eq!(stored, Some(StoredMapping { revision: 2, body: "[2]".to_owned() }));
    assert_eq!(store.last_cursor(&w).await.unwrap(), 2, "what was refused is not told");
}

pub async fn sync_settings_are_kept(place: &impl Place) {
    let (store, w) = open(place).await;
    assert_eq!(store.sync_settings(&w).await.unwrap(), SyncSettings::default());
    let settings = SyncSettings {
        state: SyncState::Running,
        paused_to_doppler: true,
        paused_to_highlevel: false,
        paused_fields: vec!["phone".to_owned()],
        changed_at: Some(at(1)),
    };
    let told = event(SettingsChanged, None);
    store.put_sync_settings(&w, &settings, &told, at(1)).await.unwrap();
    store.close().await;
    let (store, _) = open(place).await;
    assert_eq!(store.sync_settings(&w).await.unwrap(), settings);
    let found = store.events(&w, Span::After(None), &EventFilter::default(), 9).await.unwrap();
    let Events::Found { events, .. } = found else { panic!("{found:?}") };
    assert_eq!(events[0].draft, told);
}

pub async fn everybody_is_counted_once(place: &impl Place) {
    let (store, w) = open(place).await;
    assert_eq!(store.counts(&w).await.unwrap(), Counts::default());
    let mut people = Vec::new();
    for n in 0..6 {
        people.push(person(&store, &w, &format!("h{n}")).await);
    }
    let all = Counts { in_sync: 6, total: 6, ..Counts::default() };
    assert_eq!(store.counts(&w).await.unwrap(), all);
    mark(&store, &w, "no contact", 0).await;
    let marks: Vec<_> =
        people[..4].iter().map(|id| Mark::contact(*id, Priority::Live, at(1))).collect();
    store.mark(&w, &marks).await.unwrap();
    for (n, about) in [&people[2..4], &people[4..5]].into_iter().enumerate() {
        let hold = holds::hold(Some(about[0]), about, n as u128 + 1);
        store.open_hold(&w, &hold, &event(Held, None)).await.unwrap();
    }
    let ana = people[3];
    accept(&store, &w, &edit(ana, "vip", 1)).await;
    let leases = claim(&store, 2, 9).await;
    let lease = leases.iter().find(|lease| lease.key == ana.to_string()).unwrap();
    let failures = vec![failure(ana, Doppler)];
    let next = Next::Retry { at: at(99), error: "down".to_owned() };
    store.record(lease, Record { failures, next, ..Record::default() }, at(2)).await.unwrap();
    let counts = Counts { in_sync: 1, pending: 2, held: 2, failed: 1, total: 6 };
    assert_eq!(store.counts(&w).await.unwrap(), counts);
}

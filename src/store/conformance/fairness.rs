//! Who comes first.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{POLL, Place, at, claim, open, run_sync};
use crate::store::{Mark, Priority, Record, Store};
use crate::unified::{SyncState, WorkspaceId};

async fn marked(
    store: &Arc<dyn Store>,
    w: &WorkspaceId,
    priority: Priority,
    keys: impl IntoIterator<Item = String>,
) {
    let mark = |key| Mark { kind: POLL, key, priority, due: at(0) };
    store.mark(w, &keys.into_iter().map(mark).collect::<Vec<_>>()).await.unwrap();
}

pub async fn the_most_urgent_comes_first(place: &impl Place) {
    let (store, w) = open(place).await;
    run_sync(&store, &w, SyncState::Running).await;
    let three = [Priority::Backfill, Priority::Client, Priority::Live];
    for (priority, name) in three.into_iter().zip(["b", "c", "l"]) {
        marked(&store, &w, priority, (0..3).map(|n| format!("{name}{n}"))).await;
    }
    let got: Vec<_> = claim(&store, 1, 7).await.into_iter().map(|lease| lease.priority).collect();
    let mut wanted = vec![Priority::Client; 3];
    wanted.extend([Priority::Live, Priority::Live, Priority::Live, Priority::Backfill]);
    assert_eq!(got, wanted);
}

pub async fn only_clients_are_served_while_sync_rests(place: &impl Place) {
    let (store, w) = open(place).await;
    marked(&store, &w, Priority::Live, ["live".to_owned(), "both".to_owned()]).await;
    marked(&store, &w, Priority::Client, ["client".to_owned(), "both".to_owned()]).await;
    for state in [SyncState::NotSetUp, SyncState::Preview, SyncState::Paused] {
        run_sync(&store, &w, state).await;
        let leases = claim(&store, 1, 9).await;
        let mut keys: Vec<_> = leases.iter().map(|lease| lease.key.as_str()).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["both", "client"], "{state:?}");
        for lease in &leases {
            assert!(store.give_back(lease).await.unwrap());
        }
    }
    run_sync(&store, &w, SyncState::Running).await;
    assert_eq!(claim(&store, 1, 9).await.len(), 3, "what was marked meanwhile was kept");
}

pub async fn workspaces_take_turns(place: &impl Place) {
    let (store, _) = open(place).await;
    let mut left = BTreeMap::new();
    for (name, count) in [("large", 90), ("middle", 30), ("small", 2)] {
        let w = WorkspaceId::from(name);
        store.workspace(&w, name, at(0)).await.unwrap();
        run_sync(&store, &w, SyncState::Running).await;
        marked(&store, &w, Priority::Live, (0..count).map(|n| format!("k{n}"))).await;
        left.insert(name.to_owned(), count);
    }
    let mut claims = 0;
    while left.values().any(|count| *count > 0) {
        let leases = claim(&store, 1, 6).await;
        let mut got: BTreeMap<String, i32> = BTreeMap::new();
        for lease in &leases {
            *got.entry(lease.workspace.to_string()).or_default() += 1;
            store.record(lease, Record::default(), at(1)).await.unwrap();
        }
        let waiting = left.values().filter(|count| **count > 0).count();
        let total: i32 = left.values().sum();
        assert_eq!(i32::try_from(leases.len()).unwrap(), total.min(6), "no turn is wasted");
        for (name, count) in &mut left {
            let got = got.get(name).copied().unwrap_or_default();
            let share = 6 / i32::try_from(waiting).unwrap();
            assert!(got >= share.min(*count), "{name} got {got} of {count} in claim {claims}");
            *count -= got;
        }
        claims += 1;
    }
    assert_eq!(claims, 21, "122 pieces of work, six at a time");

    let mut first = std::collections::HashSet::new();
    for name in ["large", "middle", "small"] {
        marked(&store, &WorkspaceId::from(name), Priority::Live, ["again".to_owned()]).await;
    }
    for n in 0u128..9 {
        let token = uuid::Uuid::from_u128(n + 1);
        let claim = crate::store::Claim { token, ..super::a_claim(1, 1) };
        let leases = store.claim(&claim).await.unwrap().leases;
        first.insert(leases[0].workspace.clone());
        store.give_back(&leases[0]).await.unwrap();
    }
    assert_eq!(first.len(), 3, "nobody is always the last");
}

pub async fn nobody_gets_more_than_there_is_room_for(place: &impl Place) {
    let (store, _) = open(place).await;
    for (name, priority, count) in [
        ("large", Priority::Live, 90),
        ("small", Priority::Backfill, 5),
        ("full", Priority::Client, 5),
        ("elsewhere", Priority::Client, 5),
    ] {
        let w = WorkspaceId::from(name);
        store.workspace(&w, name, at(0)).await.unwrap();
        run_sync(&store, &w, SyncState::Running).await;
        marked(&store, &w, priority, (0..count).map(|n| format!("k{n}"))).await;
    }
    // More urgent work of the same workspace takes of the same room.
    marked(&store, &"small".into(), Priority::Live, ["urgent".to_owned()]).await;
    let rooms: HashMap<WorkspaceId, u32> =
        [("large", 4), ("small", 3), ("full", 0)].map(|(name, room)| (name.into(), room)).into();
    let claim = crate::store::Claim { rooms: Some(&rooms), ..super::a_claim(1, 50) };
    let mut got: BTreeMap<String, Vec<Priority>> = BTreeMap::new();
    for lease in store.claim(&claim).await.unwrap().leases {
        got.entry(lease.workspace.to_string()).or_default().push(lease.priority);
    }
    let backfill = [Priority::Live, Priority::Backfill, Priority::Backfill];
    assert_eq!(
        got,
        BTreeMap::from([
            ("large".to_owned(), vec![Priority::Live; 4]),
            ("small".to_owned(), backfill.to_vec()),
        ])
    );
}

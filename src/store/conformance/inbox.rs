//! What came in and waits.

use chrono::TimeDelta;

use super::{Place, at, event, open, person};
use crate::store::{
    Arrival, CONTACT, Claim, INBOX, Lease, LookedAt, Mark, Priority, Record, Recorded, Retention,
    Store,
};
use crate::unified::EventKind;

fn arrival(id: &str) -> Arrival {
    let body = format!(r#"{{"webhookId":"{id}"}}"#);
    Arrival { id: id.to_owned(), kind: "ContactUpdate".to_owned(), body, late: false }
}

async fn claim(store: &std::sync::Arc<dyn Store>, kind: &'static str, seconds: i64) -> Vec<Lease> {
    let claim = Claim { kinds: &[kind], ..super::a_claim(seconds, 10) };
    store.claim(&claim).await.unwrap().leases
}

pub async fn what_comes_again_is_no_news(place: &impl Place) {
    let (store, w) = open(place).await;
    let first = [arrival("b"), arrival("a"), arrival("b")];
    assert_eq!(store.receive(&w, &first, at(1)).await.unwrap(), [true, true, false]);
    let second = [arrival("a"), arrival("c")];
    assert_eq!(store.receive(&w, &second, at(2)).await.unwrap(), [false, true]);
    assert!(store.receive(&w, &[], at(2)).await.unwrap().is_empty());
    let waiting = store.waiting(&w, None, 10).await.unwrap();
    assert_eq!(waiting, [arrival("a"), arrival("b"), arrival("c")]);
    assert_eq!(store.waiting(&w, None, 1).await.unwrap(), [arrival("a")]);
    assert_eq!(store.waiting(&w, Some("a"), 1).await.unwrap(), [arrival("b")]);
    assert_eq!(store.waiting(&w, Some("b"), 9).await.unwrap(), [arrival("c")]);
    assert_eq!(store.waiting(&w, Some("c"), 9).await.unwrap(), []);
    let other = crate::unified::WorkspaceId::from("other");
    store.workspace(&other, "Other", at(0)).await.unwrap();
    assert_eq!(store.receive(&other, &[arrival("a")], at(3)).await.unwrap(), [true]);
    assert_eq!(store.waiting(&other, None, 10).await.unwrap().len(), 1);
}

pub async fn what_was_looked_at_is_marked_at_once(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = person(&store, &w, "h1").await;
    let late = Arrival { late: true, ..arrival("a\u{0}'\u{1F600}") };
    store.receive(&w, &[late, arrival("b")], at(1)).await.unwrap();
    let lease = claim(&store, INBOX, 2).await.remove(0);
    assert_eq!(lease.key, "HIGHLEVEL");
    // Its id is as the database holds it.
    let waiting = store.waiting(&w, None, 10).await.unwrap();
    assert!(waiting.iter().any(|one| one.late));
    let ids: Vec<String> = waiting.into_iter().map(|one| one.id).collect();
    let marks = [Mark::contact(ana, Priority::Live, at(2))];
    super::run_sync(&store, &w, crate::unified::SyncState::Running).await;
    assert!(claim(&store, CONTACT, 3).await.is_empty());
    let told_before = store.last_cursor(&w).await.unwrap();
    let told = [event(EventKind::UpstreamChanged, None)];
    let looked = LookedAt { ids: &ids[..1], marks: &marks, events: &told, ..LookedAt::default() };
    assert!(store.looked_at(&lease, looked, at(3)).await.unwrap());
    assert_eq!(store.last_cursor(&w).await.unwrap(), told_before + 1);
    assert_eq!(store.waiting(&w, None, 10).await.unwrap().len(), 1);
    assert_eq!(claim(&store, CONTACT, 3).await[0].key, ana.to_string());
    store.receive(&w, &[arrival("c")], at(3)).await.unwrap();
    let ended = store.record(&lease, Record::default(), at(4)).await.unwrap();
    assert!(matches!(ended, Recorded::Stored { .. }));
    assert_eq!(claim(&store, INBOX, 5).await.len(), 1, "what came meanwhile is still to be done");
    let late = LookedAt { ids: &ids, events: &told, ..LookedAt::default() };
    let stored = store.looked_at(&lease, late, at(5)).await.unwrap();
    assert!(!stored, "somebody else has the lease");
    assert_eq!(store.last_cursor(&w).await.unwrap(), told_before + 1);
    assert_eq!(store.waiting(&w, None, 10).await.unwrap().len(), 2);
}

pub async fn words_are_forgotten_before_ids(place: &impl Place) {
    let (store, w) = open(place).await;
    store.receive(&w, &[arrival("a"), arrival("waits")], at(0)).await.unwrap();
    let lease = claim(&store, INBOX, 1).await.remove(0);
    let looked = LookedAt { ids: &["a".to_owned()], ..LookedAt::default() };
    assert!(store.looked_at(&lease, looked, at(1)).await.unwrap());
    let prune = async |now| {
        let retention = Retention { events_before: at(0), bodies_before: at(0) };
        store.prune(now, retention).await.unwrap()
    };
    assert_eq!(prune(at(0) + TimeDelta::days(6)).await, 0);
    assert_eq!(store.waiting(&w, None, 9).await.unwrap().len(), 1);
    // Also what nobody could look at in all this time, which is about a person all the same.
    assert_eq!(prune(at(0) + TimeDelta::days(8)).await, 2);
    assert_eq!(store.waiting(&w, None, 9).await.unwrap(), []);
    assert_eq!(place.find(&arrival("waits").body).await, Vec::<String>::new());
    assert_eq!(prune(at(0) + TimeDelta::days(30)).await, 0);
    let both = [arrival("a"), arrival("waits")];
    assert_eq!(store.receive(&w, &both, at(9)).await.unwrap(), [false, false]);
    assert_eq!(prune(at(0) + TimeDelta::days(32)).await, 2);
    assert_eq!(store.receive(&w, &both, at(9)).await.unwrap(), [true, true]);
}

//! What polls remember.

use super::{Place, at, open, person, run_sync};
use crate::store::{CONTACT, Claim, Lease, Mark, POLL, Priority, Step, Store, Version};
use crate::unified::System::{Doppler, HighLevel};
use crate::unified::{SyncState, WorkspaceId};

fn version(key: &str, version: &str) -> Version {
    (key.to_owned(), version.to_owned())
}

async fn lease(store: &std::sync::Arc<dyn Store>, w: &WorkspaceId, seconds: i64) -> Lease {
    let key = HighLevel.as_str().to_owned();
    let mark = Mark { kind: POLL, key, priority: Priority::Live, due: at(seconds) };
    store.mark(w, &[mark]).await.unwrap();
    let claim = Claim { kinds: &[POLL], ..super::a_claim(seconds, 10) };
    store.claim(&claim).await.unwrap().leases.remove(0)
}

pub async fn a_page_is_remembered_whole(place: &impl Place) {
    let (store, w) = open(place).await;
    run_sync(&store, &w, SyncState::Running).await;
    let ana = person(&store, &w, "h1").await;
    let lease = lease(&store, &w, 1).await;
    assert_eq!(store.position(&w, HighLevel).await.unwrap(), None);
    let page = [version("h1", "1"), version("h2", "1"), version("h1", "2")];
    assert_eq!(store.unseen(&w, HighLevel, &page).await.unwrap(), [true; 3]);
    let marks = [Mark::contact(ana, Priority::Backfill, at(1))];
    let step = Step { system: HighLevel, seen: &page, position: r#"{"page":2}"#, marks: &marks };
    assert!(store.step(&lease, step).await.unwrap());
    assert_eq!(store.position(&w, HighLevel).await.unwrap().as_deref(), Some(r#"{"page":2}"#));
    let now = [version("h2", "1"), version("h1", "1"), version("h1", "2"), version("h3", "1")];
    assert_eq!(store.unseen(&w, HighLevel, &now).await.unwrap(), [false, true, false, true]);
    assert_eq!(store.unseen(&w, Doppler, &now).await.unwrap(), [true; 4]);
    assert!(store.unseen(&w, HighLevel, &[]).await.unwrap().is_empty());
    let claim = Claim { kinds: &[CONTACT], ..super::a_claim(2, 10) };
    assert_eq!(store.claim(&claim).await.unwrap().leases[0].key, ana.to_string());
    let other = WorkspaceId::from("other");
    store.workspace(&other, "Other", at(0)).await.unwrap();
    assert_eq!(store.unseen(&other, HighLevel, &now[..1]).await.unwrap(), [true]);
    assert_eq!(store.position(&other, HighLevel).await.unwrap(), None);
}

pub async fn who_lost_the_lease_of_a_poll_moves_nothing(place: &impl Place) {
    let (store, w) = open(place).await;
    run_sync(&store, &w, SyncState::Running).await;
    let old = lease(&store, &w, 1).await;
    let new = lease(&store, &w, 60).await;
    let page = [version("h1", "1")];
    let step = |position| Step { system: HighLevel, seen: &page, position, marks: &[] };
    assert!(!store.step(&old, step("1")).await.unwrap());
    assert_eq!(store.unseen(&w, HighLevel, &page).await.unwrap(), [true]);
    assert!(store.step(&new, step("2")).await.unwrap());
    assert_eq!(store.position(&w, HighLevel).await.unwrap().as_deref(), Some("2"));
}

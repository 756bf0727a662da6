//! What polls remember.

use uuid::Uuid;

use super::{Place, at, open, person, run_sync};
use crate::store::{
    CONTACT, Claim, Copy, CopyKey, Lease, Mark, POLL, Priority, RunStep, Staged, Stepped, Store,
    Version,
};
use crate::unified::System::{Doppler, HighLevel};
use crate::unified::{Begin, RunKind, SyncRun, SyncState, WorkspaceId};

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
    let lost = lease(&store, &w, 1).await;
    let lease = lease(&store, &w, 60).await;
    let run = SyncRun::begin(Begin {
        id: Uuid::from_u128(1),
        kind: RunKind::Poll,
        system: Some(HighLevel),
        dry: false,
        approved: true,
        at: at(60),
        fresh_from: at(60),
        by: None,
    });
    assert!(store.begin_run(&w, &run, &[], &[]).await.unwrap());
    assert_eq!(store.position(&w, HighLevel).await.unwrap(), None);
    let page = [version("h1", "1"), version("h2", "1"), version("h1", "2")];
    assert_eq!(store.unseen(&w, HighLevel, &page).await.unwrap(), [true; 3]);
    let key = CopyKey::person(HighLevel, "loc", "h1");
    let copy = |body: &str, seconds| Copy {
        key: key.clone(),
        body: Some(body.to_owned()),
        fetched_at: at(seconds),
    };
    store.put_copies(&w, &[copy("old", 0)]).await.unwrap();
    let copies = [copy("new", 1)];
    let position = r#"{"page":2}"#;
    let members = [ana];
    let step = RunStep {
        lease: Some(&lost),
        staged: Some(Staged { system: HighLevel, seen: &page, copies: &copies, opted_out: &[] }),
        poll: Some((HighLevel, position)),
        members: &members,
        urgency: Priority::Live,
        ..RunStep::new(&run, 1, at(60))
    };
    // Who lost the lease moves nothing.
    assert_eq!(store.step_run(&w, step).await.unwrap(), Stepped::Stale);
    assert_eq!(store.unseen(&w, HighLevel, &page[..1]).await.unwrap(), [true]);
    assert_eq!(store.position(&w, HighLevel).await.unwrap(), None);
    let step = RunStep { lease: Some(&lease), ..step };
    assert_ne!(store.step_run(&w, step).await.unwrap(), Stepped::Stale);
    assert_eq!(store.copies(&w, std::slice::from_ref(&key)).await.unwrap(), copies);
    assert_eq!(store.position(&w, HighLevel).await.unwrap().as_deref(), Some(position));
    let now = [version("h2", "1"), version("h1", "1"), version("h1", "2"), version("h3", "1")];
    assert_eq!(store.unseen(&w, HighLevel, &now).await.unwrap(), [false, true, false, true]);
    assert_eq!(store.unseen(&w, Doppler, &now).await.unwrap(), [true; 4]);
    assert!(store.unseen(&w, HighLevel, &[]).await.unwrap().is_empty());
    let claim = Claim { kinds: &[CONTACT], ..super::a_claim(61, 10) };
    let claimed = store.claim(&claim).await.unwrap().leases.remove(0);
    assert_eq!((claimed.key, claimed.priority), (ana.to_string(), Priority::Live));
    assert_eq!(store.run_people(&w, run.id).await.unwrap().open, 1);
    let other = WorkspaceId::from("other");
    store.workspace(&other, "Other", at(0)).await.unwrap();
    assert_eq!(store.unseen(&other, HighLevel, &now[..1]).await.unwrap(), [true]);
    assert_eq!(store.position(&other, HighLevel).await.unwrap(), None);
}

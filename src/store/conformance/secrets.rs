//! Sealed credentials.

use std::sync::Arc;

use uuid::Uuid;

use super::{Place, at, event, open};
use crate::store::{Kept, Owner, Placed, Retention, Sealed, StoredInstall, StoredSecret, Turn};
use crate::tasks::Tasks;
use crate::unified::EventKind::UpstreamChanged;
use crate::unified::System::{Doppler, HighLevel};
use crate::unified::WorkspaceId;

const ACCOUNT: &str = "L1";

fn turn(lease: u128, version: i64) -> Turn {
    Turn { lease: Uuid::from_u128(lease), version }
}

fn stored(version: i64, sealed: &str) -> StoredSecret {
    let account = Some(ACCOUNT.to_owned());
    StoredSecret { version, sealed: Some(sealed.to_owned()), account }
}

pub async fn a_credential_is_kept_and_forgotten(place: &impl Place) {
    let (store, w) = open(place).await;
    let told = event(UpstreamChanged, None);
    assert_eq!(store.secret(&w, HighLevel).await.unwrap(), None);
    for (version, sealed) in [(1, "a"), (2, "b")] {
        let put = store.put_secret(&w, HighLevel, Some((sealed, ACCOUNT)), (&told, at(0))).await;
        assert_eq!(put.unwrap(), Placed::Stored(version));
        assert_eq!(store.secret(&w, HighLevel).await.unwrap(), Some(stored(version, sealed)));
    }
    assert_eq!(store.secret(&w, Doppler).await.unwrap(), None);
    let other = WorkspaceId::from("other");
    assert_eq!(store.secret(&other, HighLevel).await.unwrap(), None);
    store.put_secret(&w, HighLevel, None, (&told, at(0))).await.unwrap();
    assert_eq!(store.last_cursor(&w).await.unwrap(), 3);
    store.close().await;
    let (store, _) = open(place).await;
    let account = Some(ACCOUNT.to_owned());
    let forgotten = StoredSecret { version: 3, sealed: None, account };
    assert_eq!(store.secret(&w, HighLevel).await.unwrap(), Some(forgotten));
    assert_eq!(store.all_sealed().await.unwrap(), []);
}

pub async fn one_of_many_may_renew(place: &impl Place) {
    let (store, w) = open(place).await;
    let (other, _) = open(place).await;
    let told = event(UpstreamChanged, None);
    store.put_secret(&w, HighLevel, Some(("a", ACCOUNT)), (&told, at(0))).await.unwrap();
    let tasks = Tasks::new();
    let asking: Vec<_> = (1..=20)
        .map(|n| {
            let (store, w) = (Arc::clone(if n % 2 == 0 { &store } else { &other }), w.clone());
            let times = (at(0), at(10));
            tasks.spawn(async move { store.lease_secret(&w, HighLevel, turn(n, 1), times).await })
        })
        .collect();
    let mut taken = 0;
    for one in asking {
        taken += u32::from(one.await.unwrap().unwrap());
    }
    assert_eq!(taken, 1);
}

pub async fn who_lost_the_lease_renews_nothing(place: &impl Place) {
    let (store, w) = open(place).await;
    let told = event(UpstreamChanged, None);
    let lease = async |turn, now| {
        store.lease_secret(&w, HighLevel, turn, (at(now), at(now + 10))).await.unwrap()
    };
    let renew = async |turn, sealed| store.renew_secret(&w, HighLevel, turn, sealed).await.unwrap();
    store.put_secret(&w, HighLevel, Some(("a", ACCOUNT)), (&told, at(0))).await.unwrap();
    assert!(!lease(turn(1, 7), 0).await, "another version");
    assert!(lease(turn(1, 1), 0).await);
    assert!(!lease(turn(2, 1), 9).await, "it is leased");
    assert!(lease(turn(2, 1), 10).await, "the lease has lapsed");
    assert_eq!(renew(turn(1, 1), "b").await, None);
    assert_eq!(renew(turn(2, 1), "c").await, Some(2));
    assert_eq!(renew(turn(2, 2), "d").await, Some(3), "the lease lasts");
    assert_eq!(store.secret(&w, HighLevel).await.unwrap(), Some(stored(3, "d")));
    store.unlease_secret(&w, HighLevel, Uuid::from_u128(1)).await.unwrap();
    assert!(!lease(turn(3, 3), 11).await, "it was not his to give back");
    store.unlease_secret(&w, HighLevel, Uuid::from_u128(2)).await.unwrap();
    assert!(lease(turn(3, 3), 11).await);
    store.put_secret(&w, HighLevel, Some(("e", ACCOUNT)), (&told, at(0))).await.unwrap();
    assert_eq!(renew(turn(3, 3), "f").await, None, "it was replaced");
    assert_eq!(store.secret(&w, HighLevel).await.unwrap(), Some(stored(4, "e")));
}

pub async fn an_installation_waits_until_it_expires(place: &impl Place) {
    let (store, w) = open(place).await;
    let install = |id, sealed: &str| StoredInstall {
        id: Uuid::from_u128(id),
        account: ACCOUNT.to_owned(),
        sealed: sealed.to_owned(),
        expires_at: at(60),
    };
    store.hold_install(&w, &install(1, "a")).await.unwrap();
    store.hold_install(&w, &install(2, "b")).await.unwrap();
    assert_eq!(store.held_installs(&w, at(59)).await.unwrap(), [install(2, "b")]);
    assert_eq!(store.held_installs(&w, at(60)).await.unwrap(), []);
    assert!(!store.drop_install(&w, Uuid::from_u128(1)).await.unwrap());
    assert!(store.drop_install(&w, Uuid::from_u128(2)).await.unwrap());
    assert_eq!(store.held_installs(&w, at(0)).await.unwrap(), []);
    store.hold_install(&w, &install(3, "c")).await.unwrap();
    let retention = Retention { events_before: at(0), bodies_before: at(0) };
    for (now, left) in [(59, 1), (60, 0)] {
        store.prune(at(now), retention).await.unwrap();
        assert_eq!(store.all_sealed().await.unwrap().len(), left);
    }
}

pub async fn a_key_is_changed_without_a_change(place: &impl Place) {
    let (store, w) = open(place).await;
    let told = event(UpstreamChanged, None);
    store.put_secret(&w, HighLevel, Some(("a", ACCOUNT)), (&told, at(0))).await.unwrap();
    store.lease_secret(&w, HighLevel, turn(1, 1), (at(0), at(10))).await.unwrap();
    let id = Uuid::from_u128(1);
    let (account, sealed) = (ACCOUNT.to_owned(), "i".to_owned());
    let install = StoredInstall { id, account, sealed, expires_at: at(60) };
    store.hold_install(&w, &install).await.unwrap();
    let all = store.all_sealed().await.unwrap();
    let sealed = |kept, text: &str| Sealed { workspace: w.clone(), kept, text: text.to_owned() };
    let credential = sealed(Kept::Credential(HighLevel), "a");
    assert_eq!(all, [credential.clone(), sealed(Kept::Install, "i")]);
    for one in &all {
        assert!(store.reseal(one, "new").await.unwrap());
    }
    assert!(!store.reseal(&credential, "newer").await.unwrap(), "it is not that any more");
    assert_eq!(store.secret(&w, HighLevel).await.unwrap(), Some(stored(1, "new")));
    assert_eq!(store.held_installs(&w, at(0)).await.unwrap()[0].sealed, "new");
    let renewed = store.renew_secret(&w, HighLevel, turn(1, 1), "b").await.unwrap();
    assert_eq!(renewed, Some(2), "who renews meanwhile is not disturbed");
}

pub async fn an_account_is_connected_in_one_workspace(place: &impl Place) {
    let (store, a) = open(place).await;
    let [b, c] = ["b", "c"].map(WorkspaceId::from);
    for workspace in [&b, &c] {
        store.workspace(workspace, workspace.as_str(), at(0)).await.unwrap();
    }
    let told = event(UpstreamChanged, None);
    let put = async |w: &WorkspaceId, sealed| {
        store.put_secret(w, HighLevel, sealed, (&told, at(0))).await.unwrap()
    };
    let whose = async |account| store.whose_account(HighLevel, account).await.unwrap();
    let owner = |workspace: &WorkspaceId, is_connected| {
        Some(Owner { workspace: workspace.clone(), is_connected })
    };
    assert_eq!(whose("L1").await, None);
    assert!(store.bind_account(&a, HighLevel, "L1").await.unwrap());
    assert!(store.bind_account(&a, HighLevel, "L1").await.unwrap(), "it is said at each start");
    let bound = store.secret(&a, HighLevel).await.unwrap().unwrap();
    assert_eq!((bound.version, bound.sealed, bound.account.as_deref()), (0, None, Some("L1")));
    assert_eq!(whose("L1").await, owner(&a, true), "the settings connect it");
    assert_eq!(store.whose_account(Doppler, "L1").await.unwrap(), None);
    assert_eq!(put(&b, Some(("x", "L1"))).await, Placed::Taken);
    assert_eq!(store.secret(&b, HighLevel).await.unwrap(), None, "nothing was kept");
    assert_eq!(store.last_cursor(&b).await.unwrap(), 0, "and nothing told");
    assert_eq!(put(&b, Some(("x", "L2"))).await, Placed::Stored(1));
    assert_eq!(put(&b, Some(("y", "L3"))).await, Placed::Bound, "it has one for good");
    assert!(!store.bind_account(&a, HighLevel, "L2").await.unwrap());
    assert_eq!(put(&a, Some(("x", "L1"))).await, Placed::Stored(1));
    // Who is disconnected keeps the account for itself until somebody else connects it.
    assert_eq!(put(&b, None).await, Placed::Stored(2));
    assert_eq!(whose("L2").await, owner(&b, false));
    assert_eq!(put(&c, Some(("z", "L2"))).await, Placed::Stored(1));
    assert_eq!(whose("L2").await, owner(&c, true));
    assert_eq!(put(&b, Some(("x", "L2"))).await, Placed::Taken);
    assert_eq!(put(&c, None).await, Placed::Stored(2));
    assert_eq!(whose("L2").await, None, "of two who had it, nobody");
    let mut versions = store.versions().await.unwrap();
    versions.sort();
    assert_eq!(versions, [(b, HighLevel, 2), (c, HighLevel, 2), (a, HighLevel, 1)]);
}

pub async fn installations_of_several_accounts_wait(place: &impl Place) {
    let (store, w) = open(place).await;
    let install = |id: u128, account: &str, until| StoredInstall {
        id: Uuid::from_u128(id),
        account: account.to_owned(),
        sealed: format!("s{id}"),
        expires_at: at(until),
    };
    let waiting = async || -> Vec<u128> {
        let waiting = store.held_installs(&w, at(0)).await.unwrap();
        waiting.into_iter().map(|one| one.id.as_u128()).collect()
    };
    for one in [install(1, "L1", 60), install(2, "L2", 61), install(3, "L1", 62)] {
        store.hold_install(&w, &one).await.unwrap();
    }
    assert_eq!(waiting().await, [2, 3], "a later one of a location replaces it");
    for n in 0..100 {
        store.hold_install(&w, &install(10 + n, &format!("M{n}"), 70)).await.unwrap();
    }
    let left = waiting().await;
    assert_eq!((left.len(), left.contains(&2), left.contains(&109)), (100, false, true));
}

pub async fn an_installation_waits_until_it_is_used(place: &impl Place) {
    let (store, w) = open(place).await;
    let other = WorkspaceId::from("other");
    store.workspace(&other, "Other", at(0)).await.unwrap();
    let told = event(UpstreamChanged, None);
    let install = StoredInstall {
        id: Uuid::from_u128(1),
        account: ACCOUNT.to_owned(),
        sealed: "waits".to_owned(),
        expires_at: at(60),
    };
    store.hold_install(&w, &install).await.unwrap();
    let uses = async |by: &WorkspaceId, account: &str| {
        let waits = (&w, install.id);
        store.use_install(by, ("used", account), waits, (&told, at(1))).await.unwrap()
    };
    store.put_secret(&w, HighLevel, Some(("a", ACCOUNT)), (&told, at(0))).await.unwrap();
    assert_eq!(uses(&other, ACCOUNT).await, Some(Placed::Taken));
    assert_eq!(uses(&w, "L2").await, Some(Placed::Bound));
    assert_eq!(store.held_installs(&w, at(1)).await.unwrap(), std::slice::from_ref(&install));
    assert_eq!(store.secret(&w, HighLevel).await.unwrap(), Some(stored(1, "a")));
    store.put_secret(&w, HighLevel, None, (&told, at(0))).await.unwrap();
    assert_eq!(uses(&other, ACCOUNT).await, Some(Placed::Stored(1)));
    assert_eq!(store.held_installs(&w, at(1)).await.unwrap(), []);
    assert_eq!(store.secret(&other, HighLevel).await.unwrap(), Some(stored(1, "used")));
    assert_eq!(store.last_cursor(&other).await.unwrap(), 1);
    assert_eq!(uses(&other, ACCOUNT).await, None, "once");
    assert_eq!(store.last_cursor(&other).await.unwrap(), 1);
}

pub async fn an_end_is_announced_once_a_step(place: &impl Place) {
    let (store, w) = open(place).await;
    let (other, _) = open(place).await;
    let event = event(crate::unified::EventKind::CredentialExpiring, None);
    let day = 86_400;
    let told = async |store: &Arc<dyn crate::store::Store>, ends, days| {
        let ends = (at(ends), days);
        store.announce(&w, HighLevel, ends, (&event, at(0))).await.unwrap().is_some()
    };
    assert!(told(&store, 30 * day, 30).await);
    assert!(!told(&other, 30 * day, 30).await, "another gateway says it again");
    assert!(told(&other, 30 * day, 7).await);
    assert!(!told(&store, 30 * day, 30).await, "whose clock is behind");
    assert!(told(&store, 395 * day, 30).await, "another credential");
    let ends = (at(30 * day), 30);
    assert!(store.announce(&w, Doppler, ends, (&event, at(0))).await.unwrap().is_some());
    assert_eq!(store.last_cursor(&w).await.unwrap(), 4);
}

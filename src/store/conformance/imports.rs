//! Writes that are sent together.

use std::sync::Arc;

use uuid::Uuid;

use super::{Place, a_claim, at, claim_only, contact, mark, open, pair, person, run_sync};
use crate::clock::new_id_at;
use crate::store::{
    BulkImport, CONTACT, Claim, Lease, Mark, Next, POLL, Parked, ParkedState, Priority, Record,
    Store, Waiting,
};
use crate::unified::System::Doppler;
use crate::unified::{ContactId, SubscriberEdit, SyncState, WorkspaceId};

fn write(of: ContactId, seconds: i64) -> Parked {
    let fields = vec![("CITY".to_owned(), "Salta".to_owned())];
    Parked {
        id: new_id_at(at(seconds)),
        contact: of,
        list: Some("7".to_owned()),
        edit: SubscriberEdit { email: "ana@example.com".to_owned(), fields },
        state: ParkedState::Waiting,
        body: "{}".to_owned(),
    }
}

fn import(seconds: i64) -> BulkImport {
    BulkImport {
        id: new_id_at(at(seconds)),
        list: Some("7".to_owned()),
        token: format!("token {seconds}"),
        task: None,
        over: false,
        begun_at: at(seconds),
    }
}

async fn works_on(store: &Arc<dyn Store>, w: &WorkspaceId, of: ContactId, seconds: i64) -> Lease {
    store.mark(w, &[Mark::contact(of, Priority::Backfill, at(seconds))]).await.unwrap();
    let claim = Claim { kinds: &[CONTACT], ..a_claim(seconds, 1) };
    store.claim(&claim).await.unwrap().leases.remove(0)
}

/// Parks a write of a contact.
async fn park(store: &Arc<dyn Store>, w: &WorkspaceId, write: &Parked, seconds: i64) {
    let lease = works_on(store, w, write.contact, seconds).await;
    let record =
        Record { parked: vec![write.clone()], next: Next::Again(at(9000)), ..Record::default() };
    store.record(&lease, record, at(seconds)).await.unwrap();
}

/// Who sends imports.
async fn sender(store: &Arc<dyn Store>, w: &WorkspaceId, seconds: i64) -> Lease {
    mark(store, w, "imports", seconds).await;
    let claim = Claim { kinds: &[POLL], ..a_claim(seconds, 1) };
    store.claim(&claim).await.unwrap().leases.remove(0)
}

async fn states(store: &Arc<dyn Store>, w: &WorkspaceId, of: ContactId) -> Vec<ParkedState> {
    store.parked(w, of).await.unwrap().into_iter().map(|one| one.state).collect()
}

pub async fn what_waits_is_sent_or_taken_out(place: &impl Place) {
    let (store, w) = open(place).await;
    run_sync(&store, &w, SyncState::Running).await;
    let (ana, ben) = (person(&store, &w, "h1").await, person(&store, &w, "h2").await);
    assert_eq!(store.gathered(&w).await.unwrap(), []);
    let (of_ana, of_ben) = (write(ana, 1), write(ben, 5));
    park(&store, &w, &of_ana, 1).await;
    park(&store, &w, &of_ben, 5).await;
    let of_the_list =
        Waiting { list: Some("7".to_owned()), count: 2, oldest: at(1), newest: at(5) };
    assert_eq!(store.gathered(&w).await.unwrap(), std::slice::from_ref(&of_the_list));
    let of_the_account = Parked { list: None, ..write(ben, 6) };
    park(&store, &w, &of_the_account, 6).await;
    let alone = Waiting { list: None, count: 1, oldest: at(6), newest: at(6) };
    assert_eq!(store.gathered(&w).await.unwrap(), [of_the_list, alone]);
    assert_eq!(store.waiting_for_import(&w, 1).await.unwrap(), [of_ana.id]);
    let both = store.parked_writes(&w, &[of_ben.id, of_ana.id]).await.unwrap();
    assert_eq!(both, [of_ana.clone(), of_ben.clone()]);

    // Ben is worked on first: no import gets what was taken out.
    let lease = works_on(&store, &w, ben, 6).await;
    assert!(store.unpark(&lease).await.unwrap());
    assert_eq!(store.parked(&w, ben).await.unwrap(), []);
    let sender = sender(&store, &w, 7).await;
    let first = import(7);
    let bound = store.begin_import(&sender, &first, &[of_ana.id, of_ben.id]).await.unwrap();
    assert_eq!(bound, Some(vec![of_ana.id]));
    assert_eq!(store.gathered(&w).await.unwrap(), []);

    // What an import has is left to it.
    let lease = works_on(&store, &w, ana, 8).await;
    assert!(store.unpark(&lease).await.unwrap());
    assert_eq!(states(&store, &w, ana).await, [ParkedState::Sent]);
    assert!(store.give_back(&lease).await.unwrap());
    assert!(store.take_back_import(&sender, first.id).await.unwrap());
    assert_eq!(store.open_imports(&w).await.unwrap(), []);
    assert_eq!(store.waiting_for_import(&w, 9).await.unwrap(), [of_ana.id]);
}

pub async fn the_end_of_an_import_marks_its_people(place: &impl Place) {
    let (store, w) = open(place).await;
    run_sync(&store, &w, SyncState::Running).await;
    let ana = person(&store, &w, "h1").await;
    let of_ana = write(ana, 1);
    park(&store, &w, &of_ana, 1).await;
    let sender = sender(&store, &w, 2).await;
    let mut sent = import(2);
    store.begin_import(&sender, &sent, &[of_ana.id]).await.unwrap();
    assert_eq!(store.open_imports(&w).await.unwrap(), std::slice::from_ref(&sent));
    sent = BulkImport { task: Some("import-1".to_owned()), over: true, begun_at: at(3), ..sent };
    assert!(store.put_import(&sender, &sent).await.unwrap());
    assert_eq!(store.open_imports(&w).await.unwrap(), std::slice::from_ref(&sent));
    assert_eq!(store.import_named(&sent.token).await.unwrap(), Some(w.clone()));
    assert_eq!(store.import_named("token").await.unwrap(), None);
    assert_eq!(store.in_import(&w, sent.id).await.unwrap(), [of_ana.id]);

    let ben = person(&store, &w, "h2").await;
    assert_eq!(store.being_imported(&w, &[ana, ben]).await.unwrap(), [ana].into());
    assert_eq!(store.being_imported(&w, &[ben]).await.unwrap(), [].into());
    let seen = [("ana@example.com".to_owned(), "as it was left".to_owned())];
    assert_eq!(store.unseen(&w, Doppler, &seen).await.unwrap(), [true]);
    // Who is still to be written has waited longer, and yet comes later.
    let cara = person(&store, &w, "h3").await.to_string();
    let later = Mark { kind: CONTACT, key: cara, priority: Priority::Backfill, due: at(1) };
    store.mark(&w, &[later]).await.unwrap();
    assert!(store.end_import(&sender, sent.id, (at(4), at(5)), &seen).await.unwrap());
    assert_eq!(store.unseen(&w, Doppler, &seen).await.unwrap(), [false]);
    assert_eq!(store.being_imported(&w, &[ana]).await.unwrap(), [].into());
    assert_eq!(store.open_imports(&w).await.unwrap(), []);
    assert_eq!(store.import_named(&sent.token).await.unwrap(), None);
    assert_eq!(states(&store, &w, ana).await, [ParkedState::Ended { since: at(4) }]);
    let claim = Claim { kinds: &[CONTACT], limit: 1, ..a_claim(5, 9) };
    let lease = store.claim(&claim).await.unwrap().leases.remove(0);
    // By this a reconcile sees that nothing else happened to the contact: it was worked on once, marked
    // by its own wait, and marked now.
    assert_eq!((lease.key.clone(), lease.generation), (ana.to_string(), 3));
    let record = Record { unparked: vec![of_ana.id], ..Record::default() };
    store.record(&lease, record, at(6)).await.unwrap();
    assert_eq!(store.parked(&w, ana).await.unwrap(), []);
}

pub async fn who_is_left_out_is_written_alone(place: &impl Place) {
    let (store, w) = open(place).await;
    run_sync(&store, &w, SyncState::Running).await;
    let ana = person(&store, &w, "h1").await;
    let of_ana = write(ana, 1);
    park(&store, &w, &of_ana, 1).await;
    let old = sender(&store, &w, 2).await;
    assert!(store.release(&old, &[of_ana.id], at(3)).await.unwrap());
    assert_eq!(states(&store, &w, ana).await, [ParkedState::Singly]);
    assert!(store.waiting_for_import(&w, 9).await.unwrap().is_empty());
    let lease = claim_only(&store, 3).await;
    assert_eq!(lease.key, ana.to_string());
    assert!(store.unpark(&lease).await.unwrap());
    assert_eq!(store.parked(&w, ana).await.unwrap(), []);
    assert!(store.give_back(&lease).await.unwrap());

    // Somebody else sends imports by now.
    let new = sender(&store, &w, 60).await;
    let again = import(60);
    assert_eq!(store.begin_import(&old, &again, &[]).await.unwrap(), None);
    assert_eq!(store.begin_import(&new, &again, &[]).await.unwrap(), Some(Vec::<Uuid>::new()));
    assert!(!store.put_import(&old, &BulkImport { over: true, ..again.clone() }).await.unwrap());
    assert!(!store.take_back_import(&old, again.id).await.unwrap());
    assert!(!store.release(&old, &[], at(61)).await.unwrap());
    assert!(!store.end_import(&old, again.id, (at(61), at(61)), &[]).await.unwrap());
    assert_eq!(store.open_imports(&w).await.unwrap(), [again]);
}

pub async fn a_merge_moves_what_is_parked(place: &impl Place) {
    let (store, w) = open(place).await;
    run_sync(&store, &w, SyncState::Running).await;
    let [older, younger] = pair(&store, &w).await;
    let theirs = write(younger, 1);
    park(&store, &w, &theirs, 1).await;
    store.recognize(&w, &[contact("h1", Some("ana@example.com"))], at(2)).await.unwrap();
    assert_eq!(store.parked(&w, older).await.unwrap(), [Parked { contact: older, ..theirs }]);
    assert_eq!(store.parked(&w, younger).await.unwrap(), []);
}

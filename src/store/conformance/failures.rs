//! Failures: listing, retrying, discarding.

use std::sync::Arc;

use super::record::{failure, pending};
use super::{Place, accept, at, claim, claim_only, edit, event, open, person, write_of};
use crate::store::{
    EditOutcome, FailureFilter, FailureKey, Failures, Intended, Mark, Next, Priority, Record, Store,
};
use crate::unified::EventKind::Resolved;
use crate::unified::System::{Doppler, HighLevel};
use crate::unified::WriteOutcome::{Applied, Queued, Skipped};
use crate::unified::{ContactId, Failure, PendingWrite, WorkspaceId};

/// A contact with an edit that waits, and these failures.
async fn failed(
    store: &Arc<dyn Store>,
    w: &WorkspaceId,
    key: &str,
    failures: fn(ContactId) -> Vec<Failure>,
) -> ContactId {
    let id = person(store, w, key).await;
    let edit = edit(id, "vip", 1);
    accept(store, w, &edit).await;
    let lease = claim_only(store, 2).await;
    let writes = vec![write_of(HighLevel, Applied), write_of(Doppler, Queued)];
    let record = Record {
        failures: failures(id),
        edits: vec![EditOutcome { edit: edit.id, writes, result: None, errors: Vec::new() }],
        next: Next::Retry { at: at(9_000), error: "down".to_owned() },
        ..Record::default()
    };
    store.record(&lease, record, at(2)).await.unwrap();
    id
}

fn both(id: ContactId) -> Vec<Failure> {
    let dead = Failure {
        dead: true,
        next_attempt_at: None,
        code: "INTERNAL".to_owned(),
        ..failure(id, HighLevel)
    };
    vec![failure(id, Doppler), dead]
}

fn one(id: ContactId) -> Vec<Failure> {
    vec![failure(id, Doppler)]
}

pub async fn failures_are_listed_by_what_they_are(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = failed(&store, &w, "h1", both).await;
    let bea = failed(&store, &w, "h2", one).await;
    let list = async |filter: FailureFilter, after: Option<FailureKey>, first| {
        let page = store.failures(&w, &filter, after, first).await.unwrap();
        let keys: Vec<_> = page.rows.iter().map(|f| (f.contact, f.system)).collect();
        (keys, page.more)
    };
    let mut all = vec![(ana, Doppler), (ana, HighLevel), (bea, Doppler)];
    all.sort_unstable_by_key(|(id, system)| (*id, system.as_str()));
    assert_eq!(list(FailureFilter::default(), None, 9).await, (all.clone(), false));
    assert_eq!(list(FailureFilter::default(), None, 2).await, (all[..2].to_vec(), true));
    let rest = list(FailureFilter::default(), Some(all[1]), 2).await;
    assert_eq!(rest, (all[2..].to_vec(), false));
    let dead = FailureFilter { dead: Some(true), ..FailureFilter::default() };
    assert_eq!(list(dead, None, 9).await.0, [(ana, HighLevel)]);
    let code = Some(vec!["UPSTREAM_UNAVAILABLE".to_owned()]);
    let of_code = FailureFilter { codes: code, contact: Some(ana), ..FailureFilter::default() };
    assert_eq!(list(of_code, None, 9).await.0, [(ana, Doppler)]);
    let systems = FailureFilter { systems: Some(vec![HighLevel]), ..FailureFilter::default() };
    assert_eq!(list(systems, None, 9).await.0, [(ana, HighLevel)]);
    assert_eq!(store.failure(&w, (bea, Doppler)).await.unwrap(), Some(failure(bea, Doppler)));
    assert_eq!(store.failure(&w, (bea, HighLevel)).await.unwrap(), None);
    assert_eq!(store.counts(&w).await.unwrap().failed, 2);
}

pub async fn a_retry_ends_the_backoff(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = failed(&store, &w, "h1", both).await;
    let bea = failed(&store, &w, "h2", one).await;
    assert_eq!(claim(&store, 10, 9).await, []);
    let these = [(ana, HighLevel), (bea, HighLevel)];
    let retried = store.retry(&w, Failures::These(&these), at(10)).await.unwrap();
    assert_eq!(retried, [(ana, HighLevel)]);
    let stands = store.failure(&w, (ana, HighLevel)).await.unwrap().unwrap();
    assert_eq!((stands.dead, stands.next_attempt_at), (false, Some(at(10))));
    let lease = claim_only(&store, 10).await;
    assert_eq!((lease.key.clone(), lease.attempt), (ana.to_string(), 1));
    store.give_back(&lease).await.unwrap();
    let doppler = FailureFilter { systems: Some(vec![Doppler]), ..FailureFilter::default() };
    let mut retried = store.retry(&w, Failures::All(&doppler), at(11)).await.unwrap();
    retried.sort_unstable();
    assert_eq!(retried, [(ana, Doppler), (bea, Doppler)]);
    assert_eq!(claim(&store, 11, 9).await.len(), 2);
}

pub async fn a_retry_of_an_edit_does_not_wait_for_sync(place: &impl Place) {
    let (store, w) = open(place).await;
    let dead = |id| vec![Failure { dead: true, next_attempt_at: None, ..failure(id, Doppler) }];
    let id = person(&store, &w, "h1").await;
    let edit = edit(id, "vip", 1);
    accept(&store, &w, &edit).await;
    let lease = claim_only(&store, 2).await;
    let writes = vec![write_of(HighLevel, Applied), write_of(Doppler, Queued)];
    let edits = vec![EditOutcome { edit: edit.id, writes, result: None, errors: Vec::new() }];
    let record = Record { failures: dead(id), edits, ..Record::default() };
    store.record(&lease, record, at(2)).await.unwrap();
    assert_eq!(claim(&store, 3, 9).await, [], "given up");
    store.retry(&w, Failures::These(&[(id, Doppler)]), at(4)).await.unwrap();
    let lease = claim_only(&store, 4).await;
    assert_eq!((lease.key, lease.priority), (id.to_string(), Priority::Client));
}

pub async fn a_discarded_failure_takes_its_edits_along(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = failed(&store, &w, "h1", one).await;
    let edit = store.sheet(&w, ana).await.unwrap().unwrap().edits[0].id;
    let told = event(Resolved, Some(ana));
    let gone = store.discard(&w, (ana, Doppler), &told, at(10)).await.unwrap();
    assert_eq!(gone, Some(failure(ana, Doppler)));
    assert_eq!(store.discard(&w, (ana, Doppler), &told, at(10)).await.unwrap(), None);
    assert_eq!(store.last_cursor(&w).await.unwrap(), 1);
    let sheet = store.sheet(&w, ana).await.unwrap().unwrap();
    assert_eq!((sheet.edits, sheet.failures), (Vec::new(), Vec::new()));
    let outcomes: Vec<_> =
        store.edit(&w, edit).await.unwrap().unwrap().writes.iter().map(|w| w.outcome).collect();
    assert_eq!(outcomes, [Applied, Skipped]);
}

pub async fn a_change_that_waited_with_a_discarded_failure_is_looked_at(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = failed(&store, &w, "h1", one).await;
    store.mark(&w, &[Mark::contact(ana, Priority::Live, at(5))]).await.unwrap();
    assert_eq!(claim(&store, 9, 9).await, [], "it waits for the backoff");
    store.discard(&w, (ana, Doppler), &event(Resolved, Some(ana)), at(10)).await.unwrap();
    let lease = claim_only(&store, 10).await;
    assert_eq!((lease.key, lease.attempt), (ana.to_string(), 1));
    let bea = failed(&store, &w, "h2", both).await;
    store.discard(&w, (bea, Doppler), &event(Resolved, Some(bea)), at(10)).await.unwrap();
    assert_eq!(claim(&store, 11, 9).await, [], "the other system's failure stands");
}

pub async fn a_run_under_way_writes_nothing_that_was_discarded(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = failed(&store, &w, "h1", both).await;
    let edit = store.sheet(&w, ana).await.unwrap().unwrap().edits[0].id;
    store.retry(&w, Failures::These(&[(ana, Doppler)]), at(10)).await.unwrap();
    let lease = claim_only(&store, 10).await;
    let known = store.sheet(&w, ana).await.unwrap().unwrap().agreement.given_up;
    assert!(known.is_empty());
    store.discard(&w, (ana, Doppler), &event(Resolved, Some(ana)), at(11)).await.unwrap();
    for (system, intended) in [(Doppler, Intended::GivenUp), (HighLevel, Intended::Stored)] {
        let write = PendingWrite { system, ..pending(ana) };
        assert_eq!(store.intend(&lease, &write, None).await.unwrap(), intended, "{system}");
    }
    let writes = vec![write_of(HighLevel, Applied), write_of(Doppler, Queued)];
    let record = Record {
        failures: both(ana),
        edits: vec![EditOutcome { edit, writes, result: None, errors: Vec::new() }],
        given_up: known,
        ..Record::default()
    };
    store.record(&lease, record, at(12)).await.unwrap();
    let sheet = store.sheet(&w, ana).await.unwrap().unwrap();
    let standing: Vec<_> = sheet.failures.iter().map(|one| one.system).collect();
    assert_eq!((standing, sheet.edits), (vec![HighLevel], Vec::new()));
    assert_eq!(sheet.pending.len(), 1);
    assert!(sheet.agreement.gave_up(Doppler, at(11)) && !sheet.agreement.gave_up(Doppler, at(12)));
}

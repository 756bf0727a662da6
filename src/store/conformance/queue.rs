//! The work table, one worker at a time.

use std::collections::HashSet;

use futures_util::future::join_all;

use super::{
    POLL, Place, a_claim, accept, at, claim, claim_only, edit, mark, open, pause_fields, person,
};
use crate::store::{
    Backlog, CONTACT, Claim, ClaimKey, ClaimOne, EventFilter, Events, MOST_RETRIES, Mark, Next,
    Priority, Record, Recorded, Span,
};
use crate::unified::{EventKind, SyncState, WorkspaceId};

fn ends(next: Next) -> Record {
    Record { next, ..Record::default() }
}

fn retry(seconds: i64) -> Record {
    ends(Next::Retry { at: at(seconds), error: "down".to_owned() })
}

pub async fn marks_coalesce(place: &impl Place) {
    let (store, w) = open(place).await;
    let due =
        |priority, seconds| Mark { kind: POLL, key: "a".to_owned(), priority, due: at(seconds) };
    store.mark(&w, &[]).await.unwrap();
    store.mark(&w, &[due(Priority::Backfill, 50), due(Priority::Client, 20)]).await.unwrap();
    store.mark(&w, &[due(Priority::Live, 40)]).await.unwrap();
    assert_eq!(claim(&store, 19, 9).await, []);
    let lease = claim_only(&store, 20).await;
    assert_eq!((lease.priority, lease.generation, lease.attempt), (Priority::Client, 2, 1));
    store.record(&lease, Record::default(), at(21)).await.unwrap();
    assert_eq!(claim(&store, 99, 9).await, [], "many marks are one run");
    mark(&store, &w, "a", 30).await;
    assert_eq!(claim(&store, 29, 9).await, [], "a new time, now that the old one is over");
    assert_eq!(claim_only(&store, 30).await.generation, 3);
}

pub async fn a_mark_during_a_run_is_not_lost(place: &impl Place) {
    let (store, w) = open(place).await;
    mark(&store, &w, "a", 0).await;
    let lease = claim_only(&store, 1).await;
    mark(&store, &w, "a", 2).await;
    assert_eq!(claim(&store, 3, 9).await, [], "not twice at once");
    store.record(&lease, Record::default(), at(4)).await.unwrap();
    let again = claim_only(&store, 4).await;
    assert_eq!((again.generation, again.attempt), (2, 1));
    mark(&store, &w, "a", 5).await;
    store.record(&again, ends(Next::Dead { error: "no".to_owned() }), at(6)).await.unwrap();
    assert_eq!(claim_only(&store, 6).await.generation, 3, "what came meanwhile is tried");
}

pub async fn a_backoff_is_kept(place: &impl Place) {
    let (store, w) = open(place).await;
    mark(&store, &w, "a", 0).await;
    for attempt in 1..4 {
        let now = i64::from(attempt) * 100;
        let lease = claim_only(&store, now).await;
        assert_eq!(lease.attempt, attempt);
        store.record(&lease, retry(now + 100), at(now)).await.unwrap();
        mark(&store, &w, "a", now + 1).await;
        assert_eq!(claim(&store, now + 99, 9).await, [], "a mark does not cut it short");
    }
    let lease = claim_only(&store, 400).await;
    store.record(&lease, Record::default(), at(400)).await.unwrap();
    mark(&store, &w, "a", 401).await;
    assert_eq!(claim_only(&store, 401).await.attempt, 1, "a success is a new beginning");
}

pub async fn who_says_when_to_try_again_is_not_given_up(place: &impl Place) {
    let (store, w) = open(place).await;
    mark(&store, &w, "a", 0).await;
    let most_attempts = MOST_RETRIES + 1;
    let mut now = 0;
    for _ in 0..MOST_RETRIES * 2 {
        now += 100;
        let claimed = store.claim(&Claim { most_attempts, ..a_claim(now, 9) }).await.unwrap();
        assert_eq!(claimed.dead, []);
        let [lease] = claimed.leases.try_into().unwrap();
        store.record(&lease, retry(now + 100), at(now)).await.unwrap();
    }
    // Whoever takes it now says nothing more.
    now += 100;
    let claim = Claim { most_attempts, ..a_claim(now, 9) };
    assert_eq!(store.claim(&claim).await.unwrap().leases[0].attempt, most_attempts);
    let claim = Claim { most_attempts, ..a_claim(now + 31, 9) };
    assert_eq!(store.claim(&claim).await.unwrap().dead.len(), 1);
}

pub async fn who_waits_does_not_wait_for_the_backoff(place: &impl Place) {
    let (store, w) = open(place).await;
    let token = |n| uuid::Uuid::from_u128(n);
    let one = |n, now| {
        let (now, until) = (at(now), at(now + 30));
        store.claim_one(&w, ClaimKey { kind: POLL, key: "a", token: token(n), now, until })
    };
    assert_eq!(one(1, 0).await.unwrap(), ClaimOne::Idle);
    mark(&store, &w, "a", 0).await;
    let lease = claim_only(&store, 1).await;
    assert_eq!(one(2, 2).await.unwrap(), ClaimOne::Busy { until: at(31) });
    store.record(&lease, retry(600), at(3)).await.unwrap();
    let ClaimOne::Claimed(lease) = one(3, 4).await.unwrap() else { panic!("it is free") };
    assert_eq!((lease.attempt, lease.generation), (2, 1));
    assert_eq!(claim(&store, 5, 9).await, []);
    let stored = store.record(&lease, Record::default(), at(5)).await.unwrap();
    assert_ne!(stored, Recorded::Lost);
    assert_eq!(one(4, 6).await.unwrap(), ClaimOne::Idle);
}

pub async fn what_was_put_off_can_be_brought_forward(place: &impl Place) {
    let (store, w) = open(place).await;
    for key in ["later", "fails", "done"] {
        mark(&store, &w, key, 1).await;
    }
    for lease in claim(&store, 1, 10).await {
        let next = match lease.key.as_str() {
            "later" => Next::Again(at(9_000)),
            "fails" => Next::Retry { at: at(9_000), error: "down".to_owned() },
            _ => Next::Done,
        };
        store.record(&lease, Record { next, ..Record::default() }, at(2)).await.unwrap();
    }
    assert_eq!(claim(&store, 100, 10).await, []);
    assert_eq!(store.hasten(&w, CONTACT, at(100)).await.unwrap(), 0);
    assert_eq!(store.hasten(&w, POLL, at(100)).await.unwrap(), 1);
    assert_eq!(claim_only(&store, 100).await.key, "later");
}

pub async fn what_waits_for_what_is_paused_does_not_miss_who_resumes(place: &impl Place) {
    let (store, w) = open(place).await;
    let both = pause_fields(&store, &w, &["city", "lastName"]).await;
    let waits = |by| ends(Next::Paused { until: at(9_000), by });
    mark(&store, &w, "a", 0).await;
    let lease = claim_only(&store, 1).await;
    store.record(&lease, waits(both.clone()), at(2)).await.unwrap();
    assert_eq!(claim(&store, 8_999, 9).await, []);
    assert_eq!(store.hasten(&w, POLL, at(100)).await.unwrap(), 1);
    let lease = claim_only(&store, 100).await;
    pause_fields(&store, &w, &["city"]).await;
    store.record(&lease, waits(both), at(101)).await.unwrap();
    let lease = claim_only(&store, 101).await;
    store.record(&lease, Record::default(), at(102)).await.unwrap();

    // Whichever of the two is first, what has become of the work is due.
    for round in 200..240 {
        let settings = pause_fields(&store, &w, &["city"]).await;
        mark(&store, &w, "a", round).await;
        let lease = claim_only(&store, round).await;
        let resumed = async {
            pause_fields(&store, &w, &[]).await;
            store.hasten(&w, POLL, at(round)).await.unwrap();
        };
        let (recorded, ()) =
            tokio::join!(store.record(&lease, waits(settings), at(round)), resumed);
        recorded.unwrap();
        let lease = claim_only(&store, round).await;
        store.record(&lease, Record::default(), at(round)).await.unwrap();
    }
}

pub async fn what_is_due_can_be_put_off_together(place: &impl Place) {
    let (store, w) = open(place).await;
    mark(&store, &w, "leased", 0).await;
    let lease = claim_only(&store, 1).await;
    mark(&store, &w, "fails", 1).await;
    let fails = claim_only(&store, 1).await;
    store.record(&fails, retry(3), at(2)).await.unwrap();
    for (key, due) in [("a", 0), ("b", 5), ("later", 6)] {
        mark(&store, &w, key, due).await;
    }
    let other = WorkspaceId::from("other");
    store.workspace(&other, "Other", at(0)).await.unwrap();
    mark(&store, &other, "a", 0).await;
    assert_eq!(store.put_off(&w, CONTACT, at(5), at(100)).await.unwrap(), 0);
    assert_eq!(store.put_off(&w, POLL, at(5), at(100)).await.unwrap(), 2);
    assert_eq!(store.put_off(&w, POLL, at(5), at(200)).await.unwrap(), 0);
    let keys = async |seconds| {
        let leases = claim(&store, seconds, 9).await;
        leases.into_iter().map(|lease| (lease.workspace, lease.key)).collect::<HashSet<_>>()
    };
    let of = |key: &str| (w.clone(), key.to_owned());
    assert_eq!(keys(6).await, HashSet::from([of("fails"), of("later"), (other, "a".to_owned())]));
    assert!(store.extend(&lease, at(500)).await.unwrap());
    mark(&store, &w, "b", 7).await;
    assert_eq!(keys(8).await, HashSet::from([of("b")]), "a new mark counts from its own time");
    assert!(!keys(99).await.contains(&of("a")));
    assert_eq!(keys(100).await, HashSet::from([of("a")]));
}

pub async fn the_dead_live_again_when_marked(place: &impl Place) {
    let (store, w) = open(place).await;
    mark(&store, &w, "a", 0).await;
    let lease = claim_only(&store, 1).await;
    store.record(&lease, ends(Next::Dead { error: "no".to_owned() }), at(2)).await.unwrap();
    assert_eq!(claim(&store, 9_999, 9).await, []);
    let backlog = Backlog { dead: 1, ..Backlog::default() };
    assert_eq!(store.backlog(&w, POLL).await.unwrap(), backlog);
    mark(&store, &w, "a", 3).await;
    assert_eq!(claim_only(&store, 3).await.attempt, 1);
    assert_eq!(
        store.backlog(&w, POLL).await.unwrap(),
        Backlog { open: 1, leased: 1, dead: 0, oldest_due: Some(at(3)) }
    );
}

pub async fn what_kills_its_workers_is_given_up(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = person(&store, &w, "h1").await;
    accept(&store, &w, &edit(ana, "vip", 0)).await;
    for n in 1..=3 {
        // Nobody lives to record anything.
        let claim = Claim { most_attempts: 3, ..a_claim(n * 100, 9) };
        let claimed = store.claim(&claim).await.unwrap();
        assert_eq!((claimed.leases.len(), claimed.dead.len()), (1, 0), "{n}");
    }
    let claim = Claim { most_attempts: 3, ..a_claim(400, 9) };
    let claimed = store.claim(&claim).await.unwrap();
    assert_eq!(claimed.leases, []);
    assert_eq!(claimed.dead, [(w.clone(), CONTACT, ana.to_string())]);
    assert_eq!(store.claim(&a_claim(900, 9)).await.unwrap().leases, []);
    assert_eq!(store.counts(&w).await.unwrap().failed, 1);
    let found = store.events(&w, Span::After(None), &EventFilter::default(), 9).await.unwrap();
    let Events::Found { events, .. } = found else { panic!("{found:?}") };
    let told: Vec<_> = events.iter().map(|e| (e.draft.kind, e.draft.contact)).collect();
    assert_eq!(told, [(EventKind::Failed, Some(ana))]);
}

pub async fn a_lease_can_be_prolonged_and_given_back(place: &impl Place) {
    let (store, w) = open(place).await;
    mark(&store, &w, "a", 0).await;
    let lease = claim_only(&store, 1).await;
    assert!(store.extend(&lease, at(500)).await.unwrap());
    assert_eq!(claim(&store, 499, 9).await, []);
    assert!(store.give_back(&lease).await.unwrap());
    assert!(!store.give_back(&lease).await.unwrap());
    assert_eq!(claim_only(&store, 2).await.attempt, 1, "as if it had never been claimed");
}

pub async fn a_schedule_marks_itself_again(place: &impl Place) {
    let (store, w) = open(place).await;
    mark(&store, &w, "hourly", 0).await;
    for hour in 0..3 {
        let now = hour * 3600;
        assert_eq!(claim(&store, now - 1, 9).await, []);
        let lease = claim_only(&store, now).await;
        assert_eq!(lease.attempt, 1);
        store.record(&lease, ends(Next::Again(at(now + 3600))), at(now + 5)).await.unwrap();
    }
    mark(&store, &w, "hourly", 7300).await;
    let lease = claim_only(&store, 7300).await;
    mark(&store, &w, "hourly", 7301).await;
    store.record(&lease, ends(Next::Again(at(99_999))), at(7302)).await.unwrap();
    claim_only(&store, 7302).await;
}

pub async fn the_next_due_is_known(place: &impl Place) {
    let (store, w) = open(place).await;
    let next = |kinds: &'static [&'static str]| store.next_due(kinds);
    assert_eq!(next(&[POLL, CONTACT]).await.unwrap(), None);
    mark(&store, &w, "a", 50).await;
    mark(&store, &w, "b", 70).await;
    assert_eq!(next(&[POLL, CONTACT]).await.unwrap(), Some(at(50)));
    assert_eq!(next(&[CONTACT]).await.unwrap(), None);
    let lease = claim_only(&store, 60).await;
    assert_eq!(next(&[POLL]).await.unwrap(), Some(at(70)));
    let other = claim_only(&store, 71).await;
    let soon = next(&[POLL]).await.unwrap().unwrap();
    assert!(soon > at(90) && soon <= at(91), "when the first lease ends: {soon}");
    store.record(&lease, Record::default(), at(72)).await.unwrap();
    store.record(&other, retry(500), at(72)).await.unwrap();
    assert_eq!(next(&[POLL]).await.unwrap(), Some(at(500)));
    let live = Mark { kind: POLL, key: "c".to_owned(), priority: Priority::Live, due: at(1) };
    store.mark(&w, &[live]).await.unwrap();
    assert_eq!(next(&[POLL]).await.unwrap(), Some(at(500)), "it rests with the sync");
    super::run_sync(&store, &w, SyncState::Running).await;
    assert_eq!(next(&[POLL]).await.unwrap(), Some(at(1)));
}

pub async fn nobody_gets_what_another_has(place: &impl Place) {
    let stores = [open(place).await.0, open(place).await.0, open(place).await.0];
    let (store, w) = open(place).await;
    let keys: Vec<String> = (0..120).map(|n| format!("k{n}")).collect();
    let marks: Vec<Mark> = keys
        .iter()
        .map(|key| Mark { kind: POLL, key: key.clone(), priority: Priority::Client, due: at(0) })
        .collect();
    store.mark(&w, &marks).await.unwrap();
    let worker = |n: usize| {
        let (store, stores) = (&stores[n % 3], &stores);
        async move {
            let mut done = Vec::new();
            loop {
                let leases = claim(store, 1, 7).await;
                if leases.is_empty() {
                    return done;
                }
                for lease in leases {
                    let recorder = &stores[(n + 1) % 3];
                    let outcome = recorder.record(&lease, Record::default(), at(2)).await.unwrap();
                    assert_ne!(outcome, Recorded::Lost);
                    done.push(lease.key);
                }
            }
        }
    };
    let done: Vec<String> = join_all((0..9).map(worker)).await.concat();
    assert_eq!(done.len(), keys.len(), "each once");
    assert_eq!(done.into_iter().collect::<HashSet<_>>(), keys.into_iter().collect());
    assert_eq!(store.backlog(&w, POLL).await.unwrap(), Backlog::default());
}

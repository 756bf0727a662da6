//! Runs.

use std::sync::Arc;

use uuid::Uuid;

use super::holds::{decision, hold};
use super::{Place, at, claim, event, open, person, run_sync, subscriber};
use crate::store::{
    CONTACT, Claim, Copy, CopyKey, HoldFilter, Lease, Mark, POLLS_KEPT, Presence, Priority, RUN,
    Record, Resolution, Resolved, RunStep, Staged, Stepped, Store,
};
use crate::unified::System::{Doppler, HighLevel};
use crate::unified::{
    Begin, EventKind, Hold, RunKind, RunOutcome, RunState, SyncRun, SyncState, System, WorkspaceId,
};

fn a_run(number: u128) -> SyncRun {
    SyncRun::begin(Begin {
        id: Uuid::from_u128(number),
        kind: RunKind::Backfill,
        system: None,
        dry: false,
        approved: false,
        at: at(10),
        fresh_from: at(10),
        by: None,
    })
}

async fn begin(store: &Arc<dyn Store>, w: &WorkspaceId, run: &SyncRun) -> bool {
    let key = run.id.simple().to_string();
    let mark = Mark { kind: RUN, key, priority: Priority::Client, due: at(10) };
    store.begin_run(w, run, &[mark], &[event(EventKind::RunProgress, None)]).await.unwrap()
}

async fn lease_of(store: &Arc<dyn Store>) -> Lease {
    let claim = Claim { kinds: &[RUN], ..super::a_claim(11, 10) };
    store.claim(&claim).await.unwrap().leases.remove(0)
}

pub async fn one_run_goes_on_at_a_time(place: &impl Place) {
    let (store, w) = open(place).await;
    assert_eq!(store.open_run(&w).await.unwrap(), None);
    let first = a_run(1);
    assert!(begin(&store, &w, &first).await);
    assert!(!begin(&store, &w, &a_run(2)).await);
    assert_eq!(store.run(&w, Uuid::from_u128(2)).await.unwrap(), None);
    let held = store.open_run(&w).await.unwrap().unwrap();
    assert_eq!(held.run, first);
    assert_eq!(lease_of(&store).await.key, first.id.simple().to_string());
    let over = first.ended(RunState::Cancelled, at(20));
    let step = RunStep::new(&over, held.revision, at(20));
    assert!(matches!(store.step_run(&w, step).await.unwrap(), Stepped::Stored { .. }));
    assert_eq!(store.open_run(&w).await.unwrap(), None);
    assert!(begin(&store, &w, &a_run(2)).await);
    let page = store.runs(&w, None, 1, None).await.unwrap();
    assert_eq!((page.rows[0].id, page.more), (Uuid::from_u128(2), true));
    let page = store.runs(&w, Some(Uuid::from_u128(2)), 5, None).await.unwrap();
    assert_eq!((page.rows, page.more), (vec![over], false));
    let other = WorkspaceId::from("other");
    store.workspace(&other, "Other", at(0)).await.unwrap();
    assert!(begin(&store, &other, &a_run(3)).await, "each workspace has its own");
}

pub async fn of_two_who_change_a_run_one_does(place: &impl Place) {
    let (store, w) = open(place).await;
    begin(&store, &w, &a_run(1)).await;
    let held = store.open_run(&w).await.unwrap().unwrap();
    let running = SyncRun { state: RunState::Running, ..held.run.clone() };
    let cancelled = held.run.clone().ended(RunState::Cancelled, at(20));
    let (one, other) = tokio::join!(
        store.step_run(&w, RunStep::new(&running, held.revision, at(20))),
        store.step_run(&w, RunStep::new(&cancelled, held.revision, at(20)))
    );
    let stored = [one.unwrap(), other.unwrap()].map(|one| one != Stepped::Stale);
    assert!(stored[0] != stored[1], "{stored:?}");
}

pub async fn a_hold_and_the_run_that_it_stopped_are_decided_at_once(place: &impl Place) {
    let (store, w) = open(place).await;
    begin(&store, &w, &a_run(1)).await;
    let held = store.open_run(&w).await.unwrap().unwrap();
    let question = Hold { run: Some(held.run.id), ..hold(None, &[], 9) };
    let paused = SyncRun { state: RunState::Paused, hold: Some(question.id), ..held.run };
    let step = RunStep { hold: Some(&question), ..RunStep::new(&paused, held.revision, at(12)) };
    assert_ne!(store.step_run(&w, step).await.unwrap(), Stepped::Stale);
    let (decided, told) = (decision(false), event(EventKind::Resolved, None));
    let goes_on = SyncRun { state: RunState::Previewing, hold: None, ..paused.clone() };
    let resolve = async |revision| {
        let run = Some(RunStep::new(&goes_on, revision, at(13)));
        let resolution = Resolution { decision: &decided, event: &told, run };
        store.resolve(&w, question.id, resolution).await.unwrap()
    };
    // Somebody changed the run meanwhile: neither is done.
    assert_eq!(resolve(held.revision).await, Resolved::Stale);
    let open = store.holds(&w, &HoldFilter::default(), None, 5).await.unwrap();
    assert_eq!(open.rows.len(), 1);
    assert_eq!(store.open_run(&w).await.unwrap().unwrap().run, paused);
    assert!(matches!(resolve(held.revision + 1).await, Resolved::Now(_)));
    let open = store.holds(&w, &HoldFilter::default(), None, 5).await.unwrap();
    assert_eq!(open.rows, []);
    assert_eq!(store.open_run(&w).await.unwrap().unwrap().run, goes_on);
    // Who decides once more does not change the run again.
    assert!(matches!(resolve(held.revision + 2).await, Resolved::Before(_)));
    assert_eq!(store.open_run(&w).await.unwrap().unwrap().revision, held.revision + 2);
}

pub async fn a_run_that_is_stopped_takes_its_hold_along(place: &impl Place) {
    let (store, w) = open(place).await;
    begin(&store, &w, &a_run(1)).await;
    let held = store.open_run(&w).await.unwrap().unwrap();
    let question = Hold { run: Some(held.run.id), ..hold(None, &[], 9) };
    let other = hold(None, &[], 10);
    store.open_hold(&w, &other, &event(EventKind::Held, None)).await.unwrap();
    let paused = SyncRun { state: RunState::Paused, hold: Some(question.id), ..held.run };
    let step = RunStep { hold: Some(&question), ..RunStep::new(&paused, held.revision, at(12)) };
    assert_ne!(store.step_run(&w, step).await.unwrap(), Stepped::Stale);
    let over = paused.ended(RunState::Cancelled, at(13));
    let cancel = async |revision| {
        let step = RunStep { over: Some(question.id), ..RunStep::new(&over, revision, at(13)) };
        store.step_run(&w, step).await.unwrap()
    };
    let open = async || store.holds(&w, &HoldFilter::default(), None, 5).await.unwrap().rows;
    assert_eq!(cancel(held.revision).await, Stepped::Stale);
    assert_eq!(open().await.len(), 2, "the run is not as it was");
    assert_ne!(cancel(held.revision + 1).await, Stepped::Stale);
    assert_eq!(open().await, [other]);
}

fn a_poll(number: u128, system: Option<System>) -> SyncRun {
    let id = Uuid::from_u128(number);
    SyncRun::begin(Begin {
        id,
        kind: RunKind::Poll,
        system,
        dry: false,
        approved: true,
        at: at(10),
        fresh_from: at(10),
        by: None,
    })
}

pub async fn polls_are_beside_other_runs_and_few_are_kept(place: &impl Place) {
    let (store, w) = open(place).await;
    begin(&store, &w, &a_run(1)).await;
    let one = a_poll(2, Some(Doppler));
    assert!(store.begin_run(&w, &one, &[], &[]).await.unwrap());
    assert!(!store.begin_run(&w, &a_poll(3, Some(Doppler)), &[], &[]).await.unwrap());
    assert!(store.begin_run(&w, &a_poll(4, Some(HighLevel)), &[], &[]).await.unwrap());
    assert!(
        !store.begin_run(&w, &a_poll(5, None), &[], &[]).await.unwrap(),
        "as any run of people"
    );
    assert_eq!(store.open_run(&w).await.unwrap().unwrap().run, a_run(1));
    let held = store.open_poll(&w, Doppler).await.unwrap().unwrap();
    assert_eq!(held.run, one);
    // What a poll saw says nothing of who is there, and where it is counts for the next one.
    let seen = [("ana@example.com".to_owned(), "1".to_owned())];
    let staged = Some(Staged { system: Doppler, seen: &seen, copies: &[], opted_out: &[] });
    for position in ["7", "8"] {
        let held = store.open_poll(&w, Doppler).await.unwrap().unwrap();
        let poll = Some((Doppler, position));
        let step = RunStep { staged, poll, ..RunStep::new(&one, held.revision, at(11)) };
        assert_ne!(store.step_run(&w, step).await.unwrap(), Stepped::Stale);
        assert_eq!(store.position(&w, Doppler).await.unwrap().as_deref(), Some(position));
    }
    assert_eq!(store.unseen(&w, Doppler, &seen).await.unwrap(), [false]);
    assert_eq!(store.presence(&w, &one, Doppler).await.unwrap().seen, 0);

    let end = async |run: SyncRun| {
        let held = store.run(&w, run.id).await.unwrap().unwrap();
        let over = run.ended(RunState::Finished, at(20));
        let step = RunStep::new(&over, held.revision, at(20));
        assert_ne!(store.step_run(&w, step).await.unwrap(), Stepped::Stale);
    };
    let polls = async || {
        let kinds = [RunKind::Poll];
        let page = store.runs(&w, None, 100, Some(&kinds)).await.unwrap();
        let of_doppler = page.rows.into_iter().filter(|run| run.system == Some(Doppler));
        of_doppler.map(|run| run.id.as_u128()).collect::<Vec<u128>>()
    };
    end(one).await;
    let most = u128::from(POLLS_KEPT);
    for number in 100..100 + most + 5 {
        let run = a_poll(number, Some(Doppler));
        assert!(store.begin_run(&w, &run, &[], &[]).await.unwrap());
        // Every other one of the first finds nothing.
        let differing = u64::from(number >= 104 || number % 2 == 1);
        end(SyncRun { differing, ..run }).await;
        if number == 103 {
            assert_eq!(polls().await, [103, 101], "those that found nobody are gone");
        }
    }
    let kept = polls().await;
    assert_eq!(kept.len(), POLLS_KEPT as usize);
    assert_eq!(kept[0], 100 + most + 4);
    let kinds = [RunKind::Backfill];
    let others = store.runs(&w, None, 9, Some(&kinds)).await.unwrap();
    assert_eq!(others.rows, [a_run(1)]);
}

pub async fn who_lost_the_lease_of_a_run_changes_nothing(place: &impl Place) {
    let (store, w) = open(place).await;
    begin(&store, &w, &a_run(1)).await;
    let old = lease_of(&store).await;
    let claim = Claim { kinds: &[RUN], ..super::a_claim(90, 10) };
    let new = store.claim(&claim).await.unwrap().leases.remove(0);
    let held = store.open_run(&w).await.unwrap().unwrap();
    let run = SyncRun { seen: 7, ..held.run.clone() };
    let step = RunStep { lease: Some(&old), ..RunStep::new(&run, held.revision, at(91)) };
    assert_eq!(store.step_run(&w, step).await.unwrap(), Stepped::Stale);
    assert_eq!(store.open_run(&w).await.unwrap().unwrap(), held);
    let step = RunStep { lease: Some(&new), preview: Some("{}"), ..step };
    assert_ne!(store.step_run(&w, step).await.unwrap(), Stepped::Stale);
    assert_eq!(store.open_run(&w).await.unwrap().unwrap().run, run);
    assert_eq!(store.run_preview(&w, run.id).await.unwrap().as_deref(), Some("{}"));
}

pub async fn people_are_counted_by_what_became_of_them(place: &impl Place) {
    let (store, w) = open(place).await;
    run_sync(&store, &w, SyncState::Running).await;
    let mut ids = Vec::new();
    for key in ["h1", "h2", "h3"] {
        ids.push(person(&store, &w, key).await);
    }
    assert_eq!(store.everybody(&w, None, 2).await.unwrap(), ids[..2]);
    assert_eq!(store.everybody(&w, Some(ids[1]), 2).await.unwrap(), ids[2..]);
    begin(&store, &w, &a_run(1)).await;
    let held = store.open_run(&w).await.unwrap().unwrap();
    let step = RunStep { members: &ids, ..RunStep::new(&held.run, held.revision, at(12)) };
    assert_ne!(store.step_run(&w, step).await.unwrap(), Stepped::Stale);
    let known = store.recognize(&w, &[subscriber("ana@example.com")], at(12)).await.unwrap();
    let left =
        async |linked, after| store.not_in_run(&w, held.run.id, (linked, after), 9).await.unwrap();
    assert_eq!(left(None, None).await, [known[0].id], "the others are part of it");
    assert_eq!(left(Some(Doppler), None).await, [known[0].id]);
    assert_eq!(left(Some(HighLevel), None).await, []);
    assert_eq!(left(None, Some(known[0].id)).await, []);
    assert_eq!(store.not_in_run(&w, Uuid::max(), (None, None), 2).await.unwrap(), ids[..2]);
    assert_eq!(
        store.not_in_run(&w, Uuid::max(), (Some(HighLevel), None), 9).await.unwrap(),
        ids,
        "of another run nobody is"
    );
    let people = store.run_people(&w, held.run.id).await.unwrap();
    assert_eq!((people.open, people.tally.done()), (3, 0));
    let outcomes = [RunOutcome::Created, RunOutcome::Failed, RunOutcome::Unchanged];
    for lease in claim(&store, 13, 10).await {
        assert_eq!((lease.kind, lease.priority), (CONTACT, Priority::Backfill));
        let place = ids.iter().position(|id| id.to_string() == lease.key).unwrap();
        // Nothing is known yet of the last one, who has nothing left to be done.
        let outcome = (place < 2).then_some(outcomes[place]);
        let record = Record { outcome, ..Record::default() };
        store.record(&lease, record, at(14)).await.unwrap();
    }
    let people = store.run_people(&w, held.run.id).await.unwrap();
    let tally = people.tally;
    assert_eq!((people.open, tally.created, tally.failed, tally.unchanged), (0, 1, 1, 1));
    // What failed may yet turn out well; what was created stays so.
    for id in &ids[..2] {
        store.mark(&w, &[Mark::contact(*id, Priority::Live, at(15))]).await.unwrap();
    }
    for lease in claim(&store, 16, 10).await {
        let record = Record { outcome: Some(RunOutcome::Updated), ..Record::default() };
        store.record(&lease, record, at(17)).await.unwrap();
    }
    let tally = store.run_people(&w, held.run.id).await.unwrap().tally;
    assert_eq!((tally.created, tally.updated, tally.failed), (1, 1, 0));
}

pub async fn a_listing_tells_who_is_missing(place: &impl Place) {
    let (store, w) = open(place).await;
    person(&store, &w, "h1").await;
    person(&store, &w, "h2").await;
    store.recognize(&w, &[subscriber("ana@example.com")], at(1)).await.unwrap();
    begin(&store, &w, &a_run(1)).await;
    let held = store.open_run(&w).await.unwrap().unwrap();
    let run = held.run;
    let presence = |links, absent, seen| Presence { links, absent, seen };
    assert_eq!(store.presence(&w, &run, HighLevel).await.unwrap(), presence(2, 2, 0));
    let seen = [("h1".to_owned(), "1".to_owned())];
    let key = CopyKey::person(HighLevel, "loc", "h1");
    let copy = Copy { key: key.clone(), body: Some("{}".to_owned()), fetched_at: at(11) };
    let copies = [copy];
    let staged = Some(Staged { system: HighLevel, seen: &seen, copies: &copies, opted_out: &[] });
    let poll = Some((HighLevel, "7"));
    let step = RunStep { staged, poll, ..RunStep::new(&run, held.revision, at(12)) };
    assert_ne!(store.step_run(&w, step).await.unwrap(), Stepped::Stale);
    assert_eq!(store.presence(&w, &run, HighLevel).await.unwrap(), presence(2, 1, 1));
    let was_listed = |system, key| store.was_listed(&w, run.id, (system, key));
    assert!(was_listed(HighLevel, "h1").await.unwrap());
    assert!(!was_listed(HighLevel, "h2").await.unwrap());
    assert!(!was_listed(Doppler, "h1").await.unwrap());
    assert_eq!(store.copies(&w, &[key]).await.unwrap(), copies);
    assert_eq!(store.position(&w, HighLevel).await.unwrap().as_deref(), Some("7"));
    // What was seen by a run is no news to a poll.
    assert_eq!(store.unseen(&w, HighLevel, &seen).await.unwrap(), [false]);
    let opted_out = [("opt-out ana@example.com".to_owned(), "1".to_owned())];
    let hashes = ["a hash".to_owned()];
    let (seen, opted_out) = (&opted_out, &hashes);
    let staged = Some(Staged { system: Doppler, seen, copies: &[], opted_out });
    let step = RunStep { staged, ..RunStep::new(&run, held.revision + 1, at(13)) };
    assert_ne!(store.step_run(&w, step).await.unwrap(), Stepped::Stale);
    assert_eq!(store.presence(&w, &run, Doppler).await.unwrap(), presence(1, 0, 0));
    assert!(store.suppressed(&w, &hashes).await.unwrap());
    // Who came to be known since is not missed.
    store.recognize(&w, &[super::contact("h9", None)], at(99)).await.unwrap();
    assert_eq!(store.presence(&w, &run, HighLevel).await.unwrap(), presence(2, 1, 1));
}

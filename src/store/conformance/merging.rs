//! What a merge moves.

use super::record::{base, canon, failure, pending};
use super::{
    Place, accept, at, claim, contact, edit, event, holds, open, pair, pause_fields, person,
    subscriber,
};
use crate::store::{
    AgreementChange, EventFilter, Events, HoldFilter, Intended, Next, Record, Recorded, Span,
};
use crate::unified::EventKind::{Merged, Received};
use crate::unified::System::{Doppler, HighLevel};
use crate::unified::{OPTED_OUT, STATUS, WorkspaceId};

pub async fn all_that_was_the_others_is_the_survivors(place: &impl Place) {
    let (store, w) = open(place).await;
    let known = pair(&store, &w).await;
    let (survivor, gone) = (known[0], known[1]);
    let theirs = edit(gone, "theirs", 1);
    accept(&store, &w, &theirs).await;
    let lease = claim(&store, 2, 9).await.pop().unwrap();
    let write = pending(gone);
    assert_eq!(store.intend(&lease, &write, None).await.unwrap(), Intended::Stored);
    let hold = holds::hold(Some(gone), &[gone, survivor], 1);
    let record = Record {
        failures: vec![failure(gone, Doppler)],
        holds: vec![hold.clone()],
        events: vec![event(Received, Some(gone))],
        next: Next::Retry { at: at(600), error: "down".to_owned() },
        ..Record::default()
    };
    store.record(&lease, record, at(2)).await.unwrap();
    store.recognize(&w, &[contact("h1", Some("ana@example.com"))], at(3)).await.unwrap();

    let sheet = store.sheet(&w, gone).await.unwrap().unwrap();
    assert_eq!(sheet.known.id, survivor);
    assert_eq!((sheet.edits[0].id, sheet.edits[0].contact), (theirs.id, survivor));
    assert_eq!((sheet.pending[0].id, sheet.pending[0].contact), (write.id, survivor));
    assert_eq!(sheet.failures, [failure(survivor, Doppler)]);
    assert_eq!(sheet.holds, [holds::hold(Some(survivor), &[survivor], 1)]);
    let listed = HoldFilter { contact: Some(gone), ..HoldFilter::default() };
    assert_eq!(store.holds(&w, &listed, None, 9).await.unwrap().rows.len(), 1);
    let about = EventFilter { contact: Some(survivor), ..EventFilter::default() };
    let Events::Found { events, .. } =
        store.events(&w, Span::After(None), &about, 9).await.unwrap()
    else {
        panic!("nothing is forgotten yet")
    };
    let kinds: Vec<_> = events.iter().map(|e| (e.draft.kind, e.draft.contact)).collect();
    assert_eq!(kinds, [(Received, Some(gone)), (Merged, Some(survivor))]);
    let lease = claim(&store, 4, 9).await.pop().expect("it is marked without a backoff");
    assert_eq!(lease.key, survivor.to_string());
    assert_eq!(
        store.record(&lease, Record::default(), at(4)).await.unwrap(),
        Recorded::Stored { last_cursor: None, refused: Vec::new() }
    );
    assert_eq!(store.counts(&w).await.unwrap().total, 1);
}

pub async fn what_differs_was_never_agreed(place: &impl Place) {
    let (store, w) = open(place).await;
    let known = pair(&store, &w).await;
    for (id, name, own) in [(known[0], "Ana", "phone"), (known[1], "Anna", "city")] {
        accept(&store, &w, &edit(id, "vip", 1)).await;
        let lease = claim(&store, 2, 9).await.pop().unwrap();
        let field = |name: &str, value: &str| (name.to_owned(), Some(canon(value)));
        let at_base = |name: &str, value: &str| (name.to_owned(), Some(base(value)));
        let bases = [at_base("firstName", name), at_base("country", "AR"), at_base(own, "x")];
        let mut change = AgreementChange {
            canon: [field("firstName", name), field("country", "AR"), field(own, "x")].into(),
            ..AgreementChange::default()
        };
        let system = if id == known[0] { HighLevel } else { Doppler };
        match system {
            HighLevel => change.highlevel = bases.into(),
            Doppler => change.doppler = bases.into(),
        }
        store
            .record(&lease, Record { agreement: change, ..Record::default() }, at(2))
            .await
            .unwrap();
    }
    store.recognize(&w, &[contact("h1", Some("ana@example.com"))], at(3)).await.unwrap();
    let agreement = store.sheet(&w, known[0]).await.unwrap().unwrap().agreement;
    assert_eq!(agreement.canon.keys().collect::<Vec<_>>(), ["city", "country", "phone"]);
    assert_eq!(agreement.highlevel.keys().collect::<Vec<_>>(), ["country", "phone"]);
    assert_eq!(agreement.doppler.keys().collect::<Vec<_>>(), ["city", "country"]);
}

pub async fn one_opt_out_is_both(place: &impl Place) {
    let (store, _) = open(place).await;
    let cases = [("ACTIVE", OPTED_OUT), (OPTED_OUT, "ACTIVE"), (OPTED_OUT, OPTED_OUT)];
    for (number, (one, other)) in cases.into_iter().enumerate() {
        let w = WorkspaceId::from(format!("w{number}").as_str());
        store.workspace(&w, w.as_str(), at(0)).await.unwrap();
        let known = pair(&store, &w).await;
        for (id, status) in [(known[0], one), (known[1], other)] {
            accept(&store, &w, &edit(id, "vip", 1)).await;
            let lease = claim(&store, 2, 9).await.pop().unwrap();
            let status_base = (STATUS.to_owned(), Some(base(status)));
            let agreement = AgreementChange {
                canon: [(STATUS.to_owned(), Some(canon(status)))].into(),
                doppler: [status_base.clone()].into(),
                highlevel: [status_base].into(),
            };
            let record = Record { agreement, ..Record::default() };
            store.record(&lease, record, at(2)).await.unwrap();
        }
        store.recognize(&w, &[contact("h1", Some("ana@example.com"))], at(3)).await.unwrap();
        let agreement = store.sheet(&w, known[0]).await.unwrap().unwrap().agreement;
        assert!(agreement.is_out(), "{one} and {other}");
        assert!(agreement.doppler.is_empty() && agreement.highlevel.is_empty(), "both are asked");
    }
}

pub async fn a_merge_and_whoever_resumes_do_not_wait_for_each_other(place: &impl Place) {
    const ROUNDS: u64 = 20;
    let (store, w) = open(place).await;
    for round in 0..ROUNDS {
        let by = pause_fields(&store, &w, &["city"]).await;
        let older = person(&store, &w, &format!("h{round}")).await;
        let other = subscriber(&format!("{round}@example.com"));
        store.recognize(&w, std::slice::from_ref(&other), at(0)).await.unwrap();
        accept(&store, &w, &edit(older, "vip", 1)).await;
        let lease = claim(&store, 2, 1).await.pop().unwrap();
        let next = Next::Paused { until: at(9_000), by };
        let record = Record { links: vec![other], next, ..Record::default() };
        let resumed = pause_fields(&store, &w, &[]);
        let (recorded, _) = tokio::join!(store.record(&lease, record, at(2)), resumed);
        assert_ne!(recorded.unwrap(), Recorded::Lost);
        let lease = claim(&store, 3, 1).await.pop().unwrap();
        assert_eq!(lease.key, older.to_string());
        store.record(&lease, Record::default(), at(3)).await.unwrap();
    }
    assert_eq!(store.counts(&w).await.unwrap().total, ROUNDS);
}

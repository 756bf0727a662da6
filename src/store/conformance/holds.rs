//! Holds and their decisions.

use uuid::Uuid;

use super::{Place, accept, at, claim_only, edit, event, open, person};
use crate::store::{HoldFilter, Next, Page, Priority, Record, Resolution, Resolved};
use crate::unified::EventKind::{Held, Resolved as Told};
use crate::unified::{
    ContactId, EventDraft, Hold, HoldCandidate, HoldDecision, HoldKind, HoldResolution,
};

pub fn hold(contact: Option<ContactId>, contacts: &[ContactId], n: u128) -> Hold {
    Hold {
        id: Uuid::from_u128(n),
        kind: HoldKind::Conflict,
        contact,
        contacts: contacts.to_vec(),
        run: None,
        system: None,
        field: Some("firstName".to_owned()),
        candidates: vec![HoldCandidate {
            id: "d".to_owned(),
            system: None,
            label: "Doppler's".to_owned(),
            value: Some("Ana".to_owned()),
        }],
        resolutions: vec![HoldResolution { choice: "USE".to_owned(), effect: "Use it".to_owned() }],
        reason: "They differ".to_owned(),
        since: at(1),
    }
}

/// Nothing but the decision.
pub fn by<'a>(decision: &'a HoldDecision, event: &'a EventDraft) -> Resolution<'a> {
    Resolution { decision, event, run: None }
}

pub fn decision(remember: bool) -> HoldDecision {
    HoldDecision {
        choice: "USE".to_owned(),
        candidate: Some("d".to_owned()),
        remember,
        at: at(10),
        by: None,
    }
}

pub async fn a_hold_is_listed_until_it_is_resolved(place: &impl Place) {
    let (store, w) = open(place).await;
    let (ana, bea) = (person(&store, &w, "h1").await, person(&store, &w, "h2").await);
    let holds = [
        hold(Some(ana), &[ana, bea], 1),
        Hold { kind: HoldKind::Consent, ..hold(Some(bea), &[bea], 2) },
        Hold { kind: HoldKind::MassDelete, ..hold(None, &[], 3) },
    ];
    for hold in &holds {
        store.open_hold(&w, hold, &event(Held, hold.contact)).await.unwrap();
    }
    let changed = Hold { reason: "They still differ".to_owned(), ..holds[0].clone() };
    store.open_hold(&w, &changed, &event(Held, Some(ana))).await.unwrap();
    let list = async |filter: HoldFilter, after: Option<u128>, first| -> Page<Hold> {
        store.holds(&w, &filter, after.map(Uuid::from_u128), first).await.unwrap()
    };
    let all = list(HoldFilter::default(), None, 9).await;
    assert_eq!(all.rows, [changed.clone(), holds[1].clone(), holds[2].clone()]);
    assert!(!all.more);
    let two = list(HoldFilter::default(), None, 2).await;
    assert_eq!((two.rows.len(), two.more), (2, true));
    assert_eq!(list(HoldFilter::default(), Some(2), 2).await.rows, [holds[2].clone()]);
    let of_bea = HoldFilter { contact: Some(bea), ..HoldFilter::default() };
    assert_eq!(list(of_bea, None, 9).await.rows, [changed.clone(), holds[1].clone()]);
    let kinds = Some(vec![HoldKind::Consent, HoldKind::MassDelete]);
    let of_kind = HoldFilter { kinds, contact: None };
    assert_eq!(list(of_kind, None, 9).await.rows, holds[1..]);
    assert_eq!(store.counts(&w).await.unwrap().held, 2);
    assert_eq!(store.hold(&w, holds[2].id).await.unwrap().as_ref(), Some(&holds[2]));

    let told = event(Told, None);
    let resolved = store.resolve(&w, holds[2].id, by(&decision(false), &told)).await.unwrap();
    assert_eq!(resolved, Resolved::Now(holds[2].clone()));
    assert_eq!(list(HoldFilter::default(), None, 9).await.rows.len(), 2);
    assert_eq!(store.last_cursor(&w).await.unwrap(), 5);
    let sheet = store.sheet(&w, bea).await.unwrap().unwrap();
    assert_eq!(sheet.holds, [changed, holds[1].clone()]);
}

pub async fn a_decision_stays_until_it_is_carried_out(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = person(&store, &w, "h1").await;
    for (n, remember) in [(1, false), (2, true)] {
        store.open_hold(&w, &hold(Some(ana), &[ana], n), &event(Held, Some(ana))).await.unwrap();
        let told = event(Told, Some(ana));
        store.resolve(&w, Uuid::from_u128(n), by(&decision(remember), &told)).await.unwrap();
    }
    let sheet = store.sheet(&w, ana).await.unwrap().unwrap();
    let standing: Vec<_> =
        sheet.decisions.iter().map(|d| (d.hold.id.as_u128(), d.remembered)).collect();
    assert_eq!(standing, [(1, false), (2, false)]);
    assert_eq!(sheet.decisions[1].decision, decision(true));
    accept(&store, &w, &edit(ana, "vip", 11)).await;
    let lease = claim_only(&store, 12).await;
    let obeyed = vec![Uuid::from_u128(1), Uuid::from_u128(2)];
    store.record(&lease, Record { obeyed, ..Record::default() }, at(13)).await.unwrap();
    let sheet = store.sheet(&w, ana).await.unwrap().unwrap();
    let standing: Vec<_> =
        sheet.decisions.iter().map(|d| (d.hold.id.as_u128(), d.remembered)).collect();
    assert_eq!(standing, [(2, true)], "for like questions to come");
    let bea = person(&store, &w, "h2").await;
    let sheet = store.sheet(&w, bea).await.unwrap().unwrap();
    let standing: Vec<_> =
        sheet.decisions.iter().map(|d| (d.hold.id.as_u128(), d.remembered)).collect();
    assert_eq!(standing, [(2, true)], "of others too");
}

pub async fn a_hold_is_resolved_once(place: &impl Place) {
    let (one, w) = open(place).await;
    let (two, _) = open(place).await;
    let ana = person(&one, &w, "h1").await;
    accept(&one, &w, &edit(ana, "vip", 1)).await;
    let lease = claim_only(&one, 2).await;
    let held = Record {
        holds: vec![hold(Some(ana), &[ana], 1)],
        next: Next::Retry { at: at(9_999), error: "down".to_owned() },
        ..Record::default()
    };
    one.record(&lease, held, at(2)).await.unwrap();
    let (id, yes, told) = (Uuid::from_u128(1), decision(false), event(Told, Some(ana)));
    let both = futures_util::join!(
        one.resolve(&w, id, by(&yes, &told)),
        two.resolve(&w, id, by(&yes, &told))
    );
    let both = [both.0.unwrap(), both.1.unwrap()];
    assert!(both.iter().any(|r| matches!(r, Resolved::Now(_))), "{both:?}");
    assert!(both.iter().any(|r| matches!(r, Resolved::Before(_))), "{both:?}");
    let nobody = one.resolve(&w, Uuid::from_u128(7), by(&yes, &told)).await.unwrap();
    assert_eq!(nobody, Resolved::Unknown);
    let lease = claim_only(&one, 10).await;
    assert_eq!((lease.key, lease.priority), (ana.to_string(), Priority::Client));
}

pub async fn a_hold_can_go_away_by_itself(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = person(&store, &w, "h1").await;
    accept(&store, &w, &edit(ana, "vip", 1)).await;
    let lease = claim_only(&store, 2).await;
    let holds = vec![hold(Some(ana), &[], 1)];
    store
        .record(&lease, Record { holds, next: Next::Again(at(2)), ..Record::default() }, at(2))
        .await
        .unwrap();
    assert_eq!(store.sheet(&w, ana).await.unwrap().unwrap().holds.len(), 1);
    let lease = claim_only(&store, 3).await;
    let dropped = vec![Uuid::from_u128(1)];
    store.record(&lease, Record { dropped, ..Record::default() }, at(3)).await.unwrap();
    let sheet = store.sheet(&w, ana).await.unwrap().unwrap();
    assert_eq!((sheet.holds, sheet.decisions), (Vec::new(), Vec::new()));
    let late = store.resolve(&w, Uuid::from_u128(1), by(&decision(true), &event(Told, None))).await;
    assert!(matches!(late.unwrap(), Resolved::Before(_)));
}

pub async fn what_is_everybodys_is_held_once(place: &impl Place) {
    let (store, w) = open(place).await;
    let (ana, bea) = (person(&store, &w, "h1").await, person(&store, &w, "h2").await);
    let gone = |n| Hold { kind: HoldKind::RemoteFieldGone, ..hold(None, &[], n) };
    for (id, n) in [(ana, 1), (bea, 2)] {
        accept(&store, &w, &edit(id, "vip", 1)).await;
        let lease = claim_only(&store, 2).await;
        let record = Record { holds: vec![gone(n)], ..Record::default() };
        store.record(&lease, record, at(2)).await.unwrap();
    }
    let listed = store.holds(&w, &HoldFilter::default(), None, 9).await.unwrap();
    assert_eq!(listed.rows, [gone(1)]);
    for id in [ana, bea] {
        assert_eq!(store.sheet(&w, id).await.unwrap().unwrap().holds, [gone(1)]);
    }
    assert_eq!(store.counts(&w).await.unwrap().held, 0, "it is about nobody");
    let told = event(Told, None);
    store.resolve(&w, Uuid::from_u128(1), by(&decision(false), &told)).await.unwrap();
    let sheet = store.sheet(&w, bea).await.unwrap().unwrap();
    assert_eq!((sheet.holds, sheet.decisions.len()), (Vec::new(), 1));
    assert!(!sheet.decisions[0].remembered, "it is to be carried out");
}

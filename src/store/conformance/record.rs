//! Write-ahead and what runs record.

use uuid::Uuid;

use super::{
    POLL, Place, accept, at, claim, claim_only, contact, edit, event, open, pair, person,
    subscriber, text, write_of,
};
use crate::store::{
    AgreementChange, EditOutcome, Intended, Mark, Next, Priority, Record, Recorded, Sheet, Store,
};
use crate::unified::EventKind::Written;
use crate::unified::System::{Doppler, HighLevel};
use crate::unified::WriteOutcome::Applied;
use crate::unified::{
    ActionKind, Base, Canon, ContactId, Failure, Origin, PendingWrite, System, WorkspaceId,
};

pub fn canon(value: &str) -> Canon {
    Canon {
        value: text(value),
        origin: Origin::Client,
        changed_at: at(1),
        certain: true,
        alternated: vec![at(0)],
    }
}

pub fn base(value: &str) -> Base {
    Base { value: text(value), sent: Some(text("sent")) }
}

pub fn pending(contact: ContactId) -> PendingWrite {
    PendingWrite {
        id: Uuid::from_u128(rand::random()),
        contact,
        system: HighLevel,
        action: ActionKind::Update,
        edit: None,
        fields: vec!["firstName".to_owned()],
        body: "{}".to_owned(),
        begun_at: at(1),
    }
}

pub fn failure(contact: ContactId, system: System) -> Failure {
    Failure {
        contact,
        system,
        action: ActionKind::Update,
        code: "UPSTREAM_UNAVAILABLE".to_owned(),
        message: "It does not answer".to_owned(),
        attempts: 2,
        first_failed_at: at(1),
        next_attempt_at: Some(at(60)),
        dead: false,
    }
}

async fn sheet(store: &std::sync::Arc<dyn Store>, w: &WorkspaceId, id: ContactId) -> Sheet {
    store.sheet(w, id).await.unwrap().unwrap()
}

pub async fn only_what_it_names_changes(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = person(&store, &w, "h1").await;
    let fields = |names: &[&str]| names.iter().map(|n| ((*n).to_owned(), Some(canon(n)))).collect();
    let bases = |names: &[&str]| names.iter().map(|n| ((*n).to_owned(), Some(base(n)))).collect();
    accept(&store, &w, &edit(ana, "vip", 1)).await;
    let lease = claim_only(&store, 2).await;
    let change = AgreementChange {
        canon: fields(&["a", "b"]),
        doppler: bases(&["a", "b"]),
        highlevel: bases(&["a"]),
    };
    let failures = vec![failure(ana, Doppler), failure(ana, HighLevel)];
    let next = Next::Again(at(2));
    let record = Record { agreement: change, failures, next, ..Record::default() };
    store.record(&lease, record, at(2)).await.unwrap();

    let lease = claim_only(&store, 3).await;
    let mut change = AgreementChange { canon: fields(&["c"]), ..AgreementChange::default() };
    change.canon.insert("a".to_owned(), None);
    change.doppler.insert("b".to_owned(), Some(base("new")));
    let record = Record { agreement: change, cleared: vec![Doppler], ..Record::default() };
    store.record(&lease, record, at(3)).await.unwrap();
    let sheet = sheet(&store, &w, ana).await;
    assert_eq!(sheet.agreement.canon.keys().collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(sheet.agreement.canon["b"], canon("b"), "all of it is kept");
    assert_eq!(sheet.agreement.doppler["a"], base("a"));
    assert_eq!(sheet.agreement.doppler["b"], base("new"));
    assert_eq!(sheet.agreement.highlevel.len(), 1);
    assert_eq!(sheet.failures, [failure(ana, HighLevel)]);
    assert_eq!(sheet.edits.len(), 1);
}

pub async fn who_lost_the_lease_changes_nothing(place: &impl Place) {
    let (slow, w) = open(place).await;
    let (quick, _) = open(place).await;
    let ana = person(&slow, &w, "h1").await;
    let edit = edit(ana, "vip", 1);
    accept(&slow, &w, &edit).await;
    let lost = claim_only(&slow, 2).await;
    // The slow one is paused; its lease of 30 seconds ends and another takes over.
    let lease = claim_only(&quick, 33).await;
    assert_eq!((lease.attempt, &lease.key), (2, &lost.key));
    let writes = vec![write_of(HighLevel, Applied)];
    let record = Record {
        edits: vec![EditOutcome { edit: edit.id, writes, result: None, errors: Vec::new() }],
        links: vec![subscriber("ana@example.com")],
        unlinked: vec![(HighLevel, "h1".to_owned())],
        failures: vec![failure(ana, Doppler)],
        events: vec![event(Written, Some(ana))],
        marks: vec![Mark::contact(ana, Priority::Client, at(33))],
        ..Record::default()
    };
    let before = sheet(&slow, &w, ana).await;
    assert_eq!(slow.record(&lost, record.clone(), at(34)).await.unwrap(), Recorded::Lost);
    assert_eq!(slow.intend(&lost, &pending(ana), None).await.unwrap(), Intended::Lost);
    assert!(!slow.extend(&lost, at(99)).await.unwrap());
    assert!(!slow.give_back(&lost).await.unwrap());
    assert_eq!(sheet(&slow, &w, ana).await, before);
    assert_eq!(slow.last_cursor(&w).await.unwrap(), 0);

    assert_eq!(quick.intend(&lease, &pending(ana), None).await.unwrap(), Intended::Stored);
    let stored = quick.record(&lease, record.clone(), at(35)).await.unwrap();
    assert_eq!(stored, Recorded::Stored { last_cursor: Some(1), refused: Vec::new() });
    assert_eq!(quick.record(&lease, record, at(36)).await.unwrap(), Recorded::Lost, "it is over");
}

pub async fn a_write_is_known_before_it_is_made(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = person(&store, &w, "h1").await;
    accept(&store, &w, &edit(ana, "vip", 1)).await;
    let lease = claim_only(&store, 2).await;
    let writes = [pending(ana), pending(ana)];
    for write in &writes {
        assert_eq!(store.intend(&lease, write, None).await.unwrap(), Intended::Stored);
    }
    let (other, _) = open(place).await;
    assert_eq!(sheet(&other, &w, ana).await.pending.len(), 2);
    let record = Record { closed: vec![writes[0].id], ..Record::default() };
    store.record(&lease, record, at(3)).await.unwrap();
    assert_eq!(sheet(&other, &w, ana).await.pending, [writes[1].clone()]);
}

pub async fn links_come_and_go(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = person(&store, &w, "h1").await;
    let bea =
        store.recognize(&w, &[contact("h2", None), subscriber("b@x.yz")], at(0)).await.unwrap();
    assert_ne!(bea[0].id, bea[1].id);
    accept(&store, &w, &edit(ana, "vip", 1)).await;
    let lease = claim_only(&store, 2).await;
    let links = vec![subscriber("ana@example.com"), contact("h2", None)];
    let next = Next::Again(at(2));
    let record = Record { links, next, ..Record::default() };
    let stored = store.record(&lease, record, at(2)).await.unwrap();
    let refused = vec![(contact("h2", None), bea[0].id)];
    assert_eq!(stored, Recorded::Stored { last_cursor: None, refused }, "two in one system");
    let known = store.contact(&w, ana).await.unwrap().unwrap();
    assert_eq!(known.key(Doppler), Some("ana@example.com"));

    let lease = claim_only(&store, 3).await;
    let record = Record {
        unlinked: vec![(Doppler, "ana@example.com".to_owned()), (HighLevel, "h2".to_owned())],
        links: vec![subscriber("ana@new.example")],
        ..Record::default()
    };
    store.record(&lease, record, at(3)).await.unwrap();
    let known = store.contact(&w, ana).await.unwrap().unwrap();
    assert_eq!(known.key(Doppler), Some("ana@new.example"), "renamed in one unit");
    assert_eq!(known.key(HighLevel), Some("h1"));
    assert!(store.contact(&w, bea[0].id).await.unwrap().unwrap().key(HighLevel).is_some());
    assert_eq!(store.contacts_by_email(&w, "ana@example.com").await.unwrap(), []);
}

pub async fn a_record_of_before_is_still_the_persons(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = person(&store, &w, "h1").await;
    let old = || subscriber("ana@old.example");
    for (at_second, unlinked, link) in [
        (1, Vec::new(), old()),
        (2, vec![(Doppler, old().key)], subscriber("ana@new.example")),
        (3, vec![(Doppler, "ana@new.example".to_owned())], old()),
    ] {
        accept(&store, &w, &edit(ana, "vip", at_second)).await;
        let lease = claim_only(&store, at_second).await;
        let record = Record { unlinked, links: vec![link.clone()], ..Record::default() };
        store.record(&lease, record, at(at_second)).await.unwrap();
        let both = [old(), subscriber("ana@new.example")];
        let seen = if at_second == 1 { &both[..1] } else { &both[..] };
        let seen = store.recognize(&w, seen, at(9)).await.unwrap();
        assert!(seen.iter().all(|known| known.id == ana), "{seen:?}");
        assert!(seen.iter().all(|known| known.key(Doppler) == Some(&link.key)), "{seen:?}");
    }
    let bea = store.recognize(&w, &[old(), subscriber("bea@x.yz")], at(9)).await.unwrap();
    assert_ne!(bea[0].id, bea[1].id);
}

pub async fn a_record_that_is_foreseen_is_nobody_new(place: &impl Place) {
    let (store, w) = open(place).await;
    let people = [subscriber("ana@old.example"), subscriber("bea@x.yz")];
    let known = store.recognize(&w, &people, at(0)).await.unwrap();
    let (ana, bea) = (known[0].id, known[1].id);
    store.foresee(&w, ana, Doppler, "ana@new.example").await.unwrap();
    let seen = store.recognize(&w, &[subscriber("ana@new.example")], at(1)).await.unwrap();
    assert_eq!((seen[0].id, seen[0].key(Doppler)), (ana, Some("ana@old.example")));
    store.foresee(&w, ana, Doppler, "bea@x.yz").await.unwrap();
    let seen = store.recognize(&w, &people[1..], at(2)).await.unwrap();
    assert_eq!(seen[0].id, bea, "what is linked stays so");
}

pub async fn a_link_may_prove_a_merge(place: &impl Place) {
    let (store, w) = open(place).await;
    let known = pair(&store, &w).await;
    accept(&store, &w, &edit(known[0], "older", 1)).await;
    accept(&store, &w, &edit(known[1], "younger", 1)).await;
    let leases = claim(&store, 2, 9).await;
    let older = leases.iter().find(|lease| lease.key == known[0].to_string()).unwrap();
    let younger = leases.iter().find(|lease| lease.key == known[1].to_string()).unwrap();
    let record = Record {
        links: vec![contact("h1", None)],
        failures: vec![failure(known[1], Doppler)],
        holds: vec![super::holds::hold(Some(known[1]), &[known[1]], 1)],
        ..Record::default()
    };
    let stored = store.record(younger, record, at(3)).await.unwrap();
    assert_eq!(stored, Recorded::Stored { last_cursor: Some(1), refused: Vec::new() });
    for lease in [older, younger] {
        let outcome = store.record(lease, Record::default(), at(3)).await.unwrap();
        assert_eq!(outcome == Recorded::Lost, lease == younger, "its contact is gone");
    }
    let sheet = sheet(&store, &w, known[1]).await;
    assert_eq!(sheet.failures, [failure(known[0], Doppler)]);
    assert_eq!(sheet.holds[0].contact, Some(known[0]));
    assert_eq!((sheet.known.id, sheet.known.links.len(), sheet.edits.len()), (known[0], 2, 2));
    assert_eq!(claim_only(&store, 4).await.key, known[0].to_string(), "there is more to do now");
}

pub async fn what_a_run_marks_is_marked(place: &impl Place) {
    let (store, w) = open(place).await;
    super::mark(&store, &w, "scan", 0).await;
    let lease = claim_only(&store, 1).await;
    assert_eq!(lease.kind, POLL);
    let ana = person(&store, &w, "h1").await;
    let marks = vec![Mark::contact(ana, Priority::Client, at(1))];
    let record = Record { marks, next: Next::Again(at(60)), ..Record::default() };
    store.record(&lease, record, at(1)).await.unwrap();
    assert_eq!(claim_only(&store, 2).await.key, ana.to_string());
}

pub async fn an_opt_out_outlives_its_contact(place: &impl Place) {
    let (store, w) = open(place).await;
    let hashes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let run = async |suppression| {
        let ana = person(&store, &w, "h1").await;
        store.mark(&w, &[Mark::contact(ana, Priority::Client, at(0))]).await.unwrap();
        let lease = claim_only(&store, 1).await;
        let unlinked = vec![(HighLevel, "h1".to_owned())];
        let record = Record { suppression: Some(suppression), unlinked, ..Record::default() };
        store.record(&lease, record, at(1)).await.unwrap();
    };
    assert!(!store.suppressed(&w, &hashes(&["a", "b"])).await.unwrap());
    run((hashes(&["a", "b"]), true)).await;
    run((hashes(&["a"]), true)).await;
    for (asked, expected) in [(["a", "x"], true), (["x", "b"], true), (["x", "y"], false)] {
        assert_eq!(store.suppressed(&w, &hashes(&asked)).await.unwrap(), expected, "{asked:?}");
    }
    let other = WorkspaceId::from("other");
    store.workspace(&other, "Other", at(0)).await.unwrap();
    assert!(!store.suppressed(&other, &hashes(&["a"])).await.unwrap());
    run((hashes(&["a"]), false)).await;
    assert!(!store.suppressed(&w, &hashes(&["a"])).await.unwrap());
    assert!(store.suppressed(&w, &hashes(&["b"])).await.unwrap());
}

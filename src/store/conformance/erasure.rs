//! People who were erased.

use std::sync::Arc;

use uuid::Uuid;

use super::record::{base, canon, failure, pending};
use super::{
    Place, at, contact, edit, event, holds, ids, open, pair, person, run_sync, subscriber, text,
    with_phone,
};
use crate::clock::new_id_at;
use crate::store::{
    Accept, Accepted, AgreementChange, Arrival, Attempt, CONTACT, Claim, Copy, CopyKey, Erasure,
    ErasureKey, Error, EventFilter, Events, HoldFilter, Intended, Lease, Mark, Next, Parked,
    ParkedState, Priority, Record, Recorded, Reserved, RunStep, Sighting, Span, Staged, Stepped,
    Store, Trace,
};
use crate::unified::EventKind::{Erased, Received, RunProgress};
use crate::unified::System::{Doppler, HighLevel};
use crate::unified::{
    Basis, Begin, ContactId, Edit, EditChange, EventDraft, HighLevelContact, HoldCandidate,
    Mapping, RunKind, SubscriberEdit, SyncRun, SyncState, System, WorkspaceId, fixture,
};

const EMAIL: &str = "ana.paz@example.com";
const KEY: &str = "hAnasOwnRecord01";
const PHONE: &str = "+541155550199";
const NAME: &str = "Anamaria";
const NOTE: &str = "likes alfajores";

fn key(byte: u8) -> ErasureKey {
    ErasureKey(secrecy::SecretBox::new(Box::new([byte; 32])))
}

async fn unlocked(place: &impl Place) -> (Arc<dyn Store>, WorkspaceId) {
    let (store, w) = open(place).await;
    store.unlock(key(1));
    (store, w)
}

fn seen() -> [Sighting; 2] {
    [with_phone(contact(KEY, Some(EMAIL)), PHONE), subscriber(EMAIL)]
}

fn copy(system: System, kind: &'static str, own: &str, body: &str, seconds: i64) -> Copy {
    let account = if system == Doppler { "acc" } else { "loc" };
    let key = CopyKey::new(system, kind, account, own);
    Copy { key, body: Some(body.to_owned()), fetched_at: at(seconds) }
}

fn in_highlevel(id: &str, email: &str) -> Copy {
    let contact = HighLevelContact {
        id: id.into(),
        email: Some(email.to_owned()),
        name: Some(NAME.to_owned()),
        ..fixture::contact()
    };
    copy(HighLevel, "contact", id, &serde_json::to_string(&contact).unwrap(), 3)
}

async fn lease_of(store: &Arc<dyn Store>, w: &WorkspaceId, of: ContactId, seconds: i64) -> Lease {
    store.mark(w, &[Mark::contact(of, Priority::Client, at(seconds))]).await.unwrap();
    let claim = Claim { kinds: &[CONTACT], ..super::a_claim(seconds, 10) };
    let leases = store.claim(&claim).await.unwrap().leases;
    leases.into_iter().find(|lease| lease.key == of.to_string()).unwrap()
}

async fn a_run(store: &Arc<dyn Store>, w: &WorkspaceId) -> SyncRun {
    let run = SyncRun::begin(Begin {
        id: Uuid::from_u128(7),
        kind: RunKind::Backfill,
        system: None,
        dry: false,
        approved: true,
        at: at(1),
        fresh_from: at(1),
        by: None,
    });
    assert!(store.begin_run(w, &run, &[], &[event(RunProgress, None)]).await.unwrap());
    run
}

fn upsert(of: ContactId) -> Edit {
    let fields = [("firstName", NAME), ("email", EMAIL), ("phone", PHONE)];
    let fields = fields.map(|(name, value)| (name.to_owned(), text(value)));
    let change = EditChange::Upsert {
        fields: fields.into_iter().collect(),
        tags: Vec::new(),
        lists: Vec::new(),
        create_in: None,
    };
    Edit { change, ..edit(of, "", 4) }
}

/// Somebody of whom every table says something, and somebody who shares a hold with them.
async fn known_well(store: &Arc<dyn Store>, w: &WorkspaceId) -> [ContactId; 2] {
    run_sync(store, w, SyncState::Running).await;
    let basis = Basis {
        accounts: ["acc".to_owned(), "loc".to_owned()],
        mapping: Mapping::default(),
        lists: Vec::new(),
    };
    store.set_basis(w, &basis).await.unwrap();
    while !store.fill(w, 10).await.unwrap() {}
    let ana = store.recognize(w, &seen(), at(1)).await.unwrap()[0].id;
    let ben = person(store, w, "hBen").await;
    store.foresee(w, ana, Doppler, "ana.old@example.com").await.unwrap();
    store.deliveries_seen(w, ana, &["7".to_owned()], at(2)).await.unwrap();
    let notes = format!("[{{\"body\":\"{NOTE}\"}}]");
    let subscriber = serde_json::to_string(&crate::unified::Subscriber {
        email: EMAIL.to_owned(),
        ..fixture::subscriber(&[("FIRSTNAME", NAME)])
    });
    store
        .put_copies(
            w,
            &[
                in_highlevel(KEY, EMAIL),
                copy(HighLevel, "notes", KEY, &notes, 3),
                copy(Doppler, "subscriber", EMAIL, &subscriber.unwrap(), 3),
                copy(Doppler, "deliveries", "Ana.Paz@example.com", "[]", 3),
            ],
        )
        .await
        .unwrap();
    let attempt = Attempt {
        client: "shop".to_owned(),
        mutation: "upsertContact",
        key: "k".to_owned(),
        input_hash: "h".to_owned(),
    };
    store.begin(w, &attempt, at(4), 30).await.unwrap();
    let said = EventDraft { message: format!("{NAME} changed"), ..event(Received, Some(ana)) };
    let asked = upsert(ana);
    let accept = Accept { edit: &asked, events: &[said], attempt: Some(&attempt) };
    assert!(matches!(store.accept(w, accept, at(4)).await.unwrap(), Accepted::Stored { .. }));
    work_on(store, w, [ana, ben]).await;
    let arrival = |id: &str, about: &str| Arrival {
        id: id.to_owned(),
        kind: "ContactUpdate".to_owned(),
        body: format!("{{\"contactId\":\"{about}\",\"firstName\":\"{NAME}\"}}"),
        late: false,
    };
    store.receive(w, &[arrival("a", KEY)], at(5)).await.unwrap();
    super::engagement::goes_on_with(store, w, (ana, NOTE)).await;
    let run = a_run(store, w).await;
    let versions = [(KEY.to_owned(), "1".to_owned())];
    let step = RunStep {
        staged: Some(Staged { system: HighLevel, seen: &versions, copies: &[], opted_out: &[] }),
        preview: Some(&format!(
            "{{\"samples\":[{{\"contact\":\"{}\",\"after\":\"{NAME}\"}}],\"count\":1}}",
            ana.0
        )),
        members: &[ana, ben],
        ..RunStep::new(&run, 1, at(6))
    };
    assert!(matches!(store.step_run(w, step).await.unwrap(), Stepped::Stored { .. }));
    [ana, ben]
}

fn parked(contact: ContactId, edit: SubscriberEdit) -> Parked {
    Parked {
        id: new_id_at(at(5)),
        contact,
        list: Some("7".to_owned()),
        edit,
        state: ParkedState::Waiting,
        body: "{}".to_owned(),
    }
}

/// What a reconcile leaves, and a write under way.
async fn work_on(store: &Arc<dyn Store>, w: &WorkspaceId, [ana, ben]: [ContactId; 2]) {
    let lease = lease_of(store, w, ana, 5).await;
    let candidate = HoldCandidate {
        id: KEY.to_owned(),
        system: Some(HighLevel),
        label: NAME.to_owned(),
        value: Some(EMAIL.to_owned()),
    };
    let hold = crate::unified::Hold {
        candidates: vec![candidate],
        ..holds::hold(Some(ben), &[ana, ben], 1)
    };
    let fields = vec![("FIRSTNAME".to_owned(), NAME.to_owned())];
    let parked = parked(ana, SubscriberEdit { email: EMAIL.to_owned(), fields });
    let write = crate::unified::PendingWrite { body: format!("\"{NAME}\""), ..pending(ana) };
    assert_eq!(store.intend(&lease, &write, None).await.unwrap(), Intended::Stored);
    let mut agreement = AgreementChange::default();
    agreement.canon.insert("firstName".to_owned(), Some(canon(NAME)));
    agreement.doppler.insert("email".to_owned(), Some(base(EMAIL)));
    let told = crate::unified::Failure { message: format!("{NAME}?"), ..failure(ana, Doppler) };
    let record = Record {
        agreement,
        failures: vec![told],
        holds: vec![hold],
        parked: vec![parked],
        suppression: Some((vec![crate::unified::opt_out_hash(w, EMAIL)], true)),
        next: Next::Retry { at: at(600), error: "down".to_owned() },
        ..Record::default()
    };
    assert_ne!(store.record(&lease, record, at(5)).await.unwrap(), Recorded::Lost);
}

async fn erase(store: &Arc<dyn Store>, w: &WorkspaceId, id: ContactId) -> Erasure {
    store.erase(w, id, at(100)).await.unwrap()
}

pub async fn nothing_of_an_erased_person_is_left(place: &impl Place) {
    let (store, w) = unlocked(place).await;
    let [ana, ben] = known_well(&store, &w).await;
    let word = NAME.to_lowercase();
    let texts =
        [EMAIL, KEY, PHONE, NAME, &word, NOTE, "ana.old@example.com", "Ana.Paz@example.com"];
    for text in texts {
        assert!(!place.find(text).await.is_empty(), "{text} was never there");
    }
    let last_cursor = store.last_cursor(&w).await.unwrap() + 1;
    let done = Erasure::Done { contact: ana, last_cursor: Some(last_cursor) };
    assert_eq!(erase(&store, &w, ana).await, done);
    for text in texts {
        assert_eq!(place.find(text).await, Vec::<String>::new(), "{text}");
    }
    let opted_out = crate::unified::opt_out_hash(&w, EMAIL);
    assert!(!store.suppressed(&w, &[opted_out]).await.unwrap());
    assert_eq!(store.contact(&w, ana).await.unwrap(), None);
    assert_eq!(store.sheet(&w, ana).await.unwrap(), None);
    assert_eq!(store.counts(&w).await.unwrap().total, 1);
    assert!(store.contacts_by_email(&w, EMAIL).await.unwrap().is_empty());
    assert!(store.holds(&w, &HoldFilter::default(), None, 9).await.unwrap().rows.is_empty());
    assert!(store.waiting_for_import(&w, 9).await.unwrap().is_empty());
    assert_eq!(store.everybody(&w, None, 9).await.unwrap(), [ben]);
    let about = EventFilter { contact: Some(ana), ..EventFilter::default() };
    let Events::Found { events, .. } =
        store.events(&w, Span::After(None), &about, 9).await.unwrap()
    else {
        panic!("nothing is forgotten yet")
    };
    let kinds: Vec<_> = events.iter().map(|event| event.draft.kind).collect();
    assert_eq!(kinds, [Received, Erased], "the rows stay");
    // Whoever had a question with them is asked about again.
    let claim = Claim { kinds: &[CONTACT], ..super::a_claim(101, 9) };
    let leases = store.claim(&claim).await.unwrap().leases;
    assert_eq!(leases.iter().map(|lease| lease.key.clone()).collect::<Vec<_>>(), [ben.to_string()]);
    let held = store.open_run(&w).await.unwrap().unwrap();
    let preview = store.run_preview(&w, held.run.id).await.unwrap().unwrap();
    assert_eq!(preview, "{\"count\":1,\"samples\":[]}");
    let step = RunStep::new(&held.run, held.revision - 1, at(101));
    assert_eq!(store.step_run(&w, step).await.unwrap(), Stepped::Stale, "it is counted again");
    assert_eq!(erase(&store, &w, ana).await, Erasure::Before(ana));
    let nobody = ContactId(Uuid::from_u128(1));
    assert_eq!(erase(&store, &w, nobody).await, Erasure::Unknown);
}

pub async fn an_erased_person_does_not_come_back(place: &impl Place) {
    let (store, w) = unlocked(place).await;
    let [ana, ben] = known_well(&store, &w).await;
    erase(&store, &w, ana).await;
    // By either record, by the address under another record, and from a store that was opened later.
    let (later, _) = unlocked(place).await;
    let elsewhere = [contact("hAnother", Some(EMAIL)), contact("hBen", Some(EMAIL))];
    let all = [&seen()[..], &elsewhere, &[contact("hNew", None)]].concat();
    for store in [&store, &later] {
        let known = store.recognize(&w, &all, at(200)).await.unwrap();
        let erased: Vec<_> = known.iter().map(|known| (known.id == ana, known.erased)).collect();
        let (out, in_) = ((true, true), (false, false));
        assert_eq!(erased, [out, out, out, in_, in_]);
        assert_eq!(known[3].id, ben, "whose record it is stays so, without the address");
        let traces = [
            Trace::Email(EMAIL.to_owned()),
            Trace::Record(HighLevel, KEY.to_owned()),
            Trace::Record(HighLevel, "hBen".to_owned()),
        ];
        assert_eq!(store.erased(&w, &traces).await.unwrap(), [Some(ana), Some(ana), None]);
    }
    assert_eq!(store.reserve(&w, Some(EMAIL), None, at(200)).await.unwrap(), Reserved::Erased);
    store.foresee(&w, ben, Doppler, EMAIL).await.unwrap();
    let accept = Accept { edit: &upsert(ana), events: &[], attempt: None };
    assert_eq!(store.accept(&w, accept, at(200)).await.unwrap(), Accepted::Erased);
    // Late copies: of their records, and of another record that shows the address.
    let copies = [in_highlevel(KEY, "x@example.com"), in_highlevel("hBen", EMAIL)];
    store.put_copies(&w, &copies).await.unwrap();
    // A run of somebody else's finds one of the records.
    let lease = lease_of(&store, &w, ben, 201).await;
    let record = Record { links: vec![subscriber(EMAIL)], ..Record::default() };
    let Recorded::Stored { refused, .. } = store.record(&lease, record, at(201)).await.unwrap()
    else {
        panic!("the lease holds")
    };
    assert_eq!(refused, [(subscriber(EMAIL), ana)]);
    // A listing shows them each time.
    let held = store.open_run(&w).await.unwrap().unwrap();
    let versions = [(KEY.to_owned(), "1".to_owned()), ("hBen".to_owned(), "1".to_owned())];
    let step = RunStep {
        staged: Some(Staged {
            system: HighLevel,
            seen: &versions,
            copies: &copies,
            opted_out: &[],
        }),
        ..RunStep::new(&held.run, held.revision, at(202))
    };
    assert!(matches!(store.step_run(&w, step).await.unwrap(), Stepped::Stored { .. }));
    assert_eq!(store.unseen(&w, HighLevel, &versions).await.unwrap(), [true, false]);
    assert_eq!(
        store.deliveries_seen(&w, ana, &["7".to_owned()], at(203)).await.unwrap(),
        [at(203)]
    );
    assert_eq!(store.counts(&w).await.unwrap().total, 2);
    for text in [EMAIL, KEY, NAME] {
        assert_eq!(place.find(text).await, Vec::<String>::new(), "{text}");
    }
    // Another workspace knows nothing of it.
    let other = WorkspaceId::from("other");
    store.workspace(&other, "Other", at(0)).await.unwrap();
    assert!(!store.recognize(&other, &seen(), at(204)).await.unwrap()[0].erased);
}

pub async fn who_works_on_an_erased_person_writes_nothing(place: &impl Place) {
    let (store, w) = unlocked(place).await;
    let [ana, ben] = known_well(&store, &w).await;
    let lease = lease_of(&store, &w, ana, 700).await;
    erase(&store, &w, ana).await;
    assert_eq!(store.intend(&lease, &pending(ana), None).await.unwrap(), Intended::Lost);
    let record = Record {
        links: seen().to_vec(),
        events: vec![event(Received, Some(ana))],
        ..Record::default()
    };
    assert_eq!(store.record(&lease, record, at(701)).await.unwrap(), Recorded::Lost);
    // A mark that comes late is work about nobody.
    let late = lease_of(&store, &w, ana, 702).await;
    assert_eq!(store.sheet(&w, ana).await.unwrap(), None);
    let ended = store.record(&late, Record::default(), at(702)).await.unwrap();
    assert!(matches!(ended, Recorded::Stored { .. }));
    assert_eq!(store.everybody(&w, None, 9).await.unwrap(), [ben]);
    assert_eq!(place.find(EMAIL).await, Vec::<String>::new());
}

pub async fn what_another_has_too_stays_theirs(place: &impl Place) {
    let (store, w) = unlocked(place).await;
    let both = ["h1", "h2"].map(|key| contact(key, Some("family@example.com")));
    let known = ids(&store.recognize(&w, &both, at(0)).await.unwrap());
    assert_ne!(known[0], known[1]);
    erase(&store, &w, known[0]).await;
    assert_eq!(store.contacts_by_email(&w, "family@example.com").await.unwrap(), [known[1]]);
    let again = store.recognize(&w, &both, at(1)).await.unwrap();
    assert_eq!((again[0].erased, again[1].erased), (true, false));
    erase(&store, &w, known[1]).await;
    let reserved = store.reserve(&w, Some("family@example.com"), None, at(2)).await.unwrap();
    assert_eq!(reserved, Reserved::Erased);
}

pub async fn every_id_of_an_erased_person_is_nobodys(place: &impl Place) {
    let (store, w) = unlocked(place).await;
    let [older, younger] = pair(&store, &w).await;
    store.recognize(&w, &[contact("h1", Some("ana@example.com"))], at(3)).await.unwrap();
    erase(&store, &w, younger).await;
    for id in [older, younger] {
        assert_eq!(store.contact(&w, id).await.unwrap(), None);
    }
    assert_eq!(erase(&store, &w, older).await, Erasure::Before(older));
    assert_eq!(store.counts(&w).await.unwrap().total, 0);
    let lost = subscriber("ana@example.com");
    assert_eq!(store.recognize(&w, &[lost], at(4)).await.unwrap()[0].id, older);
}

pub async fn without_the_key_nobody_is_erased(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = person(&store, &w, "h1").await;
    assert!(!store.is_unlocked());
    assert!(matches!(store.erase(&w, ana, at(1)).await, Err(Error::Locked)));
    assert_eq!(store.sealed_key(None).await.unwrap(), None);
    for new in ["one", "two"] {
        let kept = store.sealed_key(Some(new)).await.unwrap();
        assert_eq!(kept.as_deref(), Some("one"), "the first one counts");
    }
    let sealed = store.all_sealed().await.unwrap();
    assert_eq!((sealed.len(), sealed[0].kept), (1, crate::store::Kept::ErasureKey));
    assert!(store.reseal(&sealed[0], "three").await.unwrap());
    assert!(!store.reseal(&sealed[0], "four").await.unwrap());
    assert_eq!(store.sealed_key(None).await.unwrap().as_deref(), Some("three"));
    store.unlock(key(1));
    erase(&store, &w, ana).await;
    // Who cannot know erased people again stores nobody.
    let (locked, _) = open(place).await;
    let anybody = locked.recognize(&w, &[contact("h9", None)], at(2)).await;
    assert!(matches!(anybody, Err(Error::Locked)));
}

/// Stores somebody again and again, as several gateways would.
async fn keep_storing(store: &Arc<dyn Store>, w: &WorkspaceId, of: ContactId) {
    for seconds in 10..30 {
        store.recognize(w, &seen(), at(seconds)).await.unwrap();
        let copies = [in_highlevel(KEY, EMAIL), copy(Doppler, "subscriber", EMAIL, "{}", seconds)];
        store.put_copies(w, &copies).await.unwrap();
        let asked = Edit { id: edit(of, "", seconds).id, ..upsert(of) };
        store.accept(w, Accept { edit: &asked, events: &[], attempt: None }, at(4)).await.unwrap();
    }
}

pub async fn an_erasure_keeps_out_writers_of_its_own_workspace(place: &impl Place) {
    let (store, w) = unlocked(place).await;
    let (beside, _) = unlocked(place).await;
    let other = WorkspaceId::from("other");
    store.workspace(&other, "Other", at(0)).await.unwrap();
    let ana = ids(&store.recognize(&w, &seen(), at(0)).await.unwrap())[0];
    let theirs = ids(&store.recognize(&other, &seen(), at(0)).await.unwrap())[0];
    let (.., erased) = futures_util::join!(
        keep_storing(&store, &w, ana),
        keep_storing(&beside, &w, ana),
        keep_storing(&beside, &other, theirs),
        erase(&store, &w, ana)
    );
    assert!(matches!(erased, Erasure::Done { .. }));
    let keys = [in_highlevel(KEY, EMAIL).key, copy(Doppler, "subscriber", EMAIL, "", 0).key];
    for (of, contact, kept) in [(&w, ana, 0), (&other, theirs, 1)] {
        assert_eq!(store.contacts_by_email(of, EMAIL).await.unwrap().len(), kept);
        assert_eq!(store.copies(of, &keys).await.unwrap().len(), kept * 2);
        let sheet = store.sheet(of, contact).await.unwrap();
        assert_eq!(sheet.map_or(0, |sheet| sheet.edits.len()), kept * 20);
        assert_eq!(store.counts(of).await.unwrap().total, u64::try_from(kept).unwrap());
    }
}

pub async fn what_names_the_address_of_another_is_theirs_too(place: &impl Place) {
    const FAMILY: &str = "family@example.com";
    let (store, w) = unlocked(place).await;
    let all = ["h1", "h2", "h3"].map(|key| contact(key, Some(FAMILY)));
    let ana = ids(&store.recognize(&w, &all[..1], at(0)).await.unwrap())[0];
    let seen = [subscriber(FAMILY), all[1].clone()];
    assert_eq!(store.recognize(&w, &seen[..1], at(1)).await.unwrap()[0].id, ana);
    let ben = ids(&store.recognize(&w, &all[1..2], at(2)).await.unwrap())[0];
    let arrival = Arrival {
        id: "a".to_owned(),
        kind: "ContactUpdate".to_owned(),
        body: format!("{{\"email\":\"{FAMILY}\"}}"),
        late: false,
    };
    store.receive(&w, std::slice::from_ref(&arrival), at(3)).await.unwrap();
    let copy = copy(Doppler, "subscriber", FAMILY, "{}", 3);
    let keys = [copy.key.clone()];
    store.put_copies(&w, std::slice::from_ref(&copy)).await.unwrap();
    // The subscriber was hers, so what is kept of it goes. From now on it is who else has the address.
    erase(&store, &w, ana).await;
    assert_eq!(store.copies(&w, &keys).await.unwrap(), []);
    let traces = [Trace::Email(FAMILY.to_owned()), Trace::Record(Doppler, FAMILY.to_owned())];
    assert_eq!(store.erased(&w, &traces).await.unwrap(), [None, None]);
    let known = store.recognize(&w, &seen, at(4)).await.unwrap();
    assert_eq!(known.iter().map(|known| known.id).collect::<Vec<_>>(), [ben, ben]);
    store.put_copies(&w, std::slice::from_ref(&copy)).await.unwrap();
    // The next one was about to write to the subscriber, which is another's.
    let cleo = ids(&store.recognize(&w, &all[2..], at(5)).await.unwrap())[0];
    let lease = lease_of(&store, &w, cleo, 6).await;
    let edit = SubscriberEdit { email: FAMILY.to_owned(), fields: Vec::new() };
    let record = Record { parked: vec![parked(cleo, edit)], ..Record::default() };
    store.record(&lease, record, at(6)).await.unwrap();
    erase(&store, &w, cleo).await;
    assert_eq!(store.copies(&w, &keys).await.unwrap(), [copy]);
    assert_eq!(store.erased(&w, &traces).await.unwrap(), [None, None]);
    let known = store.recognize(&w, &seen, at(7)).await.unwrap();
    assert!(known.iter().all(|known| known.id == ben && !known.erased));
    assert_eq!(store.waiting(&w, None, 9).await.unwrap(), [arrival]);
}

pub async fn an_address_is_found_however_it_is_written(place: &impl Place) {
    let (store, w) = unlocked(place).await;
    let (written, normal) = ("ÁNGELA.Ñandú@Example.com", "ángela.ñandú@example.com");
    let angela = ids(&store.recognize(&w, &[contact("h1", Some(normal))], at(0)).await.unwrap())[0];
    let ben = person(&store, &w, "hBen").await;
    run_sync(&store, &w, SyncState::Running).await;
    let body = format!("{{\"contactId\":\"h2\",\"email\":\"{written}\"}}");
    let (id, kind) = ("a".to_owned(), "ContactUpdate".to_owned());
    store.receive(&w, &[Arrival { id, kind, body, late: false }], at(1)).await.unwrap();
    store.put_copies(&w, &[copy(Doppler, "deliveries", written, "[]", 2)]).await.unwrap();
    let lease = lease_of(&store, &w, ben, 3).await;
    let told = format!("{written} has it");
    let told = crate::unified::Failure { message: told, ..failure(ben, Doppler) };
    let candidate = HoldCandidate {
        id: "h3".to_owned(),
        system: Some(HighLevel),
        label: written.to_owned(),
        value: None,
    };
    let hold =
        crate::unified::Hold { candidates: vec![candidate], ..holds::hold(Some(ben), &[ben], 1) };
    let record = Record { failures: vec![told], holds: vec![hold], ..Record::default() };
    store.record(&lease, record, at(3)).await.unwrap();
    assert!(!place.find(written).await.is_empty());
    erase(&store, &w, angela).await;
    assert_eq!(place.find(written).await, Vec::<String>::new());
}

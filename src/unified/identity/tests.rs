//! Who matches whom, and when nobody can say.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::unified::System::{Doppler, HighLevel};

fn id(n: u128) -> ContactId {
    ContactId(Uuid::from_u128(n))
}

fn doppler(email: &str, phone: Option<&str>) -> Sighting {
    Sighting {
        system: Doppler,
        key: email.to_owned(),
        email: Some(email.to_owned()),
        phone: phone.map(str::to_owned),
    }
}

fn highlevel(key: &str, email: Option<&str>, phone: Option<&str>) -> Sighting {
    Sighting {
        system: HighLevel,
        key: key.to_owned(),
        email: email.map(str::to_owned),
        phone: phone.map(str::to_owned),
    }
}

/// Sees the sightings one after another in an empty workspace; ids count up from 1.
fn see(sightings: &[Sighting]) -> Vec<ContactId> {
    run(&mut Recognition::new(Vec::new()), sightings)
}

fn run(recognition: &mut Recognition, sightings: &[Sighting]) -> Vec<ContactId> {
    for sighting in sightings {
        let next = minted(recognition) + 1;
        recognition.see(sighting, || id(next));
    }
    let ids = &recognition.ids;
    ids[ids.len() - sightings.len()..].to_vec()
}

fn minted(recognition: &Recognition) -> u128 {
    let count = recognition.changes.iter().filter(|c| matches!(c, Change::Minted(_))).count();
    count as u128
}

#[test]
fn same_email_in_both_systems_is_one_person() {
    let a = highlevel("h1", Some("ana@example.com"), None);
    let b = doppler("ana@example.com", None);
    assert_eq!(see(&[a.clone(), b.clone()]), [id(1), id(1)]);
    assert_eq!(see(&[b, a]), [id(1), id(1)]);
}

#[test]
fn same_phone_ties_only_when_emails_do_not_contradict() {
    let subscriber = doppler("ana@example.com", Some("+5411"));
    let without = highlevel("h1", None, Some("+5411"));
    assert_eq!(see(&[without.clone(), subscriber.clone()]), [id(1), id(1)]);
    assert_eq!(see(&[subscriber.clone(), without]), [id(1), id(1)]);

    let other = highlevel("h1", Some("bea@example.com"), Some("+5411"));
    assert_eq!(see(&[other.clone(), subscriber.clone()]), [id(1), id(2)]);
    assert_eq!(see(&[subscriber, other]), [id(1), id(2)]);
}

#[test]
fn who_had_a_record_before_is_its_person_and_nobody_elses() {
    let former = Former { system: Doppler, key: "old@example.com".to_owned(), contact: id(7) };
    let mut recognition = Recognition::new(Vec::new()).with_former(vec![former]);
    let seen = [
        highlevel("h1", None, Some("+5411")),
        doppler("old@example.com", Some("+5411")),
        doppler("other@example.com", None),
    ];
    assert_eq!(run(&mut recognition, &seen), [id(1), id(7), id(2)]);
    let linked = |link: &Link| link.key == "old@example.com";
    assert!(!recognition.links.iter().any(linked), "it is theirs no more, and links to nobody");
}

#[test]
fn a_value_shared_within_a_system_decides_nothing() {
    let twins = [
        highlevel("h1", Some("ana@example.com"), None),
        highlevel("h2", Some("ana@example.com"), None),
        doppler("ana@example.com", None),
    ];
    assert_eq!(see(&twins), [id(1), id(2), id(3)]);

    let family = [
        highlevel("h1", None, Some("+5411")),
        highlevel("h2", None, Some("+5411")),
        doppler("ana@example.com", Some("+5411")),
    ];
    assert_eq!(see(&family), [id(1), id(2), id(3)]);
}

#[test]
fn an_undecided_email_is_not_overruled_by_a_phone() {
    let sightings = [
        highlevel("h1", Some("ana@example.com"), None),
        highlevel("h2", Some("ana@example.com"), None),
        highlevel("h3", None, Some("+5411")),
        doppler("ana@example.com", Some("+5411")),
    ];
    assert_eq!(see(&sightings), [id(1), id(2), id(3), id(4)]);
}

#[test]
fn who_has_a_partner_already_gets_no_second_one() {
    let sightings = [
        highlevel("h1", Some("ana@example.com"), None),
        doppler("ana@example.com", None),
        highlevel("h2", Some("ana@example.com"), None),
    ];
    assert_eq!(see(&sightings), [id(1), id(1), id(2)]);
}

#[test]
fn a_new_email_proves_two_known_contacts_one_and_the_older_survives() {
    let mut recognition = Recognition::new(Vec::new());
    run(&mut recognition, &[highlevel("h1", None, None), doppler("ana@example.com", None)]);
    let after = run(&mut recognition, &[highlevel("h1", Some("ana@example.com"), None)]);
    assert_eq!(after, [id(1)]);
    let (ids, _, changes) = recognition.finish();
    assert_eq!(ids, [id(1), id(1), id(1)], "earlier answers of the batch follow the merge");
    assert!(changes.contains(&Change::Merged { survivor: id(1), gone: id(2) }));
}

#[test]
fn a_changed_address_keeps_the_link() {
    let mut recognition = Recognition::new(Vec::new());
    let known = [highlevel("h1", Some("ana@example.com"), None), doppler("ana@example.com", None)];
    run(&mut recognition, &known);
    let moved = [
        highlevel("h1", Some("ana@new.example"), None),
        doppler("ana@example.com", None),
        doppler("ana@new.example", None),
    ];
    assert_eq!(run(&mut recognition, &moved), [id(1), id(1), id(2)]);
}

#[test]
fn nothing_new_changes_nothing() {
    let sighting = highlevel("h1", Some("ana@example.com"), Some("+5411"));
    let link = Link {
        system: HighLevel,
        key: "h1".to_owned(),
        contact: id(7),
        email: sighting.email.clone(),
        phone: sighting.phone.clone(),
    };
    let mut recognition = Recognition::new(vec![link]);
    assert_eq!(run(&mut recognition, &[sighting]), [id(7)]);
    assert_eq!(recognition.finish().2, []);
}

#[test]
fn whoever_reserved_an_address_is_joined() {
    let reserved = |email: Option<&str>, phone: Option<&str>| Reservation {
        contact: id(9),
        email: email.map(str::to_owned),
        phone: phone.map(str::to_owned),
    };
    let by_email = vec![reserved(Some("ana@example.com"), None)];
    let both = vec![by_email[0].clone(), reserved(None, Some("+5411"))];
    let start =
        |reserved: &Vec<Reservation>| Recognition::new(Vec::new()).with_reserved(reserved.clone());
    let ana = highlevel("h1", Some("ana@example.com"), None);
    let mut recognition = start(&by_email);
    assert_eq!(run(&mut recognition, std::slice::from_ref(&ana)), [id(9)]);
    assert_eq!(run(&mut recognition, &[doppler("ana@example.com", None)]), [id(9)]);
    let twin = highlevel("h2", Some("ana@example.com"), None);
    assert_eq!(run(&mut recognition, &[twin]), [id(1)], "nine is somebody in HighLevel already");

    let bea = highlevel("h1", Some("bea@example.com"), Some("+5411"));
    assert_eq!(run(&mut start(&both), &[bea]), [id(1)], "the addresses contradict");
    let nameless = highlevel("h1", None, Some("+5411"));
    assert_eq!(run(&mut start(&both), std::slice::from_ref(&nameless)), [id(9)]);

    let mut recognition = start(&by_email);
    assert_eq!(run(&mut recognition, &[highlevel("h1", None, None)]), [id(1)]);
    assert_eq!(run(&mut recognition, &[ana]), [id(1)], "a known one who turns out to be nine");
    assert!(recognition.changes.contains(&Change::Merged { survivor: id(1), gone: id(9) }));
}

/// How one person shows: in which systems, and by what the two can be tied.
#[derive(Clone, Copy, Debug)]
enum Tie {
    Email,
    Phone,
    OnlyDoppler,
    OnlyHighLevel,
}

fn people() -> impl Strategy<Value = Vec<(Tie, bool)>> {
    let tie = prop_oneof![
        Just(Tie::Email),
        Just(Tie::Phone),
        Just(Tie::OnlyDoppler),
        Just(Tie::OnlyHighLevel)
    ];
    prop::collection::vec((tie, any::<bool>()), 1..8)
}

/// The sightings of people who share nothing with each other, each with the person's number.
fn unambiguous(people: &[(Tie, bool)]) -> Vec<(usize, Sighting)> {
    let mut sightings = Vec::new();
    for (n, (tie, with_phone)) in people.iter().enumerate() {
        let (email, phone) = (format!("p{n}@example.com"), format!("+54{n}"));
        let phone = Some(phone.as_str());
        let spare = phone.filter(|_| *with_phone);
        if !matches!(tie, Tie::OnlyHighLevel) {
            let phone = if matches!(tie, Tie::Phone) { phone } else { spare };
            sightings.push((n, doppler(&email, phone)));
        }
        match tie {
            Tie::Phone => sightings.push((n, highlevel(&format!("h{n}"), None, phone))),
            Tie::Email | Tie::OnlyHighLevel => {
                sightings.push((n, highlevel(&format!("h{n}"), Some(&email), spare)));
            }
            Tie::OnlyDoppler => {}
        }
    }
    sightings
}

proptest! {
    #[test]
    fn order_does_not_matter_for_people_who_share_nothing(
        (people, order) in people().prop_flat_map(|people| {
            let count = unambiguous(&people).len();
            (Just(people), Just((0..count).collect::<Vec<_>>()).prop_shuffle())
        }),
    ) {
        let sightings = unambiguous(&people);
        let shuffled: Vec<_> = order.iter().map(|at| sightings[*at].clone()).collect();
        let seen: Vec<_> = shuffled.iter().map(|(_, sighting)| sighting.clone()).collect();
        let ids = see(&seen);
        for (a, (person_a, _)) in shuffled.iter().enumerate() {
            for (b, (person_b, _)) in shuffled.iter().enumerate() {
                prop_assert_eq!(person_a == person_b, ids[a] == ids[b]);
            }
        }
    }

    #[test]
    fn seeing_again_changes_nothing_whatever_was_seen(sightings in any_sightings()) {
        let mut recognition = Recognition::new(Vec::new());
        run(&mut recognition, &sightings);
        // The last word on each record; earlier ones would be news again.
        let last: Vec<_> = sightings
            .iter()
            .enumerate()
            .filter(|(at, s)| !sightings[at + 1..].iter().any(|t| t.system == s.system && t.key == s.key))
            .map(|(_, s)| s.clone())
            .collect();
        let before = recognition.changes.len();
        let first = run(&mut recognition, &last);
        let second = run(&mut recognition, &last);
        prop_assert_eq!(first, second);
        prop_assert_eq!(recognition.changes.len(), before);
    }

    #[test]
    fn an_id_changes_only_to_an_older_one(sightings in any_sightings()) {
        let mut recognition = Recognition::new(Vec::new());
        let mut before: Vec<Link> = Vec::new();
        for sighting in &sightings {
            run(&mut recognition, std::slice::from_ref(sighting));
            for link in &before {
                let now = recognition.links.iter().find(|l| l.system == link.system && l.key == link.key);
                prop_assert!(now.unwrap().contact <= link.contact);
            }
            before.clone_from(&recognition.links);
        }
    }

    #[test]
    fn a_contact_never_has_two_records_of_one_system(sightings in any_sightings()) {
        let mut recognition = Recognition::new(Vec::new());
        run(&mut recognition, &sightings);
        for (at, a) in recognition.links.iter().enumerate() {
            for b in &recognition.links[at + 1..] {
                prop_assert!(a.contact != b.contact || a.system != b.system);
            }
        }
    }
}

/// Few values, so that every kind of clash happens.
fn any_sightings() -> impl Strategy<Value = Vec<Sighting>> {
    let email = || prop::option::of("[abc]@x\\.yz");
    let phone = || prop::option::of("\\+5[123]");
    let one = prop_oneof![
        ("[abc]@x\\.yz", phone()).prop_map(|(e, p)| doppler(&e, p.as_deref())),
        ("h[1-4]", email(), phone()).prop_map(|(k, e, p)| highlevel(
            &k,
            e.as_deref(),
            p.as_deref()
        )),
    ];
    prop::collection::vec(one, 1..12)
}

//! What counts as a difference and what does not.

use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;
use crate::unified::SubscriberStatus;
use crate::unified::fixture::{contact, subscriber};

fn fields(subscriber: &Subscriber, contact: &HighLevelContact) -> Vec<String> {
    let found = differences(subscriber, contact, &Mapping::default(), &[]);
    found.into_iter().map(|difference| difference.field).collect()
}

fn only(subscriber: &Subscriber, contact: &HighLevelContact, mapping: &Mapping) -> Difference {
    let mut found = differences(subscriber, contact, mapping, &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn spellings_are_no_differences() {
    let doppler = subscriber(&[
        ("FIRSTNAME", " Mari\u{301}a "),
        ("PHONE", "+54 11 5555-1234"),
        ("BIRTHDAY", "1990-09-25"),
        ("COUNTRY", "ar"),
        ("TAGS", "VIP,lead"),
    ]);
    let mut highlevel = contact();
    highlevel.email = Some("Ana@Example.com".to_owned());
    highlevel.first_name = Some("María".to_owned());
    highlevel.phone = Some("+541155551234".to_owned());
    highlevel.birthday = NaiveDate::from_ymd_opt(1990, 9, 25);
    highlevel.address.country = Some("AR".to_owned());
    highlevel.tags = vec!["lead".to_owned(), "vip".to_owned()];
    assert_eq!(differences(&doppler, &highlevel, &Mapping::default(), &[]), []);
}

#[test]
fn a_disagreement_names_both_values_and_the_owner() {
    let doppler = subscriber(&[("FIRSTNAME", "Anita")]);
    let mut highlevel = contact();
    highlevel.first_name = Some("Ana".to_owned());
    let expected = Difference {
        field: "firstName".to_owned(),
        doppler: Some("Anita".to_owned()),
        highlevel: Some("Ana".to_owned()),
        rule: MappingRule::Owner,
        owner: Some(System::HighLevel),
        reason: None,
    };
    assert_eq!(only(&doppler, &highlevel, &Mapping::default()), expected);
}

#[test]
fn a_lasting_difference_says_why() {
    let company = subscriber(&[("COMPANY", "Acme")]);
    let found = only(&company, &contact(), &Mapping::default());
    assert_eq!(found.reason.as_deref(), Some("HighLevel cannot update companyName"));

    let mut highlevel = contact();
    highlevel.company_name = Some("Acme".to_owned());
    let found = only(&subscriber(&[]), &highlevel, &Mapping::default());
    assert_eq!(found.reason.as_deref(), Some("Doppler has nothing in the field COMPANY"));

    highlevel.company_name = Some("x".repeat(401));
    let found = only(&subscriber(&[]), &highlevel, &Mapping::default());
    assert_eq!(found.reason.as_deref(), Some("longer than the 400 characters Doppler holds"));

    let mut moved = contact();
    moved.email = Some("ana@new.example".to_owned());
    let found = only(&subscriber(&[]), &moved, &Mapping::default());
    assert_eq!((found.field.as_str(), found.reason.is_some()), ("email", true));
}

#[test]
fn tags_are_compared_as_sets_and_an_overflow_is_told() {
    let mut highlevel = contact();
    highlevel.tags = vec!["vip".to_owned()];
    let found = only(&subscriber(&[("TAGS", "expo")]), &highlevel, &Mapping::default());
    assert_eq!((found.rule, found.owner), (MappingRule::Merge, None));
    assert_eq!(found.reason.as_deref(), Some("Doppler has no tags: kept in the field TAGS"));

    highlevel.tags = (0..100).map(|n| format!("tag-{n}")).collect();
    let found = only(&subscriber(&[]), &highlevel, &Mapping::default());
    assert!(found.reason.unwrap().contains("characters of 400"));

    let off = Mapping { tags: TagRepresentation::Off, ..Mapping::default() };
    assert_eq!(differences(&subscriber(&[]), &highlevel, &off, &[]), []);
}

#[test]
fn consent_differs_when_only_one_side_forbids() {
    let mut gone = subscriber(&[]);
    gone.status = SubscriberStatus::Unsubscribed;
    let found = only(&gone, &contact(), &Mapping::default());
    assert_eq!(found.field, "status");
    assert_eq!(found.doppler.as_deref(), Some("UNSUBSCRIBED"));
    assert_eq!(found.highlevel.as_deref(), Some("ACTIVE"));

    let mut silenced = contact();
    silenced.email_dnd = Some(DndStatus::Active);
    assert!(fields(&gone, &silenced).is_empty());
    assert_eq!(fields(&subscriber(&[]), &silenced), ["status"]);

    let mut pending = subscriber(&[]);
    pending.status = SubscriberStatus::Pending;
    assert!(fields(&pending, &contact()).is_empty());
}

#[test]
fn what_a_listing_left_out_is_not_different() {
    let mut gone = subscriber(&[("BIRTHDAY", "1990-09-25")]);
    gone.status = SubscriberStatus::Unsubscribed;
    let mut row = contact();
    assert_eq!(fields(&gone, &row), ["birthday", "status"]);
    row.complete = false;
    assert!(fields(&gone, &row).is_empty());
}

proptest! {
    #[test]
    fn a_person_differs_from_themselves_in_nothing(value in "\\PC*|[\u{590}-\u{6ff}\u{300}-\u{36f} ]{0,600}") {
        let doppler = subscriber(&[("FIRSTNAME", &value), ("PHONE", &value), ("COUNTRY", &value), ("CITY", &value)]);
        let mut highlevel = contact();
        highlevel.first_name = Some(value.clone());
        highlevel.phone = Some(value.clone());
        highlevel.address.country = Some(value.clone());
        highlevel.address.city = Some(value);
        prop_assert!(fields(&doppler, &highlevel).is_empty());
    }
}

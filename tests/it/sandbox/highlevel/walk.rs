//! Every operation with a valid request; [`Vendor`] holds each against the specification.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta};
use serde_json::json;
use tandem::sandbox::highlevel::seed::{SeedAppointment, SeedContact, SeedDnd};

use super::vendor::{LOCATION, Vendor};
use crate::openapi::Validator;

fn full() -> SeedContact {
    let start = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    let text = |text: &str| Some(text.to_owned());
    SeedContact {
        first_name: text("Ana"),
        last_name: text("Paz"),
        email: text("Ana@Example.com"),
        phone: text("+5491155550101"),
        country: text("AR"),
        date_of_birth: NaiveDate::from_ymd_opt(1990, 9, 25),
        dnd_settings: vec![SeedDnd {
            channel: "SMS",
            status: "permanent",
            message: None,
            code: None,
        }],
        tags: vec!["VIP".to_owned()],
        custom_fields: vec![
            ("contact.plan".to_owned(), json!("gold")),
            ("contact.orders".to_owned(), json!(3)),
            ("contact.topics".to_owned(), json!(["offers"])),
        ],
        appointments: vec![SeedAppointment {
            title: "Demo".to_owned(),
            start,
            end: start + TimeDelta::minutes(30),
            status: "confirmed".to_owned(),
            address: None,
            notes: None,
            assigned_user_id: text("sandboxUser000000001"),
        }],
        business_id: text("0123456789abcdef01234567"),
        additional_emails: vec!["ana.paz@example.org".to_owned()],
        ..SeedContact::default()
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one row an operation")]
async fn all_operations_answer_as_specified() {
    let vendor = Vendor::new();
    let ana = vendor.fake.seed(full());
    let contact = format!("/contacts/{ana}");
    let (at, users) = (format!("{contact}/"), json!({"followers": ["sandboxUser000000001"]}));
    let due = json!({"title": "Call", "dueDate": "2026-12-01T10:00:00Z", "completed": false});
    let own = json!({"locationId": LOCATION, "email": "new@example.com", "tags": ["a"]});
    let many = json!({"contacts": [ana, "nobody"], "tags": ["bulk"], "locationId": LOCATION});
    let note = vendor.post(&format!("{at}notes"), json!({"body": "Hello"})).await.text("/note/id");
    let task = vendor.post(&format!("{at}tasks"), due.clone()).await.text("/task/id");
    let gone = vendor.person("gone@example.com");
    let steps = [
        ("GET", format!("/contacts/?locationId={LOCATION}&limit=1"), None, 200),
        ("POST", "/contacts/".to_owned(), Some(own.clone()), 201),
        ("POST", "/contacts/upsert".to_owned(), Some(own), 200),
        (
            "POST",
            "/contacts/search".to_owned(),
            Some(json!({"locationId": LOCATION, "pageLimit": 5})),
            200,
        ),
        (
            "GET",
            format!("/contacts/search/duplicate?locationId={LOCATION}&number=%2B5491155550101"),
            None,
            200,
        ),
        (
            "GET",
            format!("/contacts/business/0123456789abcdef01234567?locationId={LOCATION}"),
            None,
            200,
        ),
        (
            "POST",
            "/contacts/bulk/business".to_owned(),
            Some(json!({"locationId": LOCATION, "ids": [ana], "businessId": null})),
            200,
        ),
        ("POST", "/contacts/bulk/tags/update/add".to_owned(), Some(many), 201),
        ("GET", contact.clone(), None, 200),
        ("PUT", contact.clone(), Some(json!({"firstName": "Anita", "city": null})), 200),
        ("GET", format!("{at}appointments"), None, 200),
        ("GET", format!("{at}notes"), None, 200),
        ("GET", format!("{at}notes/{note}"), None, 200),
        ("PUT", format!("{at}notes/{note}"), Some(json!({"pinned": true})), 200),
        ("DELETE", format!("{at}notes/{note}"), None, 200),
        ("POST", format!("{at}tags"), Some(json!({"tags": ["News"]})), 201),
        ("DELETE", format!("{at}tags"), Some(json!({"tags": ["news"]})), 200),
        ("GET", format!("{at}tasks"), None, 200),
        ("GET", format!("{at}tasks/{task}"), None, 200),
        ("PUT", format!("{at}tasks/{task}"), Some(json!({"title": "Write"})), 200),
        ("PUT", format!("{at}tasks/{task}/completed"), Some(json!({"completed": true})), 200),
        ("DELETE", format!("{at}tasks/{task}"), None, 200),
        ("POST", format!("{at}campaigns/c1"), Some(json!({})), 201),
        ("DELETE", format!("{at}campaigns/c1"), None, 200),
        ("DELETE", format!("{at}campaigns/removeAll"), None, 200),
        ("POST", format!("{at}followers"), Some(users.clone()), 201),
        ("DELETE", format!("{at}followers"), Some(users), 200),
        (
            "POST",
            format!("{at}workflow/w1"),
            Some(json!({"eventStartTime": "2026-12-01T10:00:00+01:00"})),
            200,
        ),
        ("DELETE", format!("{at}workflow/w1"), Some(json!({})), 200),
        ("DELETE", format!("/contacts/{gone}"), None, 200),
    ];
    for (method, path, body, status) in steps {
        let answer = vendor.call(method, &path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
    }
    let called: BTreeSet<_> = vendor
        .shared
        .journal
        .page(0, false)
        .calls
        .into_iter()
        .filter_map(|call| Some((call.method, call.route?)))
        .collect();
    for operation in Validator::contact_operations() {
        assert!(called.contains(&operation), "{operation:?} was not walked");
    }
}

#[tokio::test]
async fn the_location_answers_as_specified() {
    let vendor = Vendor::new();
    let ana = vendor.fake.seed(full());
    let at = format!("/locations/{LOCATION}");
    let field = json!({"name": "Shoe size", "dataType": "NUMERICAL", "model": "contact"});
    let field = vendor.post(&format!("{at}/customFields"), field).await;
    assert_eq!(field.text("/customField/fieldKey"), "contact.shoe_size");
    let field = field.text("/customField/id");
    let tag = vendor.post(&format!("{at}/tags"), json!({"name": "Fresh"})).await.text("/tag/id");
    let due = json!({"title": "Call", "dueDate": "2026-12-01T10:00:00Z", "completed": false});
    vendor.post(&format!("/contacts/{ana}/tasks"), due).await;
    for (method, path, body) in [
        ("GET", at.clone(), None),
        ("GET", format!("{at}/customFields?model=contact"), None),
        ("GET", format!("{at}/customFields/{field}"), None),
        ("PUT", format!("{at}/customFields/{field}"), Some(json!({"name": "Size"}))),
        ("DELETE", format!("{at}/customFields/{field}"), None),
        ("GET", format!("{at}/tags"), None),
        ("GET", format!("{at}/tags/{tag}"), None),
        ("PUT", format!("{at}/tags/{tag}"), Some(json!({"name": "ripe"}))),
        ("DELETE", format!("{at}/tags/{tag}"), None),
        (
            "POST",
            format!("{at}/tasks/search"),
            Some(json!({"contactId": [ana], "completed": false, "limit": 100, "skip": 0})),
        ),
    ] {
        let answer = vendor.call(method, &path, body).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body);
    }
    let location = vendor.get(&at).await;
    assert_eq!(location.text("/location/timezone"), "America/Argentina/Buenos_Aires");
}

#[tokio::test]
async fn an_appointment_is_local_and_does_not_say_so() {
    let vendor = Vendor::new();
    let ana = vendor.fake.seed(full());
    let answer = vendor.get(&format!("/contacts/{ana}/appointments")).await;
    // 2026-05-28T20:26:40Z, three hours behind UTC.
    assert_eq!(answer.text("/events/0/startTime"), "2026-05-28 17:26:40");
}

//! Against observed errors and scripted oddities.

use chrono_tz::America::New_York;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::unified::{DndStatus, NoteDraft, NoteEdit, TaskDraft, TaskEdit};
use crate::upstream::script::{Line, Script, call};
use crate::upstream::{Crm as _, Directory as _, Kind, SearchRequest, SearchTerm, UpstreamState};

use super::super::{refusal, routes};
use super::*;

async fn scripted(bodies: impl IntoIterator<Item = Value>) -> (Script, Client) {
    let lines = bodies.into_iter().map(|body| Line::json(200, body.to_string()));
    let script = Script::start(lines).await;
    let client = client(script.url.as_str(), &Clock::system(), |_| {});
    (script, client)
}

fn fields(names: &[&str]) -> Kind {
    Kind::Rejected { fields: names.iter().map(|&name| name.to_owned()).collect() }
}

#[test]
fn every_observed_error_has_its_kind() {
    let path = format!("{}/tests/fixtures/highlevel/errors.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut told = 0;
    for fixture in serde_json::from_str::<Vec<Value>>(&text).unwrap() {
        let id = fixture["id"].as_str().unwrap();
        let kind = match id {
            "token_invalid_spec"
            | "token_invalid_jwt"
            | "pit_invalid"
            | "user_type_mismatch"
            | "authclass_not_allowed"
            | "wrong_location" => Kind::Unauthorized,
            "scope_missing" => Kind::ScopeMissing("locations/tags.readonly"),
            "duplicate_contact" => Kind::Duplicate {
                id: Some("cnt00000000000000001".to_owned()),
                field: Some("email".to_owned()),
            },
            "permanent_dnd" => Kind::OptedOut { own_will: false },
            "contact_not_found" => Kind::NotFound,
            "version_missing" | "version_unknown" | "version_malformed" | "upsert_no_key"
            | "create_empty" => fields(&[]),
            "unknown_property" => fields(&["additionalEmails"]),
            "location_in_subresource" => fields(&["locationId"]),
            "customfields_not_array" => fields(&["customFields"]),
            "search_invalid_field" => fields(&["additional_phones"]),
            "search_missing_required" => fields(&["locationId", "pageLimit"]),
            "no_route" => Kind::Malformed,
            "cloudflare_block" => Kind::Unavailable,
            // The transport tells a rate limit by its status; tokens are fetched elsewhere.
            "rate_limited" | "oauth_code_unknown" | "oauth_refresh_used" => continue,
            unknown => panic!("a new fixture: {unknown}"),
        };
        let status = u16::try_from(fixture["status"].as_u64().unwrap()).unwrap();
        let body = &fixture["body"];
        let body = if body.is_null() { "<html></html>".to_owned() } else { body.to_string() };
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(refusal::kind(&routes::TAGS, status, body.as_bytes()), kind, "{id}");
        told += 1;
    }
    assert_eq!(told, 22);
}

#[test]
fn every_word_that_stands_where_an_id_does_is_refused_as_one() {
    let paths: Vec<Vec<String>> = openapi::Validator::contact_operations()
        .into_iter()
        .map(|(_, path)| path.trim_matches('/').split('/').map(str::to_owned).collect())
        .collect();
    let mut words = 0;
    for path in &paths {
        for (place, word) in path.iter().enumerate().filter(|(_, part)| !part.starts_with('{')) {
            let beside_an_id = paths.iter().any(|other| {
                other.get(..place) == path.get(..place)
                    && other.get(place).is_some_and(|part| part.starts_with('{'))
            });
            if beside_an_id {
                assert!(routes::id(word).is_none(), "{word} of {path:?}");
                words += 1;
            }
        }
    }
    assert!(words >= 5, "{words}");
}

#[test]
fn variants_of_the_observed_errors() {
    for (status, body, kind) in [
        (400, json!({"error": "Contact with id X not found"}), Kind::NotFound),
        (404, json!({"message": "Note not found"}), Kind::NotFound),
        (404, json!({"statusCode": 404}), Kind::NotFound),
        (422, json!({"message": ["ana@example.com must be shorter"]}), fields(&[])),
        (422, json!({"message": "title should not be empty"}), fields(&["title"])),
        (400, json!({"message": {"odd": true}, "meta": null}), fields(&[])),
        (403, json!({"error": {"code": 7}}), Kind::Unauthorized),
        (503, json!({"message": "later"}), Kind::Unavailable),
    ] {
        let told = refusal::kind(
            &routes::NOTES,
            StatusCode::from_u16(status).unwrap(),
            body.to_string().as_bytes(),
        );
        assert_eq!(told, kind, "{body}");
    }
}

#[tokio::test]
async fn a_contact_whose_members_are_odd_is_read_all_the_same() {
    let odd = json!({"contact": {
        "id": "c1", "locationId": HIGHLEVEL_LOCATION, "email": "", "phone": null, "name": "Ana Paz",
        "contactName": "ana", "firstName": 7, "postalCode": 1425, "country": "ar", "dnd": "true",
        "dateOfBirth": "09/25/1990", "tags": ["vip", null, 5], "lastActivity": 1,
        "dndSettings": {"Email": {"status": "permanent"}, "RCS": {"status": "active"}},
        "customFields": [
            {"id": "f1", "value": ["a", "b"]}, {"id": "f2", "value": 7.5}, {"id": "f3"},
            {"id": "f4", "value": {"u": {"url": "x"}}, "fieldValue": 1}, {"value": 1},
        ],
        "additionalEmails": [{"email": "x@y.co"}], "bounceEmail": true, "dateAdded": 1_600_000_000_000_i64,
        "dateUpdated": "2021-07-08T12:02:11.285Z", "attributionSource": {"a": 1},
    }, "traceId": "t"});
    let (script, client) = scripted([odd]).await;
    let found = client.contact(&call(), &"c1".into()).await.unwrap().unwrap();
    assert_eq!((found.email, found.phone), (None, None));
    assert_eq!(found.name.as_deref(), Some("Ana Paz"));
    assert_eq!(found.first_name.as_deref(), Some("7"));
    assert_eq!(found.address.postal_code.as_deref(), Some("1425"));
    assert_eq!(found.address.country.as_deref(), Some("AR"));
    assert_eq!(found.birthday.unwrap().to_string(), "1990-09-25");
    assert_eq!((found.dnd, found.email_dnd), (Some(true), Some(DndStatus::Permanent)));
    assert_eq!(found.dnd_settings.unwrap().value()["RCS"]["status"], "active");
    assert!(found.bounced && !found.unsubscribed && found.complete);
    assert_eq!(found.tags, ["vip", "5"]);
    let values: Vec<_> = found.custom_fields.iter().map(|field| field.value.clone()).collect();
    assert_eq!(values, [json!(["a", "b"]), json!(7.5), Value::Null, json!({"u": {"url": "x"}})]);
    assert_eq!(found.date_added.unwrap().timestamp(), 1_600_000_000);
    let seen = script.seen().remove(0);
    assert_eq!(seen.target, "/base/contacts/c1");
    assert_eq!(seen.headers["version"], "2021-07-28");
    assert_eq!(seen.headers["authorization"], format!("Bearer {HIGHLEVEL_TOKEN}"));
}

#[tokio::test]
async fn another_locations_contact_does_not_exist() {
    let other = json!({"id": "c1", "locationId": "elsewhere"});
    let (_script, client) = scripted([
        json!({"contact": other}),
        json!({"contacts": [other, {"id": "c2", "searchAfter": [1, "c2"]}], "total": 2}),
        json!({"contact": null}),
    ])
    .await;
    assert_eq!(client.contact(&call(), &"c1".into()).await.unwrap(), None);
    let page = client.search(&call(), &SearchRequest::default()).await.unwrap();
    assert_eq!(page.rows.len(), 1);
    assert_eq!(page.rows[0].cursor, [json!(1), json!("c2")]);
    assert!(!page.rows[0].contact.complete, "neither dnd nor dateOfBirth was there");
    let term = SearchTerm::Phone("+5491100000000".to_owned());
    assert_eq!(client.duplicate(&call(), &term).await.unwrap(), None);
}

#[tokio::test]
async fn a_row_is_complete_when_it_carries_what_others_leave_out() {
    let row = json!({"id": "c1", "dnd": false, "dateOfBirth": null, "address": "Rua 1"});
    let (_script, client) = scripted([json!({"contacts": [row]})]).await;
    let page = client.search(&call(), &SearchRequest::default()).await.unwrap();
    assert!(page.rows[0].contact.complete);
    assert_eq!(page.rows[0].contact.address.line1.as_deref(), Some("Rua 1"));
    assert_eq!(page.total, None);
}

#[tokio::test]
async fn what_is_written_has_the_documented_members_only() {
    let note = json!({"note": {"id": "n1"}, "traceId": "t"});
    let task = json!({"task": {"id": "t1", "dueDate": "2026-12-01T10:00:00.000Z"}});
    let done = json!({"succeded": true});
    let bodies = [&note, &note, &done, &task, &task, &task, &done].map(Clone::clone);
    let (script, client) = scripted(bodies).await;
    let (call, contact) = (call(), "c1".into());
    let due_at = "2026-12-01T10:00:00Z".parse().unwrap();
    let draft = NoteDraft { body: "hello".to_owned(), title: None };
    client.create_note(&call, &contact, &draft).await.unwrap();
    let edit = NoteEdit { title: Some("T".to_owned()), ..NoteEdit::default() };
    client.update_note(&call, &contact, "n1", &edit).await.unwrap();
    client.delete_note(&call, &contact, "n1").await.unwrap();
    let draft = TaskDraft {
        title: "Call".to_owned(),
        body: Some("b".to_owned()),
        due_at,
        assigned_to: None,
    };
    let made = client.create_task(&call, &contact, &draft).await.unwrap();
    assert_eq!((made.due_at, made.completed), (Some(due_at), false));
    let edit = TaskEdit { assigned_to: Some("u1".to_owned()), ..TaskEdit::default() };
    client.update_task(&call, &contact, "t1", &edit).await.unwrap();
    client.complete_task(&call, &contact, "t1", true).await.unwrap();
    client.delete_task(&call, &contact, "t1").await.unwrap();
    let seen: Vec<_> = script
        .seen()
        .into_iter()
        .map(|seen| {
            let body = String::from_utf8(seen.body.to_vec()).unwrap();
            format!("{} {} {body}", seen.method, seen.target.trim_start_matches("/base"))
        })
        .collect();
    insta::assert_snapshot!(seen.join("\n"), @r#"
    POST /contacts/c1/notes {"body":"hello"}
    PUT /contacts/c1/notes/n1 {"title":"T"}
    DELETE /contacts/c1/notes/n1 
    POST /contacts/c1/tasks {"title":"Call","body":"b","dueDate":"2026-12-01T10:00:00.000Z","completed":false}
    PUT /contacts/c1/tasks/t1 {"assignedTo":"u1"}
    PUT /contacts/c1/tasks/t1/completed {"completed":true}
    DELETE /contacts/c1/tasks/t1 
    "#);
}

#[tokio::test]
async fn a_lost_answer_to_a_write_is_not_asked_for_again() {
    let script = Script::start([Line::Break, Line::json(200, "{\"note\":{\"id\":\"n\"}}")]).await;
    let client = client(script.url.as_str(), &Clock::system(), |_| {});
    let draft = NoteDraft { body: "once".to_owned(), title: None };
    let error = client.create_note(&call(), &"c1".into(), &draft).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unavailable);
    assert_eq!(script.count(), 1);
    script.rewrite([Line::Break, Line::json(200, "{\"contacts\":[]}")]);
    client.search(&call(), &SearchRequest::default()).await.unwrap();
    assert_eq!(script.count(), 3, "search is a POST that may be repeated");
}

#[tokio::test]
async fn a_search_for_tasks_whose_rows_move_is_begun_anew_once() {
    let row = |id: usize| json!({"_id": format!("t{id}"), "contactId": "c1"});
    let page = |ids: std::ops::Range<usize>| json!({"tasks": ids.map(row).collect::<Vec<_>>()});
    let contacts = ["c1".into()];
    let pages = [page(0..25), page(25..26), page(0..25), page(24..26)];
    let (script, client) = scripted(pages).await;
    let found = client.tasks_of(&call(), &contacts).await.unwrap();
    assert_eq!(found[0].len(), 26);
    assert_eq!(script.count(), 4);
    let (_script, client) = scripted([page(0..25), page(25..26), page(0..25), page(25..26)]).await;
    let error = client.tasks_of(&call(), &contacts).await.unwrap_err();
    assert_eq!(error.kind, Kind::Malformed);
}

#[tokio::test]
async fn appointments_are_on_the_locations_clock() {
    let event = json!({
        "id": "e1", "startTime": "2021-07-16 11:00:00", "endTime": "later", "status": "booked",
        "appointmentStatus": "confirmed", "users": [], "notes": "x",
    });
    let (_script, client) = scripted([json!({"events": [event]})]).await;
    let found = client.appointments(&call(), &"c1".into(), New_York).await.unwrap().unwrap();
    assert_eq!(found[0].starts_at, "2021-07-16T15:00:00Z".parse().ok());
    assert_eq!((found[0].ends_local, found[0].ends_at), (None, None));
    assert_eq!(found[0].status.as_deref(), Some("confirmed"));
}

#[tokio::test]
async fn scopes_and_credential_decide_the_state_before_any_call() {
    let url = "http://127.0.0.1:1/";
    let state = |change: fn(&mut HighLevel)| client(url, &Clock::system(), change).status().state;
    assert_eq!(state(|_| {}), UpstreamState::Connected);
    let read_only: fn(&mut HighLevel) =
        |config| config.scopes = vec!["contacts.readonly".to_owned()];
    assert_eq!(state(read_only), UpstreamState::ReadOnly);
    assert_eq!(state(|config| config.token = None), UpstreamState::NotConnected);
    assert_eq!(state(|config| config.location_id = None), UpstreamState::NotConnected);
    let nobody = client(url, &Clock::system(), |config| config.token = None);
    assert_eq!(nobody.check(&call()).await.unwrap_err().kind, Kind::NotConnected);
}

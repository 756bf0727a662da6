//! Against the fake, each request held against the official specification.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::sandbox::credentials::HIGHLEVEL_READ_ONLY_TOKEN;
use crate::tasks::Tasks;
use crate::unified::{ContactOrder, HighLevelId, NoteDraft, NoteEdit, TaskDraft, TaskEdit};
use crate::upstream::script::{call, call_within};
use crate::upstream::{
    Call, Crm as _, Directory as _, Error, Kind, Priority, SearchRequest, SearchTerm, UpstreamState,
};

use super::lab::Lab;
use super::*;

async fn first(client: &Client, limit: u32) -> Vec<crate::upstream::SearchRow> {
    let request =
        SearchRequest { order: Some(ContactOrder::CreatedDesc), limit, ..SearchRequest::default() };
    client.search(&call(), &request).await.unwrap().rows
}

#[tokio::test]
async fn contacts_are_found_in_every_way() {
    let lab = Lab::start(false).await;
    let client = lab.client(|_| {});
    client.check(&call()).await.unwrap();
    let rows = first(&client, 20).await;
    assert_eq!(rows.len(), 20);
    for row in &rows {
        let single = client.contact(&call(), &row.contact.id).await.unwrap().unwrap();
        assert_eq!(single.email, row.contact.email);
        assert_eq!(single.tags, row.contact.tags);
        assert_eq!(single.date_added, row.contact.date_added);
        assert!(single.complete);
    }
    let any_of: Vec<_> = rows.iter().map(|row| SearchTerm::Id(row.contact.id.clone())).collect();
    let request = SearchRequest { any_of, limit: 50, ..SearchRequest::default() };
    let page = client.search(&call(), &request).await.unwrap();
    assert_eq!((page.rows.len(), page.total), (20, Some(20)));

    let with_email = rows.iter().find(|row| row.contact.email.is_some()).unwrap();
    let term = SearchTerm::Email(with_email.contact.email.clone().unwrap());
    let found = client.duplicate(&call(), &term).await.unwrap().unwrap();
    assert_eq!(found.id, with_email.contact.id);
    let request = SearchRequest { any_of: vec![term], limit: 5, ..SearchRequest::default() };
    let page = client.search(&call(), &request).await.unwrap();
    assert!(page.rows.iter().any(|row| row.contact.id == with_email.contact.id));

    let tagged = rows.iter().find(|row| !row.contact.tags.is_empty()).unwrap();
    let tag = tagged.contact.tags[0].clone();
    let request =
        SearchRequest { tags_all: vec![tag.clone()], limit: 500, ..SearchRequest::default() };
    let page = client.search(&call(), &request).await.unwrap();
    assert!(page.rows.iter().all(|row| row.contact.tags.contains(&tag)));
    assert!(page.rows.iter().any(|row| row.contact.id == tagged.contact.id));
    assert!(lab.journal().iter().all(|row| row.status == Some(200)));
}

#[tokio::test]
async fn cursors_walk_through_everyone_once() {
    let lab = Lab::start(false).await;
    let client = lab.client(|_| {});
    let orders = [
        ContactOrder::CreatedDesc,
        ContactOrder::UpdatedDesc,
        ContactOrder::UpdatedAsc,
        ContactOrder::EmailAsc,
        ContactOrder::NameAsc,
    ];
    for order in orders {
        let mut seen = std::collections::HashSet::new();
        let mut after = None;
        let total = loop {
            let request = SearchRequest {
                order: Some(order),
                limit: 70,
                after: after.clone(),
                ..SearchRequest::default()
            };
            let page = client.search(&call(), &request).await.unwrap();
            let Some(last) = page.rows.last() else { break page.total };
            after = Some(last.cursor.clone());
            for row in &page.rows {
                assert!(seen.insert(row.contact.id.clone()), "{order:?}: twice");
            }
        };
        assert_eq!(Some(seen.len() as u64), total, "{order:?}");
    }
}

#[tokio::test]
async fn the_location_and_what_belongs_to_it() {
    let lab = Lab::start(false).await;
    let client = lab.client(|_| {});
    let location = client.location(&call()).await.unwrap();
    assert_eq!(location.id, HIGHLEVEL_LOCATION);
    let zone: chrono_tz::Tz = location.timezone.unwrap().parse().unwrap();
    assert!(!client.tags(&call()).await.unwrap().is_empty());
    let fields = client.fields(&call()).await.unwrap();
    assert!(fields.iter().all(|field| field.key.starts_with("contact.") && field.id.is_some()));
    let (mut notes, mut tasks, mut appointments) = (0, 0, 0);
    for row in first(&client, 60).await {
        let id = &row.contact.id;
        notes += client.notes(&call(), id).await.unwrap().unwrap().len();
        tasks += client.tasks(&call(), id).await.unwrap().unwrap().len();
        let found = client.appointments(&call(), id, zone).await.unwrap().unwrap();
        assert!(found.iter().all(|appointment| appointment.starts_at.is_some()));
        appointments += found.len();
        for custom in &row.contact.custom_fields {
            assert!(fields.iter().any(|field| field.id.as_ref() == Some(&custom.id)));
        }
    }
    assert!(notes > 0 && tasks > 0 && appointments > 0, "{notes} {tasks} {appointments}");
}

#[tokio::test]
async fn notes_and_tasks_live_their_lives() {
    let lab = Lab::start(false).await;
    let (client, call) = (lab.client(|_| {}), call());
    let contact = first(&client, 1).await[0].contact.id.clone();
    let draft = NoteDraft { body: "first".to_owned(), title: Some("T".to_owned()) };
    let note = client.create_note(&call, &contact, &draft).await.unwrap();
    assert_eq!((note.body.as_deref(), note.title.as_deref()), (Some("first"), Some("T")));
    let edit = NoteEdit { body: Some("second".to_owned()), title: None };
    let edited = client.update_note(&call, &contact, &note.id, &edit).await.unwrap();
    assert_eq!((edited.body.as_deref(), edited.title.as_deref()), (Some("second"), Some("T")));
    let notes = client.notes(&call, &contact).await.unwrap().unwrap();
    assert!(notes.contains(&edited));
    client.delete_note(&call, &contact, &note.id).await.unwrap();
    let gone = client.update_note(&call, &contact, &note.id, &edit).await.unwrap_err();
    assert_eq!(gone.kind, Kind::NotFound);

    let due_at = "2026-12-01T10:00:00Z".parse().unwrap();
    let draft = TaskDraft { title: "Call".to_owned(), body: None, due_at, assigned_to: None };
    let task = client.create_task(&call, &contact, &draft).await.unwrap();
    assert_eq!((task.due_at, task.completed), (Some(due_at), false));
    let edit = TaskEdit { title: Some("Write".to_owned()), ..TaskEdit::default() };
    client.update_task(&call, &contact, &task.id, &edit).await.unwrap();
    let done = client.complete_task(&call, &contact, &task.id, true).await.unwrap();
    assert_eq!((done.title.as_deref(), done.completed), (Some("Write"), true));
    client.delete_task(&call, &contact, &task.id).await.unwrap();
    let gone = client.delete_task(&call, &contact, &task.id).await.unwrap_err();
    assert_eq!(gone.kind, Kind::NotFound);
}

#[tokio::test]
async fn nobody_is_absent_and_hostile_ids_reach_no_other_route() {
    let lab = Lab::start(false).await;
    let (client, call) = (lab.client(|_| {}), call());
    let nobody = HighLevelId::from("zzzzzzzzzzzzzzzzzzzz");
    assert_eq!(client.contact(&call, &nobody).await.unwrap(), None);
    assert_eq!(client.notes(&call, &nobody).await.unwrap(), None);
    assert_eq!(client.tasks(&call, &nobody).await.unwrap(), None);
    lab.journal();
    let long = "x".repeat(10_000);
    for hostile in [
        "",
        ".",
        "..",
        "%2e%2e",
        "%2E",
        "zzz/../../contacts/OTHER",
        "77?x=1#",
        "a\0b",
        "a\nb",
        "../locations/x",
        "a%2f..%2fb",
        "a\\..\\b",
        "ñ",
        " ",
        "search",
        "Business",
        "upsert",
        "77",
        &long,
    ] {
        let id = HighLevelId::from(hostile);
        let _ = client.contact(&call, &id).await;
        let _ = client.notes(&call, &id).await;
        let _ = client.tasks(&call, &id).await;
        let _ = client.delete_note(&call, &nobody, hostile).await;
        let _ = client.delete_task(&call, &nobody, hostile).await;
    }
    let journal = lab.journal();
    assert!(!journal.is_empty(), "`77` is a possible id");
    for row in journal {
        let known = [
            "/contacts/{contactId}",
            "/contacts/{contactId}/notes",
            "/contacts/{contactId}/notes/{id}",
            "/contacts/{contactId}/tasks",
            "/contacts/{contactId}/tasks/{taskId}",
        ];
        assert!(row.route.as_deref().is_some_and(|route| known.contains(&route)), "{row:?}");
        assert!(row.status.is_some_and(|status| (400..500).contains(&status)), "{row:?}");
        assert!(row.query.is_empty() && !row.path.contains(".."), "{row:?}");
    }
}

#[tokio::test]
async fn tasks_of_many_are_those_of_each() {
    let lab = Lab::start(false).await;
    let client = lab.client(|_| {});
    assert!(client.searches_tasks());
    let rows = first(&client, 50).await;
    let ids: Vec<HighLevelId> = rows.iter().map(|row| row.contact.id.clone()).collect();
    lab.journal();
    let together = client.tasks_of(&call(), &ids).await.unwrap();
    let journal = lab.journal();
    let found: usize = together.iter().map(Vec::len).sum();
    assert!(found > 25, "{found}");
    assert_eq!(journal.len(), if found.is_multiple_of(25) { 2 } else { 1 });
    for (id, tasks) in ids.iter().zip(together) {
        assert_eq!(client.tasks(&call(), id).await.unwrap(), Some(tasks));
    }
    let poor = lab.client(|config| config.scopes = vec!["contacts.readonly".to_owned()]);
    assert!(!poor.searches_tasks());
    let reader = lab.client(|config| {
        config.token = Some(SecretString::from(HIGHLEVEL_READ_ONLY_TOKEN));
    });
    let error = reader.tasks_of(&call(), &ids).await.unwrap_err();
    assert_eq!(error.kind, Kind::ScopeMissing("locations/tasks.readonly"));
}

#[tokio::test]
async fn a_token_that_only_reads() {
    let lab = Lab::start(false).await;
    let client = lab.client(|config| {
        config.token = Some(SecretString::from(HIGHLEVEL_READ_ONLY_TOKEN));
        config.scopes = Vec::new();
    });
    let contact = first(&client, 1).await[0].contact.id.clone();
    assert_eq!(client.status().state, UpstreamState::Connected, "nobody said otherwise yet");
    let draft = NoteDraft { body: "no".to_owned(), title: None };
    let error = client.create_note(&call(), &contact, &draft).await.unwrap_err();
    assert_eq!(error.kind, Kind::ScopeMissing("contacts.write"));
    assert_eq!(client.status().state, UpstreamState::ReadOnly);
    let error = client.tags(&call()).await.unwrap_err();
    assert_eq!(error.kind, Kind::ScopeMissing("locations/tags.readonly"));
    first(&client, 1).await;
    assert_eq!(client.status().state, UpstreamState::ReadOnly);
}

#[tokio::test]
async fn a_storm_never_earns_a_429() {
    let lab = Lab::start(true).await;
    let (client, tasks) = (Arc::new(lab.client(|_| {})), Tasks::new());
    let storm: Vec<_> = (0..300)
        .map(|_| {
            let client = Arc::clone(&client);
            tasks.spawn(async move {
                let call = call_within(Duration::from_mins(2));
                client.contact(&call, &"zzzzzzzzzzzzzzzzzzzz".into()).await
            })
        })
        .collect();
    while storm.iter().any(|call| !call.is_finished()) {
        lab.clock.advance(Duration::from_millis(100));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for outcome in storm {
        assert_eq!(outcome.await.unwrap().unwrap(), None);
    }
    let journal = lab.journal();
    assert_eq!(journal.len(), 300, "each call once");
    assert!(journal.iter().all(|row| row.status == Some(400)), "no 429");
    let budget = client.status().budget;
    assert_eq!((budget.limit, budget.daily_limit), (Some(100), Some(200_000)));
    assert_eq!(budget.daily_remaining, Some(199_700));
}

#[tokio::test]
async fn a_spent_burst_fails_at_once_when_the_deadline_is_sooner() {
    let lab = Lab::start(true).await;
    let client = lab.client(|_| {});
    let hurried = || call_within(Duration::from_secs(5));
    let mut made = 0;
    let error = loop {
        match client.contact(&hurried(), &"zzzzzzzzzzzzzzzzzzzz".into()).await {
            Ok(_) => made += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(made, 100);
    assert!(matches!(error.kind, Kind::RateLimited { daily: false, .. }), "{error}");
    assert!(lab.journal().iter().all(|row| row.status == Some(400)), "no 429");
    assert_eq!(client.status().state, UpstreamState::Connected, "the system is well");
    let background = Call { priority: Priority::Background, ..hurried() };
    lab.clock.advance(Duration::from_secs(11));
    let mut made = 0;
    while client.contact(&background, &"zzzzzzzzzzzzzzzzzzzz".into()).await.is_ok() {
        made += 1;
    }
    assert_eq!(made, 70, "the rest is for people");
}

/// What a look-up ends with under a fault of the fake, and how many calls it took.
async fn under(lab: &Lab, client: &Client, fault: Value) -> (Result<(), Error>, usize) {
    lab.journal();
    lab.fault(fault);
    let one = SearchRequest { limit: 1, ..SearchRequest::default() };
    let found = client.search(&call_within(Duration::from_secs(2)), &one).await.map(drop);
    lab.sandbox.shared().faults.clear();
    (found, lab.journal().len())
}

#[tokio::test]
async fn every_fault_is_told_apart_and_survived() {
    let lab = Lab::start(false).await;
    let client = lab.client(|_| {});
    let fault =
        |kind: &str, status: u16| json!({"system": "HIGHLEVEL", "kind": kind, "status": status});
    for (fault, kind, calls) in [
        (fault("status", 500), Kind::Unavailable, 1),
        (fault("status", 503), Kind::Unavailable, 3),
        (fault("status", 401), Kind::Unauthorized, 1),
        (fault("html", 502), Kind::Unavailable, 3),
        (fault("html", 403), Kind::Unavailable, 1),
        (fault("html", 200), Kind::Malformed, 2),
        (fault("drop", 200), Kind::Unavailable, 3),
        (fault("bad-json", 200), Kind::Malformed, 2),
        (fault("hang", 200), Kind::Timeout, 1),
    ] {
        let (found, made) = under(&lab, &client, fault.clone()).await;
        assert_eq!(found.unwrap_err().kind, kind, "{fault}");
        assert_eq!(made, calls, "{fault}");
        assert_ne!(client.status().state, UpstreamState::Connected, "{fault}");
        first(&client, 1).await;
        assert_eq!(client.status().state, UpstreamState::Connected, "{fault}");
    }
    let (found, _) = under(
        &lab,
        &client,
        json!({
            "system": "HIGHLEVEL", "kind": "delay", "delayMs": 50
        }),
    )
    .await;
    found.unwrap();
}

#[tokio::test]
async fn refused_rates_pass_with_time() {
    for (kind, is_daily) in [("rate-limit", false), ("daily-exhausted", true)] {
        let lab = Lab::start(true).await;
        let client = lab.client(|_| {});
        first(&client, 1).await;
        let (found, made) =
            under(&lab, &client, json!({"system": "HIGHLEVEL", "kind": kind})).await;
        let Kind::RateLimited { retry_after, daily } = found.unwrap_err().kind else { panic!() };
        assert_eq!((daily, made), (is_daily, 1), "{kind}");
        assert!(retry_after >= Duration::from_secs(1), "{kind}: {retry_after:?}");
        let one = SearchRequest { limit: 1, ..SearchRequest::default() };
        let hurried = || call_within(Duration::from_millis(500));
        assert!(client.search(&hurried(), &one).await.is_err());
        assert_eq!(lab.journal().len(), 0, "{kind}: refused once is enough");
        lab.clock.advance(Duration::from_secs(11));
        client.search(&hurried(), &one).await.unwrap();
    }
}

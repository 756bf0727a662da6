//! Imports of the Doppler fake: accepted now, done by the clock.

use std::time::Duration;

use axum::extract::State;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::api::Api;

fn value(subscriber: &Value, name: &str) -> Value {
    let fields = subscriber["fields"].as_array().unwrap();
    let found = fields.iter().find(|field| field["name"] == name);
    found.map(|field| field["value"].clone()).unwrap_or_default()
}

#[tokio::test]
async fn an_import_waits_works_and_ends() {
    let api = Api::start().await;
    let list = api.list("Import").await;
    let body = json!({
        "items": [
            {"email": "ana.paz@example.com", "fields": [{"name": "CITY", "value": "Rosario"}]},
            {"email": "new@example.com"},
            {"email": "broken"},
            {"email": "new@example.com", "fields": [{"name": "STATE", "value": "left out"}]},
        ],
        "fields": ["CITY", "COMPANY"],
    });
    let taken = api.post(&format!("/lists/{list}/subscribers/import"), body).await;
    assert_eq!(taken.status, 202);
    let id = taken.json()["createdResourceId"].as_str().unwrap().to_owned();
    assert_eq!(taken.header("location"), format!("/accounts/sandbox@tandem.test/tasks/{id}"));
    let status = || async { api.get(&format!("/tasks/{id}")).await.json()["status"].clone() };
    assert_eq!(status().await, "pending");
    let during = api.get(&format!("/lists/{list}")).await.json();
    assert_eq!(during["currentStatus"], "importingSubscribers");
    let blocked = api.delete(&format!("/lists/{list}")).await;
    assert_eq!(blocked.code(), "400.8");
    api.clock.advance(Duration::from_millis(1500));
    assert_eq!(status().await, "processing");
    assert_eq!(api.get("/subscribers/new@example.com").await.code(), "404.1");
    api.clock.advance(Duration::from_millis(500));
    assert_eq!(status().await, "completed");

    let task = api.get("/tasks").await.json()["items"][0].clone();
    let details = &task["importDetails"];
    assert_eq!((&task["itemsProcessed"], &details["processed"]), (&json!(4), &json!(4)));
    assert_eq!((&details["newSubscribers"], &details["updated"]), (&json!(1), &json!(2)));
    assert_eq!((&details["invalidEmails"], &details["duplicated"]), (&json!(1), &json!(1)));
    assert_eq!(details["amountHeadersAndFieldsDontMatch"], 1);
    let ana = api.get("/subscribers/ana.paz@example.com").await.json();
    assert_eq!(value(&ana, "CITY"), "Rosario");
    assert_eq!(value(&ana, "COMPANY"), "", "a column without a value is cleared");
    assert_eq!(value(&ana, "LASTNAME"), "Paz", "what is no column stays");
    let after = api.get(&format!("/lists/{list}")).await.json();
    assert_eq!((&after["currentStatus"], &after["subscribersCount"]), (&json!("ready"), &json!(2)));
}

#[tokio::test]
async fn an_account_import_joins_no_list() {
    let api = Api::start().await;
    let items = json!({"items": [{"email": "alone@example.com"}], "fields": []});
    assert_eq!(api.post("/subscribers/import", items).await.status, 202);
    let out = json!({"items": [{"email": "ana.paz@example.com"}]});
    assert_eq!(api.post("/unsubscribed/import", out).await.status, 202);
    api.clock.advance(Duration::from_secs(60));
    let alone = api.get("/subscribers/alone@example.com").await.json();
    assert_eq!((&alone["status"], &alone["belongsToLists"]), (&json!("active"), &json!([])));
    let ana = api.get("/subscribers/ana.paz@example.com").await.json();
    assert_eq!(ana["status"], "unsubscribed");
}

#[tokio::test]
async fn what_cannot_be_imported_is_refused_at_once() {
    let api = Api::start().await;
    let item = json!({"email": "a@example.com"});
    for (body, key) in [
        (json!({"fields": []}), "items"),
        (json!({"items": []}), "fields"),
        (json!({"items": [], "fields": ["NOPE"]}), "fields[0]"),
        (json!({"items": [], "fields": ["CITY", "EMAIL"]}), "fields[1]"),
        (json!({"items": vec![item; 10_001], "fields": []}), "items"),
        (json!({"items": [], "fields": [], "callback": "/hook"}), "callback"),
    ] {
        assert_eq!(api.post("/subscribers/import", body).await.keys(), [key]);
    }
}

#[tokio::test]
async fn the_callback_is_told_when_it_has_ended() {
    let api = Api::start().await;
    let (sender, mut told) = mpsc::channel(1);
    let hook = |State(sender): State<mpsc::Sender<String>>, body: String| async move {
        sender.send(body).await.unwrap();
    };
    let router = axum::Router::new().route("/hook", axum::routing::post(hook)).with_state(sender);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    api.tasks.spawn(async move { axum::serve(listener, router).await });

    let body = json!({"items": [{"email": "n@example.com"}], "fields": [], "callback": url});
    assert_eq!(api.post("/subscribers/import", body).await.status, 202);
    let advance = json!({"advanceSeconds": 2});
    assert_eq!(api.control(Method::POST, "/clock", advance).await.status, 200);
    let body: Value = serde_json::from_str(&told.recv().await.unwrap()).unwrap();
    assert_eq!(body["status"], "completed");
    assert_eq!(api.get("/subscribers/n@example.com").await.status, 200);
}

//! The Doppler fake held against the vendor's examples.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::api::{Answer, Api};

const ACCOUNT: &str = "sandbox@tandem.test";

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/doppler/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Where `answer` departs from `example` in members or types. Members in `extra` may be more.
fn departures(place: &str, example: &Value, answer: &Value, extra: &[&str]) -> Vec<String> {
    match (example, answer) {
        (Value::Object(wanted), Value::Object(found)) => {
            let names = |object: &serde_json::Map<String, Value>| -> BTreeSet<String> {
                object.keys().filter(|name| !extra.contains(&name.as_str())).cloned().collect()
            };
            let (left, right) = (names(wanted), names(found));
            let mut all: Vec<_> =
                left.symmetric_difference(&right).map(|name| format!("{place}.{name}")).collect();
            for name in left.intersection(&right) {
                let inner = format!("{place}.{name}");
                all.extend(departures(&inner, &wanted[name], &found[name], extra));
            }
            all
        }
        // Links may be more or fewer; items of one array are alike.
        (Value::Array(wanted), Value::Array(found)) if !place.ends_with("._links") => {
            match (wanted.first(), found.first()) {
                (Some(wanted), Some(found)) => {
                    departures(&format!("{place}[]"), wanted, found, extra)
                }
                _ => Vec::new(),
            }
        }
        _ if std::mem::discriminant(example) == std::mem::discriminant(answer) => Vec::new(),
        _ => vec![format!("{place}: {example} is {answer}")],
    }
}

fn like(name: &str, answer: &Answer, extra: &[&str]) {
    let fixture = fixture(name);
    assert_eq!(fixture["status"], answer.status, "{name}: {}", answer.text);
    let found = departures("body", &fixture["body"], &answer.json(), extra);
    assert!(found.is_empty(), "{name}: {found:#?}");
    let kind = answer.header("content-type");
    assert!(kind.starts_with("application/json; charset=utf-8; profile=\"/schemas/"), "{kind}");
}

#[tokio::test]
async fn answers_have_the_members_and_types_of_the_examples() {
    let api = Api::start().await;
    let email = "ana.paz@example.com";
    like("account-home-200", &api.get("").await, &[]);
    like("lists-page-200", &api.get("/lists?page=1&per_page=200&state=active").await, &[]);
    let created = api.post("/lists", json!({"name": "Fresh List"})).await;
    like("list-created-201", &created, &[]);
    assert_eq!(created.json()["message"], "List successfully created");
    let id = created.json()["createdResourceId"].as_str().unwrap().to_owned();
    assert_eq!(created.header("location"), format!("/accounts/{ACCOUNT}/lists/{id}"));
    like("list-200", &api.get(&format!("/lists/{id}")).await, &["_links"]);
    like("fields-200", &api.get("/fields").await, &[]);
    let all = api.get("/subscribers/?keyword=ana.paz").await;
    let late = ["pageSize", "_links", "canBeReactivated", "isBeingReactivated"];
    like("subscribers-search-200", &all, &late);
    like("subscriber-200", &api.get(&format!("/subscribers/{email}")).await, &["permissionHTML"]);
    let add = fixture("subscriber-add-200");
    let person =
        json!({"email": "jonsnow@example.com", "fields": [{"name": "FIRSTNAME", "value": "Jon"}]});
    let added = api.post(&format!("/lists/{id}/subscribers"), person).await;
    like("subscriber-add-200", &added, &[]);
    assert_eq!(added.json()["message"], add["body"]["message"]);
    let deliveries = api.get(&format!("/subscribers/{email}/deliveries?per_page=5&page=1")).await;
    like("deliveries-200", &deliveries, &["pageSize", "_links"]);
    let history = api.get(&format!("/subscribers/{email}/permissions-history/AceptaOfertas")).await;
    like("permissions-history-200", &history, &["pageSize"]);
    let campaigns = api.get("/campaigns?state=shipped").await.json();
    let campaign = &campaigns["items"][0]["campaignId"];
    let summary = api.get(&format!("/campaigns/{campaign}/results-summary")).await;
    like("campaign-results-summary-200", &summary, &["_links"]);
    api.post("/unsubscribed", json!({"email": email})).await;
    let gone = api.get(&format!("/subscribers/{email}")).await;
    like(
        "subscriber-unsubscribed-200",
        &gone,
        &["_links", "canBeReactivated", "isBeingReactivated"],
    );
}

#[tokio::test]
async fn an_import_and_its_task_are_like_the_examples() {
    let api = Api::start().await;
    api.post("/fields", json!({"name": "Empresa", "type": "string"})).await;
    let list = api.list("Shop").await;
    let mut body = fixture("import-202")["request"]["body"].clone();
    body.as_object_mut().unwrap().remove("callback");
    let taken = api.post(&format!("/lists/{list}/subscribers/import"), body).await;
    like("import-202", &taken, &[]);
    let id = taken.json()["createdResourceId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("import-"), "{id}");
    api.clock.advance(std::time::Duration::from_secs(2));
    let task = api.get(&format!("/tasks/{id}")).await;
    like("task-import-200", &task, &[]);
    let details = &task.json()["importDetails"];
    assert!(!details["dateLastImported"].as_str().unwrap().ends_with('Z'), "{details}");
}

/// The example with our account in it and its links and unknown texts left to us.
fn same_error(name: &str, answer: &Answer, replace: &[(&str, &str)]) {
    let fixture = fixture(name);
    let mut text = fixture["body"].to_string();
    for (from, to) in replace {
        text = text.replace(from, to);
    }
    let mut wanted: Value = serde_json::from_str(&text).unwrap();
    let mut found = answer.json();
    assert_eq!(fixture["status"], answer.status);
    let ours = [wanted["title"] == "UNKNOWN", true];
    for (name, skip) in
        [("title", ours[0]), ("detail", ours[0]), ("type", ours[0]), ("_links", ours[1])]
    {
        if skip {
            assert!(found[name].is_string() || found[name].is_array(), "{name}");
            wanted[name] = Value::Null;
            found[name] = Value::Null;
        }
    }
    assert_eq!(wanted, found, "{name}");
}

#[tokio::test]
async fn errors_are_those_of_the_examples() {
    let api = Api::start().await;
    let account = ("user@example.com", ACCOUNT);
    let wrong_key = |key: Option<&str>, account: &str| {
        let url = format!("{}/accounts/{account}", api.sandbox.doppler_url());
        let mut request = Api::request(Method::GET, &url);
        if let Some(key) = key {
            request.headers_mut().insert("authorization", key.parse().unwrap());
        }
        request
    };
    let none = api.send(wrong_key(None, ACCOUNT)).await;
    same_error("error-401-no-credentials", &none, &[]);
    assert_eq!(none.header("www-authenticate"), "Bearer");
    let bad = api.send(wrong_key(Some("token nonsense"), ACCOUNT)).await;
    same_error("error-401-invalid-token", &bad, &[]);
    let key = "token 0123456789ABCDEF0123456789ABCDEF";
    let other = api.send(wrong_key(Some(key), "user@example.com")).await;
    same_error("error-403-wrong-account", &other, &[("otheruser@example.com", ACCOUNT)]);
    same_error("error-404-route", &api.get("/nope").await, &[account]);
    same_error("error-404-task", &api.get("/tasks/import-123456").await, &[account]);
    same_error("error-400-validation", &api.get("/lists?per_page=1").await, &[]);
    api.list("Fresh List").await;
    let again = api.post("/lists", json!({"name": "Fresh List"})).await;
    same_error("error-400-duplicated-list-name", &again, &[]);
    api.post("/unsubscribed", json!({"email": "gone@example.com"})).await;
    let id = api.list("Other").await;
    let gone =
        api.post(&format!("/lists/{id}/subscribers"), json!({"email": "gone@example.com"})).await;
    same_error("error-400-subscriber-unsubscribed", &gone, &[]);
    let lists = api.get("/lists?listName=Events").await.json();
    let blocked = api.delete(&format!("/lists/{}", lists["items"][0]["listId"])).await;
    let why = ("WithAnAssociatedForm", "WithAnScheduledCampaign");
    same_error("error-400-list-delete-blocked", &blocked, &[why]);
    api.fault(json!({"system": "DOPPLER", "kind": "rate-limit", "times": 1, "retryAfter": 7}))
        .await;
    let much = api.get("/lists").await;
    same_error("error-429", &much, &[]);
    assert_eq!(much.header("retry-after"), "7");
}

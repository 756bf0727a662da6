//! Each recorded error: status and body as in `errors.json`, apart from ids and trace ids.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::vendor::{AGENCY, Answer, LOCATION, READ_ONLY, TOKEN, Vendor};
use crate::openapi;

/// Holds an answer against the fixture of that name.
fn hold(fixture: &str, answer: &Answer) {
    let all = openapi::read("errors.json");
    let fixture = all.as_array().unwrap().iter().find(|held| held["id"] == fixture).unwrap();
    let mut expected = fixture["body"].clone();
    expected.as_object_mut().unwrap().remove("traceId");
    assert_eq!((json!(answer.status), answer.plain()), (fixture["status"].clone(), expected));
}

async fn get(vendor: &Vendor, version: Option<&str>, authorization: Option<&str>) -> Answer {
    let mut request = Request::get("/contacts/xxxxxxxxxxxxxxxxxxxx");
    for (name, value) in [("version", version), ("authorization", authorization)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    vendor.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn version_and_token() {
    let vendor = Vendor::new();
    let pit = format!("Bearer {TOKEN}");
    hold("version_missing", &get(&vendor, None, None).await);
    hold("version_unknown", &get(&vendor, Some("2020-01-01"), Some(&pit)).await);
    hold("version_malformed", &get(&vendor, Some("bogus-version"), Some(&pit)).await);
    let at = Some("2021-07-28");
    hold("token_invalid_spec", &get(&vendor, at, None).await);
    hold("token_invalid_jwt", &get(&vendor, at, Some("Bearer eyJhbGciOi.x.y")).await);
    hold("pit_invalid", &get(&vendor, at, Some("Bearer pit-unknown")).await);
    hold("contact_not_found", &get(&vendor, at, Some(&pit)).await);
    for version in ["2021-04-15", "2023-02-21", "v3"] {
        hold("contact_not_found", &get(&vendor, Some(version), Some(&pit)).await);
    }
}

#[tokio::test]
async fn rights() {
    let vendor = Vendor::new();
    let ana = vendor.person("ana@example.com");
    let path = format!("/contacts/{ana}");
    let write = vendor.call_as(READ_ONLY, "DELETE", &path, None).await;
    hold("scope_missing", &write);
    assert_eq!(vendor.call_as(READ_ONLY, "GET", &path, None).await.status, 200);
    hold("user_type_mismatch", &vendor.call_as(AGENCY, "GET", &path, None).await);
    hold("wrong_location", &vendor.get("/contacts/?locationId=anotherLocation00001").await);
    hold("wrong_location", &vendor.get("/locations/anotherLocation00001").await);
    // Validation is assumed to come before the location.
    let both = json!({"locationId": "anotherLocation00001", "surname": "x"});
    assert_eq!(vendor.post("/contacts/", both).await.status, 422);
}

#[tokio::test]
async fn bodies() {
    let vendor = Vendor::new();
    let ana = vendor.person("ana@example.com");
    let (path, at) = (format!("/contacts/{ana}"), |rest: &str| format!("/contacts/{ana}/{rest}"));
    let own = |more: Value| {
        let mut body = json!({"locationId": LOCATION});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    hold("create_empty", &vendor.post("/contacts/", own(json!({"name": "Ana Paz"}))).await);
    let emails = own(json!({"email": "b@example.com", "additionalEmails": []}));
    hold("unknown_property", &vendor.post("/contacts/", emails).await);
    for (method, path, body) in [
        ("PUT", path.clone(), json!({"locationId": LOCATION})),
        ("POST", at("notes"), json!({"body": "x", "locationId": LOCATION})),
        ("POST", at("tags"), json!({"tags": ["x"], "locationId": LOCATION})),
        ("DELETE", at("tags"), json!({"tags": ["x"], "locationId": LOCATION})),
    ] {
        hold("location_in_subresource", &vendor.call(method, &path, Some(body)).await);
    }
    hold("customfields_not_array", &vendor.put(&path, json!({"customFields": {}})).await);
    hold("search_missing_required", &vendor.post("/contacts/search", json!({})).await);
    let strange = json!({"field": "additional_phones", "operator": "exists"});
    let search = own(json!({"pageLimit": 1, "filters": [strange]}));
    hold("search_invalid_field", &vendor.post("/contacts/search", search).await);
    hold("upsert_no_key", &vendor.post("/contacts/upsert", own(json!({"firstName": "A"}))).await);
    let path = format!("/contacts/search/duplicate?locationId={LOCATION}");
    hold("upsert_no_key", &vendor.get(&path).await);
    hold("no_route", &vendor.get("/oauth/installed-locations").await);
    assert_eq!(vendor.call("PATCH", &at("notes"), None).await.status, 404);
}

#[tokio::test]
async fn every_violation_is_one_entry() {
    let vendor = Vendor::new();
    let body = json!({"title": 1, "completed": "no", "dueDate": "soon", "color": "red"});
    let ana = vendor.person("ana@example.com");
    let answer = vendor.post(&format!("/contacts/{ana}/tasks"), body).await;
    assert_eq!(
        answer.body["message"],
        json!([
            "property color should not exist",
            "title must be a string",
            "dueDate must be a valid ISO 8601 date string",
            "completed must be a boolean value",
        ])
    );
    // A body that is not declared as JSON is not read.
    let request = Request::post(format!("/contacts/{ana}/notes"))
        .header("version", "2021-07-28")
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(Body::from(r#"{"body":"x"}"#))
        .unwrap();
    assert_eq!(vendor.send(request).await.body["message"], json!(["body must be a string"]));
}

#[tokio::test]
async fn a_spent_budget() {
    let vendor = Vendor::with(|options| options.rate_limit = true);
    let ana = vendor.person("ana@example.com");
    let path = format!("/contacts/{ana}");
    let first = vendor.get(&path).await;
    for (name, value) in [
        ("x-ratelimit-limit-daily", "200000"),
        ("x-ratelimit-daily-remaining", "199999"),
        ("x-ratelimit-interval-milliseconds", "10000"),
        ("x-ratelimit-max", "100"),
        ("x-ratelimit-remaining", "99"),
    ] {
        assert_eq!(first.header(name), Some(value), "{name}");
    }
    assert!(first.header("x-ratelimit-daily-reset").is_some());
    for _ in 1..100 {
        assert_eq!(vendor.get(&path).await.status, 200);
    }
    let refused = vendor.get(&path).await;
    hold("rate_limited", &refused);
    assert_eq!(refused.header("x-ratelimit-remaining"), Some("0"));
    assert_eq!(refused.header("x-ratelimit-daily-remaining"), Some("199900"));
    vendor.advance(10);
    assert_eq!(vendor.get(&path).await.status, 200);

    vendor.fault(json!({"system": "HIGHLEVEL", "kind": "daily-exhausted", "times": 1}));
    let exhausted = vendor.get(&path).await;
    hold("rate_limited", &exhausted);
    assert_eq!(exhausted.header("x-ratelimit-daily-remaining"), Some("0"));
    assert_eq!(exhausted.header("retry-after"), None);
    let burst = json!({"system": "HIGHLEVEL", "kind": "rate-limit", "times": 1, "retryAfter": 3});
    vendor.fault(burst);
    let refused = vendor.get(&path).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("3")));
    assert!(refused.body.is_object());
    assert_eq!(vendor.get(&path).await.status, 200);
    for (kind, after) in [("rate-limit", None), ("daily-exhausted", Some(3)), ("status", Some(3))] {
        vendor.fault(json!({
            "system": "HIGHLEVEL", "kind": kind, "status": 429, "times": 1, "retryAfter": after,
            "emptyBody": true,
        }));
        let refused = vendor.get_raw(&path).await;
        let after = after.map(|after| after.to_string());
        assert_eq!((refused.status, refused.body), (429, json!("")), "{kind}");
        let header = refused.headers.get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!(header, after.as_deref(), "{kind}");
    }
}

#[tokio::test]
async fn budgets_have_the_sizes_of_a_sandbox_account_when_told() {
    let vendor = Vendor::with(|options| options.rate_limit = true);
    let ana = vendor.person("ana@example.com");
    let path = format!("/contacts/{ana}");
    vendor.settings(json!({"burst": 25, "daily": 10_000, "dailyResetHeader": false}));
    let first = vendor.get(&path).await;
    assert_eq!(first.header("x-ratelimit-max"), Some("25"));
    assert_eq!(first.header("x-ratelimit-daily-remaining"), Some("9999"));
    assert_eq!(first.header("x-ratelimit-daily-reset"), None);
    for _ in 1..25 {
        assert_eq!(vendor.get(&path).await.status, 200);
    }
    assert_eq!(vendor.get(&path).await.status, 429);
    vendor.settings(json!({"burst": 100, "daily": 26}));
    assert_eq!(vendor.get(&path).await.status, 200);
    let spent = vendor.get(&path).await;
    assert_eq!((spent.status, spent.header("x-ratelimit-daily-remaining")), (429, Some("0")));
    vendor.advance(10);
    assert_eq!(vendor.get(&path).await.status, 429, "the day is longer than the burst");
}

#[tokio::test]
async fn unknown_notes_and_tasks_have_either_status() {
    let vendor = Vendor::new();
    let ana = vendor.person("ana@example.com");
    for (status, setting) in [(400, json!({})), (404, json!({"missingStatus": 404}))] {
        vendor.settings(setting);
        for thing in ["notes", "tasks"] {
            let path = format!("/contacts/{ana}/{thing}/nobody");
            for answer in [vendor.get(&path).await, vendor.delete(&path).await] {
                assert_eq!(answer.status, status, "{thing}");
                assert_eq!(answer.body["statusCode"], status, "{thing}");
                let message = answer.body["message"].as_str().unwrap();
                assert!(message.ends_with("with id nobody not found"), "{message}");
            }
        }
        assert_eq!(vendor.get("/contacts/nobody").await.status, 400, "contacts are known");
    }
}

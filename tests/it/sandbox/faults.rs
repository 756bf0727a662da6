//! Every kind of fault, on the Doppler half.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::api::Api;

#[tokio::test]
async fn a_status_with_a_body_in_the_systems_shape() {
    let api = Api::start().await;
    api.fault(json!({
        "system": "DOPPLER", "kind": "status", "status": 503, "retryAfter": 3, "times": 1,
        "route": "/accounts/{accountName}/lists",
    }))
    .await;
    assert_eq!(api.get("/fields").await.status, 200);
    let down = api.get("/lists/").await;
    assert_eq!((down.code().as_str(), down.header("retry-after")), ("503.0", "3"));
    assert_eq!(api.get("/lists").await.status, 200);
}

#[tokio::test]
async fn a_page_of_a_gateway() {
    let api = Api::start().await;
    api.fault(json!({"system": "DOPPLER", "kind": "html"})).await;
    let page = api.get("/lists").await;
    assert_eq!((page.status, page.header("content-type")), (502, "text/html; charset=utf-8"));
    api.control(Method::DELETE, "/faults", json!(null)).await;
    assert_eq!(api.get("/lists").await.status, 200);
}

#[tokio::test]
async fn json_that_ends_in_the_middle() {
    let api = Api::start().await;
    api.fault(json!({"system": "DOPPLER", "kind": "bad-json", "method": "GET"})).await;
    let cut = api.get("/lists").await;
    assert_eq!(cut.status, 200);
    assert!(cut.text.len() > 20 && serde_json::from_str::<serde_json::Value>(&cut.text).is_err());
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_call_took_effect() {
    let api = Api::start().await;
    api.fault(json!({"system": "DOPPLER", "kind": "drop", "times": 1})).await;
    let create = api.doppler_request(Method::POST, "/lists", Some(json!({"name": "Half"})));
    assert!(api.try_send(create).await.is_err());
    assert_eq!(api.get("/lists?listName=Half").await.json()["itemsCount"], 1);
}

#[tokio::test]
async fn no_answer_and_no_effect_until_the_sandbox_stops() {
    let api = Api::start().await;
    api.fault(json!({"system": "DOPPLER", "kind": "hang", "times": 1})).await;
    let create = api.doppler_request(Method::POST, "/lists", Some(json!({"name": "Never"})));
    let journal =
        async || api.control(Method::GET, "/journal", json!(null)).await.json()["calls"].clone();
    let arrived = async {
        while journal().await[0]["method"] != "POST" {}
        // It would have been answered by then.
        for _ in 0..10 {
            assert_eq!(api.get("/lists?listName=Never").await.json()["itemsCount"], 0);
        }
    };
    tokio::select! {
        answer = api.try_send(create) => panic!("answered: {}", answer.is_ok()),
        () = arrived => {}
    }
    let call = journal().await[0].clone();
    assert_eq!((&call["method"], &call["status"]), (&json!("POST"), &json!(null)));
}

#[tokio::test]
async fn an_answer_that_comes_late() {
    let api = Api::start().await;
    api.fault(json!({"system": "DOPPLER", "kind": "delay", "delayMs": 80, "times": 1})).await;
    let start = Instant::now();
    assert_eq!(api.get("/lists").await.status, 200);
    assert!(start.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn a_list_that_says_there_is_nothing() {
    let api = Api::start().await;
    api.fault(json!({"system": "DOPPLER", "kind": "empty-list"})).await;
    let page = api.get("/subscribers").await.json();
    assert_eq!(
        (&page["items"], &page["itemsCount"], &page["pagesCount"]),
        (&json!([]), &json!(0), &json!(0))
    );
    assert_eq!(api.get("/fields").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_fault_that_cannot_be_is_one_line() {
    let api = Api::start().await;
    for body in [
        json!({"system": "DOPPLER", "kind": "explode"}),
        json!({"system": "DOPPLER", "kind": "daily-exhausted"}),
        json!({"kind": "html"}),
    ] {
        let answer = api.control(Method::POST, "/faults", body).await;
        assert_eq!(answer.status, 400);
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(!error.is_empty() && !error.contains('\n'), "{error}");
    }
    assert_eq!(api.get("/lists").await.status, 200);
}

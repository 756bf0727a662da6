//! The rules of GraphQL over HTTP, through the front door.

use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use serde_json::json;

use crate::http::sample::{self, door, request, text};

const JSON: &str = "content-type: application/json";
const GRAPHQL: &str = "accept: application/graphql-response+json";
const STREAM: &str = "accept: text/event-stream";

async fn post(headers: &[&str], body: &str) -> Response {
    let headers = [&[JSON], headers].concat();
    door().respond(request("POST", "/graphql", &headers, body)).await
}

async fn get(uri: &str, headers: &[&str]) -> Response {
    door().respond(request("GET", uri, headers, "")).await
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Status and body, without the part of it that differs each time.
async fn shown(response: Response) -> (u16, String) {
    let id = header(&response, "x-request-id").to_owned();
    assert!(!id.is_empty());
    let status = response.status().as_u16();
    (status, text(response).await.replace(&id, "ID"))
}

#[tokio::test]
async fn a_query_is_answered_in_the_wanted_type() {
    let body = r#"{"query":"query($n: String){hello(name:$n)}","variables":{"n":"Ada"}}"#;
    for (accept, kind) in [
        ("accept: application/json", "application/json; charset=utf-8"),
        ("accept: */*", "application/json; charset=utf-8"),
        (GRAPHQL, "application/graphql-response+json; charset=utf-8"),
    ] {
        let response = post(&[accept], body).await;
        assert_eq!(header(&response, "content-type"), kind);
        assert_eq!(shown(response).await, (200, r#"{"data":{"hello":"hello Ada"}}"#.to_owned()));
    }
    assert_eq!(post(&["accept: text/html"], body).await.status(), 406);
}

#[tokio::test]
async fn what_did_not_run_is_400_by_the_newer_type_only() {
    for query in ["{", "{ nothing }", "query($n: Int!){hello}"] {
        let body = json!({"query": query}).to_string();
        let (status, text) = shown(post(&[GRAPHQL], &body).await).await;
        assert_eq!(status, 400, "{query}");
        assert!(text.starts_with(r#"{"errors":["#), "{text}");
        assert_eq!(post(&[], &body).await.status(), 200, "{query}");
    }
    let (status, text) = shown(post(&[GRAPHQL], r#"{"query":"{broken}"}"#).await).await;
    assert_eq!(status, 200, "it ran");
    assert!(text.contains("UPSTREAM_UNAVAILABLE") && text.contains(r#""data":"#), "{text}");
}

#[tokio::test]
async fn a_parse_error_has_code_and_request_id() {
    let response = post(&["x-request-id: from-client.1"], r#"{"query":"{"}"#).await;
    assert_eq!(header(&response, "x-request-id"), "from-client.1");
    let body = sample::json(response).await;
    let extensions = &body["errors"][0]["extensions"];
    assert_eq!(*extensions, json!({"code": "GRAPHQL_PARSE_FAILED", "requestId": "from-client.1"}));
}

#[tokio::test]
async fn a_malformed_request_is_400_in_both_types() {
    for body in ["", "{", "7", "{}", r#"{"query":7}"#, r#"{"query":"{hello}","variables":"x"}"#] {
        for headers in [&[][..], &[GRAPHQL]] {
            let (status, text) = shown(post(headers, body).await).await;
            assert_eq!(status, 400, "{body}");
            assert!(text.contains(r#""code":"BAD_USER_INPUT","requestId":"ID""#), "{text}");
        }
    }
}

#[tokio::test]
async fn other_bodies_are_not_looked_at() {
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"]
    {
        let kind = format!("content-type: {kind}");
        let request = request("POST", "/graphql", &[&kind], r#"{"query":"mutation{write}"}"#);
        assert_eq!(door().respond(request).await.status(), 415, "{kind}");
    }
}

#[tokio::test]
async fn a_large_body_is_refused_with_the_limit() {
    let body = json!({"query": "{hello}", "variables": {"x": "x".repeat(10_000)}}).to_string();
    let (status, text) = shown(post(&[], &body).await).await;
    assert_eq!(status, 413);
    assert!(text.contains(r#""limit":10000"#), "{text}");
}

#[tokio::test]
async fn get_runs_queries_only() {
    let response = get(
        "/graphql?query=query(%24n:String)%7Bhello(name:%24n)%7D&variables=%7B%22n%22:%22Ada%22%7D",
        &[],
    )
    .await;
    assert_eq!(shown(response).await, (200, r#"{"data":{"hello":"hello Ada"}}"#.to_owned()));
    let mutation = get("/graphql?query=mutation%7Bwrite%7D", &[]).await;
    assert_eq!(mutation.status(), 405);
    assert_eq!(header(&mutation, "allow"), "POST");
    for bad in
        ["/graphql", "/graphql?query={hello}&variables=x", "/graphql?query={hello}&query={hello}"]
    {
        let uri = bad.replace('{', "%7B").replace('}', "%7D");
        assert_eq!(get(&uri, &[]).await.status(), 400, "{bad}");
    }
}

#[tokio::test]
async fn a_page_elsewhere_cannot_cause_a_get() {
    const QUERY: &str = "/graphql?query=%7Bhello%7D";
    let host = "host: gateway.example";
    for (headers, status) in [
        (vec!["sec-fetch-site: cross-site"], 403),
        (vec!["sec-fetch-site: same-site"], 403),
        (vec!["origin: https://evil.example", host], 403),
        (vec!["origin: null", host], 403),
        (vec!["sec-fetch-site: cross-site", "tandem-preflight: 1"], 200),
        (vec!["sec-fetch-site: same-origin"], 200),
        (vec!["sec-fetch-site: none"], 200),
        (vec!["origin: http://gateway.example", host], 200),
        (vec!["origin: https://app.example", host], 200),
    ] {
        assert_eq!(get(QUERY, &headers).await.status(), status, "{headers:?}");
    }
}

#[tokio::test]
async fn only_named_origins_may_read() {
    let ask = |origin: &'static str| {
        let headers = [origin, "access-control-request-method: POST"];
        door().respond(request("OPTIONS", "/graphql", &headers, ""))
    };
    let allowed = ask("origin: https://app.example").await;
    assert_eq!(allowed.status(), 204);
    assert_eq!(header(&allowed, "access-control-allow-origin"), "https://app.example");
    let other = ask("origin: https://evil.example").await;
    assert_eq!(other.status(), 405);
    assert_eq!(header(&other, "access-control-allow-origin"), "");

    let answer = post(&["origin: https://app.example"], r#"{"query":"{hello}"}"#).await;
    assert_eq!(header(&answer, "access-control-allow-origin"), "https://app.example");
    assert_eq!(header(&answer, "vary"), "origin");
}

#[tokio::test]
async fn a_batch_is_answered_in_order_up_to_its_limit() {
    let body = r#"[{"query":"{hello(name:\"1\")}"},{"query":"{"},{"query":"mutation{write}"}]"#;
    let (status, text) = shown(post(&[], body).await).await;
    assert_eq!(status, 200);
    assert!(text.starts_with(r#"[{"data":{"hello":"hello 1"}},{"errors":"#), "{text}");
    assert!(text.ends_with(r#"{"data":{"write":true}}]"#), "{text}");

    let eleven = vec![json!({"query": "{hello}"}); 11];
    let (status, text) = shown(post(&[], &json!(eleven).to_string()).await).await;
    assert_eq!(status, 400);
    assert!(text.contains(r#""limit":10"#) && text.contains("11 operations"), "{text}");
    assert_eq!(post(&[STREAM], r#"[{"query":"{hello}"}]"#).await.status(), 400);
    assert_eq!(post(&[], r#"[{"query":"subscription{stays}"}]"#).await.status(), 400);
}

#[tokio::test]
async fn a_known_answer_is_not_run_again() {
    let door = door();
    let ask = |headers: &[&str]| {
        let headers = [&[JSON], headers].concat();
        door.clone().respond(request("POST", "/graphql", &headers, r#"{"query":"{hello}"}"#))
    };
    let runs = || door.front.executor.executed.load(std::sync::atomic::Ordering::SeqCst);
    let first = shown(ask(&[]).await).await;
    let other_type = ask(&[GRAPHQL]).await;
    assert_eq!(
        header(&other_type, "content-type"),
        "application/graphql-response+json; charset=utf-8"
    );
    assert_eq!(shown(other_type).await, first);
    assert_eq!(runs(), 1);
    ask(&["cache-control: no-cache"]).await;
    ask(&["tandem-cost: true"]).await;
    assert_eq!(runs(), 3);
}

#[tokio::test]
async fn a_token_that_proves_nothing_is_401() {
    let response = post(&["authorization: Bearer bad"], r#"{"query":"{hello}"}"#).await;
    assert_eq!(header(&response, "www-authenticate"), "Bearer error=\"invalid_token\"");
    let (status, text) = shown(response).await;
    assert!(status == 401 && text.contains("UNAUTHENTICATED"), "{status} {text}");
    let response = post(&["authorization: Bearer weak"], r#"{"query":"{hello}"}"#).await;
    assert_eq!(response.status(), 403);
}

#[tokio::test]
async fn a_panic_is_500_and_no_more() {
    for headers in [&[][..], &[GRAPHQL]] {
        let (status, text) = shown(post(headers, r#"{"query":"{panics}"}"#).await).await;
        assert_eq!(status, 500);
        assert!(text.contains(r#""code":"INTERNAL""#) && !text.contains("as asked"), "{text}");
    }
    let events = text(post(&[STREAM], r#"{"query":"{panics}"}"#).await).await;
    assert!(events.starts_with("event: next") && events.contains("INTERNAL"), "{events}");
}

#[tokio::test]
async fn a_subscription_comes_as_events() {
    let body = r#"{"query":"subscription{count(to:2)}"}"#;
    for accept in [STREAM, "accept: application/json, text/event-stream"] {
        let response = post(&[accept], body).await;
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "content-type"), "text/event-stream");
        let expected = "event: next\ndata: {\"data\":{\"count\":1}}\n\n\
                        event: next\ndata: {\"data\":{\"count\":2}}\n\n\
                        event: complete\ndata: {}\n\n";
        assert_eq!(text(response).await, expected);
    }
    assert_eq!(post(&[], body).await.status(), 406);
    let by_get = get("/graphql?query=subscription%7Bcount(to:1)%7D", &[STREAM]).await;
    assert!(text(by_get).await.starts_with("event: next\ndata: {\"data\":{\"count\":1}}"));
}

#[tokio::test]
async fn queries_and_their_faults_come_as_events_too() {
    let events = text(post(&[STREAM], r#"{"query":"{hello}"}"#).await).await;
    assert!(events.starts_with("event: next\ndata: {\"data\":{\"hello\""), "{events}");
    for query in ["{", "{nothing}"] {
        let body = json!({"query": query}).to_string();
        let response = post(&[STREAM], &body).await;
        assert_eq!(response.status(), 200, "{query}");
        let events = text(response).await;
        assert!(events.starts_with("event: next\ndata: {\"errors\""), "{events}");
        assert!(events.ends_with("event: complete\ndata: {}\n\n"), "{events}");
    }
    assert_eq!(post(&[STREAM], "{").await.status(), 400);
}

#[tokio::test]
async fn routes_have_their_methods() {
    let call = |method: &'static str, uri: &'static str| {
        let request: Request<Body> = request(method, uri, &[], "");
        door().respond(request)
    };
    for (method, uri, status, allow) in [
        ("GET", "/", 307, ""),
        ("GET", "/health/live", 200, ""),
        ("GET", "/health/ready", 200, ""),
        ("GET", "/metrics", 404, ""),
        ("GET", "/playground", 200, ""),
        ("GET", "/ada@example.com", 404, ""),
        ("PUT", "/graphql", 405, "GET, POST"),
        ("POST", "/health/live", 405, "GET, HEAD"),
        ("DELETE", "/metrics", 405, "GET, HEAD"),
    ] {
        let response = call(method, uri).await;
        assert_eq!(response.status(), status, "{method} {uri}");
        assert_eq!(header(&response, "allow"), allow, "{method} {uri}");
        if status >= 400 {
            let (_, text) = shown(response).await;
            assert!(text.contains(r#""requestId":"ID""#), "{text}");
        }
    }
}

#[tokio::test]
async fn a_stopping_gateway_is_unready() {
    let door = door();
    door.front.tasks.stop();
    let response = door.respond(request("GET", "/health/ready", &[], "")).await;
    assert_eq!(response.status(), 503);
    let body = sample::json(response).await;
    assert_eq!(body, json!({"status": "unready", "checks": {"store": "ok", "running": "failing"}}));
}

#[tokio::test]
async fn other_host_names_are_not_served() {
    let settings = crate::http::Settings {
        allowed_hosts: vec!["localhost".to_owned(), "[::1]".to_owned()],
        ..sample::settings()
    };
    let door = crate::http::front::Door::new(sample::front(settings));
    for (host, status) in
        [("host: localhost:4000", 200), ("host: [::1]:4000", 200), ("host: evil.example", 421)]
    {
        let request = request("GET", "/health/live", &[host], "");
        assert_eq!(door.clone().respond(request).await.status(), status, "{host}");
    }
}

//! What an operator sees: probes, metrics, and no more of a request than its route.

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn probes_answer() {
    let world = World::start().await;
    let live: Value = get(&world, "/health/live").await.1;
    assert_eq!(live, json!({"status": "live"}));
    let (status, ready) = get(&world, "/health/ready").await;
    assert_eq!((status, &ready["status"]), (200, &json!("ready")));
    assert!(ready["checks"].as_object().unwrap().values().all(|check| check == "ok"), "{ready}");
    world.end().await;
}

async fn get(world: &World, path: &str) -> (u16, Value) {
    let answer = world.http().get(world.url(path)).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_know_routes_and_not_what_was_asked() {
    let world = World::start().await;
    let query = "query Secret($e: EmailAddress!) { contact(by: {email: $e}) { id } }";
    world.ask(query, json!({"e": "ana.paz@example.com"})).await;
    world.http().get(world.url("/ana.paz@example.com")).send().await.unwrap();
    let metrics = world.http().get(world.url("/metrics")).send().await.unwrap();
    assert!(metrics.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    let text = metrics.text().await.unwrap();
    for line in [
        r#"tandem_http_requests_total{route="/graphql",method="POST",status="200"}"#,
        r#"tandem_http_requests_total{route="other",method="GET",status="404"}"#,
        r#"tandem_graphql_operations_total{kind="query",outcome="ok",workspace="default"}"#,
        r#"tandem_http_request_duration_seconds_bucket{route="/graphql",le="#,
        "tandem_websockets ",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("ana.paz") && !text.contains("Secret"), "{text}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_can_be_off() {
    let world = World::builder().set("telemetry.metrics", false).start().await;
    let answer = world.http().get(world.url("/metrics")).send().await.unwrap();
    assert_eq!(answer.status(), 404);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_playground_is_where_the_root_leads() {
    let world = World::start().await;
    let page = world.http().get(world.url("/")).send().await.unwrap();
    assert_eq!((page.status().as_u16(), page.url().path()), (200, "/playground"));
    assert!(page.text().await.unwrap().contains("<html"));
    world.end().await;
}

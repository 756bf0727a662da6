//! Whose doing a line of the log tells of.

use std::cell::RefCell;

use serde_json::{Value, json};
use tracing::Level;

use super::client::{Events, Socket};
use crate::connecting::{grant, with_app};
use crate::log::Log;

/// How a line says it.
const WHOSE: &str = "workspace=\"default\"";

/// Asserts that there are lines about something, and that all of them say whose doing it was.
fn each_says_whose(said: &str, about: &str) {
    let lines: Vec<&str> = said.lines().filter(|line| line.contains(about)).collect();
    assert!(!lines.is_empty(), "nothing of {about:?} in {said}");
    for line in lines {
        assert!(line.contains(WHOSE), "{line}");
    }
}

// On one thread, so that all that is said is heard.
#[tokio::test]
async fn each_line_says_whose_request_it_is_about() {
    let (log, guard) = Log::of_this_thread(Level::INFO);
    let world = with_app().alone().start().await;
    let mut socket = Socket::open(&world).await;
    world.fault(json!({"system": "HIGHLEVEL", "kind": "status", "status": 500})).await;
    let tags = "{ tags { name } }";
    log.take();

    socket.subscribe("1", tags, json!({})).await;
    assert!(socket.next().await["payload"].to_string().contains("UPSTREAM_UNAVAILABLE"));
    each_says_whose(&log.take(), "upstream failed");
    let mut events = Events::open(&world, tags, json!({})).await;
    assert!(events.next().await.is_some());
    let said = log.take();
    each_says_whose(&said, "upstream failed");
    each_says_whose(&said, "request answered");
    world.ask(tags, json!({})).await;
    let said = log.take();
    each_says_whose(&said, "upstream failed");
    each_says_whose(&said, "request answered");

    // Refused, but of somebody who is known.
    let post = |body: &'static str| {
        let request = world.http().post(world.url("/graphql")).body(body);
        request.header("content-type", "application/json").send()
    };
    for body in
        ["nonsense", r#"{"query": "{ nonsense"}"#, r#"[{"query": "{ viewer { subject } }"}]"#]
    {
        post(body).await.unwrap();
        each_says_whose(&log.take(), "request answered");
    }
    world.http().get(world.url("/health/live")).send().await.unwrap();
    assert!(!log.take().contains("workspace="), "that is nobody's");
    drop(guard);
    world.end().await;
}

#[tokio::test]
async fn each_line_says_whose_connection_it_is_about() {
    let (log, guard) = Log::of_this_thread(Level::INFO);
    let world = with_app().alone().start().await;
    log.take();
    assert_eq!(grant(&world, Value::Null, &[]).await.0, 200);
    let said = log.take();
    each_says_whose(&said, "the connection was changed");
    each_says_whose(&said, "/oauth/highlevel/start");
    each_says_whose(&said, "/oauth/highlevel/callback");
    // One that waits to be confirmed.
    world.fault(json!({"system": "HIGHLEVEL", "route": "/contacts/search", "kind": "status", "status": 503})).await;
    assert_eq!(grant(&world, Value::Null, &[("from_marketplace", "yes")]).await.0, 202);
    each_says_whose(&log.take(), "what an installation brought was tried");

    // What another gateway stored, and this one cannot read.
    let broken = "UPDATE credential SET sealed = 'v1:one:AAAA', version = version + 1 \
        WHERE system = 'HIGHLEVEL'";
    world.run(broken).await;
    let said = RefCell::new(String::new());
    let is_said = || async {
        said.borrow_mut().push_str(&log.take());
        said.borrow().contains("the stored credential cannot be read")
    };
    world.until("it is said", is_said).await;
    each_says_whose(&said.borrow(), "the stored credential cannot be read");
    drop(guard);
    world.end().await;
}

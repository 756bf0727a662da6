//! A burst of refusals is told, wherever they are decided. On one thread, so that all that is said is heard.

use serde_json::{Value, json};
use tandem::sandbox::credentials::{OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET, OAUTH_VERSION_ID};
use tracing::Level;

use super::transport::Transport;
use super::{EVERYTHING, MINUTE, ask, claims, code, good, guarded, signed, with};
use crate::connecting::KEY;
use crate::http::client::Socket;
use crate::log::Log;
use crate::world::World;

/// So many are a burst here.
const BURST: usize = 3;

/// What a client that reads people is refused, and with which code.
const REFUSED: [(&str, &str); 7] = [
    ("{ syncStatus { state } }", "FORBIDDEN"),
    ("{ __schema { queryType { name } } }", "FORBIDDEN"),
    ("{ viewer { nothing } }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ contact(", "GRAPHQL_PARSE_FAILED"),
    ("{ tags { contacts { nodes { email } } } }", "QUERY_TOO_DEEP"),
    ("{ viewer { a: subject b: subject c: subject d: subject e: subject } }", "QUERY_TOO_COMPLEX"),
    (
        "{ a: contact(by: {email: \"a@example.com\"}) { email } \
        b: contact(by: {email: \"b@example.com\"}) { email } \
        c: contact(by: {email: \"c@example.com\"}) { email } \
        d: contact(by: {email: \"d@example.com\"}) { email } }",
        "QUERY_TOO_EXPENSIVE",
    ),
];

async fn watched() -> World {
    let world = guarded().alone().still().set("limits.unusual.refusals", BURST);
    world
        .set("documents.introspection", "managers")
        .set("limits.depth", 3)
        .set("limits.aliases", 4)
        .set("limits.upstream_calls", 11)
        .set("vault.keys", KEY)
        .set("highlevel.client_id", OAUTH_CLIENT_ID)
        .set("highlevel.client_secret", OAUTH_CLIENT_SECRET)
        .set("highlevel.version_id", OAUTH_VERSION_ID)
        .start()
        .await
}

/// The lines about what is unusual since the last time.
fn told(log: &Log) -> Vec<String> {
    let said = log.take();
    said.lines().filter(|line| line.contains("unusual activity")).map(str::to_owned).collect()
}

/// Does something until it is a burst, and gives the line that tells of it.
async fn burst(log: &Log, what: &str, mut again: impl AsyncFnMut()) -> String {
    told(log);
    for _ in 1..BURST {
        again().await;
        assert_eq!(told(log), Vec::<String>::new(), "too early: {what}");
    }
    again().await;
    let mut told = told(log);
    assert_eq!(told.len(), 1, "{what}: {told:?}");
    let line = told.remove(0);
    assert!(line.contains("kind=\"refusals\""), "{what}: {line}");
    line
}

fn names_client(line: &str, workspace: &str) -> bool {
    line.contains("client=\"front end\"") && line.contains(&format!("workspace=\"{workspace}\""))
}

#[tokio::test]
async fn refused_documents_are_told_on_every_transport() {
    let (log, guard) = Log::of_this_thread(Level::INFO);
    let world = watched().await;
    for transport in Transport::ALL {
        for (query, expected) in REFUSED {
            world.clock.advance(MINUTE);
            let token = good(&world, "contacts.readonly");
            let again = async || {
                let answer = transport.ask(&world, &token, query).await;
                assert_eq!(code(&answer), expected, "{transport:?} {query}: {answer:#}");
            };
            let line = burst(&log, &format!("{transport:?} {query}"), again).await;
            assert!(names_client(&line, "default"), "{line}");
        }
    }
    drop(guard);
    world.end().await;
}

#[tokio::test]
async fn what_is_no_request_is_told_too() {
    let (log, guard) = Log::of_this_thread(Level::INFO);
    let world = watched().await;
    let token = good(&world, EVERYTHING);
    let http = async || {
        let request = world.http().post(world.url("/graphql")).bearer_auth(&token);
        let request = request.header("content-type", "application/json").body("{");
        assert_eq!(request.send().await.unwrap().status(), 400);
    };
    assert!(names_client(&burst(&log, "HTTP", http).await, "default"));
    world.clock.advance(MINUTE);
    let socket = async || {
        let mut socket = Socket::connect(&world).await;
        socket.begin(&token).await;
        assert_eq!(socket.next().await["type"], "connection_ack");
        socket.send(&json!({"id": "1", "type": "subscribe", "payload": {"query": 1}})).await;
        assert_eq!(socket.closed().await, 4400);
    };
    assert!(names_client(&burst(&log, "socket", socket).await, "default"));
    drop(guard);
    world.end().await;
}

#[tokio::test]
async fn what_works_or_is_not_there_is_no_refusal() {
    let (log, guard) = Log::of_this_thread(Level::INFO);
    let world = watched().await;
    let token = good(&world, EVERYTHING);
    for transport in Transport::ALL {
        for query in
            ["{ viewer { subject } }", "{ contact(by: {email: \"no@example.com\"}) { id } }"]
        {
            for _ in 0..=BURST {
                let answer = transport.ask(&world, &token, query).await;
                assert!(answer.get("errors").is_none(), "{answer:#}");
            }
        }
    }
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer), ("cache-control", "only-if-cached")];
    for _ in 0..=BURST {
        let query = "{ contact(by: {email: \"never@example.com\"}) { id } }";
        let answer = world.ask_with(query, json!({}), &headers).await;
        assert_eq!(code(&answer), "NOT_CACHED", "{answer:#}");
    }
    assert_eq!(told(&log), Vec::<String>::new());
    drop(guard);
    world.end().await;
}

#[tokio::test]
async fn tokens_and_links_that_are_tried_are_told_of_an_address() {
    let (log, guard) = Log::of_this_thread(Level::INFO);
    let world = watched().await;
    let start = "/oauth/highlevel/start";
    let guessed = format!("{start}?link=guessed");
    let get = async |path: &str, token: &str| {
        let request = world.http().get(world.url(path)).bearer_auth(token);
        assert_eq!(request.send().await.unwrap().status(), 403, "{path}");
    };
    let http = async || assert_eq!(ask(&world, Some("nonsense"), "{ a }").await.0, 401);
    let socket = async || {
        let mut socket = Socket::connect(&world).await;
        socket.begin("nonsense").await;
        assert_eq!(socket.closed().await, 4403);
    };
    let nobodys = [
        burst(&log, "HTTP", http).await,
        {
            world.clock.advance(MINUTE);
            burst(&log, "socket", socket).await
        },
        {
            world.clock.advance(MINUTE);
            burst(&log, "consent", async || get(start, "nonsense").await).await
        },
        {
            world.clock.advance(MINUTE);
            burst(&log, "link", async || get(&guessed, "nonsense").await).await
        },
    ];
    for line in nobodys {
        assert!(!line.contains("client=") && !line.contains("workspace="), "{line}");
    }
    world.clock.advance(MINUTE);
    let reader = good(&world, "contacts.readonly");
    let line = burst(&log, "right", async || get(start, &reader).await).await;
    assert!(names_client(&line, "default"), "{line}");
    drop(guard);
    world.end().await;
}

#[tokio::test]
async fn two_workspaces_clients_of_one_name_share_nothing() {
    let (log, guard) = Log::of_this_thread(Level::INFO);
    let world = watched().await;
    let create = "mutation { createWorkspace(input: {name: \"other\"}) { workspace { key } } }";
    let made = ask(&world, Some(&good(&world, EVERYTHING)), create).await.1;
    let other = made["data"]["createWorkspace"]["workspace"]["key"].as_str();
    let other = other.unwrap_or_else(|| panic!("{made:#}")).to_owned();
    let token = |workspace: &str| {
        let claims = claims(&world.clock, "contacts.readonly");
        signed(&with(claims, "workspace", Value::from(workspace)))
    };
    let tokens = [token("default"), token(&other)];
    let refuse = async |token: &String| {
        let answer = ask(&world, Some(token), "{ syncStatus { state } }").await.1;
        assert_eq!(code(&answer), "FORBIDDEN", "{answer:#}");
    };
    told(&log);
    for _ in 1..BURST {
        for token in &tokens {
            refuse(token).await;
        }
    }
    assert_eq!(told(&log), Vec::<String>::new(), "neither of them is a burst");
    refuse(&tokens[1]).await;
    let told = told(&log);
    assert!(told.len() == 1 && names_client(&told[0], &other), "{told:?}");
    drop(guard);
    world.end().await;
}

//! The WebSocket protocol, over a real socket.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::chatter;
use crate::http::Settings;
use crate::http::sample::{listening, settings};
use crate::http::settings::ClientLimits;

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn open(address: SocketAddr, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        connect_async(request).await.map(|(stream, _)| Self(stream))
    }

    async fn connect(address: SocketAddr) -> Self {
        let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
        Self::open(address, &[protocol]).await.unwrap()
    }

    /// Connected and acknowledged.
    async fn ready(address: SocketAddr) -> Self {
        let mut client = Self::connect(address).await;
        client.send(&json!({"type": "connection_init"})).await;
        assert_eq!(client.next().await, json!({"type": "connection_ack"}));
        client
    }

    async fn send(&mut self, message: &Value) {
        self.0.send(Message::Text(message.to_string().into())).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.send(&json!({"id": id, "type": "subscribe", "payload": {"query": query}})).await;
    }

    async fn frame(&mut self) -> Message {
        let frame = timeout(Duration::from_mins(1), self.0.next()).await.unwrap();
        frame.unwrap().unwrap()
    }

    async fn next(&mut self) -> Value {
        loop {
            let frame = self.frame().await;
            if let Message::Text(text) = frame {
                return serde_json::from_str(&text).unwrap();
            }
            assert!(matches!(frame, Message::Ping(_)), "{frame:?}");
        }
    }

    /// The code that the gateway closes with, and its reason.
    async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(Some(frame)) = self.frame().await {
                return (frame.code.into(), frame.reason.to_string());
            }
        }
    }
}

#[tokio::test]
async fn runs_every_kind_of_operation() {
    let (address, _) = listening(settings()).await;
    let mut client = Client::ready(address).await;
    client.subscribe("a", "subscription{count(to:2)}").await;
    for n in 1..=2 {
        let next = json!({"id": "a", "type": "next", "payload": {"data": {"count": n}}});
        assert_eq!(client.next().await, next);
    }
    assert_eq!(client.next().await, json!({"id": "a", "type": "complete"}));
    // The id is free again.
    for query in ["{hello}", "mutation{write}"] {
        client.subscribe("a", query).await;
        assert_eq!(client.next().await["type"], "next");
        assert_eq!(client.next().await["type"], "complete");
    }
}

#[tokio::test]
async fn what_does_not_run_is_an_error_without_complete() {
    let (address, _) = listening(settings()).await;
    let mut client = Client::ready(address).await;
    for query in ["{", "{nothing}", "subscription{nothing}"] {
        client.subscribe("a", query).await;
        let error = client.next().await;
        assert_eq!(error["type"], "error", "{query}: {error}");
        assert!(error["payload"][0]["message"].is_string(), "{error}");
    }
    client.subscribe("a", "{panics}").await;
    assert_eq!(client.next().await["payload"]["errors"][0]["extensions"]["code"], "INTERNAL");
    assert_eq!(client.next().await["type"], "complete");
}

#[tokio::test]
async fn a_completed_operation_is_dropped() {
    let (address, front) = listening(settings()).await;
    let mut client = Client::ready(address).await;
    for _ in 0..3 {
        client.subscribe("a", "subscription{stays}").await;
        assert_eq!(client.next().await["payload"]["data"]["stays"], 1);
        client.send(&json!({"id": "a", "type": "complete"})).await;
    }
    client.send(&json!({"type": "ping", "payload": {"n": 1}})).await;
    assert_eq!(client.next().await, json!({"type": "pong", "payload": {"n": 1}}));
    drop(client);
    front.tasks.stop();
    timeout(Duration::from_mins(1), front.tasks.drained()).await.unwrap();
}

#[tokio::test]
async fn broken_rules_have_their_close_codes() {
    let (address, _) = listening(settings()).await;
    let init = json!({"type": "connection_init"});
    let stays =
        json!({"id": "a", "type": "subscribe", "payload": {"query": "subscription{stays}"}});
    let token = |token| json!({"type": "connection_init", "payload": {"Authorization": token}});
    let cases = [
        (vec![stays.clone()], 4401),
        (vec![init.clone(), init.clone()], 4429),
        (vec![init.clone(), stays.clone(), stays.clone()], 4409),
        (vec![json!({"type": "start"})], 4400),
        (vec![json!(7)], 4400),
        (
            vec![init.clone(), json!({"id": "a", "type": "subscribe", "payload": {"query": 7}})],
            4400,
        ),
        (vec![token("Bearer bad")], 4403),
        (vec![json!({"type": "ping", "payload": {"x": "x".repeat(10_000)}})], 1009),
    ];
    for (messages, code) in cases {
        let mut client = Client::connect(address).await;
        for message in &messages {
            client.send(message).await;
        }
        assert_eq!(client.closed().await.0, code, "{messages:?}");
    }
    let mut client = Client::connect(address).await;
    client.0.send(Message::Binary(vec![1].into())).await.unwrap();
    assert_eq!(client.closed().await.0, 4400);
}

#[tokio::test]
async fn silence_has_its_close_codes() {
    let short = Duration::from_millis(50);
    let (address, _) = listening(Settings { init_timeout: short, ..settings() }).await;
    let mut client = Client::connect(address).await;
    assert_eq!(client.closed().await.0, 4408);

    let (address, _) = listening(Settings { keep_alive: short, ..settings() }).await;
    let mut client = Client::ready(address).await;
    // A client that is read from answers pings by itself; this one stays open.
    assert!(matches!(client.frame().await, Message::Ping(_)));
    assert!(matches!(client.frame().await, Message::Ping(_)));
}

#[tokio::test]
async fn another_protocol_is_closed_and_another_origin_refused() {
    let (address, front) = listening(Settings { sockets: 2, ..settings() }).await;
    let protocol = |name| ("sec-websocket-protocol", name);
    let good = protocol("graphql-transport-ws");
    for offered in [&[][..], &[protocol("graphql-ws")], &[protocol("soap, graphql-ws")]] {
        let mut client = Client::open(address, offered).await.unwrap();
        // A client that does not wait to hear whether it is welcome.
        client.send(&json!({"type": "connection_init"})).await;
        let reason = "Subprotocol not acceptable".to_owned();
        assert_eq!(client.closed().await, (4406, reason), "{offered:?}");
    }
    let both = protocol("graphql-ws, graphql-transport-ws");
    let mut client = Client::open(address, &[both]).await.unwrap();
    client.send(&json!({"type": "connection_init"})).await;
    assert_eq!(client.next().await["type"], "connection_ack");
    drop(client);

    let refused = Client::open(address, &[good, ("origin", "https://evil.example")]).await;
    assert!(matches!(refused, Err(Error::Http(response)) if response.status() == 403));
    let own = format!("http://{address}");
    let mut first = Client::open(address, &[good, ("origin", &own)]).await.unwrap();
    first.send(&json!({"type": "connection_init"})).await;
    assert_eq!(first.next().await["type"], "connection_ack");
    let _second = Client::open(address, &[good, ("origin", "https://app.example")]).await.unwrap();
    let third = Client::connect_error(address).await;
    assert_eq!(third, 503);
    front.tasks.stop();
}

impl Client {
    async fn connect_error(address: SocketAddr) -> u16 {
        Self::try_from_behind(address, &[]).await.err().unwrap_or_default()
    }

    /// Connected through a proxy that names somebody, or the status of the refusal.
    async fn try_from_behind(
        address: SocketAddr,
        names: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
        match Self::open(address, &[&[protocol], names].concat()).await {
            Ok(client) => Ok(client),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(_) => Err(0),
        }
    }

    async fn init(&mut self, token: &str) {
        let payload = json!({"Authorization": format!("Bearer {token}")});
        self.send(&json!({"type": "connection_init", "payload": payload})).await;
    }
}

/// Two sockets a client, and a proxy on this machine whose word counts, or not.
fn two_each(trusts: bool) -> Settings {
    let clients =
        ClientLimits { operations_per_second: 10, burst: 10, subscriptions: 10, sockets: 2 };
    let trusted_proxies = if trusts { vec!["127.0.0.1".parse().unwrap()] } else { Vec::new() };
    Settings { clients: Some(clients), trusted_proxies, ..settings() }
}

#[tokio::test]
async fn a_client_may_take_its_part_of_the_sockets() {
    let (address, _) = listening(two_each(false)).await;
    let mut held = Vec::new();
    for token in ["ada", "ada", "bob"] {
        let mut client = Client::connect(address).await;
        client.init(token).await;
        assert_eq!(client.next().await, json!({"type": "connection_ack"}), "{token}");
        held.push(client);
    }
    let mut third = Client::connect(address).await;
    third.init("ada").await;
    let reason = "2 WebSockets of this client are open; that is the limit".to_owned();
    assert_eq!(third.closed().await, (4429, reason));
    // One that ends makes room.
    held[0].0.close(None).await.unwrap();
    while held[0].0.next().await.is_some() {}
    let mut next = Client::connect(address).await;
    next.init("ada").await;
    assert_eq!(next.next().await, json!({"type": "connection_ack"}));
}

#[tokio::test]
async fn an_address_may_wait_with_its_part_of_the_sockets() {
    let (address, _) = listening(two_each(true)).await;
    let from = |name| [("x-forwarded-for", name)];
    let behind = async |name| Client::try_from_behind(address, &from(name)).await;
    // A network of IPv6 is one.
    let mut first = behind("2001:db8::1").await.ok().unwrap();
    let _second = behind("2001:db8::2").await.ok().unwrap();
    assert_eq!(behind("2001:db8::3").await.err(), Some(429));
    let _other = behind("192.0.2.1").await.ok().unwrap();
    // Whoever has said who he is does not wait.
    first.init("ada").await;
    assert_eq!(first.next().await, json!({"type": "connection_ack"}));
    assert!(behind("2001:db8::3").await.is_ok());
}

#[tokio::test]
async fn a_proxy_that_is_not_told_of_is_not_taken_for_one_client() {
    let (address, _) = listening(two_each(false)).await;
    let mut held = Vec::new();
    for _ in 0..5 {
        held.push(Client::connect(address).await);
    }
    held[4].init("ada").await;
    assert_eq!(held[4].next().await, json!({"type": "connection_ack"}));
}

#[tokio::test]
async fn a_flood_that_starts_nothing_is_closed() {
    let (address, _) = listening(settings()).await;
    let ping = json!({"type": "ping"});
    for message in [ping, json!({"type": "pong"}), json!({"type": "complete", "id": "a"})] {
        let mut client = Client::ready(address).await;
        for _ in 0..=chatter::MOST {
            client.send(&message).await;
        }
        assert_eq!(client.closed().await.0, 4429, "{message}");
    }
}

#[tokio::test]
async fn operations_are_capped() {
    let (address, _) = listening(Settings { operations_per_socket: 1, ..settings() }).await;
    let mut client = Client::ready(address).await;
    client.subscribe("a", "subscription{stays}").await;
    assert_eq!(client.next().await["id"], "a");
    client.subscribe("b", "{hello}").await;
    let error = client.next().await;
    assert_eq!(error["payload"][0]["extensions"]["code"], "RATE_LIMITED", "{error}");
}

#[tokio::test]
async fn a_shutdown_closes_and_drains() {
    let (address, front) = listening(settings()).await;
    let mut client = Client::ready(address).await;
    client.subscribe("a", "subscription{stays}").await;
    client.next().await;
    client.subscribe("b", "{hangs}").await;
    front.tasks.stop();
    assert_eq!(client.closed().await.0, 1001);
    timeout(Duration::from_mins(1), front.tasks.drained()).await.unwrap();
}

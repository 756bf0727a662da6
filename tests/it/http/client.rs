//! A client of `graphql-transport-ws` and one of server-sent events, as small as they can be.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::time::PATIENCE;
use crate::world::World;

/// A WebSocket.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub async fn open(world: &World) -> Self {
        let mut socket = Self::connect(world).await;
        socket.send(&json!({"type": "connection_init"})).await;
        assert_eq!(socket.next().await, json!({"type": "connection_ack"}));
        socket
    }

    /// One that has said nothing yet.
    pub async fn connect(world: &World) -> Self {
        Self::at(&world.url("/graphql")).await
    }

    /// The same at an address that begins with `http`.
    pub async fn at(url: &str) -> Self {
        let url = url.replacen("http", "ws", 1);
        let mut request = url.into_client_request().unwrap();
        let protocol = "graphql-transport-ws".parse().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        Self(connect_async(request).await.unwrap().0)
    }

    /// Begins with a token in the payload.
    pub async fn begin(&mut self, token: &str) {
        let payload = json!({"Authorization": format!("Bearer {token}")});
        self.send(&json!({"type": "connection_init", "payload": payload})).await;
    }

    pub async fn send(&mut self, message: &Value) {
        self.0.send(Message::Text(message.to_string().into())).await.unwrap();
    }

    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({"query": query, "variables": variables});
        self.send(&json!({"id": id, "type": "subscribe", "payload": payload})).await;
    }

    /// The next message of the protocol.
    pub async fn next(&mut self) -> Value {
        loop {
            let frame = timeout(PATIENCE, self.0.next()).await.unwrap().unwrap().unwrap();
            if let Message::Text(text) = frame {
                return serde_json::from_str(&text).unwrap();
            }
            assert!(!frame.is_close(), "{frame:?}");
        }
    }

    /// The code that the gateway closes with.
    pub async fn closed(&mut self) -> u16 {
        loop {
            let frame = timeout(PATIENCE, self.0.next()).await.unwrap().unwrap().unwrap();
            if let Message::Close(Some(frame)) = frame {
                return frame.code.into();
            }
        }
    }
}

/// A stream of server-sent events.
pub struct Events {
    response: reqwest::Response,
    read: String,
}

impl Events {
    pub async fn open(world: &World, query: &str, variables: Value) -> Self {
        Self::ask(world, &json!({"query": query, "variables": variables})).await
    }

    /// The same for a body as it is.
    pub async fn ask(world: &World, body: &Value) -> Self {
        let request =
            world.http().post(world.url("/graphql")).header("accept", "text/event-stream");
        let response = request.json(body).send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self { response, read: String::new() }
    }

    /// The next event's name and data; `None` at the end.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                let line = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
                };
                // A comment keeps the stream alive and says nothing.
                let Some(name) = line("event: ") else { continue };
                let data = line("data: ").unwrap();
                return Some((name, serde_json::from_str(&data).unwrap()));
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.unwrap().unwrap()?;
            self.read.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

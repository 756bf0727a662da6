//! Followers over `WebSocket`s (`graphql-transport-ws`), those who read and those who do not.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures_util::future::try_join_all;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

/// How long an event may take before the run is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long nothing more may come before the next mutation.
const QUIET: Duration = Duration::from_millis(20);
/// How many connect at once: a listener's queue is not endless.
const AT_ONCE: usize = 50;

type Socket = WebSocketStream<TcpStream>;

/// Those who read.
pub struct Followers(Vec<Socket>);

/// Those who do not. Their receive buffers are as small as can be, so that the gateway notices soon.
pub struct Stalled(#[expect(dead_code, reason = "they are only kept open")] Vec<Socket>);

impl Followers {
    /// Connects so many and waits until all of them follow.
    pub async fn connect(
        addr: SocketAddr,
        count: usize,
        document: &str,
        id: &str,
    ) -> anyhow::Result<Self> {
        Ok(Self(open(addr, count, (document, id), false).await?))
    }

    /// When each of them saw its next event.
    pub async fn all_see_one(&mut self) -> anyhow::Result<Vec<Instant>> {
        let reads = self.0.iter_mut().map(|socket| async move {
            timeout(PATIENCE, next(socket)).await.context("an event did not come")??;
            anyhow::Ok(Instant::now())
        });
        try_join_all(reads).await
    }

    /// Reads what else comes, until nothing does for a moment.
    pub async fn settle(&mut self) -> anyhow::Result<()> {
        loop {
            let mut more = false;
            tokio::time::sleep(QUIET).await;
            for socket in &mut self.0 {
                while let Ok(read) = timeout(Duration::ZERO, next(socket)).await {
                    read?;
                    more = true;
                }
            }
            if !more {
                return Ok(());
            }
        }
    }
}

impl Stalled {
    /// Connects so many, who read nothing once they follow.
    pub async fn connect(
        addr: SocketAddr,
        count: usize,
        document: &str,
        id: &str,
    ) -> anyhow::Result<Self> {
        Ok(Self(open(addr, count, (document, id), true).await?))
    }
}

async fn open(
    addr: SocketAddr,
    count: usize,
    what: (&str, &str),
    small: bool,
) -> anyhow::Result<Vec<Socket>> {
    let mut sockets = Vec::with_capacity(count);
    while sockets.len() < count {
        let some = (count - sockets.len()).min(AT_ONCE);
        sockets.extend(try_join_all((0..some).map(|_| follow(addr, what, small))).await?);
    }
    Ok(sockets)
}

async fn follow(
    addr: SocketAddr,
    (document, id): (&str, &str),
    small: bool,
) -> anyhow::Result<Socket> {
    let socket = TcpSocket::new_v4()?;
    if small {
        socket.set_recv_buffer_size(4_096)?;
    }
    let stream = socket.connect(addr).await?;
    stream.set_nodelay(true)?;
    let mut request = format!("ws://{addr}/graphql").into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
    let (mut socket, _) = client_async(request, stream).await?;
    send(&mut socket, &json!({"type": "connection_init"})).await?;
    let answer = next(&mut socket).await?;
    ensure!(answer.contains("connection_ack"), "{answer}");
    let variables = if document.contains("$id") { json!({"id": id}) } else { json!({}) };
    let payload = json!({"query": document, "variables": variables});
    send(&mut socket, &json!({"id": "1", "type": "subscribe", "payload": payload})).await?;
    // Messages are handled in order: with the answer the subscription has begun.
    send(&mut socket, &json!({"type": "ping"})).await?;
    let answer = next(&mut socket).await?;
    ensure!(answer.contains("pong"), "{answer}");
    Ok(socket)
}

async fn send(socket: &mut Socket, message: &serde_json::Value) -> anyhow::Result<()> {
    Ok(socket.send(Message::Text(message.to_string().into())).await?)
}

/// The next message of the protocol.
async fn next(socket: &mut Socket) -> anyhow::Result<String> {
    loop {
        match socket.next().await.context("the gateway hung up")?? {
            Message::Text(text) => {
                let text = text.to_string();
                ensure!(!text.contains("\"errors\""), "{text}");
                return Ok(text);
            }
            Message::Close(close) => bail!("the gateway closed: {close:?}"),
            Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => {}
        }
    }
}

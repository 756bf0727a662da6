//! The listening side: connections over HTTP/1.1, and the end of them.
//!
//! `axum::serve` has no time-out for a request's head, nor for a client that does not read, so the
//! connections are driven here by hyper itself.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio_io_timeout::TimeoutWriter;

use super::executor::Executor;
use super::front::{Door, Front};
use super::peer::Peer;

/// After a refused accept, which mostly means that the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until the front's tasks are told to stop, then takes no more connections. Those that
/// are open finish the request they are in; [`crate::tasks::Tasks::drained`] waits for them.
#[expect(private_bounds, reason = "only the real gateway and tests are executors")]
pub async fn serve<E: Executor>(listener: TcpListener, front: Front<E>) {
    let door = Door::new(front);
    let tasks = door.front.tasks.clone();
    loop {
        // Who finds no room waits in the listener's queue, where it costs us nothing.
        let room = Arc::clone(&door.front.connections).acquire_owned();
        let accepted = async {
            let Ok(room) = room.await else { return std::future::pending().await };
            (listener.accept().await, room)
        };
        let (accepted, room) = tokio::select! {
            () = tasks.stopping() => return,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, _)) => drop(tasks.spawn(connection(stream, door.clone(), room))),
            Err(error) if is_about_one_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves one connection; `room` is its place among those that may be open.
async fn connection<E: Executor>(stream: TcpStream, door: Door<E>, room: OwnedSemaphorePermit) {
    let _room = room;
    // Answers are written whole, so waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    let from = stream.peer_addr().ok().map(|address| address.ip());
    let front = door.front.clone();
    let settings = &front.settings;
    // Below HTTP, so that it holds for answers, event streams and WebSockets alike.
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(settings.send_timeout));
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        let door = door.clone();
        if let Some(from) = from {
            let peer = Peer::of(request.headers(), from, &door.front.settings.trusted_proxies);
            request.extensions_mut().insert(peer);
        }
        async move { Ok::<_, Infallible>(door.respond(request.map(Body::new)).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_read_timeout)
        .max_header_size(settings.max_header_bytes)
        // Never `pipeline_flush`: while a part of a next request is there it writes nothing and
        // queues without a bound, which a client can make last for ever.
        .serve_connection(TokioIo::new(Box::pin(stream)), service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        // A broken connection is the client's affair.
        _ = serving.as_mut() => return,
        () = front.tasks.stopping() => serving.as_mut().graceful_shutdown(),
    }
    let _ = tokio::time::timeout(settings.drain_timeout, serving).await;
}

/// A client that went away before it was accepted is nobody's fault.
fn is_about_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    use super::*;
    use crate::http::Settings;
    use crate::http::assets::largest;
    use crate::http::sample::{listening, settings};

    /// More than the systems' buffers of both ends hold.
    const UNREAD: usize = 32 * 1024 * 1024;

    /// What comes back for these bytes until the gateway closes the connection.
    async fn answer(address: SocketAddr, sent: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        // A reset instead of a clean end is fine: what counts is that it ends.
        let ended = timeout(Duration::from_mins(1), read).await;
        let text = String::from_utf8(bytes).unwrap();
        assert!(ended.is_ok(), "still open after {text}");
        text
    }

    fn post(length: usize, body: &str) -> String {
        format!(
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    }

    #[tokio::test]
    async fn a_slow_client_is_not_waited_for() {
        const SHORT: Duration = Duration::from_millis(100);
        let (address, _) = listening(Settings { header_read_timeout: SHORT, ..settings() }).await;
        answer(address, "POST /graphql HTTP/1.1\r\nhost: local").await;
        answer(address, "").await;
        let (address, _) = listening(Settings { request_timeout: SHORT, ..settings() }).await;
        let late = answer(address, &post(100, "{\"query\"")).await;
        assert!(late.starts_with("HTTP/1.1 408 "), "{late}");
        assert!(late.contains("REQUEST_TIMEOUT"), "{late}");
    }

    /// Connected, and whatever is asked for is never read.
    async fn unread(address: SocketAddr, asked: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(asked.as_bytes()).await.unwrap();
        stream
    }

    /// The largest file of the playground, asked for until no buffer of the system holds the answers.
    fn much() -> String {
        let (size, path) = largest();
        let request = format!("GET /playground/{path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        request.repeat(UNREAD.div_ceil(size))
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_not_waited_for() {
        let long = Duration::from_hours(1);
        let settings = Settings {
            connections: 1,
            send_timeout: Duration::from_millis(100),
            // Nothing else is to end it.
            header_read_timeout: long,
            request_timeout: long,
            keep_alive: long,
            ..settings()
        };
        let (address, _) = listening(settings).await;
        let body = r#"{"query":"subscription{floods}"}"#;
        let events =
            post(body.len(), body).replace("connection: close", "accept: text/event-stream");
        let body = r#"{"query":"{hello}"}"#;
        for asked in [much(), events] {
            let _unread = unread(address, &asked).await;
            let next = answer(address, &post(body.len(), body)).await;
            assert!(next.contains("hello you"), "{next}");
        }
    }

    #[tokio::test]
    async fn what_comes_after_a_request_holds_nothing_up() {
        let (address, _) = listening(settings()).await;
        let body = r#"{"query":"subscription{stays}"}"#;
        let events =
            post(body.len(), body).replace("connection: close", "accept: text/event-stream");
        // The beginning of a next request, which is never finished.
        let mut stream = unread(address, &(events + "GET /")).await;
        let mut read = Vec::new();
        let first = async {
            while !String::from_utf8_lossy(&read).contains(r#""stays":1"#) {
                assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0);
            }
        };
        timeout(Duration::from_mins(1), first).await.unwrap();
    }

    #[tokio::test]
    async fn large_heads_and_bodies_are_refused_unread() {
        let (address, _) = listening(settings()).await;
        let head = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(200_000));
        let refused = answer(address, &head).await;
        assert!(refused.starts_with("HTTP/1.1 431 ") || refused.is_empty(), "{refused}");
        // The length alone is enough.
        let refused = answer(address, &post(1_000_000_000, "{")).await;
        assert!(refused.starts_with("HTTP/1.1 413 "), "{refused}");
        // A length that is not told is found out by counting.
        let chunked =
            post(0, "2800\r\n{").replace("content-length: 0", "transfer-encoding: chunked");
        let refused = answer(address, &(chunked + &"x".repeat(10_240))).await;
        assert!(refused.starts_with("HTTP/1.1 413 "), "{refused}");
        // The next connection is served.
        let body = r#"{"query":"{hello}"}"#;
        let good = answer(address, &post(body.len(), body)).await;
        assert!(good.starts_with("HTTP/1.1 200 ") && good.contains("hello you"), "{good}");
    }

    #[tokio::test]
    async fn a_stop_takes_no_more_and_waits_for_the_rest() {
        let (address, front) = listening(settings()).await;
        let mut open = TcpStream::connect(address).await.unwrap();
        let body = r#"{"query":"{hello}"}"#;
        let request = post(body.len(), body).replace("connection: close\r\n", "");
        let (head, rest) = request.split_at(request.len() - 5);
        open.write_all(head.as_bytes()).await.unwrap();
        // Under way once the connection's task reads, which a second answered request shows.
        answer(address, &post(body.len(), body)).await;
        front.tasks.stop();
        open.write_all(rest.as_bytes()).await.unwrap();
        let mut text = String::new();
        open.read_to_string(&mut text).await.unwrap();
        assert!(text.contains("hello you"), "{text}");
        timeout(Duration::from_mins(1), front.tasks.drained()).await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}

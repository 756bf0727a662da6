//! The listening side: connections over HTTP/1.1, and the end of them.
//!
//! `axum::serve` has no time-out for a request's head, so the connections are driven here by hyper
//! itself.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

use super::executor::Executor;
use super::front::{Door, Front};

/// After a refused accept, which mostly means that the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until the front's tasks are told to stop, then takes no more connections. Those that
/// are open finish the request they are in; [`crate::tasks::Tasks::drained`] waits for them.
#[expect(private_bounds, reason = "only the real gateway and tests are executors")]
pub async fn serve<E: Executor>(listener: TcpListener, front: Front<E>) {
    let door = Door::new(front);
    let tasks = door.front.tasks.clone();
    loop {
        let accepted = tokio::select! {
            () = tasks.stopping() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => drop(tasks.spawn(connection(stream, door.clone()))),
            Err(error) if is_about_one_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection<E: Executor>(stream: TcpStream, door: Door<E>) {
    // Answers are written whole, so waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    let settings = door.front.settings.clone();
    let tasks = door.front.tasks.clone();
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let door = door.clone();
        async move { Ok::<_, Infallible>(door.respond(request.map(Body::new)).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_read_timeout)
        .max_header_size(settings.max_header_bytes)
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        // A broken connection is the client's affair.
        _ = serving.as_mut() => return,
        () = tasks.stopping() => serving.as_mut().graceful_shutdown(),
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

//! GraphQL over WebSocket: the protocol `graphql-transport-ws`
//! (<https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>), spoken directly, because
//! async-graphql's own implementation has other close codes, no time-outs and no caps.
//!
//! One task serves one socket. It asks the running operations for their next answer only when the
//! one before has been written, so that a client that reads slowly slows its own operations down
//! and nothing queues up for it.

mod chatter;
mod connection;
mod message;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::RequestExt;
use axum::extract::Request;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::access::bearer;
use super::clients::Who;
use super::cors;
use super::error::Refusal;
use super::executor::Executor;
use super::front::Front;
use super::peer::Peer;
use super::places::{Full, Place};
use connection::Connection;

/// The protocol's name in `Sec-WebSocket-Protocol`.
const PROTOCOL: &str = "graphql-transport-ws";
/// What a socket's buffers hold before they grow, in bytes: an operation and an answer.
const BUFFER: usize = 4 * 1024;

/// Turns a request into a WebSocket. A page elsewhere may not: browsers let every page open
/// sockets to everywhere, and only the `Origin` tells.
pub(super) async fn upgrade<E: Executor>(
    front: Front<E>,
    request: Request,
) -> Result<Response, Refusal> {
    let headers = request.headers();
    if cors::origin(headers, &front.settings.allowed_origins) == cors::From::Elsewhere {
        return Err(Refusal::forbidden("a WebSocket from another site's page is refused"));
    }
    let peer = request.extensions().get::<Peer>().copied();
    let place = waiting(&front, peer)?;
    let Ok(permit) = Arc::clone(&front.sockets).try_acquire_owned() else {
        let message = "too many WebSockets are open";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "RATE_LIMITED", message));
    };
    let token = bearer(headers).map(str::to_owned);
    let offered = offered(headers);
    let upgrade: WebSocketUpgrade = request.extract().await.map_err(|_| {
        let message = "this is no proper request for a WebSocket";
        Refusal::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message)
    })?;
    let limit = front.settings.message_bytes;
    // Clients take a handshake that names none of their protocols for broken (RFC 6455, section
    // 4.1) and never see why: whoever does not speak ours is let in under their own protocol and
    // closed with the reason.
    let protocols = std::iter::once(PROTOCOL.to_owned()).chain(offered);
    let upgrade = upgrade.protocols(protocols).max_message_size(limit).max_frame_size(limit);
    // Taken at once for every socket: thousands are open and mostly say nothing.
    let upgrade = upgrade.read_buffer_size(BUFFER).write_buffer_size(BUFFER);
    Ok(upgrade.on_upgrade(async move |socket| {
        let tasks = front.tasks.clone();
        // Spawned among the tasks, so that a shutdown waits until the socket is closed.
        let connection = Connection::new(front, token, (peer, place));
        let _ = tasks.spawn(connection.serve(socket)).await;
        drop(permit);
    }))
}

/// A place among the sockets of an address that have not said whose they are. Behind a loopback one may
/// be a proxy, and so everybody.
fn waiting<E>(front: &Front<E>, peer: Option<Peer>) -> Result<Option<Place<Who>>, Refusal> {
    let Some(peer) = peer.filter(|it| !it.is_loopback()) else { return Ok(None) };
    front.clients.socket(Who::Address(peer.network())).map_err(|Full { most }| {
        let message = format!("{most} WebSockets from your address wait for connection_init");
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", message)
    })
}

/// The first protocol that the client offers.
fn offered(headers: &HeaderMap) -> Option<String> {
    let offered = headers.get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?.split(',').next()?.trim();
    (!offered.is_empty()).then(|| offered.to_owned())
}

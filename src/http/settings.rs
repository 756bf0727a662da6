//! What the transports need of the configuration.

use std::net::IpAddr;
use std::time::Duration;

use crate::config::limits::Limits;
use crate::config::server::Server;

/// How the gateway listens and answers.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a query or mutation may take, its body included.
    pub request_timeout: Duration,
    /// How long open connections may take to end when the gateway stops.
    pub drain_timeout: Duration,
    /// The largest request body, in bytes.
    pub max_body_bytes: usize,
    /// The largest request head, in bytes; one that arrives at once may be twice as large.
    pub max_header_bytes: usize,
    /// How long a client may take to send a request's head; also how long a kept-alive connection
    /// may be idle.
    pub header_read_timeout: Duration,
    /// Origins (`https://app.example`) whose pages may read answers beside the gateway's own.
    pub allowed_origins: Vec<String>,
    /// Host names that requests may be addressed to; empty for any. With client authentication off
    /// it should name the loopback hosts: any web page can point a name of its own at 127.0.0.1,
    /// and the browser would then take the gateway for a part of that page's site.
    pub allowed_hosts: Vec<String>,
    /// The proxies whose word for a client's address counts.
    pub trusted_proxies: Vec<IpAddr>,
    /// How many operations a batch may hold.
    pub batch: usize,
    /// How many connections may be open.
    pub connections: usize,
    /// What each client may take; `None` where clients are not told apart.
    pub clients: Option<ClientLimits>,
    /// What is noticed about them; `None` where clients are not told apart.
    pub unusual: Option<UnusualSettings>,
    /// How many sockets may be open.
    pub sockets: usize,
    /// The largest message on one, in bytes.
    pub message_bytes: usize,
    /// How many operations may run on one at once.
    pub operations_per_socket: usize,
    /// How long a WebSocket may stay without `connection_init`.
    pub init_timeout: Duration,
    /// How often a silent stream is kept alive. A WebSocket that has not been heard of for three
    /// times as long is closed.
    pub keep_alive: Duration,
    /// How long what is written, over HTTP or a WebSocket, may wait for a client that reads nothing.
    pub send_timeout: Duration,
}

/// What each client may take.
#[derive(Clone, Debug)]
pub struct ClientLimits {
    /// Operations a second, in the long run.
    pub operations_per_second: u32,
    /// Operations at once, after a pause.
    pub burst: u32,
    /// Open subscriptions.
    pub subscriptions: usize,
    /// Open sockets; as many may wait for `connection_init` from one address.
    pub sockets: usize,
}

/// When something about a client is unusual.
#[derive(Clone, Copy, Debug)]
pub struct UnusualSettings {
    /// Over which time it is counted.
    pub window: Duration,
    /// So many refusals.
    pub refusals: u32,
    /// So many times what the client usually asks for, and more than `calls_least`.
    pub call_factor: u32,
    pub calls_least: u32,
    /// How many clients are remembered, and how many addresses.
    pub clients: usize,
}

/// The largest request head. Browsers send a few thousand bytes.
const MAX_HEADER_BYTES: usize = 32 * 1024;
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(30);
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

impl Settings {
    /// As the sections of the configuration say; any host, and clients that are told apart.
    pub fn from_config(server: &Server, limits: &Limits) -> Self {
        let socket = &limits.websocket;
        Self {
            request_timeout: server.request_timeout,
            drain_timeout: server.drain_timeout,
            max_body_bytes: server.max_body_bytes,
            max_header_bytes: MAX_HEADER_BYTES,
            header_read_timeout: HEADER_READ_TIMEOUT,
            allowed_origins: server.allowed_origins.clone(),
            allowed_hosts: Vec::new(),
            trusted_proxies: server.trusted_proxies.clone(),
            batch: limits.batch,
            connections: limits.connections,
            clients: Some(ClientLimits {
                operations_per_second: limits.client.operations_per_second,
                burst: limits.client.burst,
                subscriptions: limits.client.subscriptions,
                sockets: limits.client.sockets,
            }),
            unusual: Some(UnusualSettings {
                window: limits.unusual.window,
                refusals: limits.unusual.refusals,
                call_factor: limits.unusual.call_factor,
                calls_least: limits.unusual.calls_least,
                clients: limits.unusual.clients,
            }),
            sockets: socket.connections,
            operations_per_socket: socket.operations,
            message_bytes: socket.message_bytes,
            init_timeout: socket.init_timeout,
            keep_alive: socket.ping_interval,
            send_timeout: SEND_TIMEOUT,
        }
    }
}

//! `[limits]`: what one query, and one client, may ask for.

use std::time::Duration;

use serde::Deserialize;

use super::check::Check;

/// See `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Limits {
    /// Deepest nesting, introspection apart.
    pub depth: usize,
    /// Most aliases in one operation.
    pub aliases: usize,
    /// Most fields, weighted by the length of the lists they are in.
    pub complexity: usize,
    /// Most calls to either system that a query may need.
    pub upstream_calls: usize,
    /// Longest page.
    pub first: usize,
    /// Most ids in `nodes`.
    pub nodes: usize,
    /// Most operations in one batched request.
    pub batch: usize,
    /// Limits of WebSocket clients.
    pub websocket: WebSocket,
    /// Limits of each client.
    pub client: Client,
    /// When something about a client is unusual.
    pub unusual: Unusual,
    /// Most open connections.
    pub connections: usize,
}

/// When something about a client is unusual: it is counted and logged, not refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Unusual {
    /// Over which time it is counted.
    #[serde(with = "humantime_serde")]
    pub window: Duration,
    /// So many refusals.
    pub refusals: u32,
    /// So many times the operations that the client usually asks for.
    pub call_factor: u32,
    /// And more than these.
    pub calls_least: u32,
    /// Most clients that are remembered, and most addresses.
    pub clients: usize,
}

/// Limits of each client that a token tells from the others.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Client {
    /// Operations a second, in the long run.
    pub operations_per_second: u32,
    /// Most operations at once, after a pause.
    pub burst: u32,
    /// Most open subscriptions, over all of its connections.
    pub subscriptions: usize,
    /// Most open sockets, whatever runs on them.
    pub sockets: usize,
}

/// Limits of WebSocket clients.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct WebSocket {
    /// Most open sockets.
    pub connections: usize,
    /// Most operations at a time on one socket.
    pub operations: usize,
    /// Longest wait for `connection_init`.
    #[serde(with = "humantime_serde")]
    pub init_timeout: Duration,
    /// Largest message from a client, in bytes.
    pub message_bytes: usize,
    /// How often a silent socket is pinged.
    #[serde(with = "humantime_serde")]
    pub ping_interval: Duration,
}

impl Limits {
    pub(super) fn validate(&self, check: &mut Check<'_>) {
        const SECOND: Duration = Duration::from_secs(1);
        check.within("depth", self.depth, 1..=100);
        check.within("aliases", self.aliases, 0..=10_000);
        check.within("complexity", self.complexity, 1..=10_000_000);
        check.within("upstream_calls", self.upstream_calls, 1..=100_000);
        // 100 is the longest page that both systems give in one call.
        check.within("first", self.first, 1..=100);
        check.within("nodes", self.nodes, 1..=1_000);
        check.within("batch", self.batch, 1..=1_000);
        check.within("connections", self.connections, 1..=1_000_000);
        let client = &self.client;
        check.within("client.operations_per_second", client.operations_per_second, 1..=1_000_000);
        // A batch must fit into what may come at once.
        let batch = u32::try_from(self.batch).unwrap_or(u32::MAX);
        check.within("client.burst", client.burst, batch.max(1)..=1_000_000);
        check.within("client.subscriptions", client.subscriptions, 1..=1_000_000);
        check.within("client.sockets", client.sockets, 1..=1_000_000);
        let unusual = &self.unusual;
        check.lasting("unusual.window", unusual.window, SECOND..=SECOND * 86_400);
        check.within("unusual.refusals", unusual.refusals, 1..=1_000_000);
        check.within("unusual.call_factor", unusual.call_factor, 2..=1_000_000);
        check.within("unusual.calls_least", unusual.calls_least, 1..=1_000_000_000);
        check.within("unusual.clients", unusual.clients, 1..=1_000_000);
        check.within("websocket.connections", self.websocket.connections, 1..=1_000_000);
        check.within("websocket.operations", self.websocket.operations, 1..=10_000);
        let message_bytes = self.websocket.message_bytes;
        check.within("websocket.message_bytes", message_bytes, 1_024..=64 * 1_048_576);
        let patience = SECOND / 10..=SECOND * 3_600;
        check.lasting("websocket.init_timeout", self.websocket.init_timeout, patience.clone());
        check.lasting("websocket.ping_interval", self.websocket.ping_interval, patience);
    }
}

impl Default for Limits {
    fn default() -> Self {
        super::Config::default().limits
    }
}

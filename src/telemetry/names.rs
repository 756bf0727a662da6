//! What metrics and log fields are called. Words are those of the schema; units are in the name.
//!
//! In code: `counter!(names::CACHE_READS, names::OUTCOME => "hit").increment(1)` and
//! `tracing::info!({ names::UPSTREAM_ROUTE } = route, "upstream refused")`. To add one: a constant
//! here with its labels, and for a metric a line in the list of its kind.

/// How the name of every histogram of durations ends.
pub(super) const SECONDS: &str = "_seconds";

/// HTTP requests answered. Labels: [`ROUTE`], [`METHOD`], [`STATUS`].
pub const HTTP_REQUESTS: &str = "tandem_http_requests_total";
/// Time from request to answer. Label: [`ROUTE`].
pub const HTTP_DURATION: &str = "tandem_http_request_duration_seconds";
/// GraphQL operations executed. Labels: [`KIND`] (query, mutation, subscription), [`OUTCOME`],
/// [`WORKSPACE`].
pub const GRAPHQL_OPERATIONS: &str = "tandem_graphql_operations_total";
/// Calls made to a system. Labels: [`SYSTEM`], [`ROUTE`] (the template), [`OUTCOME`], [`WORKSPACE`].
pub const UPSTREAM_CALLS: &str = "tandem_upstream_calls_total";
/// Time of one call to a system. Labels: [`SYSTEM`], [`WORKSPACE`].
pub const UPSTREAM_DURATION: &str = "tandem_upstream_call_duration_seconds";
/// Calls left in the current window. Labels: [`SYSTEM`], [`WORKSPACE`].
pub const UPSTREAM_BUDGET: &str = "tandem_upstream_budget_remaining";
/// Calls that wait for a free connection. Labels: [`SYSTEM`], [`WORKSPACE`].
pub const UPSTREAM_WAITING: &str = "tandem_upstream_calls_waiting";
/// Last known copies that were not written because too many waited. Label: [`WORKSPACE`].
pub const COPIES_LOST: &str = "tandem_last_known_copies_lost_total";
/// Look-ups in the entity cache, which is the process's. Label: [`OUTCOME`] (hit, miss, joined: waited for
/// another's read).
pub const CACHE_READS: &str = "tandem_cache_reads_total";
/// Webhooks that came in. Labels: [`KIND`] (the event, `other` for those that are not known, `unknown`
/// for what is not signed), [`OUTCOME`] (stored, seen, ignored, refused, failed), [`WORKSPACE`].
pub const WEBHOOKS: &str = "tandem_webhooks_total";
/// What was out of a client's pattern. Labels: [`KIND`] (refusals, rate, address), [`WORKSPACE`].
pub const UNUSUAL: &str = "tandem_unusual_total";
/// People who were erased on request. Label: [`WORKSPACE`].
pub const ERASURES: &str = "tandem_erasures_total";
/// Records of erased people that a listing showed and that were passed over. Labels: [`SYSTEM`],
/// [`WORKSPACE`].
pub const ERASED_SKIPPED: &str = "tandem_erased_records_skipped_total";
/// People who differed at the last full comparison. Label: [`WORKSPACE`].
pub const SYNC_DRIFT: &str = "tandem_sync_drift";
/// Open WebSocket connections.
pub const WEBSOCKETS: &str = "tandem_websockets";
/// Whether a system refuses our credential: 1 until it works again. Labels: [`SYSTEM`],
/// [`WORKSPACE`].
pub const CREDENTIAL_REFUSED: &str = "tandem_upstream_credential_refused";
/// Workspaces that are open here.
pub const WORKSPACES: &str = "tandem_workspaces";
/// Seconds until a system's credential ends and cannot be renewed; below 0: it has ended. Not there where
/// no end is known. Labels: [`SYSTEM`], [`WORKSPACE`].
pub const CREDENTIAL_ENDS: &str = "tandem_upstream_credential_ends_seconds";
/// Subscriptions that run, over WebSocket or SSE. Label: [`WORKSPACE`].
pub const SUBSCRIPTIONS: &str = "tandem_subscriptions";

pub(super) const COUNTERS: [(&str, &str); 9] = [
    (HTTP_REQUESTS, "HTTP requests answered"),
    (GRAPHQL_OPERATIONS, "GraphQL operations executed"),
    (UPSTREAM_CALLS, "Calls made to a system"),
    (COPIES_LOST, "Last known copies that were not written"),
    (CACHE_READS, "Look-ups in the entity cache"),
    (WEBHOOKS, "Webhooks that came in"),
    (UNUSUAL, "Activity of clients that is out of their pattern"),
    (ERASURES, "People who were erased on request"),
    (ERASED_SKIPPED, "Records of erased people in listings, which were passed over"),
];

pub(super) const GAUGES: [(&str, &str); 8] = [
    (WORKSPACES, "Workspaces that are open"),
    (SYNC_DRIFT, "People who differed at the last full comparison"),
    (UPSTREAM_BUDGET, "Calls left in the current window of a system"),
    (UPSTREAM_WAITING, "Calls that wait for a free connection to a system"),
    (CREDENTIAL_ENDS, "Seconds until a credential ends that cannot be renewed"),
    (CREDENTIAL_REFUSED, "Whether a system refuses the credential"),
    (WEBSOCKETS, "Open WebSockets"),
    (SUBSCRIPTIONS, "Subscriptions that run"),
];

pub(super) const HISTOGRAMS: [(&str, &str); 2] = [
    (HTTP_DURATION, "Time from request to answer"),
    (UPSTREAM_DURATION, "Time of one call to a system"),
];

/// Label: a route's template, from the router or the client, never a path that was asked for.
pub const ROUTE: &str = "route";
/// Label: an HTTP method.
pub const METHOD: &str = "method";
/// Label: an HTTP status code.
pub const STATUS: &str = "status";
/// Label: a closed set of kinds, named at the metric.
pub const KIND: &str = "kind";
/// Label: how it ended; a closed set.
pub const OUTCOME: &str = "outcome";
/// Label: `DOPPLER` or `HIGHLEVEL`.
pub const SYSTEM: &str = "system";

/// Label: a workspace's id, on all that is a workspace's; empty where nobody's is known. What is the
/// process's alone has none: HTTP requests, sockets, the cache.
pub const WORKSPACE: &str = "workspace";

/// Field: the id that is in the answer's `extensions.requestId` too.
pub const REQUEST_ID: &str = "request.id";
/// Field: a route's template on our side.
pub const HTTP_ROUTE: &str = "http.route";
/// Field: the status that we answered.
pub const HTTP_STATUS: &str = "http.status";
/// Field: the system that was called.
pub const UPSTREAM_NAME: &str = "upstream.name";
/// Field: a route's template on its side.
pub const UPSTREAM_ROUTE: &str = "upstream.route";
/// Field: how long it took, in whole milliseconds.
pub const DURATION_MS: &str = "duration_ms";

//! What is said of each request afterwards: one log line and the metrics.
//!
//! Never a URL, a query, a variable or an address: only the route's template and, if it is a plain
//! name, the operation's.

use std::time::Duration;

use async_graphql::parser::types::OperationType;
use axum::http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use crate::auth::{Requester, WorkspaceId};
use crate::telemetry::names;

/// The longest operation name that is logged.
const NAME_MAX: usize = 64;

/// Metric handles. Those of the commonest request are made once: looking one up costs more than
/// counting with it.
pub(super) struct Meters {
    post_ok: Counter,
    graphql_seconds: Histogram,
    pub sockets: Gauge,
}

impl Meters {
    pub fn new() -> Self {
        Self {
            post_ok: counter!(names::HTTP_REQUESTS, names::ROUTE => "/graphql", names::METHOD => "POST", names::STATUS => "200"),
            graphql_seconds: histogram!(names::HTTP_DURATION, names::ROUTE => "/graphql"),
            sockets: gauge!(names::WEBSOCKETS),
        }
    }

    /// Counts one answered request.
    pub fn request(
        &self,
        route: &'static str,
        method: &Method,
        status: StatusCode,
        took: Duration,
    ) {
        if route == "/graphql" {
            self.graphql_seconds.record(took);
            if status == StatusCode::OK && method == Method::POST {
                return self.post_ok.increment(1);
            }
        } else {
            histogram!(names::HTTP_DURATION, names::ROUTE => route).record(took);
        }
        let status = status.as_str().to_owned();
        counter!(names::HTTP_REQUESTS, names::ROUTE => route, names::METHOD => word(method), names::STATUS => status)
            .increment(1);
    }
}

/// Counts one executed (or refused) operation of a client.
pub(super) fn operation(kind: Option<OperationType>, outcome: Outcome, client: &Requester) {
    let kind = match kind {
        Some(OperationType::Query) => "query",
        Some(OperationType::Mutation) => "mutation",
        Some(OperationType::Subscription) => "subscription",
        None => "unknown",
    };
    let outcome = match outcome {
        Outcome::Ok => "ok",
        Outcome::Errors => "errors",
        Outcome::Refused => "refused",
    };
    counter!(
        names::GRAPHQL_OPERATIONS,
        names::KIND => kind,
        names::OUTCOME => outcome,
        names::WORKSPACE => client.workspace.as_str().to_owned()
    )
    .increment(1);
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    Ok,
    /// It ran, and the answer has errors.
    Errors,
    /// It did not run.
    Refused,
}

/// Counts one up while it lives.
pub(super) struct Counted(Gauge);

impl Counted {
    /// A client's subscription.
    pub fn subscription(client: &Requester) -> Self {
        let whose = client.workspace.as_str().to_owned();
        Self::new(&gauge!(names::SUBSCRIPTIONS, names::WORKSPACE => whose))
    }

    pub fn new(gauge: &Gauge) -> Self {
        gauge.increment(1);
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// What a handler adds to the log line, as an extension of its response.
#[derive(Clone, Debug, Default)]
pub(super) struct Served {
    pub operation: Option<String>,
    /// The answer was there already. Such lines are for debugging only.
    pub recalled: bool,
    /// Whose request it was, as far as that is known.
    pub workspace: Option<WorkspaceId>,
}

impl Served {
    /// What is served to somebody of a workspace.
    pub fn to(workspace: &WorkspaceId) -> Self {
        Self { workspace: Some(workspace.clone()), ..Self::default() }
    }
}

/// A request as the access log tells it.
pub(super) struct Access<'a> {
    pub method: &'a Method,
    pub route: &'static str,
    pub status: StatusCode,
    pub took: Duration,
    pub request_id: &'a str,
    pub served: Option<&'a Served>,
}

/// Writes the log line.
pub(super) fn access(access: &Access<'_>) {
    let whose = access.served.and_then(|served| served.workspace.as_ref());
    macro_rules! line {
        ($level:ident, $operation:expr) => {
            tracing::$level!(
                target: "tandem::http",
                method = word(access.method),
                { names::HTTP_ROUTE } = access.route,
                { names::HTTP_STATUS } = access.status.as_u16(),
                { names::DURATION_MS } = millis(access.took),
                { names::REQUEST_ID } = access.request_id,
                operation = $operation,
                workspace = whose.map(WorkspaceId::as_str),
                "request answered"
            )
        };
    }
    match access.served {
        Some(Served { recalled: true, .. }) => line!(debug, None::<&str>),
        served => line!(info, served.and_then(|it| plain(it.operation.as_deref()?))),
    }
}

fn millis(took: Duration) -> u64 {
    took.as_millis().try_into().unwrap_or(u64::MAX)
}

/// An operation name that is a GraphQL name and nothing else.
fn plain(name: &str) -> Option<&str> {
    let first = name.bytes().next()?;
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (name.len() <= NAME_MAX && !first.is_ascii_digit() && name.bytes().all(good)).then_some(name)
}

/// A method's name; a client may invent methods, and a label must not.
fn word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "PATCH" => "PATCH",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_only_plain_operation_names() {
        assert_eq!(plain("People_2"), Some("People_2"));
        assert_eq!(plain("ada@example.com"), None);
        assert_eq!(plain("2nd"), None);
        assert_eq!(plain(""), None);
        assert_eq!(plain(&"a".repeat(65)), None);
    }

    #[test]
    fn invents_no_method_labels() {
        assert_eq!(word(&Method::from_bytes(b"ADA.EXAMPLE").unwrap_or_default()), "other");
        assert_eq!(word(&Method::TRACE), "other");
    }
}

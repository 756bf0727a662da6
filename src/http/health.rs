//! Probes and metrics, for whoever runs the gateway.

use async_trait::async_trait;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Map, Value, json};

use crate::auth::{Admitted, Scope, WorkspaceId};
use crate::telemetry::Metrics;

use super::access::bearer;
use super::error::Refusal;
use super::executor::Executor;
use super::front::{Front, RequestId};
use super::peer::Peer;

/// What has to work for the gateway to be of use.
#[async_trait]
pub trait Probe: Send + Sync + 'static {
    /// Looks now. A system that is down is not a reason to be unready: its fields are the last
    /// known ones.
    async fn checks(&self) -> Vec<Check>;
}

/// What `/metrics` shows.
pub struct Measured {
    pub metrics: Metrics,
    /// The workspace whose clients may see it.
    pub operators: WorkspaceId,
}

/// One thing that was looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
    /// Whether the gateway is of no use without.
    pub needed: bool,
}

/// The process answers.
pub(super) async fn live() -> impl IntoResponse {
    Json(json!({"status": "live"}))
}

/// The gateway can do its work and is not about to stop.
pub(super) async fn ready<E: Executor>(State(front): State<Front<E>>) -> impl IntoResponse {
    let mut checks = front.probe.checks().await;
    checks.push(Check { name: "running", ok: !front.tasks.is_stopping(), needed: true });
    let ready = checks.iter().all(|check| check.ok || !check.needed);
    let words = |ok| if ok { "ok" } else { "failing" };
    let checks: Map<String, Value> =
        checks.iter().map(|check| (check.name.to_owned(), words(check.ok).into())).collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if ready { "ready" } else { "unready" };
    (status, Json(json!({"status": word, "checks": checks})))
}

/// Prometheus' text format, if `telemetry.metrics` is on.
pub(super) async fn metrics<E: Executor>(
    State(front): State<Front<E>>,
    Extension(id): Extension<RequestId>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Response {
    const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
    let peer = peer.map(|Extension(peer)| peer);
    match measured(&front, bearer(&headers), peer).await {
        Ok(text) => ([(CONTENT_TYPE, TEXT)], text).into_response(),
        Err(refusal) => refusal.about(&id.0).into_response(),
    }
}

/// What was measured, for whoever may see it: all workspaces are named in it.
async fn measured<E: Executor>(
    front: &Front<E>,
    token: Option<&str>,
    peer: Option<Peer>,
) -> Result<String, Refusal> {
    let Some(Measured { metrics, operators }) = &front.measured else {
        return Err(Refusal::not_found());
    };
    let Admitted { requester, .. } = front.admitted(token, peer).await?;
    if requester.workspace == *operators && requester.scopes.has(Scope::MetricsRead) {
        return Ok(metrics.render());
    }
    front.unusual.refused(&requester);
    let message = format!("this needs the scope metrics.readonly in the workspace {operators}");
    Err(Refusal::forbidden(message).to(&requester.workspace))
}

//! What happens to every API call around a fake: latency, faults and the journal.
//!
//! The gate is a layer on the routes of one system, inside the routing, so that it knows the
//! route's template. With latency 0, no fault and no journal it hands the call on untouched.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::future::{BoxFuture, Either};
use futures_util::{FutureExt, stream};
use serde_json::json;
use tower::{Service, ServiceExt};

use super::credentials::{self, Account};
use super::fault::{Fault, Kind};
use super::journal::{Call, template};
use super::shared::{Shared, System};

/// More than any answer of a fake, so that a body is never cut by accident.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// Puts the gate around all routes of `system`, its fallback included.
pub fn guard(router: Router, system: System, shared: Arc<Shared>) -> Router {
    router.layer(tower::layer::layer_fn(move |inner: Route| Gate {
        inner,
        system,
        shared: Arc::clone(&shared),
    }))
}

#[derive(Clone)]
struct Gate {
    inner: Route,
    system: System,
    shared: Arc<Shared>,
}

impl Service<Request> for Gate {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<
        <Route as Service<Request>>::Future,
        BoxFuture<'static, Result<Response, Infallible>>,
    >;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let shared = &self.shared;
        if !shared.journal.is_on() && shared.faults.is_empty() && shared.latency.is_zero() {
            return Either::Left(self.inner.call(request));
        }
        let gate = self.clone();
        Either::Right(async move { Ok(gate.pass(request).await) }.boxed())
    }
}

impl Gate {
    async fn pass(self, request: Request) -> Response {
        let route = request.extensions().get::<MatchedPath>().cloned();
        let shown = route.as_ref().map(|route| template(route, self.system));
        let method = request.method().clone();
        let fault = (!self.shared.faults.is_empty())
            .then(|| {
                let shared = &self.shared;
                let call = (method.as_str(), shown.as_deref());
                let account = credentials::of_headers(request.headers());
                shared.faults.strike(self.system, call, account, &shared.ids)
            })
            .flatten();
        if !self.shared.journal.is_on() {
            return self.answer(request, fault).await;
        }
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
        let seq = self.shared.journal.arrived(Call {
            at: self.shared.clock.now_ms(),
            system: self.system,
            method,
            route,
            uri: parts.uri.clone(),
            body: body.clone(),
        });
        let shared = Arc::clone(&self.shared);
        let cut = fault.as_deref().is_some_and(|fault| fault.kind == Kind::Drop);
        let response = self.answer(Request::from_parts(parts, Body::from(body)), fault).await;
        let account = response.extensions().get::<&'static Account>().copied();
        let status = (response.status().as_u16(), account);
        if cut {
            // Reading the body here would hit the planned break.
            shared.journal.answered(seq, status, Bytes::new());
            return response;
        }
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
        shared.journal.answered(seq, status, body.clone());
        Response::from_parts(parts, Body::from(body))
    }

    async fn answer(self, mut request: Request, fault: Option<Arc<Fault>>) -> Response {
        let delay = match fault.as_deref() {
            Some(Fault { kind: Kind::Delay, delay_ms: Some(delay), .. }) => {
                Duration::from_millis(*delay)
            }
            _ => Duration::ZERO,
        };
        let wait = self.shared.latency + delay;
        if !wait.is_zero() {
            // A slow network is slow in real time, also where a test holds the clock still.
            tokio::time::sleep(wait).await;
        }
        let Some(fault) = fault else { return self.call(request).await };
        match fault.kind {
            Kind::Status => refusal(self.system, &fault),
            Kind::Html => html(&fault),
            Kind::Hang => {
                self.shared.tasks.stopping().await;
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
            Kind::Drop => half(self.call(request).await, true).await,
            Kind::BadJson => half(self.call(request).await, false).await,
            Kind::Delay
            | Kind::CreatedBut422
            | Kind::RateLimit
            | Kind::DailyExhausted
            | Kind::EmptyList => {
                request.extensions_mut().insert(fault);
                self.call(request).await
            }
        }
    }

    async fn call(self, request: Request) -> Response {
        self.inner.oneshot(request).await.into_response()
    }
}

fn refusal(system: System, fault: &Fault) -> Response {
    let status = fault
        .status
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = status.canonical_reason().unwrap_or("Unexpected error");
    let code = status.as_u16();
    let body = match system {
        System::Doppler => json!({
            "title": reason, "status": code, "errorCode": 0, "detail": reason,
            "type": format!("/docs/errors/{code}.0-{}", reason.to_lowercase().replace(' ', "-")),
            "_links": [],
        }),
        System::HighLevel => json!({"statusCode": code, "message": reason}),
    };
    as_told((status, Json(body)).into_response(), fault)
}

fn html(fault: &Fault) -> Response {
    let status = fault
        .status
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or(StatusCode::BAD_GATEWAY);
    let page = format!("<html><head><title>{status}</title></head><body>{status}</body></html>");
    let kind = [(CONTENT_TYPE, "text/html; charset=utf-8")];
    as_told((status, kind, page).into_response(), fault)
}

/// Adds the header that the fault asks for, and takes the body away.
pub fn as_told(mut response: Response, fault: &Fault) -> Response {
    if fault.empty_body {
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    if let Some(seconds) = fault.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The first half of the body; then either the connection breaks, or the answer ends as if whole.
async fn half(response: Response, broken: bool) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    let first = body.slice(..body.len() / 2);
    if !broken {
        parts.headers.remove(CONTENT_LENGTH);
        return Response::from_parts(parts, Body::from(first));
    }
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len().max(1)));
    let cut = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    Response::from_parts(parts, Body::from_stream(stream::iter([Ok(first), Err(cut)])))
}

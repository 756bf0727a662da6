//! The front door: what happens to every request whatever its route.

use std::ops::Deref;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::header::{HOST, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tower::Service;

use crate::auth::{Admitted, Authenticate, Denied, Requester};
use crate::clock::{self, Clock};
use crate::contacts::Consent;
use crate::graphql::Gateway;
use crate::tasks::Tasks;
use crate::telemetry::names;
use crate::webhooks::Webhooks;

use super::clients::{Clients, TooFast};
use super::error::Refusal;
use super::executor::Executor;
use super::health::{Measured, Probe};
use super::peer::Peer;
use super::record::{self, Access, Meters, Served};
use super::settings::Settings;
use super::strangers::Strangers;
use super::unusual::Unusual;
use super::{cors, routes, template};

/// The longest request id that is taken over from a client.
const REQUEST_ID_MAX: usize = 64;

/// What the transports are made of.
pub struct Parts<E = Gateway> {
    pub executor: E,
    pub authenticate: Arc<dyn Authenticate>,
    pub probe: Arc<dyn Probe>,
    /// What takes webhooks in; `None`: there is no such route.
    pub webhooks: Option<Webhooks>,
    /// What takes people to HighLevel's consent page and back; `None`: there are no such routes.
    pub consent: Option<Consent>,
    /// What `/metrics` shows; `None`: there is no such route.
    pub measured: Option<Measured>,
    pub settings: Settings,
    pub tasks: Tasks,
    pub clock: Clock,
}

/// The state that all routes share. Cheap to clone.
pub struct Front<E = Gateway>(Arc<Shared<E>>);

/// See [`Parts`].
pub struct Shared<E> {
    pub(super) executor: E,
    pub(super) authenticate: Arc<dyn Authenticate>,
    pub(super) probe: Arc<dyn Probe>,
    pub(super) webhooks: Option<Webhooks>,
    pub(super) consent: Option<Consent>,
    pub(super) measured: Option<Measured>,
    pub(super) clients: Clients,
    pub(super) strangers: Strangers,
    pub(super) unusual: Unusual,
    /// One permit a connection.
    pub(super) connections: Arc<Semaphore>,
    /// One permit a WebSocket.
    pub(super) sockets: Arc<Semaphore>,
    pub(super) settings: Settings,
    pub(super) tasks: Tasks,
    pub(super) meters: Meters,
    pub(super) clock: Clock,
    /// Tells this process's request ids from another's.
    prefix: String,
    next: AtomicU64,
}

/// Ties everything said about a request together.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub Arc<str>);

impl<E> Clone for Front<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<E> Deref for Front<E> {
    type Target = Shared<E>;

    fn deref(&self) -> &Shared<E> {
        &self.0
    }
}

impl<E> Front<E> {
    pub fn new(parts: Parts<E>) -> Self {
        let id = clock::new_id(&parts.clock).simple().to_string();
        Self(Arc::new(Shared {
            executor: parts.executor,
            authenticate: parts.authenticate,
            probe: parts.probe,
            webhooks: parts.webhooks,
            consent: parts.consent,
            measured: parts.measured,
            clients: Clients::new(parts.settings.clients.as_ref(), &parts.clock),
            strangers: Strangers::new(&parts.clock),
            unusual: Unusual::new(parts.settings.unusual, &parts.clock),
            connections: Arc::new(Semaphore::new(parts.settings.connections)),
            sockets: Arc::new(Semaphore::new(parts.settings.sockets)),
            settings: parts.settings,
            tasks: parts.tasks,
            meters: Meters::new(),
            clock: parts.clock,
            // The last digits are the random ones.
            prefix: id[id.len() - 10..].to_owned(),
            next: AtomicU64::new(1),
        }))
    }

    /// Whoever shows a token, if it counts.
    pub(super) async fn admitted(
        &self,
        token: Option<&str>,
        peer: Option<Peer>,
    ) -> Result<Admitted, Denied> {
        let admitted = self.authenticate.authenticate(token).await;
        // Whoever shows nothing tries nothing.
        if let Err(Denied::Unauthenticated(_) | Denied::Forbidden(_)) = &admitted {
            self.unusual.not_let_in(peer);
        }
        admitted
    }

    /// Takes what so many operations need of a client's share. Whoever refuses the request for it notes
    /// the refusal.
    pub(super) fn count(
        &self,
        requester: &Requester,
        (peer, operations): (Option<Peer>, usize),
    ) -> Result<(), TooFast> {
        let admitted = self.clients.admit(requester, operations);
        if admitted.is_ok() {
            self.unusual.asked(requester, peer, operations);
        }
        admitted
    }

    /// The client's id for the request if it is a sane one, otherwise a new one.
    fn request_id(&self, headers: &HeaderMap) -> Arc<str> {
        let given = headers.get("x-request-id").and_then(|it| it.to_str().ok());
        let sane = |id: &&str| {
            (1..=REQUEST_ID_MAX).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        given.filter(sane).map_or_else(|| self.new_request_id(), Arc::from)
    }

    /// A new id for something that was asked.
    pub(super) fn new_request_id(&self) -> Arc<str> {
        format!("{}-{:x}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed)).into()
    }
}

/// The routes behind the front door.
#[derive(Clone)]
pub(super) struct Door<E> {
    pub front: Front<E>,
    router: Router,
}

impl<E: Executor> Door<E> {
    pub fn new(front: Front<E>) -> Self {
        Self { router: routes(front.clone()), front }
    }

    /// Answers one request, whatever happens inside.
    pub async fn respond(mut self, mut request: Request<Body>) -> Response {
        let started = Instant::now();
        let method = request.method().clone();
        let route = template(request.uri().path());
        let id = self.front.request_id(request.headers());
        let allowed_origin = request.headers().get(ORIGIN).cloned();

        let mut response = if addressed_here(request.headers(), &self.front.settings) {
            request.extensions_mut().insert(RequestId(Arc::clone(&id)));
            match AssertUnwindSafe(self.router.call(request)).catch_unwind().await {
                Ok(Ok(response)) => response,
                Err(_) => {
                    tracing::error!({ names::REQUEST_ID } = %id, { names::HTTP_ROUTE } = route, "a handler panicked");
                    Refusal::internal().about(&id).into_response()
                }
            }
        } else {
            let message = "this gateway is not served under that host name";
            let status = StatusCode::MISDIRECTED_REQUEST;
            Refusal::new(status, "FORBIDDEN", message).about(&id).into_response()
        };

        if let Some(origin) = allowed_origin {
            cors::expose(&origin, &self.front.settings.allowed_origins, &mut response);
        }
        // Nothing that is served is to be taken for something else than it says.
        response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert("x-request-id", value);
        }
        let served = response.extensions_mut().remove::<Served>();
        let took = started.elapsed();
        self.front.meters.request(route, &method, response.status(), took);
        record::access(&Access {
            method: &method,
            route,
            status: response.status(),
            took,
            request_id: &id,
            served: served.as_ref(),
        });
        response
    }
}

/// Whether the request's host is one of those that are served.
fn addressed_here(headers: &HeaderMap, settings: &Settings) -> bool {
    if settings.allowed_hosts.is_empty() {
        return true;
    }
    let host = headers.get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
    host.is_some_and(|it| {
        settings.allowed_hosts.iter().any(|one| one.eq_ignore_ascii_case(it.host()))
    })
}

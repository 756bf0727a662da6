//! The outside: every route of the gateway, and the rules that hold for all of them.
//!
//! A request passes [`Door::respond`](front::Door::respond) (request id, allowed hosts, panics,
//! access log, metrics) and then one handler that does its steps in order. There is no stack of
//! middleware: a cached answer leaves in a few microseconds, and a layer that boxes its future would
//! cost as much again.
//!
//! To add a route: a line in [`routes`], its template in [`template`], and a handler in a file named
//! for what it serves.

mod access;
mod assets;
mod body;
mod clients;
mod cors;
mod error;
mod executor;
mod front;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod graphql;
mod health;
mod oauth;
mod peer;
mod places;
mod recent;
mod record;
#[cfg(test)]
mod sample;
mod serve;
mod settings;
mod shares;
mod socket;
mod strangers;
mod unusual;
mod webhooks;

pub use front::{Front, Parts};
pub use health::{Check, Measured, Probe};
pub use serve::serve;
pub use settings::Settings;

use axum::response::Redirect;
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};

use body::read_body;
use error::Refusal;
use executor::Executor;
use front::RequestId;

/// Where Doppler says that an import is over; a token comes after it.
pub const IMPORT_CALLBACK: &str = "/webhooks/doppler/import/";
/// Where the playground's own routes begin.
const PLAYGROUND: &str = "/playground";

/// Everything that is served.
fn routes<E: Executor>(front: Front<E>) -> Router {
    let graphql = post(graphql::post::<E>).get(graphql::get::<E>).options(cors::preflight::<E>);
    Router::new()
        .route("/", only(get(async || Redirect::temporary(PLAYGROUND)), "GET, HEAD"))
        .route("/graphql", only(graphql, "GET, POST"))
        .route("/webhooks/highlevel", only(post(webhooks::highlevel::<E>), "POST"))
        .route("/oauth/highlevel/start", only(get(oauth::start::<E>), "GET, HEAD"))
        .route("/oauth/highlevel/callback", only(get(oauth::callback::<E>), "GET"))
        .route("/webhooks/doppler/import/{token}", only(post(webhooks::import_over::<E>), "POST"))
        .route("/health/live", only(get(health::live), "GET, HEAD"))
        .route("/health/ready", only(get(health::ready::<E>), "GET, HEAD"))
        .route("/metrics", only(get(health::metrics::<E>), "GET, HEAD"))
        .with_state(front)
        .merge(assets::router())
        .fallback(async |Extension(id): Extension<RequestId>| Refusal::not_found().about(&id.0))
}

/// The route a path belongs to, for logs and metrics: a path itself may hold anything.
fn template(path: &str) -> &'static str {
    match path {
        "/" => "/",
        "/graphql" => "/graphql",
        "/webhooks/highlevel" => "/webhooks/highlevel",
        "/oauth/highlevel/start" => "/oauth/highlevel/start",
        "/oauth/highlevel/callback" => "/oauth/highlevel/callback",
        "/health/live" => "/health/live",
        "/health/ready" => "/health/ready",
        "/metrics" => "/metrics",
        _ if path.starts_with(IMPORT_CALLBACK) => "/webhooks/doppler/import/{token}",
        _ if path.starts_with(PLAYGROUND) => "/playground",
        _ => "other",
    }
}

/// Answers every other method with 405 and the methods there are.
fn only<E: Executor>(
    methods: MethodRouter<Front<E>>,
    allow: &'static str,
) -> MethodRouter<Front<E>> {
    methods.fallback(async move |Extension(id): Extension<RequestId>| {
        Refusal::method_not_allowed(allow).about(&id.0)
    })
}

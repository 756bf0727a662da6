//! What differs between the systems: addresses, headers, credentials, budgets, words.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap};
use reqwest::{StatusCode, redirect, retry};
use url::Url;

use crate::clock::Clock;
use crate::unified::System;
use crate::upstream::{Allowance, Credentials, Kind, Route};

use super::{JSON, Transport};

/// Tells what an answer that is not a success means. The body may be anything.
pub type Refusal = fn(&'static Route, StatusCode, &[u8]) -> Kind;

/// What a system needs of its transport.
pub struct Setup<'a> {
    pub system: System,
    pub base_url: &'a Url,
    /// The Doppler account or the HighLevel location; `None`: the credential says.
    pub account: Option<&'a str>,
    /// Whose connection pool is used, of the same system; `None`: one of its own.
    pub beside: Option<&'a Transport>,
    /// Calls at the same time, and connections kept open.
    pub connections: usize,
    pub connect_timeout: Duration,
    /// For a whole call, the reading of its answer included.
    pub timeout: Duration,
    /// Sent with every call.
    pub headers: HeaderMap,
    pub credentials: Arc<dyn Credentials>,
    pub allowance: Allowance,
    pub refusal: Refusal,
    /// The credential's scopes as configured; empty where nobody said.
    pub scopes: &'a [String],
    /// The scope without which the connection only reads, where there is one.
    pub write_scope: Option<&'static str>,
    pub clock: Clock,
}

impl Setup<'_> {
    /// Whether the configured scopes allow writing.
    pub(super) fn may_write(&self) -> bool {
        self.scopes.is_empty()
            || self.write_scope.is_none_or(|needed| self.scopes.iter().any(|scope| scope == needed))
    }

    /// The connection pool.
    pub(super) fn http(&self) -> Result<reqwest::Client, SetupError> {
        if let Some(other) = self.beside {
            return Ok(other.http.clone());
        }
        let mut headers = self.headers.clone();
        headers.insert(ACCEPT, JSON);
        http(self.connect_timeout)
            .default_headers(headers)
            .tcp_nodelay(true)
            .pool_max_idle_per_host(self.connections)
            .build()
            .map_err(|source| SetupError { system: self.system, source })
    }
}

/// What holds for every call. Redirects and proxies would send what is secret elsewhere, and repetition
/// is decided by whoever calls.
pub(super) fn http(connect_timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("Tandem/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .http1_only()
        .connect_timeout(connect_timeout)
}

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client of {system}")]
pub struct SetupError {
    pub(in crate::upstream) system: System,
    #[source]
    pub(super) source: reqwest::Error,
}

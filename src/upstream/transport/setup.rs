//! What differs between the systems: addresses, headers, credentials, budgets, words.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap};
use reqwest::{StatusCode, redirect, retry};
use url::Url;

use crate::clock::Clock;
use crate::unified::System;
use crate::upstream::{Allowance, Credentials, Kind, Route};

use super::JSON;

/// Tells what an answer that is not a success means. The body may be anything.
pub type Refusal = fn(&'static Route, StatusCode, &[u8]) -> Kind;

/// What a system needs of its transport.
pub struct Setup<'a> {
    pub system: System,
    pub base_url: &'a Url,
    /// The Doppler account or the HighLevel location.
    pub account: Option<&'a str>,
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

    /// The connection pool. Redirects and proxies would send the credential elsewhere, and
    /// repetition is decided by [`super::Transport`], where the budget sees it.
    pub(super) fn http(&self) -> Result<reqwest::Client, SetupError> {
        let mut headers = self.headers.clone();
        headers.insert(ACCEPT, JSON);
        reqwest::Client::builder()
            .user_agent(concat!("Tandem/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .http1_only()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(self.connections)
            .connect_timeout(self.connect_timeout)
            .build()
            .map_err(|source| SetupError { system: self.system, source })
    }
}

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client of {system}")]
pub struct SetupError {
    system: System,
    #[source]
    source: reqwest::Error,
}

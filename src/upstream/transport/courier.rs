//! Carries the calls of an authorization server, which are no calls of the API: they have no
//! credential of ours in a header, cost nothing of its budget and must not wait behind it.
//!
//! It repeats nothing, because a refresh token is good once, and it says nothing of what it carries.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use metrics::SharedString;
use tokio::time::{Instant, timeout};

use crate::telemetry::names;
use crate::unified::System;
use crate::upstream::route::outcome;
use crate::upstream::{Error, Kind, Route};

use super::SetupError;
use super::setup::http;

/// The largest answer that is read.
const MAX_BODY: usize = 256 * 1024;

/// See the module.
pub struct Courier {
    system: System,
    http: reqwest::Client,
    timeout: Duration,
}

impl Courier {
    /// Sets up the connections; makes no call. `timeout` is for a whole call.
    pub fn new(
        system: System,
        connect_timeout: Duration,
        timeout: Duration,
    ) -> Result<Self, SetupError> {
        let http = http(connect_timeout).build().map_err(|source| SetupError { system, source })?;
        Ok(Self { system, http, timeout })
    }

    /// Sends a request and reads the answer, whatever it says of what was asked. An error says that there
    /// is none, and of a request that was sent not whether it took effect.
    pub async fn carry(
        &self,
        route: &'static Route,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, Error> {
        let started = Instant::now();
        let answer = timeout(self.timeout, self.exchange(request)).await;
        let answer = answer.unwrap_or(Err((Kind::Timeout, None)));
        let kind = match &answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(_) => Some(Kind::Unauthorized),
            Err((kind, _)) => Some(kind.clone()),
        };
        let took = started.elapsed();
        route.measure(kind.as_ref(), took, &SharedString::const_str(""));
        tracing::debug!(
            { names::UPSTREAM_NAME } = self.system.as_str(),
            { names::UPSTREAM_ROUTE } = route.template,
            { names::OUTCOME } = outcome(kind.as_ref()),
            { names::DURATION_MS } = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "upstream call"
        );
        answer.map_err(|(kind, source)| {
            let source = source.map(|source| Arc::new(source) as Arc<_>);
            Error { source, ..Error::new(self.system, route.template, kind) }
        })
    }

    async fn exchange(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, (Kind, Option<reqwest::Error>)> {
        // The error's URL is taken out of it: it may hold what nobody should read.
        let failed = |error: reqwest::Error| (Kind::Unavailable, Some(error.without_url()));
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let mut response = self.http.execute(request).await.map_err(failed)?;
        if says_later(response.status()) {
            return Err((Kind::Unavailable, None));
        }
        let mut answer = http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            *headers = std::mem::take(response.headers_mut());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err((Kind::Malformed, None));
            }
            body.extend_from_slice(&chunk);
        }
        answer.body(body).map_err(|_| (Kind::Malformed, None))
    }
}

/// Whether an answer says nothing of what was asked, whatever its body: that often tells the status as an
/// `error`, which would be taken for a refusal (RFC 6749, section 5.2).
fn says_later(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

//! One call from its arrival to its answer: who asks, whether too often, what is asked; then the
//! route's handler. Handlers are plain functions, since everything is in memory.
//!
//! Order: route, credentials, account, rate limit, then validation, as the vendor's framework.

use std::borrow::Cow;
use std::sync::{Arc, RwLockReadGuard, RwLockWriteGuard};

use axum::body::to_bytes;
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::header::{ACCEPT, AUTHORIZATION};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::Doppler;
use super::account::Account;
use super::problem::{Asked, Problem};
use crate::sandbox::fault::{Fault, Kind};
use crate::sandbox::gate::as_told;
use crate::sandbox::here;

/// The largest body read: 10,000 items of an import with long values.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// What answers a route.
pub type Handler = fn(&Call) -> Result<Response, Problem>;

/// A call that was let in.
#[derive(Debug)]
pub struct Call {
    /// The fake.
    pub doppler: Arc<Doppler>,
    /// When it came, epoch milliseconds.
    pub now: i64,
    parts: Parts,
    params: Option<RawPathParams>,
    body: Bytes,
}

/// Lets a call in, or not, and answers it.
pub async fn run(doppler: Arc<Doppler>, handler: Handler, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let params = RawPathParams::from_request_parts(&mut parts, &()).await.ok();
    let fault = parts.extensions.get::<Arc<Fault>>().map(|fault| (fault.kind, Arc::clone(fault)));
    let body = match parts.method {
        Method::GET | Method::HEAD => Bytes::new(),
        _ => match to_bytes(body, BODY_LIMIT).await {
            Ok(body) => body,
            Err(_) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        },
    };
    let now = doppler.shared.clock.now_ms();
    let mut call = Call { doppler, now, parts, params, body };
    if let Some(fake) = call.key().ok().and_then(|key| call.doppler.of_key(&key)) {
        call.doppler = fake;
    }
    let account = call.doppler.name;
    let mut response = here::within(account, || {
        if let Some((Kind::RateLimit, fault)) = fault {
            return as_told(call.refuse(&Problem::too_many_requests(None)), &fault);
        }
        match call.admit().and_then(|()| handler(&call)) {
            Ok(response) => response,
            Err(problem) => call.refuse(&problem),
        }
    });
    response.extensions_mut().insert(account);
    response
}

impl Call {
    fn admit(&self) -> Result<(), Problem> {
        let Some(params) = &self.params else { return Err(Problem::no_route()) };
        let Some((_, account)) = params.iter().find(|(name, _)| *name == "accountName") else {
            return Ok(());
        };
        self.authenticate()?;
        let own = self.doppler.name.doppler;
        if !account.eq_ignore_ascii_case(own) {
            return Err(Problem::wrong_account(own, account));
        }
        if self.doppler.shared.rate_limit {
            let taken = self.doppler.limit.take(self.now);
            taken.map_err(|seconds| Problem::too_many_requests(Some(seconds)))?;
        }
        self.doppler.settle(self.now);
        Ok(())
    }

    /// By `Authorization: token KEY` (also `Bearer`), `?access_token=` or `?api_key=`.
    fn authenticate(&self) -> Result<(), Problem> {
        let known = self.key()? == self.doppler.name.api_key;
        if known { Ok(()) } else { Err(Problem::invalid_token()) }
    }

    fn key(&self) -> Result<Cow<'_, str>, Problem> {
        Ok(match self.parts.headers.get(AUTHORIZATION) {
            Some(value) => {
                let (scheme, key) =
                    value.to_str().unwrap_or_default().split_once(' ').unwrap_or_default();
                if !["token", "bearer"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
                    return Err(Problem::invalid_token());
                }
                Cow::Borrowed(key.trim())
            }
            None => self
                .query("access_token")
                .or_else(|| self.query("api_key"))
                .ok_or_else(Problem::no_credentials)?,
        })
    }

    fn refuse(&self, problem: &Problem) -> Response {
        let path = self.path();
        let accepts = self.parts.headers.get_all(ACCEPT).iter();
        let accepts_problem = accepts
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.contains("application/problem+json"));
        let is_get = self.parts.method == Method::GET;
        problem.response(Asked { path: &path, is_get, accepts_problem })
    }

    /// The path below the system's prefix, with a plain `@`.
    pub fn path(&self) -> Cow<'_, str> {
        let path = self.parts.uri.path();
        if path.contains("%40") { Cow::Owned(path.replace("%40", "@")) } else { path.into() }
    }

    /// A segment of the path, decoded.
    pub fn text(&self, name: &str) -> &str {
        let found = self.params.as_ref().and_then(|params| {
            params.iter().find(|(param, _)| *param == name).map(|(_, value)| value)
        });
        found.unwrap_or_default()
    }

    /// A segment that is a number; anything else is no route.
    pub fn number(&self, name: &str) -> Result<u64, Problem> {
        self.text(name).parse().map_err(|_| Problem::no_route())
    }

    /// The query, decoded.
    pub fn pairs(&self) -> url::form_urlencoded::Parse<'_> {
        url::form_urlencoded::parse(self.parts.uri.query().unwrap_or_default().as_bytes())
    }

    /// The first value of a query parameter; an empty one counts as absent.
    pub fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        self.parts.uri.query()?;
        let found = self.pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    /// A query parameter that is a time with an offset.
    pub fn time(&self, name: &str) -> Result<Option<i64>, Problem> {
        let Some(text) = self.query(name) else { return Ok(None) };
        let time = super::stamp::parse(&text).ok_or_else(|| {
            let detail = format!("Value for `{name}` must be a date-time with an offset.");
            Problem::invalid_value(name, detail)
        })?;
        Ok(Some(time))
    }

    /// The body, which must be of the given form.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if self.body.is_empty() {
            return Err(Problem::invalid_value("body", "Value is required."));
        }
        // Serde would take an array for an object too, member by member.
        if self.body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Problem::invalid_value("body", "Value must be an object."));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| Problem::invalid_value("body", error.to_string()))
    }

    /// Whether a fault wants collections to look empty.
    pub fn pretends_empty(&self) -> bool {
        let fault = self.parts.extensions.get::<Arc<Fault>>();
        fault.is_some_and(|fault| fault.kind == Kind::EmptyList)
    }

    /// The account, to look at.
    pub fn account(&self) -> RwLockReadGuard<'_, Account> {
        self.doppler.read()
    }

    /// The account, to change.
    pub fn account_mut(&self) -> RwLockWriteGuard<'_, Account> {
        self.doppler.write()
    }
}

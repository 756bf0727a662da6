//! The one way to a system: every HTTP call of both clients goes through here.
//!
//! A call waits for the budget and for a free connection (never past its deadline), is sent, read
//! to the end, told apart by the system's own [`Refusal`], counted, and repeated where that is safe.
//! What differs between the systems comes in as a [`Setup`]; what differs between calls is a
//! [`Request`] for a [`Route`].
//!
//! Nothing of a URL, a body or a header leaves this folder: people's addresses are in all three.

mod courier;
mod failure;
mod request;
mod setup;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::{Gauge, SharedString};
use reqwest::StatusCode;
use reqwest::header::HeaderValue;
use serde::de::DeserializeOwned;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use crate::clock::Clock;
use crate::tasks::Tasks;
use crate::telemetry::names;
use crate::unified::System;

use super::breaker::{Breaker, Leave};
use super::budget::{Allowance, SharedBudget};
use super::credentials::{Credentials, fingerprint};
use super::health::Health;
use super::route::outcome;
use super::segment::{Segment, fill};
use super::{Call, Error, Kind, Route, UpstreamState, UpstreamStatus, Writing};

use failure::{Failure, Stage};
use request::{Answer, send};
use setup::Refusal;

pub use courier::Courier;
pub use request::Request;
pub use setup::{Setup, SetupError};

/// A call that ends sooner than this for lack of an answer says nothing about the system: the
/// caller was in a hurry.
const PATIENCE: Duration = Duration::from_secs(1);

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What is done with a successful answer's body.
type Read<'a> = dyn FnMut(&[u8]) -> Result<(), serde_json::Error> + Send + 'a;

/// See the module.
pub struct Transport {
    system: System,
    http: reqwest::Client,
    base: Url,
    /// The base URL's path without a slash at the end.
    prefix: String,
    /// As the settings name it.
    account: Option<Arc<str>>,
    timeout: Duration,
    permits: Semaphore,
    waiting: Gauge,
    /// The workspace's name in metrics.
    whose: SharedString,
    credentials: Arc<dyn Credentials>,
    allowance: Arc<Allowance>,
    breaker: Breaker,
    health: Health,
    refusal: Refusal,
    scopes: Vec<String>,
    /// Of the system, the account and the scopes. Every cache key asks for it.
    seen: u64,
    may_write: bool,
    /// The credential's fingerprint when it was last looked at.
    known: AtomicU64,
    write_scope: Option<&'static str>,
    clock: Clock,
}

impl Transport {
    /// Sets up the connection pool; makes no call.
    pub fn new(setup: Setup<'_>) -> Result<Self, SetupError> {
        let account = setup.account.unwrap_or_default();
        let seen = format!("{}\n{account}\n{}", setup.system, setup.scopes.join(" "));
        let whose = setup.credentials.workspace().map_or_else(
            || SharedString::const_str(""),
            |workspace| SharedString::from_owned(workspace.as_str().to_owned()),
        );
        Ok(Self {
            seen: fingerprint(seen.as_bytes()),
            system: setup.system,
            http: setup.http()?,
            base: setup.base_url.clone(),
            prefix: setup.base_url.path().trim_end_matches('/').to_owned(),
            account: setup.account.map(Arc::from),
            timeout: setup.timeout,
            permits: Semaphore::new(setup.connections.max(1)),
            waiting: metrics::gauge!(
                names::UPSTREAM_WAITING,
                names::SYSTEM => setup.system.as_str(),
                names::WORKSPACE => whose.clone()
            ),
            whose,
            may_write: setup.may_write(),
            known: AtomicU64::new(setup.credentials.fingerprint()),
            write_scope: setup.write_scope,
            scopes: setup.scopes.to_vec(),
            credentials: setup.credentials,
            allowance: Arc::new(setup.allowance),
            breaker: Breaker::default(),
            health: Health::default(),
            refusal: setup.refusal,
            clock: setup.clock,
        })
    }

    /// What is known of the connection without a call.
    pub fn status(&self) -> UpstreamStatus {
        self.look_at_credential();
        let account = self.account();
        let credential = self.credentials.kind().filter(|_| account.is_some());
        let facts = self.credentials.facts();
        let may_write = match (&facts.scopes, self.write_scope) {
            (Some(scopes), Some(needed)) => scopes.iter().any(|scope| scope == needed),
            (Some(_), None) | (None, _) => self.may_write,
        };
        let now_ms = self.clock.now_ms();
        let state = self.health.state(credential.is_some(), may_write, now_ms);
        let scopes = match (credential, facts.scopes) {
            // Those of the settings are what the next one may have.
            (None, _) => Vec::new(),
            (Some(_), Some(granted)) => granted.to_vec(),
            (Some(_), None) => self.scopes.clone(),
        };
        let lost = facts.lost && credential.is_some();
        UpstreamStatus {
            state: if lost { UpstreamState::NeedsReauthorization } else { state },
            writing: match credential {
                Some(_) => self.health.writing(may_write, now_ms),
                None => Writing::Unknown,
            },
            account: account.as_deref().map(str::to_owned),
            scopes,
            credential,
            expires_at: facts.expires_at,
            ends_at: facts.ends_at,
            rotated_at: facts.rotated_at,
            budget: self.allowance.snapshot(),
            last_call_at: self.health.called_at(),
            last_error: self.health.last_error(),
        }
    }

    /// The account that is called: that of the settings, else the credential's.
    pub fn account(&self) -> Option<Arc<str>> {
        self.account.clone().or_else(|| self.credentials.account())
    }

    /// Shares the call budget with other gateways from now on.
    pub fn share_budget(&self, shared: Arc<dyn SharedBudget>, tasks: &Tasks) {
        self.allowance.share(shared, tasks);
    }

    /// Whether the credential has a scope, as far as it was granted or configured.
    pub fn has_scope(&self, scope: &str) -> bool {
        if let Some(granted) = self.credentials.facts().scopes {
            return granted.iter().any(|held| held == scope);
        }
        self.scopes.is_empty() || self.scopes.iter().any(|held| held == scope)
    }

    /// A number that changes with what the credential may see.
    pub fn view(&self) -> u64 {
        self.seen ^ self.credentials.fingerprint()
    }

    /// Makes a call and reads its answer as JSON.
    pub async fn call<T>(&self, call: &Call, request: Request<'_>) -> Result<T, Error>
    where
        T: DeserializeOwned + Send,
    {
        let mut answer = None;
        let mut read = |body: &[u8]| {
            answer = Some(serde_json::from_slice(body)?);
            Ok(())
        };
        self.exchange(call, &request, &mut read).await?;
        answer.ok_or_else(|| self.error(request.route, Kind::Malformed))
    }

    /// Makes a call of which only the success matters.
    pub async fn perform(&self, call: &Call, request: Request<'_>) -> Result<(), Error> {
        self.exchange(call, &request, &mut |_| Ok(())).await
    }

    /// What is known of one credential's rights says nothing of another's.
    fn look_at_credential(&self) {
        let present = self.credentials.fingerprint();
        if self.known.load(Ordering::Acquire) != present
            && self.known.swap(present, Ordering::AcqRel) != present
        {
            self.health.another_credential();
        }
    }

    fn error(&self, route: &'static Route, kind: Kind) -> Error {
        Error::new(self.system, route.template, kind)
    }

    async fn exchange(
        &self,
        call: &Call,
        request: &Request<'_>,
        read: &mut Read<'_>,
    ) -> Result<(), Error> {
        self.look_at_credential();
        if self.credentials.kind().is_none() {
            return Err(self.error(request.route, Kind::NotConnected));
        }
        let url = self.url(request)?;
        let (mut tried, mut doubt) = (0, false);
        loop {
            let Err(failure) = self.attempt(call, request, &url, read).await else {
                return Ok(());
            };
            tried += 1;
            // A later try that is refused does not say what became of an earlier one.
            doubt |= failure.leaves_doubt(request.route.effect);
            let pause = failure.pause(request.route.effect, call.priority, tried);
            let Some(pause) = pause.filter(|pause| Instant::now() + *pause < call.deadline) else {
                let error = self.error(request.route, failure.kind);
                return Err(Error { source: failure.source, doubt, ..error });
            };
            // Real time, also where a test holds the clock still: the network's is real too.
            sleep(pause).await;
        }
    }

    fn url(&self, request: &Request<'_>) -> Result<Url, Error> {
        let values: Option<Vec<Segment<'_>>> = request.values.iter().copied().collect();
        let path = values.and_then(|values| fill(&self.prefix, request.route.template, &values));
        let path = path.ok_or_else(|| self.error(request.route, Kind::NotFound))?;
        let mut url = self.base.clone();
        url.set_path(&path);
        let query = request.query.as_str();
        url.set_query((!query.is_empty()).then_some(query));
        Ok(url)
    }

    /// One try: wait, send, read, tell apart, count.
    async fn attempt(
        &self,
        call: &Call,
        request: &Request<'_>,
        url: &Url,
        read: &mut Read<'_>,
    ) -> Result<(), Failure> {
        let down = || Failure::held(Kind::Unavailable);
        if self.breaker.is_open(Instant::now()) {
            return Err(down());
        }
        let authorization = timeout_at(call.deadline, self.credentials.authorization())
            .await
            .unwrap_or(Err(Kind::Timeout))
            .map_err(|kind| {
                // A credential that is no good without a call is to be heard of like a refused one.
                if kind == Kind::Unauthorized {
                    self.health.bad(&kind, request.route.effect);
                }
                Failure::held(kind)
            })?;
        let ticket = self.allowance.acquire(call).await.map_err(Failure::held)?;
        // Asked again after the waits: the system may have gone silent meanwhile.
        let Some(permit) = self.permit(call.deadline).await else {
            ticket.unsent();
            return Err(Failure::held(Kind::Timeout));
        };
        let started = Instant::now();
        let Some(leave) = self.breaker.admit(started) else {
            ticket.unsent();
            return Err(down());
        };
        self.health.called(self.clock.now_ms());
        let route = request.route;
        let until = call.deadline.min(started + self.timeout);
        // Many more calls wait for a connection than have one: they hold no room for what comes then.
        let sent = Box::pin(send(
            &self.http,
            route.method.clone(),
            url.clone(),
            authorization.clone(),
            request.body.clone(),
        ));
        let answer = timeout_at(until, sent).await.unwrap_or_else(|_| Err(Failure::silence()));
        let result = answer.and_then(|answer| self.understand(route, &answer, read));
        let failure = result.as_ref().err();
        if failure.is_some_and(|failure| failure.stage == Stage::Unconnected) {
            ticket.unsent();
        } else {
            call.meter.made(self.system);
        }
        self.record(route, failure, started, leave);
        drop(permit);
        let mut failure = match result {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        if failure.kind == Kind::Unauthorized && failure.stage == Stage::Answered {
            // It may be an older one than there is by now.
            let other = timeout_at(call.deadline, self.credentials.refused(&authorization)).await;
            failure.renewed = other.unwrap_or(false);
            if !failure.renewed {
                self.health.bad(&Kind::Unauthorized, route.effect);
            }
        }
        Err(failure)
    }

    async fn permit(&self, deadline: Instant) -> Option<SemaphorePermit<'_>> {
        if let Ok(permit) = self.permits.try_acquire() {
            return Some(permit);
        }
        let _waiting = Waiting::enter(&self.waiting);
        timeout_at(deadline, self.permits.acquire()).await.ok()?.ok()
    }

    fn understand(
        &self,
        route: &'static Route,
        answer: &Answer,
        read: &mut Read<'_>,
    ) -> Result<(), Failure> {
        let Answer { status, headers, body } = answer;
        if status.is_success() {
            let understood = read(body).map_err(|error| Failure::unreadable(&error));
            self.allowance.answered(headers, understood.is_ok());
            return understood;
        }
        if *status == StatusCode::TOO_MANY_REQUESTS {
            let (retry_after, daily) = self.allowance.refused(headers);
            return Err(Failure::refusal(*status, Kind::RateLimited { retry_after, daily }));
        }
        self.allowance.answered(headers, false);
        Err(Failure::refusal(*status, (self.refusal)(route, *status, body)))
    }

    fn record(
        &self,
        route: &'static Route,
        failure: Option<&Failure>,
        started: Instant,
        leave: Leave<'_>,
    ) {
        let now = Instant::now();
        let took = now.duration_since(started);
        let kind = failure.map(|failure| &failure.kind);
        match failure.map(|failure| failure.stage) {
            Some(Stage::Unanswered)
                if kind == Some(&Kind::Timeout) && took < PATIENCE.min(self.timeout) =>
            {
                drop(leave);
            }
            Some(Stage::Unanswered | Stage::Unconnected) => leave.failed(now),
            Some(Stage::Answered | Stage::Held) | None => leave.answered(),
        }
        match kind {
            None => self.health.good(route.effect),
            // Not before it is known that there is no other credential.
            Some(Kind::Unauthorized) => {}
            Some(kind) => self.health.bad(kind, route.effect),
        }
        route.measure(kind, took, &self.whose);
        tracing::debug!(
            { names::UPSTREAM_NAME } = self.system.as_str(),
            { names::UPSTREAM_ROUTE } = route.template,
            { names::OUTCOME } = outcome(kind),
            { names::DURATION_MS } = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "upstream call"
        );
    }
}

/// Counts a call that waits for a free connection, however the wait ends.
struct Waiting<'a>(&'a Gauge);

impl<'a> Waiting<'a> {
    fn enter(gauge: &'a Gauge) -> Self {
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

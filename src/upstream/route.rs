//! One operation of a system: its method, its path template, what it needs and what it measures.
//!
//! Routes are statics, so that the handles of their metrics are looked up once and not on every
//! call. The template is both what is measured and logged and what the path is made from, so the
//! two cannot drift apart, and nothing but the template ever reaches a log line.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Counter, Histogram};
use reqwest::Method;
use url::Url;

use crate::telemetry::names;
use crate::unified::System;

use super::Kind;

/// An operation of a system.
pub struct Route {
    pub system: System,
    pub method: Method,
    /// The path after the base URL, with `{placeholders}`.
    pub template: &'static str,
    pub effect: Effect,
    /// The scope that the vendor's documents ask for; empty where there are no scopes.
    pub scope: &'static str,
    meters: OnceLock<Meters>,
}

/// Whether an operation changes anything, which decides whether it may be repeated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Changes nothing (HighLevel's search is a POST and a read).
    Read,
    /// Changes something, to the same however often it is sent.
    Repeatable,
    /// Must not be sent twice.
    Write,
}

impl Effect {
    /// Whether it changes anything.
    pub const fn writes(self) -> bool {
        matches!(self, Self::Repeatable | Self::Write)
    }
}

impl Route {
    /// An operation that changes nothing.
    pub const fn read(
        system: System,
        method: Method,
        template: &'static str,
        scope: &'static str,
    ) -> Self {
        Self { system, method, template, effect: Effect::Read, scope, meters: OnceLock::new() }
    }

    /// An operation that changes something.
    pub const fn write(
        system: System,
        method: Method,
        template: &'static str,
        scope: &'static str,
    ) -> Self {
        Self { system, method, template, effect: Effect::Write, scope, meters: OnceLock::new() }
    }

    /// An operation that changes something, to the same however often it is sent.
    pub const fn repeatable(
        system: System,
        method: Method,
        template: &'static str,
        scope: &'static str,
    ) -> Self {
        let effect = Effect::Repeatable;
        Self { system, method, template, effect, scope, meters: OnceLock::new() }
    }

    /// Counts one finished attempt.
    pub(super) fn measure(&self, failure: Option<&Kind>, took: Duration) {
        let meters = self.meters.get_or_init(|| Meters::new(self));
        meters.outcomes[index(failure)].increment(1);
        meters.duration.record(took);
    }
}

struct Meters {
    outcomes: [Counter; OUTCOMES.len()],
    duration: Histogram,
}

/// The values of the label `outcome`, in the order of [`index`].
const OUTCOMES: [&str; 15] = [
    "ok",
    "unauthorized",
    "scope_missing",
    "rate_limited",
    "not_found",
    "duplicate",
    "rejected",
    "unavailable",
    "timeout",
    "malformed",
    "not_connected",
    "list_gone",
    "opted_out",
    "busy",
    "full",
];

fn index(failure: Option<&Kind>) -> usize {
    match failure {
        None => 0,
        Some(Kind::Unauthorized) => 1,
        Some(Kind::ScopeMissing(_)) => 2,
        Some(Kind::RateLimited { .. }) => 3,
        Some(Kind::NotFound) => 4,
        Some(Kind::Duplicate { .. }) => 5,
        Some(Kind::Rejected { .. }) => 6,
        Some(Kind::Unavailable) => 7,
        Some(Kind::Timeout) => 8,
        Some(Kind::Malformed) => 9,
        Some(Kind::NotConnected) => 10,
        Some(Kind::ListGone) => 11,
        Some(Kind::OptedOut { .. }) => 12,
        Some(Kind::Busy) => 13,
        Some(Kind::Full) => 14,
    }
}

/// The value of the label `outcome`, and of the same field in log lines.
pub(super) fn outcome(failure: Option<&Kind>) -> &'static str {
    OUTCOMES[index(failure)]
}

impl Meters {
    fn new(route: &Route) -> Self {
        let (system, template) = (route.system.as_str(), route.template);
        let counter = |outcome| {
            metrics::counter!(
                names::UPSTREAM_CALLS,
                names::SYSTEM => system,
                names::ROUTE => template,
                names::OUTCOME => outcome
            )
        };
        Self {
            outcomes: OUTCOMES.map(counter),
            duration: metrics::histogram!(names::UPSTREAM_DURATION, names::SYSTEM => system),
        }
    }
}
/// A path after that of a base URL.
pub fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

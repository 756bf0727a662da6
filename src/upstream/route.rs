//! One operation of a system: its method, its path template, what it needs and what it measures.
//!
//! The template is both what is measured and logged and what the path is made from, so the
//! two cannot drift apart, and nothing but the template ever reaches a log line.

use std::time::Duration;

use metrics::SharedString;
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
        Self { system, method, template, effect: Effect::Read, scope }
    }

    /// An operation that changes something.
    pub const fn write(
        system: System,
        method: Method,
        template: &'static str,
        scope: &'static str,
    ) -> Self {
        Self { system, method, template, effect: Effect::Write, scope }
    }

    /// An operation that changes something, to the same however often it is sent.
    pub const fn repeatable(
        system: System,
        method: Method,
        template: &'static str,
        scope: &'static str,
    ) -> Self {
        Self { system, method, template, effect: Effect::Repeatable, scope }
    }

    /// Counts one finished attempt of a workspace; of nobody's the name is empty.
    pub(super) fn measure(&self, failure: Option<&Kind>, took: Duration, whose: &SharedString) {
        let system = self.system.as_str();
        metrics::counter!(
            names::UPSTREAM_CALLS,
            names::SYSTEM => system,
            names::ROUTE => self.template,
            names::OUTCOME => outcome(failure),
            names::WORKSPACE => whose.clone()
        )
        .increment(1);
        metrics::histogram!(
            names::UPSTREAM_DURATION,
            names::SYSTEM => system,
            names::WORKSPACE => whose.clone()
        )
        .record(took);
    }
}

/// The value of the label `outcome`, and of the same field in log lines.
pub(super) fn outcome(failure: Option<&Kind>) -> &'static str {
    match failure {
        None => "ok",
        Some(Kind::Unauthorized) => "unauthorized",
        Some(Kind::ScopeMissing(_)) => "scope_missing",
        Some(Kind::RateLimited { .. }) => "rate_limited",
        Some(Kind::NotFound) => "not_found",
        Some(Kind::Duplicate { .. }) => "duplicate",
        Some(Kind::Rejected { .. }) => "rejected",
        Some(Kind::Unavailable) => "unavailable",
        Some(Kind::Timeout) => "timeout",
        Some(Kind::Malformed) => "malformed",
        Some(Kind::NotConnected) => "not_connected",
        Some(Kind::ListGone) => "list_gone",
        Some(Kind::OptedOut { .. }) => "opted_out",
        Some(Kind::Busy) => "busy",
        Some(Kind::Full) => "full",
    }
}
/// A path after that of a base URL.
pub fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

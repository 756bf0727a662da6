//! `[telemetry]`: logs and metrics.

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use super::check::Check;

/// See `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Telemetry {
    /// For whom log lines are written.
    pub format: LogFormat,
    /// Which are written, in the syntax of `RUST_LOG`.
    pub filter: String,
    /// Whether `/metrics` answers.
    pub metrics: bool,
}

/// For whom log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Human,
    /// For machines: one JSON object a line.
    Json,
}

impl Telemetry {
    pub(super) fn validate(&self, check: &mut Check<'_>) {
        if let Err(error) = EnvFilter::builder().parse(&self.filter) {
            check.fault("filter", format!("not a log filter such as \"info\": {error}"));
        }
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        super::Config::default().telemetry
    }
}

//! Logs and metrics: how they leave the process, and what they are called.
//!
//! A log message is a fixed text; what varies goes into fields, whose names are in [`names`] beside
//! those of the metrics. Neither ever carries an e-mail address, a phone number, a token or a full
//! URL: a route is its template (`/contacts/{contactId}`), a person is a contact id. A metric's
//! labels come from closed sets, since each combination of values is kept in memory for ever.
//!
//! Logs go to standard error, because standard output belongs to the commands. The first caller
//! installs both for the process; later ones (tests start many gateways) share what there is.

mod log;
mod metrics;

pub mod names;

pub use metrics::Metrics;

use tracing::Span;

use crate::config::telemetry::Telemetry;

/// What log lines of a workspace's doing carry. At the highest level, so that it is there whichever lines
/// are written.
pub fn of_workspace(id: &str) -> Span {
    tracing::error_span!("of", workspace = id)
}

/// Turns on logs and metrics for this process, if no one did so before.
pub fn init(config: &Telemetry) -> Metrics {
    log::install(config);
    Metrics::install()
}

//! Log lines on standard error, for people or for machines.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::Subscriber;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::telemetry::{LogFormat, Telemetry};

/// Starts logging; does nothing where it was started already.
pub(super) fn install(config: &Telemetry) {
    // A loaded config was validated: a filter that does not parse comes from a test.
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = Subscriber::builder().with_env_filter(filter).with_writer(io::stderr);
    // The only error is that a subscriber is there, which is what we want.
    let _ = match config.format {
        LogFormat::Human => lines.with_ansi(io::stderr().is_terminal()).finish().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init(),
    };
}

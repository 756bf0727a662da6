//! The file of the documents that the operator trusts.

use std::path::Path;

use anyhow::{Context, anyhow};

use crate::config::Config;
use crate::graphql::Trusted;
use crate::graphql::limits::Limits;

/// Reads `documents.trusted`; no documents if it is not set. A document that no client could run is a
/// fault of the file.
pub(super) fn trusted(config: &Config) -> anyhow::Result<Trusted> {
    let Some(path) = &config.documents.trusted else { return Ok(Trusted::default()) };
    let limits = Limits::from_config(&config.limits, config.doppler.scan_up_to);
    read(path, &limits).with_context(|| format!("documents.trusted: {}", path.display()))
}

fn read(path: &Path, limits: &Limits) -> anyhow::Result<Trusted> {
    let trusted = Trusted::parse(&std::fs::read_to_string(path)?).map_err(|why| anyhow!(why))?;
    trusted.check(limits).map_err(|why| anyhow!(why))?;
    Ok(trusted)
}

//! `[bus]`: how parts of the gateway tell each other what changed.

use serde::Deserialize;

use super::check::Check;

/// See `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Bus {
    /// Empty: in-process. Nothing else exists in this version.
    pub url: String,
}

impl Bus {
    pub(super) fn validate(&self, check: &mut Check<'_>) {
        if !self.url.is_empty() {
            check.fault("url", "must be empty: this version has the in-process bus only");
        }
    }
}

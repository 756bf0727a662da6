//! `[store]`: where links and last known copies are kept.

use std::fmt;

use serde::Deserialize;
use url::Url;

use super::check::Check;

/// See `default.toml` for what each key means.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Store {
    /// `sqlite://PATH`, with a relative or absolute path. May hold a password: show [`Store::shown`].
    pub url: String,
}

impl Store {
    /// The URL without user name and password.
    pub fn shown(&self) -> String {
        match Url::parse(&self.url) {
            Ok(mut url) if url.has_authority() && !url.username().is_empty() => {
                // Neither can fail on a URL that has an authority.
                let _ = url.set_username("");
                let _ = url.set_password(None);
                url.to_string()
            }
            _ => self.url.clone(),
        }
    }

    pub(super) fn validate(&self, check: &mut Check<'_>) {
        let path = self.url.strip_prefix("sqlite:").map(|rest| rest.trim_start_matches("//"));
        match path {
            Some("") => check.fault("url", "names no file: write sqlite://tandem.db"),
            Some(_) => {}
            None => check.fault("url", "must begin with sqlite://, the only store of this version"),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("url", &self.shown()).finish()
    }
}

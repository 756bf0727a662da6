//! `[bus]`: how parts of the gateway, and gateways among themselves, tell each other what changed.

use std::fmt;

use serde::Deserialize;
use url::Url;

use super::check::Check;

/// See `default.toml` for what each key means.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Bus {
    /// Empty: in-process on SQLite, NOTIFY on PostgreSQL. `nats://…` or `tls://…`: NATS. May hold a
    /// password: show [`Bus::shown`].
    pub url: String,
    /// The channel of NOTIFY, or the subject of NATS.
    pub channel: String,
}

impl Bus {
    /// Whether NATS carries the news.
    pub fn is_nats(&self) -> bool {
        self.url.starts_with("nats://") || self.url.starts_with("tls://")
    }

    /// The URL without user name and password.
    pub fn shown(&self) -> String {
        match Url::parse(&self.url) {
            Ok(mut url) if url.has_authority() => {
                // Neither can fail on a URL that has an authority.
                let _ = url.set_username("");
                let _ = url.set_password(None);
                url.to_string()
            }
            _ => self.url.clone(),
        }
    }

    pub(super) fn validate(&self, check: &mut Check<'_>) {
        if self.is_nats() {
            if !cfg!(feature = "nats") {
                check.fault("url", "this build has no NATS: build with --features nats");
            } else if !Url::parse(&self.url).is_ok_and(|url| url.has_host()) {
                check.fault("url", "names no host: write nats://host:4222");
            }
        } else if !self.url.is_empty() {
            check.fault("url", "must be empty or begin with nats:// or tls://");
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let length = self.channel.len();
        // PostgreSQL's names end at 63 bytes; a subject must not end in a dot.
        if !(1..=63).contains(&length)
            || !self.channel.chars().all(plain)
            || self.channel.split('.').any(str::is_empty)
        {
            check.fault("channel", "must be 1 to 63 letters, digits, `_`, `-` and inner `.`");
        }
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("url", &self.shown()).field("channel", &self.channel).finish()
    }
}

//! `[store]`: where state is kept, and how long.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::check::Check;

/// See `default.toml` for what each key means.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Store {
    /// `sqlite://PATH`, with a relative or absolute path, or `postgres://…`. May hold a password:
    /// show [`Store::shown`].
    pub url: String,
    /// Most connections to PostgreSQL.
    pub connections: u32,
    /// How long events are kept.
    #[serde(with = "humantime_serde")]
    pub keep_history: Duration,
    /// How long edits are kept after they were done.
    #[serde(with = "humantime_serde")]
    pub keep_edits: Duration,
}

const DAY: Duration = Duration::from_hours(24);

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

    /// Whether several gateways can share it.
    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres://") || self.url.starts_with("postgresql://")
    }

    pub(super) fn validate(&self, check: &mut Check<'_>) {
        let path = self.url.strip_prefix("sqlite:").map(|rest| rest.trim_start_matches("//"));
        match path {
            Some("") => check.fault("url", "names no file: write sqlite://tandem.db"),
            Some(_) => {}
            None if self.is_postgres() && cfg!(feature = "postgres") => {}
            None if self.is_postgres() => {
                check.fault("url", "this build has no PostgreSQL: build with --features postgres");
            }
            None => check.fault("url", "must begin with sqlite:// or postgres://"),
        }
        check.within("connections", self.connections, 2..=1_000);
        check.lasting("keep_history", self.keep_history, DAY..=DAY * 3_650);
        check.lasting("keep_edits", self.keep_edits, DAY..=DAY * 3_650);
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("url", &self.shown()).finish()
    }
}

//! `[doppler]`: access to Doppler.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::check::Check;
use super::value::{self, SecretSlot};

/// See `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Doppler {
    /// Where the API is; paths are appended.
    #[serde(deserialize_with = "value::url")]
    pub base_url: Url,
    /// The account's name, an e-mail address. Set in every loaded config.
    pub account: Option<String>,
    /// The account's API key. Set in every loaded config.
    pub api_key: Option<SecretString>,
    /// A file that holds it.
    pub api_key_file: Option<PathBuf>,
    /// The day on which it ends.
    #[serde(default, deserialize_with = "value::optional_day")]
    pub api_key_expires: Option<DateTime<Utc>>,
    /// Name of the list in which new people are looked for first.
    pub default_list: Option<String>,
    /// Up to this many subscribers a look-up of several people reads the account's pages.
    pub scan_up_to: u32,
    /// Most calls at the same time.
    pub connections: usize,
    /// Longest wait for a connection.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// Longest wait for a whole answer.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// Calls a second that we allow ourselves; 0 is no limit.
    pub rate: f64,
    /// Calls that may be made at once after a rest.
    pub burst: u32,
    /// How often Doppler is asked for changes.
    #[serde(with = "humantime_serde")]
    pub poll_interval: Duration,
    /// How often people's opens and clicks are looked for; 0: never.
    #[serde(with = "humantime_serde")]
    pub engagement_interval: Duration,
}

impl Doppler {
    pub(super) fn secrets(&mut self) -> Vec<SecretSlot<'_>> {
        vec![SecretSlot { key: "api_key", secret: &mut self.api_key, file: &self.api_key_file }]
    }

    /// With a vault the key may also be given by `connectDoppler`.
    fn validate_key(&self, vaulted: bool, check: &mut Check<'_>) {
        let named = self.api_key.is_some() || self.api_key_file.is_some();
        check.required("api_key", named || vaulted, "the API key of the Doppler account");
    }

    pub(super) fn validate(&self, vaulted: bool, check: &mut Check<'_>) {
        const SECOND: Duration = Duration::from_secs(1);
        check.http_url("base_url", &self.base_url);
        let hint = "the e-mail address the Doppler account was opened with";
        check.required("account", self.account.is_some(), hint);
        if self.account.as_deref().is_some_and(|account| !account.contains('@')) {
            check.fault("account", "must be the e-mail address the account was opened with");
        }
        self.validate_key(vaulted, check);
        if self.api_key.as_ref().is_some_and(|key| key.expose_secret().trim().is_empty()) {
            check.fault("api_key", "must not be empty");
        }
        check.within("scan_up_to", self.scan_up_to, 0..=100_000);
        check.within("connections", self.connections, 1..=1_024);
        check.lasting("connect_timeout", self.connect_timeout, SECOND / 100..=SECOND * 60);
        check.lasting("timeout", self.timeout, SECOND / 10..=SECOND * 120);
        check.within("rate", self.rate, 0.0..=100_000.0);
        check.within("burst", self.burst, 1..=100_000);
        check.lasting("poll_interval", self.poll_interval, SECOND..=SECOND * 86_400);
        if !self.engagement_interval.is_zero() {
            let allowed = SECOND..=SECOND * 86_400;
            check.lasting("engagement_interval", self.engagement_interval, allowed);
        }
    }
}

impl Default for Doppler {
    fn default() -> Self {
        super::Config::default().doppler
    }
}

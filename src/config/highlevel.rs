//! `[highlevel]`: access to HighLevel.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::DecodePublicKey;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::check::Check;
use super::value::{self, SecretSlot};

/// See `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct HighLevel {
    /// Where the API is; paths are appended.
    #[serde(deserialize_with = "value::url")]
    pub base_url: Url,
    /// The page where a person grants access.
    #[serde(deserialize_with = "value::url")]
    pub authorize_url: Url,
    /// The location (sub-account). Set in every loaded config.
    pub location_id: Option<String>,
    /// A private integration token of the location. Set in every loaded config.
    pub token: Option<SecretString>,
    /// A file that holds it.
    pub token_file: Option<PathBuf>,
    /// The day on which it ends.
    #[serde(default, deserialize_with = "value::optional_day")]
    pub token_expires: Option<DateTime<Utc>>,
    /// The marketplace app's id.
    pub client_id: Option<String>,
    /// The marketplace app's secret.
    pub client_secret: Option<SecretString>,
    /// A file that holds it.
    pub client_secret_file: Option<PathBuf>,
    /// The marketplace app's version; the part of `client_id` before its dash if not set.
    pub version_id: Option<String>,
    /// Rights that `token` was given.
    pub scopes: Vec<String>,
    /// Rights that the consent page asks for unless a client names others.
    pub consent_scopes: Vec<String>,
    /// Ed25519 keys (PEM, one after the other) of webhook signatures beside the published one.
    pub webhook_public_key: Option<String>,
    /// Whether webhooks with only the older RSA signature count.
    pub legacy_webhook_signatures: bool,
    /// Zone of the location; without it the location is asked.
    #[serde(default, deserialize_with = "value::optional_zone")]
    pub timezone: Option<Tz>,
    /// How long search may lag behind a write.
    #[serde(with = "humantime_serde")]
    pub index_delay: Duration,
    /// From the end of one look for changes to the next.
    #[serde(with = "humantime_serde")]
    pub poll_interval: Duration,
    /// Most calls at the same time.
    pub connections: usize,
    /// Longest wait for a connection.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// Longest wait for a whole answer.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// Calls in ten seconds, until a header says otherwise; 0 is no limit.
    pub burst: u32,
}

impl HighLevel {
    pub(super) fn secrets(&mut self) -> Vec<SecretSlot<'_>> {
        let token = SecretSlot { key: "token", secret: &mut self.token, file: &self.token_file };
        let client_secret = SecretSlot {
            key: "client_secret",
            secret: &mut self.client_secret,
            file: &self.client_secret_file,
        };
        vec![token, client_secret]
    }

    /// With a vault the token may also be given by `connectHighLevel`. Tokens by OAuth have nowhere
    /// else to be kept.
    fn validate_token(&self, vaulted: bool, check: &mut Check<'_>) {
        let named = self.token.is_some() || self.token_file.is_some();
        check.required("token", named || vaulted, "a private integration token of the location");
        if self.client_id.is_some() && !vaulted {
            let message = "needs vault.keys: what OAuth grants is stored, encrypted";
            check.fault("client_id", message);
        }
        let secret = self.client_secret.is_some() || self.client_secret_file.is_some();
        if self.client_id.is_some() != secret {
            check.fault("client_secret", "client_id and client_secret belong together");
        }
    }

    pub(super) fn validate(&self, vaulted: bool, check: &mut Check<'_>) {
        const SECOND: Duration = Duration::from_secs(1);
        check.http_url("base_url", &self.base_url);
        check.http_url("authorize_url", &self.authorize_url);
        check.required("location_id", self.location_id.is_some(), "the id of the sub-account");
        if let Some(id) = &self.location_id
            && !(1..=64).contains(&id.len())
        {
            check.fault("location_id", "must have 1 to 64 characters");
        }
        self.validate_token(vaulted, check);
        for (key, secret) in [("token", &self.token), ("client_secret", &self.client_secret)] {
            if secret.as_ref().is_some_and(|secret| secret.expose_secret().trim().is_empty()) {
                check.fault(key, "must not be empty");
            }
        }
        if let Some(keys) = &self.webhook_public_key
            && !keys.trim().is_empty()
            && !pem_blocks(keys).all(|key| VerifyingKey::from_public_key_pem(&key).is_ok())
        {
            check.fault("webhook_public_key", "is not an Ed25519 public key in PEM form");
        }
        check.lasting("index_delay", self.index_delay, Duration::ZERO..=SECOND * 600);
        check.lasting("poll_interval", self.poll_interval, SECOND..=SECOND * 86_400);
        check.within("connections", self.connections, 1..=1_024);
        check.lasting("connect_timeout", self.connect_timeout, SECOND / 100..=SECOND * 60);
        check.lasting("timeout", self.timeout, SECOND / 10..=SECOND * 120);
    }
}

impl Default for HighLevel {
    fn default() -> Self {
        super::Config::default().highlevel
    }
}

/// The PEM blocks of a text, each with its frame.
pub fn pem_blocks(text: &str) -> impl Iterator<Item = String> {
    const END: &str = "-----END PUBLIC KEY-----";
    let blocks = text.split(END).map(str::trim).filter(|block| !block.is_empty());
    blocks.map(|block| format!("{block}\n{END}\n"))
}

//! `[auth]`: who may call the API.
//!
//! "Everyone who can reach it" is accepted on a loopback address only; everywhere else clients show a
//! signed token.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::check::{Check, is_loopback};
use super::value::{self, SecretSlot};

/// A shorter secret can be guessed: RFC 7518, section 3.2, wants as many bytes as the hash has.
const SHORTEST_SECRET: usize = 32;

/// See `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Auth {
    /// How a client is recognised.
    pub mode: Mode,
    /// Shared secret of HS256 tokens.
    pub hs256_secret: Option<SecretString>,
    /// A file that holds it.
    pub hs256_secret_file: Option<PathBuf>,
    /// Where public keys are fetched.
    #[serde(default, deserialize_with = "value::optional_url")]
    pub jwks_url: Option<Url>,
    /// A file of public keys.
    pub jwks_file: Option<PathBuf>,
    /// The `iss` a token must have.
    pub issuer: Option<String>,
    /// The `aud` a token must have.
    pub audience: Option<String>,
    /// The claim that names the workspace.
    pub workspace_claim: String,
    /// How far an issuer's clock may be from this machine's.
    #[serde(with = "humantime_serde")]
    pub clock_skew: Duration,
}

/// How a client is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Not at all: every caller has every right.
    Off,
    /// By a signed token.
    Jwt,
}

impl Auth {
    pub(super) fn secrets(&mut self) -> Vec<SecretSlot<'_>> {
        vec![SecretSlot {
            key: "hs256_secret",
            secret: &mut self.hs256_secret,
            file: &self.hs256_secret_file,
        }]
    }

    pub(super) fn validate(&self, check: &mut Check<'_>) {
        const MINUTE: Duration = Duration::from_secs(60);
        if let Some(url) = &self.jwks_url {
            check.http_url("jwks_url", url);
            // Whoever stands in between could put keys of their own there.
            if url.scheme() == "http" && !is_loopback(url) {
                check.fault("jwks_url", "must begin with https://, or be a loopback address");
            }
        }
        if self.workspace_claim.is_empty() {
            check.fault("workspace_claim", "must not be empty");
        }
        check.lasting("clock_skew", self.clock_skew, Duration::ZERO..=MINUTE * 5);
        if self.mode == Mode::Jwt {
            self.validate_keys(check);
        }
    }

    fn validate_keys(&self, check: &mut Check<'_>) {
        let secret = self.hs256_secret.is_some() || self.hs256_secret_file.is_some();
        let sources = [secret, self.jwks_url.is_some(), self.jwks_file.is_some()];
        if sources.into_iter().filter(|given| *given).count() != 1 {
            let message = "\"jwt\" needs one of hs256_secret, jwks_url and jwks_file";
            check.fault("mode", message);
        }
        if self.hs256_secret.as_ref().is_some_and(|it| it.expose_secret().len() < SHORTEST_SECRET) {
            let message = format!("must have at least {SHORTEST_SECRET} bytes");
            check.fault("hs256_secret", message);
        }
        // An issuer gives tokens for other services too.
        if !secret && self.audience.is_none() {
            check.fault("audience", "is needed with an issuer's keys: whom its tokens are for");
        }
    }

    /// Without authentication the gateway must not be reachable from elsewhere.
    pub(super) fn validate_reach(&self, listen: SocketAddr, check: &mut Check<'_>) {
        if self.mode == Mode::Off && !listen.ip().is_loopback() {
            let message = format!(
                "{listen} is reachable from other machines, which auth.mode = \"off\" does not \
                 allow: set auth.mode = \"jwt\", or listen on 127.0.0.1 or [::1]"
            );
            check.fault("listen", message);
        }
    }
}

//! `[auth]`: who may call the API.
//!
//! This version knows one answer, "everyone who can reach it", and so accepts it on a loopback
//! address only. The keys of the next answer are read and checked, so that a file written for it
//! gets one clear refusal and not a list of unknown keys.

use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::check::Check;
use super::value::{self, SecretSlot};

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
}

/// How a client is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Not at all: every caller has every right.
    Off,
    /// By a signed token. Refused in this version.
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
        if self.mode == Mode::Jwt {
            let message = "client authentication is not available in this version: \
                           use \"off\" on a loopback address";
            check.fault("mode", message);
        }
        if let Some(url) = &self.jwks_url {
            check.http_url("jwks_url", url);
        }
        if self.workspace_claim.is_empty() {
            check.fault("workspace_claim", "must not be empty");
        }
    }

    /// Without authentication the gateway must not be reachable from elsewhere.
    pub(super) fn validate_reach(&self, listen: SocketAddr, check: &mut Check<'_>) {
        if self.mode == Mode::Off && !listen.ip().is_loopback() {
            let message = format!(
                "{listen} is reachable from other machines, which auth.mode = \"off\" does not \
                 allow: listen on 127.0.0.1 or [::1]"
            );
            check.fault("listen", message);
        }
    }
}

//! What travels through a browser during a consent: sealed, so that nobody makes or changes one.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::secret_bytes;

use super::Vault;

/// How long a person may take from the first link to the last.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// What a consent was begun for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Pass {
    pub workspace: String,
    /// The location that is to be granted; `None`: the workspace's own, or whichever is chosen where
    /// it has none yet.
    pub location: Option<String>,
    /// What is to be asked for.
    pub scopes: Vec<String>,
}

/// A browser's own part of a consent: what is in its cookie. Whoever has the pass and not this has
/// nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Browser(pub String);

/// What is sealed.
#[derive(Deserialize, Serialize)]
struct Sealed {
    pass: Pass,
    /// The hash of the browser's part; `None` before there is one.
    browser: Option<String>,
    until_ms: i64,
}

impl Browser {
    /// One that nobody can guess.
    pub fn new() -> Self {
        Self(URL_SAFE_NO_PAD.encode(secret_bytes::<24>()))
    }

    fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_bytes()))
    }
}

impl Vault {
    /// Seals a pass: for whoever has the link, or for one browser. `None`: there is no key.
    pub fn issue(&self, pass: Pass, browser: Option<&Browser>) -> Option<String> {
        let until_ms = (self.shared.clock.now() + LIFETIME).timestamp_millis();
        let sealed = Sealed { pass, browser: browser.map(Browser::hash), until_ms };
        let plain = serde_json::to_vec(&sealed).ok()?;
        self.shared.keyring.seal(purpose(browser), &plain)
    }

    /// What a pass says; `None`: it is not ours, not this browser's, or too old.
    pub fn admit(&self, text: &str, browser: Option<&Browser>) -> Option<Pass> {
        let plain = self.shared.keyring.open(purpose(browser), text).ok()?;
        let sealed: Sealed = serde_json::from_slice(&plain).ok()?;
        let fresh = sealed.until_ms > self.shared.clock.now_ms();
        (fresh && sealed.browser == browser.map(Browser::hash)).then_some(sealed.pass)
    }
}

fn purpose(browser: Option<&Browser>) -> &'static str {
    if browser.is_some() { "state" } else { "link" }
}

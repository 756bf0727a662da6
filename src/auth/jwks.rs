//! Public keys as an issuer publishes them (RFC 7517).

use std::time::Duration;

use url::Url;

use super::keys::Keys;

/// An issuer answers in less, or not at all.
const PATIENCE: Duration = Duration::from_secs(5);
/// A set of keys is a few kilobytes, in bytes.
const LONGEST: usize = 256 * 1024;

/// Where keys are fetched.
pub(super) struct Source {
    client: reqwest::Client,
    url: Url,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum Unfetched {
    #[error("the issuer cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the issuer answered {0}")]
    Refused(reqwest::StatusCode),
    #[error("the issuer's answer is too long for a set of keys")]
    TooLong,
    #[error("the issuer's answer holds no key that can check a signature")]
    NoKeys,
}

impl Source {
    /// Nothing is called yet.
    pub fn new(url: Url) -> Result<Self, reqwest::Error> {
        let redirect = reqwest::redirect::Policy::none();
        // Whoever sets a proxy for this process, or answers with a redirect, must not choose our keys.
        let client = reqwest::Client::builder().timeout(PATIENCE).redirect(redirect).no_proxy();
        Ok(Self { client: client.build()?, url })
    }

    /// The keys as they are now: one call.
    pub async fn fetch(&self) -> Result<Keys, Unfetched> {
        #[expect(clippy::disallowed_methods, reason = "an issuer is no system with a budget")]
        let sent = self.client.get(self.url.clone()).send().await;
        let unreachable = |error: reqwest::Error| Unfetched::Unreachable(error.without_url());
        let mut answer = sent.map_err(unreachable)?;
        if !answer.status().is_success() {
            return Err(Unfetched::Refused(answer.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LONGEST {
                return Err(Unfetched::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Keys::parse(&body).filter(|keys| !keys.is_empty()).ok_or(Unfetched::NoKeys)
    }
}

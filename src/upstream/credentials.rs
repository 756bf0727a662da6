//! What a client proves itself with, behind a seam.
//!
//! A client asks for its `Authorization` header before every call and never sees where it comes
//! from: [`Token`] is a fixed one from the config; the vault, which refreshes OAuth tokens, implements
//! the same trait.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::unified::WorkspaceId;

use super::{CredentialKind, Kind};

/// A source of `Authorization` headers.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// The header to send now, marked sensitive so that nothing prints it. Errors with
    /// [`Kind::NotConnected`] if there is none and [`Kind::Unauthorized`] if it cannot be renewed.
    async fn authorization(&self) -> Result<HeaderValue, Kind>;

    /// What kind of credential there is; `None` if there is none.
    fn kind(&self) -> Option<CredentialKind>;

    /// A number that changes with what the credential may see and gives nothing of it away.
    fn fingerprint(&self) -> u64;

    /// Whose it is; `None`: nobody's yet, it is being tried.
    fn workspace(&self) -> Option<&WorkspaceId> {
        None
    }

    /// The Doppler account or HighLevel location that it is for, where the settings do not name one.
    fn account(&self) -> Option<Arc<str>> {
        None
    }

    /// What else is known of it.
    fn facts(&self) -> Facts {
        Facts::default()
    }

    /// Told that the system refused a header; whether there is another by now. Never waits longer
    /// than a renewal takes.
    async fn refused(&self, _header: &HeaderValue) -> bool {
        false
    }
}

/// What is known of a credential beside the secret.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts {
    /// What it was granted for; `None`: what the config says.
    pub scopes: Option<Arc<[String]>>,
    /// When it ends unless it is renewed.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it ends for good unless a person does something: it cannot renew itself then.
    pub ends_at: Option<DateTime<Utc>>,
    /// When it was last put in the place of another.
    pub rotated_at: Option<DateTime<Utc>>,
    /// It cannot be renewed any more: only a person can mend that.
    pub lost: bool,
}

/// A credential that stays the same while the program runs.
pub struct Token {
    header: Option<HeaderValue>,
    kind: CredentialKind,
    fingerprint: u64,
    expires_at: Option<DateTime<Utc>>,
}

impl Token {
    /// `scheme` and the secret, as in `Authorization: Bearer SECRET`. An absent or empty secret, or
    /// one that cannot stand in a header, makes the system not connected.
    pub fn new(scheme: &str, secret: Option<&SecretString>, kind: CredentialKind) -> Self {
        let secret = secret.map(|secret| secret.expose_secret().trim()).unwrap_or_default();
        let header = if secret.is_empty() {
            None
        } else {
            HeaderValue::try_from(format!("{scheme} {secret}")).ok().map(|mut value| {
                value.set_sensitive(true);
                value
            })
        };
        Self { header, kind, fingerprint: fingerprint(secret.as_bytes()), expires_at: None }
    }

    /// The same, which ends at a time that somebody told.
    #[must_use]
    pub fn until(self, expires_at: Option<DateTime<Utc>>) -> Self {
        Self { expires_at, ..self }
    }
}

#[async_trait]
impl Credentials for Token {
    async fn authorization(&self) -> Result<HeaderValue, Kind> {
        self.header.clone().ok_or(Kind::NotConnected)
    }

    fn kind(&self) -> Option<CredentialKind> {
        self.header.as_ref().map(|_| self.kind)
    }

    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    fn facts(&self) -> Facts {
        Facts { expires_at: self.expires_at, ends_at: self.expires_at, ..Facts::default() }
    }
}

/// Eight bytes of a hash, as a number.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    let digest = Sha256::digest(bytes);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_is_sent_with_its_scheme_and_never_printed() {
        let secret = SecretString::from("s3cret");
        let token = Token::new("token", Some(&secret), CredentialKind::ApiKey);
        let header = token.authorization().await.unwrap();
        assert_eq!(header.as_bytes(), b"token s3cret");
        assert!(!format!("{header:?}").contains("s3cret"));
        assert_eq!(token.kind(), Some(CredentialKind::ApiKey));
    }

    #[tokio::test]
    async fn without_a_secret_nothing_is_connected() {
        for secret in [None, Some(SecretString::from(" ")), Some(SecretString::from("a\nb"))] {
            let token = Token::new("Bearer", secret.as_ref(), CredentialKind::ApiKey);
            assert_eq!(token.authorization().await, Err(Kind::NotConnected));
            assert_eq!(token.kind(), None);
        }
    }
}

//! The side of a system that gives credentials out, behind a seam: the vault asks an [`Authorizer`] for
//! tokens.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;

use super::Error;

/// An OAuth 2.0 authorization server as we use it.
#[async_trait]
pub trait Authorizer: Send + Sync {
    /// Where a person is asked; they come back to `redirect` with a code and the same `state`.
    fn consent_page(&self, redirect: &Url, state: &str, scopes: &[String]) -> Url;

    /// Tokens for a code, which is good once. A failure may have used it up.
    async fn redeem(&self, code: &str, redirect: &Url) -> Result<Granted, NotGranted>;

    /// New tokens for a refresh token, which is good once: the new ones must be kept before they are
    /// used. A failure that is not [`NotGranted::Gone`] may have used it up.
    async fn refresh(&self, token: &SecretString) -> Result<Granted, NotGranted>;

    /// A token for one location, by the token of the company that has it, which may be shown again. It
    /// comes without a refresh token: that of the company is good for the next.
    async fn for_location(
        &self,
        company: (&str, &SecretString),
        location: &str,
    ) -> Result<Granted, NotGranted>;
}

/// What was given out. Debug shows no token.
#[derive(Clone, Debug)]
pub struct Granted {
    pub access: SecretString,
    pub refresh: Option<SecretString>,
    /// How long the access token is good for.
    pub expires_in: Duration,
    /// What for.
    pub scopes: Vec<String>,
    pub owner: Owner,
    /// For which of its locations a company granted it, as far as the answer says so.
    pub locations: Vec<String>,
}

/// Whose a token is, as the answer says; what was asked for does not count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Owner {
    Location(String),
    /// An agency, which may have many locations; its id.
    Company(String),
    Unknown,
}

/// Why no tokens were given out.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotGranted {
    /// What was shown is no longer good and never will be.
    #[error("the code or refresh token is not good any more")]
    Gone,
    /// There is nothing for this location now, which says nothing of what was shown.
    #[error("no token is given out for the location")]
    Declined,
    /// The app's own id or secret is wrong, which says nothing of what was shown.
    #[error("the app's id or secret was refused")]
    Client,
    /// The answer made no sense, or there was none.
    #[error(transparent)]
    Later(#[from] Error),
}

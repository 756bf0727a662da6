//! Making a token, for trying things.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

/// What a token is to say.
#[derive(Clone, Debug)]
pub struct TokenDraft<'a> {
    pub subject: &'a str,
    /// Names of scopes.
    pub scopes: &'a [String],
    /// The claim that names the workspace, and the workspace.
    pub workspace: (&'a str, &'a str),
    pub issuer: Option<&'a str>,
    pub audience: Option<&'a str>,
    pub issued: DateTime<Utc>,
    pub expires: DateTime<Utc>,
}

/// The token, signed by HS256; `None` cannot happen with a secret of any length.
pub fn sign(draft: &TokenDraft<'_>, secret: &SecretString) -> Option<String> {
    let mut claims = Map::new();
    let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    claim("sub", draft.subject.into());
    claim("scope", draft.scopes.join(" ").into());
    claim(draft.workspace.0, draft.workspace.1.into());
    claim("iat", draft.issued.timestamp().into());
    claim("exp", draft.expires.timestamp().into());
    if let Some(issuer) = draft.issuer {
        claim("iss", issuer.into());
    }
    if let Some(audience) = draft.audience {
        claim("aud", audience.into());
    }
    let key = EncodingKey::from_secret(secret.expose_secret().as_bytes());
    encode(&Header::new(Algorithm::HS256), &claims, &key).ok()
}

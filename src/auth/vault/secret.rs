//! What is inside a sealed credential.

use chrono::{DateTime, Utc};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::upstream::{CredentialKind, Granted, Owner, Token};

/// How long a refresh token that is not used is good: a year, by HighLevel's documentation
/// (<https://marketplace.gohighlevel.com/docs/Authorization/OAuth2.0>).
const REFRESH_LASTS_MS: i64 = 365 * 24 * 3_600_000;
/// How long before its end a token is renewed without anybody asking, if it lasts that long twice.
const EARLY_MS: i64 = 3_600_000;

/// A credential. Debug shows no secret.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Secret {
    pub(super) kind: CredentialKind,
    /// What is sent.
    #[serde(serialize_with = "exposed")]
    pub(super) token: SecretString,
    /// What the next token is asked for with; `None`: there is none.
    pub(super) renewal: Option<Renewal>,
    /// What it was granted for; `None`: nobody said.
    pub(super) scopes: Option<Vec<String>>,
    /// When it ends (epoch milliseconds); `None`: never.
    pub(super) expires_ms: Option<i64>,
    /// Since when there is this one (epoch milliseconds).
    pub(super) rotated_ms: i64,
    /// Since when somebody connected, whatever was renewed meanwhile (epoch milliseconds).
    pub(super) since_ms: i64,
    /// It cannot be renewed any more.
    pub(super) lost: bool,
}

/// How a token is renewed.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Renewal {
    /// Good once.
    #[serde(serialize_with = "exposed")]
    pub token: SecretString,
    /// The location that the token is for.
    pub location: String,
    /// The agency by whose consent there is one for the location.
    #[serde(default)]
    pub company: Option<String>,
    /// What that agency was granted and is yet to be exchanged for the location's token.
    #[serde(default)]
    pub owed: Option<Owed>,
}

/// An agency's own token.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Owed {
    #[serde(serialize_with = "exposed")]
    pub token: SecretString,
    /// When it ends (epoch milliseconds).
    pub expires_ms: i64,
}

impl Secret {
    /// A key that a person made.
    pub fn made(
        kind: CredentialKind,
        token: SecretString,
        scopes: Option<Vec<String>>,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            kind,
            token,
            renewal: None,
            scopes,
            expires_ms: None,
            rotated_ms: now.timestamp_millis(),
            since_ms: now.timestamp_millis(),
            lost: false,
        }
    }

    /// What an authorization server gave for a location; `None`: it cannot be renewed, so it is no
    /// credential to rely on.
    pub fn granted(mut granted: Granted, location: &str, now: DateTime<Utc>) -> Option<Self> {
        let refresh = granted.refresh.take()?;
        Some(Self::renewable(granted, refresh, (location, now)))
    }

    /// The same, with what the next token is asked for with.
    pub(super) fn renewable(
        Granted { access, expires_in, scopes, owner, .. }: Granted,
        refresh: SecretString,
        (location, now): (&str, DateTime<Utc>),
    ) -> Self {
        let company = company(&owner).map(str::to_owned);
        let renewal =
            Renewal { token: refresh, location: location.to_owned(), company, owed: None };
        Self {
            kind: CredentialKind::OAuth,
            token: access,
            renewal: Some(renewal),
            scopes: (!scopes.is_empty()).then_some(scopes),
            expires_ms: Some((now + expires_in).timestamp_millis()),
            rotated_ms: now.timestamp_millis(),
            since_ms: now.timestamp_millis(),
            lost: false,
        }
    }

    /// The next one after a renewal, as far as the answer goes: one that is of a company brings what
    /// the next renewal needs, and no token for the location but what one is given for.
    pub(super) fn renewed(mut self, granted: &Granted, now: DateTime<Utc>) -> Self {
        if let (Some(renewal), Some(refresh)) = (&mut self.renewal, &granted.refresh) {
            renewal.token = refresh.clone();
        }
        match (company(&granted.owner), &mut self.renewal) {
            (Some(company), Some(renewal)) => {
                renewal.company = Some(company.to_owned());
                let expires_ms = (now + granted.expires_in).timestamp_millis();
                renewal.owed = Some(Owed { token: granted.access.clone(), expires_ms });
            }
            (Some(_), None) => {}
            (None, _) => self = self.with_token(granted, now),
        }
        self
    }

    /// With another token for the location.
    pub(super) fn with_token(mut self, granted: &Granted, now: DateTime<Utc>) -> Self {
        self.token = granted.access.clone();
        self.expires_ms = Some((now + granted.expires_in).timestamp_millis());
        self.rotated_ms = now.timestamp_millis();
        if !granted.scopes.is_empty() {
            self.scopes = Some(granted.scopes.clone());
        }
        if let Some(renewal) = &mut self.renewal {
            renewal.owed = None;
        }
        self
    }

    /// What it was granted for, as far as that was said.
    pub fn granted_scopes(&self) -> Vec<String> {
        self.scopes.clone().unwrap_or_default()
    }

    /// The location that it was granted for, if it is renewed.
    pub(super) fn location(&self) -> Option<&str> {
        self.renewal.as_ref().map(|renewal| &*renewal.location)
    }

    /// The agency by whose consent there is one, if one's.
    pub fn granted_by(&self) -> Option<&str> {
        self.renewal.as_ref()?.company.as_deref()
    }

    /// Whether it was there before a time; without a time it was.
    pub fn is_from_before(&self, end: Option<DateTime<Utc>>) -> bool {
        end.is_none_or(|end| self.since_ms <= end.timestamp_millis())
    }

    /// For a call that tries it.
    pub fn as_token(&self) -> Token {
        let scheme = if self.kind == CredentialKind::ApiKey { "token" } else { "Bearer" };
        Token::new(scheme, Some(&self.token), self.kind)
    }

    /// The same, which ends at a time that somebody told.
    #[must_use]
    pub fn until(self, end: Option<DateTime<Utc>>) -> Self {
        Self { expires_ms: end.map(|end| end.timestamp_millis()), ..self }
    }

    /// When it ends whatever we do (epoch milliseconds): a token that is renewed lasts as long as what it
    /// is renewed with.
    pub(super) fn ends_ms(&self) -> Option<i64> {
        match &self.renewal {
            Some(_) => Some(self.rotated_ms.saturating_add(REFRESH_LASTS_MS)),
            None => self.expires_ms,
        }
    }

    /// Whether it is good for some time yet.
    pub(super) fn lasts_until(&self, ms: i64) -> bool {
        self.expires_ms.is_none_or(|expires| expires > ms)
    }

    /// Whether it ends so soon that it is renewed although nobody asks: an hour before, and in its second
    /// half at the earliest.
    pub(super) fn ends_soon(&self, now_ms: i64) -> bool {
        let half = self.expires_ms.map_or(0, |expires| (expires - self.rotated_ms) / 2);
        !self.lasts_until(now_ms + half.min(EARLY_MS))
    }

    /// The header that it is sent in; `None`: it cannot stand in one.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let scheme = if self.kind == CredentialKind::ApiKey { "token" } else { "Bearer" };
        let text = format!("{scheme} {}", self.token.expose_secret().trim());
        let mut header = HeaderValue::try_from(text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    pub(super) fn encoded(&self) -> Option<SecretString> {
        serde_json::to_string(self).ok().map(SecretString::from)
    }
}

fn company(owner: &Owner) -> Option<&str> {
    match owner {
        Owner::Company(company) => Some(company),
        Owner::Location(_) | Owner::Unknown => None,
    }
}

/// For the vault's own encoding, which is encrypted before it goes anywhere.
pub(super) fn exposed<S: Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose_secret())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn granted(expires_in: Duration) -> Secret {
        let granted = Granted {
            access: "a".into(),
            refresh: Some("r".into()),
            expires_in,
            scopes: Vec::new(),
            owner: Owner::Location("l".to_owned()),
            locations: Vec::new(),
        };
        Secret::granted(granted, "l", DateTime::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn a_token_is_renewed_an_hour_before_its_end_or_in_its_second_half() {
        for (lasts, at) in [(24 * HOUR, 23 * HOUR), (2 * HOUR, HOUR), (HOUR, HOUR / 2)] {
            let secret = granted(lasts);
            let at = i64::try_from(at.as_millis()).unwrap();
            assert!(!secret.ends_soon(at - 1), "{lasts:?}");
            assert!(secret.ends_soon(at), "{lasts:?}");
        }
        assert!(!granted(HOUR).until(None).ends_soon(i64::MAX));
    }
}

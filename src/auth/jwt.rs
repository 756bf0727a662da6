//! What a signed token says (RFC 7519), and whether it says it to us, now. Pure.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::keys::Keys;
use super::{Admitted, Denied, Requester, Scopes};
use crate::unified::WorkspaceId;

/// Longer than any token that is in use; what is longer is not even looked at, in bytes.
const LONGEST: usize = 8 * 1024;

/// Which tokens count.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// Who must have issued it.
    pub issuer: Option<String>,
    /// Whom it must be for.
    pub audience: Option<String>,
    /// The claim that names the workspace.
    pub workspace_claim: String,
    /// How far the issuer's clock may be from ours.
    pub skew: Duration,
}

/// Why a token does not count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// None of the keys can be its own.
    UnknownKey,
    /// A key that could be its own did not sign it: an issuer may name no keys, or take a name again.
    WrongSignature,
    Denied(Denied),
}

impl Fault {
    /// Whether the token may count with newer keys.
    pub fn is_of_keys(self) -> bool {
        match self {
            Self::UnknownKey | Self::WrongSignature => true,
            Self::Denied(_) => false,
        }
    }

    pub fn denied(self) -> Denied {
        match self {
            Self::UnknownKey => Denied::Unauthenticated("the token is signed with an unknown key"),
            Self::WrongSignature => Denied::Unauthenticated(WRONG_SIGNATURE),
            Self::Denied(denied) => denied,
        }
    }
}

const WRONG_SIGNATURE: &str = "the token's signature is wrong";

fn unauthenticated(why: &'static str) -> Fault {
    Fault::Denied(Denied::Unauthenticated(why))
}

/// Who a token says its bearer is; whether there is that workspace is for others to know.
pub(super) fn verify(
    token: &str,
    keys: &Keys,
    rules: &Rules,
    now: DateTime<Utc>,
) -> Result<Admitted, Fault> {
    if token.len() > LONGEST {
        return Err(unauthenticated("the token is too long"));
    }
    let header = decode_header(token).map_err(|_| unauthenticated("this is no signed token"))?;
    if header.crit.is_some() {
        // RFC 7515, section 4.1.11: who does not know what is critical must refuse.
        return Err(unauthenticated("the token has critical extensions that are not known here"));
    }
    let mut fault = Fault::UnknownKey;
    for key in keys.for_header(&header) {
        let mut wanted = Validation::new(key.algorithm);
        // Times are compared with the clock that was handed in.
        (wanted.validate_exp, wanted.validate_nbf) = (false, false);
        let mut required = vec!["exp"];
        if let Some(issuer) = &rules.issuer {
            wanted.set_issuer(&[issuer]);
            required.push("iss");
        }
        if let Some(audience) = &rules.audience {
            wanted.set_audience(&[audience]);
            required.push("aud");
        }
        wanted.set_required_spec_claims(&required);
        match decode::<Map<String, Value>>(token, &key.key, &wanted) {
            Ok(token) => return admit(&token.claims, rules, now),
            Err(error) => fault = why(&error),
        }
    }
    Err(fault)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what else there is concerns the signature")]
fn why(error: &Error) -> Fault {
    match error.kind() {
        ErrorKind::InvalidSignature => Fault::WrongSignature,
        ErrorKind::InvalidAudience => unauthenticated("the token is for another audience"),
        ErrorKind::InvalidIssuer => unauthenticated("the token is of another issuer"),
        ErrorKind::MissingRequiredClaim(_) => unauthenticated(
            "the token lacks a claim that is needed here: exp, and iss and aud where they are set",
        ),
        _ => unauthenticated(WRONG_SIGNATURE),
    }
}

fn admit(
    claims: &Map<String, Value>,
    rules: &Rules,
    now: DateTime<Utc>,
) -> Result<Admitted, Fault> {
    let skew = TimeDelta::from_std(rules.skew).unwrap_or_default();
    let time = |claim: &str| claims.get(claim).map(|value| value.as_f64().and_then(date));
    let until = match time("exp") {
        Some(Some(expires)) => expires.checked_add_signed(skew).unwrap_or(expires),
        Some(None) | None => return Err(unauthenticated("the token's exp is no time")),
    };
    if until <= now {
        return Err(unauthenticated("the token has expired"));
    }
    match time("nbf") {
        Some(Some(from)) if from > now + skew => {
            return Err(unauthenticated("the token is not valid yet"));
        }
        Some(None) => return Err(unauthenticated("the token's nbf is no time")),
        Some(Some(_)) | None => {}
    }
    let named = claims.get(&rules.workspace_claim).and_then(Value::as_str);
    let Some(named) = named else {
        return Err(Fault::Denied(Denied::Forbidden("the token names no workspace")));
    };
    let requester = Requester {
        workspace: WorkspaceId::from(named),
        subject: claims.get("sub").and_then(Value::as_str).map(Into::into),
        scopes: scopes(claims.get("scope")),
    };
    Ok(Admitted { requester, until: Some(until) })
}

/// A `NumericDate`, which may have a fraction.
fn date(seconds: f64) -> Option<DateTime<Utc>> {
    const FARTHEST: f64 = 253_402_300_799.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is within range then")]
    let millis = (0.0..=FARTHEST).contains(&seconds).then_some((seconds * 1000.0) as i64)?;
    DateTime::from_timestamp_millis(millis)
}

/// `scope` is a text with spaces (RFC 8693, section 4.2); some issuers write a list.
fn scopes(claim: Option<&Value>) -> Scopes {
    match claim {
        Some(Value::String(text)) => Scopes::named(text.split_whitespace()),
        Some(Value::Array(names)) => Scopes::named(names.iter().filter_map(Value::as_str)),
        _ => Scopes::default(),
    }
}

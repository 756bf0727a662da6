//! One API call on its way to a handler: who calls, with what, and the checks that all routes have
//! in common.
//!
//! The order of the checks is not documented. It is Version, token, scope, class of token,
//! validation, location, existence, business rules; the first four are here.

use std::borrow::Cow;
use std::sync::Arc;

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use serde_json::{Map, Value};

use super::dto::{self, Body, Rule};
use super::reply::Refusal;
use super::tokens::{Class, Grant, Tokens};
use super::when::Millis;
use crate::sandbox::fault::{Fault, Kind};
use crate::sandbox::here;

/// The published values of the `Version` header (docs/Versioning of the developer portal).
const VERSIONS: [&str; 4] = ["2021-07-28", "2021-04-15", "2023-02-21", "v3"];

/// What a route asks of a token.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// A sub-account's token with this scope; `""` where the specification names none.
    Location(&'static str),
    /// An agency's OAuth token with this scope.
    Agency(&'static str),
    /// Either class, with this scope.
    Either(&'static str),
}

/// A call that passed the checks of [`authorize`].
#[derive(Debug)]
pub struct Call {
    /// The token's rights.
    pub grant: Arc<Grant>,
    /// When it arrived.
    pub now: Millis,
    /// A fault that the handler is to make.
    pub fault: Option<Arc<Fault>>,
    pub(super) params: Vec<(String, String)>,
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Checks Version, token, scope and class.
pub fn authorize(
    headers: &HeaderMap,
    need: Need,
    tokens: &Tokens,
    now: Millis,
) -> Result<Arc<Grant>, Refusal> {
    version(headers)?;
    let grant = granted(headers, tokens, now)?;
    let scope = match need {
        Need::Location(scope) | Need::Agency(scope) | Need::Either(scope) => scope,
    };
    let class_fits = match need {
        Need::Location(_) => grant.class == Class::Location,
        Need::Agency(_) => grant.class == Class::Company && !grant.is_private(),
        Need::Either(_) => true,
    };
    if class_fits && !scope.is_empty() && !grant.scopes.iter().any(|held| held == scope) {
        return Err(Refusal::unauthorized("The token is not authorized for this scope."));
    }
    match (class_fits, grant.is_private()) {
        (true, _) => Ok(grant),
        (false, true) => Err(Refusal::unauthorized("Token's user type mismatch!")),
        (false, false) => Err(Refusal::unauthorized(
            "This authClass type is not allowed to access this scope. Please verify your IAM \
             configuration if this is not the case.",
        )),
    }
}

fn version(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(version) = headers.get("version") else {
        return Err(Refusal::unauthorized("version header was not found."));
    };
    let version = version.to_str().unwrap_or_default();
    if VERSIONS.contains(&version) {
        return Ok(());
    }
    let is_date = chrono::NaiveDate::parse_from_str(version, "%Y-%m-%d").is_ok();
    let is_numbered = version
        .strip_prefix('v')
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
    if is_date || is_numbered {
        return Err(Refusal::unauthorized("version header is invalid"));
    }
    let message = format!("Invalid API version segment '{version}' at position 0");
    Err(Refusal::of(400, &serde_json::json!({"statusCode": 400, "message": message})))
}

/// The bearer token that came along.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) =
        headers.get(header::AUTHORIZATION)?.to_str().ok().and_then(|it| it.split_once(' '))?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn granted(headers: &HeaderMap, tokens: &Tokens, now: Millis) -> Result<Arc<Grant>, Refusal> {
    let Some(token) = bearer(headers) else {
        return Err(Refusal::of(
            401,
            &serde_json::json!({
                "statusCode": 401, "message": "Invalid token: access token is invalid",
                "error": "Unauthorized",
            }),
        ));
    };
    tokens.grant(token, now.0).ok_or_else(|| {
        Refusal::unauthorized(if token.starts_with("pit-") {
            "Invalid Private Integration token"
        } else {
            "Invalid JWT"
        })
    })
}

impl Call {
    /// A path parameter, decoded; empty if the route has none of that name.
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(held, _)| held == name).map_or("", |(_, value)| value)
    }

    /// Whether this fault is to be made.
    pub fn has_fault(&self, kind: Kind) -> bool {
        self.fault.as_deref().is_some_and(|fault| fault.kind == kind)
    }

    /// The query, first value of each name, decoded.
    fn pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        url::form_urlencoded::parse(self.query.as_deref().unwrap_or_default().as_bytes())
    }

    /// Checks the query's names and types. Numbers are given as strings and come out as numbers.
    pub fn query(&self, rules: &[Rule], numbers: &[&str]) -> Result<Body, Refusal> {
        let mut values = Map::new();
        for (name, value) in self.pairs() {
            let value = match value.parse::<f64>() {
                Ok(number) if numbers.contains(&&*name) => Value::from(number),
                _ => Value::String(value.into_owned()),
            };
            values.entry(name).or_insert(value);
        }
        dto::check(Value::Object(values), rules)
    }

    /// Checks the body. Whatever is not declared as JSON is not read, and then the required
    /// properties are missing.
    pub fn json(&self, rules: &[Rule]) -> Result<Body, Refusal> {
        dto::check(self.value()?, rules)
    }

    fn value(&self) -> Result<Value, Refusal> {
        let kind = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_json = kind.is_some_and(|kind| kind.trim_start().starts_with("application/json"));
        if self.body.is_empty() || !is_json {
            return Ok(Value::Object(Map::new()));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            let position = error.column();
            Refusal::bad_request(format!("Unexpected token in JSON at position {position}"))
        })
    }

    /// The body of the token endpoints: a form, or JSON as the newer documents show it.
    pub fn form(headers: &HeaderMap, body: &Bytes) -> Map<String, Value> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if kind.is_some_and(|kind| kind.trim_start().starts_with("application/json")) {
            return serde_json::from_slice(body).unwrap_or_default();
        }
        url::form_urlencoded::parse(body)
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect()
    }

    /// Refuses a path whose `locationId` is not the token's.
    pub fn own_location(&self) -> Result<(), Refusal> {
        own(self.param("locationId"))
    }
}

/// Refuses a checked body or query whose `locationId` is not the token's.
pub fn own_location_of(body: &Body) -> Result<(), Refusal> {
    own(body.get("locationId").and_then(Value::as_str).unwrap_or_default())
}

fn own(location: &str) -> Result<(), Refusal> {
    if location == here::account().location { Ok(()) } else { Err(Refusal::wrong_location()) }
}

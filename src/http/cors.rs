//! Which web pages may talk to the gateway.
//!
//! A page of another origin may not, unless `server.allowed_origins` names it:
//!
//! - `POST` needs `Content-Type: application/json`, for which a browser asks first ([`preflight`]).
//! - `GET` runs queries only and is refused to another site's page unless it carries a header that
//!   makes the browser ask first ([`PREFLIGHT_HEADERS`]).
//! - A WebSocket knows no asking, so its `Origin` is compared.
//!
//! Nothing here concerns clients that are not browsers: they send no `Origin`.

use axum::extract::State;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CONTENT_TYPE, HOST, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::error::Refusal;
use super::executor::Executor;
use super::front::Front;

/// A browser sends these across origins only after it asked; the value does not matter.
const PREFLIGHT_HEADERS: [&str; 3] =
    ["tandem-preflight", "apollo-require-preflight", "graphql-require-preflight"];

const ALLOWED_HEADERS: &str = "authorization, cache-control, content-type, tandem-cost, \
     tandem-preflight, apollo-require-preflight, graphql-require-preflight, x-request-id";

/// Where a request says it comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum From {
    /// No browser, or a page of the gateway's own.
    Here,
    /// A page of an origin that is named in the settings.
    Allowed,
    /// Any other page.
    Elsewhere,
}

/// Reads `Origin` and, where a browser leaves that out, `Sec-Fetch-Site`.
pub(super) fn origin(headers: &HeaderMap, allowed: &[String]) -> From {
    let Some(origin) = headers.get(ORIGIN) else {
        return match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
            None | Some(b"same-origin" | b"none") => From::Here,
            Some(_) => From::Elsewhere,
        };
    };
    if is_allowed(origin, allowed) {
        return From::Allowed;
    }
    let authority = origin.to_str().ok().and_then(|text| text.split_once("://")).map(|it| it.1);
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    match (authority, host) {
        (Some(authority), Some(host)) if authority.eq_ignore_ascii_case(host) => From::Here,
        _ => From::Elsewhere,
    }
}

/// Refuses a `GET` that a page elsewhere could have caused without asking.
pub(super) fn check_get(headers: &HeaderMap, from: From) -> Result<(), Refusal> {
    let asked = || {
        PREFLIGHT_HEADERS.iter().any(|name| headers.contains_key(*name))
            || headers
                .get(CONTENT_TYPE)
                .is_some_and(|it| it.as_bytes().starts_with(b"application/json"))
    };
    if from == From::Elsewhere && !asked() {
        let message = "a query by GET from another site needs the header Tandem-Preflight";
        return Err(Refusal::forbidden(message));
    }
    Ok(())
}

/// Lets a named origin's page read the answer.
pub(super) fn expose(origin: &HeaderValue, allowed: &[String], response: &mut Response) {
    if is_allowed(origin, allowed) {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("x-request-id"));
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
}

/// `OPTIONS`: a browser asks whether a page may send what it is about to.
pub(super) async fn preflight<E: Executor>(
    State(front): State<Front<E>>,
    headers: HeaderMap,
) -> Response {
    if origin(&headers, &front.settings.allowed_origins) != From::Allowed {
        return Refusal::method_not_allowed("GET, POST").into_response();
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    response
}

fn is_allowed(origin: &HeaderValue, allowed: &[String]) -> bool {
    allowed.iter().any(|one| one.as_bytes() == origin.as_bytes())
}

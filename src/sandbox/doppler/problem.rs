//! Doppler's errors. `type` is made of status, code and title, as the vendor's framework does it;
//! a code means something only together with its status.
//!
//! Titles the public material does not show (429.0, 400.3, 400.6, 400.8, 400.9) are ours; the codes are
//! not. To add an error: a constructor here.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::answer::{Href, Link, content_type};

/// The number that errors call the account's owner by.
const USER: u32 = 92_651;

/// A refusal.
#[derive(Debug, Default)]
pub struct Problem {
    status: u16,
    code: u16,
    title: &'static str,
    detail: String,
    /// Whether the path belongs into the answer.
    not_found: bool,
    errors: Vec<Invalid>,
    blocking: Option<&'static str>,
    retry_after: Option<u64>,
}

/// What is wrong with one value of a request.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Invalid {
    /// Where, for example `per_page` or `fields[0].value`.
    pub key: String,
    /// What.
    pub detail: String,
}

/// What of the request shows in an error.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// With a plain `@`.
    pub path: &'a str,
    /// Errors of a GET link to themselves.
    pub is_get: bool,
    /// Whether `Accept` names `application/problem+json`.
    pub accepts_problem: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    title: &'a str,
    status: u16,
    error_code: u16,
    detail: &'a str,
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "<[Invalid]>::is_empty")]
    errors: &'a [Invalid],
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_not_found_path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocking_reason_code: Option<&'a str>,
    #[serde(rename = "_links")]
    links: Vec<Link<'a>>,
}

impl Problem {
    fn new(status: u16, code: u16, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, title, detail: detail.into(), ..Self::default() }
    }

    /// 400.1 with each fault found.
    pub fn invalid(errors: Vec<Invalid>) -> Self {
        let detail = "Validation error. See `errors` field for more details.";
        Self { errors, ..Self::new(400, 1, "Validation error", detail) }
    }

    /// 400.1 with one fault.
    pub fn invalid_value(key: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::invalid(vec![Invalid { key: key.into(), detail: detail.into() }])
    }

    /// 400.2
    pub fn duplicated_list_name(name: &str) -> Self {
        let detail = format!("You've already named another List the same way (`{name}`).");
        Self::new(400, 2, "Duplicated list name", detail)
    }

    /// 400.3
    pub fn too_many_lists() -> Self {
        let detail = "The maximum number of Lists of your account was reached.";
        Self::new(400, 3, "Maximum number of lists reached", detail)
    }

    /// 400.6
    pub fn not_subscribable(email: &str) -> Self {
        let detail = format!("Subscriber `{email}` can not receive your Campaigns.");
        Self::new(400, 6, "Subscriber can not be subscribed", detail)
    }

    /// 400.8
    pub fn list_in_use(reason: &'static str) -> Self {
        let detail = "The List is in use and can not be deleted.";
        Self { blocking: Some(reason), ..Self::new(400, 8, "List can not be deleted", detail) }
    }

    /// 400.9
    pub fn unsubscribed(email: &str) -> Self {
        let detail = format!("Subscriber `{email}` has unsubscribed and can not be added again.");
        Self::new(400, 9, "Subscriber is unsubscribed", detail)
    }

    /// 401.0
    pub fn no_credentials() -> Self {
        let detail = "Authentication is required but no authentication information was sent";
        Self::new(401, 0, "Unauthorized", detail)
    }

    /// 401.1
    pub fn invalid_token() -> Self {
        Self::new(401, 1, "Invalid token", "Authentication Token is not valid")
    }

    /// 403.1
    pub fn wrong_account(owner: &str, account: &str) -> Self {
        let detail = format!("Your user {owner} does not have access to account {account}");
        Self::new(403, 1, "Forbidden, wrong account", detail)
    }

    /// 404.0
    pub fn no_route() -> Self {
        let detail = "Route not found resolving";
        Self { not_found: true, ..Self::new(404, 0, "Route Not Found", detail) }
    }

    /// 404.1
    pub fn missing(entity: &str, id: &str) -> Self {
        let detail = format!("{entity} `id:{id}` does not exist for User `id:{USER}`. - Resolving");
        Self { not_found: true, ..Self::new(404, 1, "Entity Not Found", detail) }
    }

    /// 429.0; `retry_after` in seconds.
    pub fn too_many_requests(retry_after: Option<u64>) -> Self {
        let detail = "Too many actions in a short time. Try again later.";
        Self { retry_after, ..Self::new(429, 0, "Too many requests", detail) }
    }

    /// The answer.
    pub fn response(&self, asked: Asked<'_>) -> Response {
        let mut links = Vec::new();
        if asked.is_get {
            links.push(Link { href: Href::Path(asked.path), description: "Self.", rel: "self" });
        }
        links.push(Link::account_home());
        let detail = if self.not_found {
            format!("{} `{}`", self.detail, asked.path)
        } else {
            self.detail.clone()
        };
        let body = Body {
            title: self.title,
            status: self.status,
            error_code: self.code,
            detail: &detail,
            kind: format!("/docs/errors/{}.{}-{}", self.status, self.code, slug(self.title)),
            errors: &self.errors,
            resource_not_found_path: self.not_found.then_some(asked.path),
            blocking_reason_code: self.blocking,
            links,
        };
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let text = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (status, text).into_response();
        let kind = if asked.accepts_problem {
            HeaderValue::from_static("application/problem+json; charset=utf-8")
        } else {
            HeaderValue::from_static(content_type!("problem"))
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, kind);
        if self.status == 401 {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn slug(title: &str) -> String {
    title.to_lowercase().replace(", ", " ").replace(',', " ").replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slug_follows_the_frameworks_formula() {
        assert_eq!(slug("Forbidden, wrong account"), "forbidden-wrong-account");
        assert_eq!(slug("Entity Not Found"), "entity-not-found");
    }
}

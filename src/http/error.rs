//! Refusals of the transports: a status, a code of the closed list, a message safe to show.

use async_graphql::ServerError;
use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::clients::TooFast;
use super::graphql::Media;
use super::record::Served;
use crate::auth::{Denied, WorkspaceId};

/// A request that is not run.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    /// Members of `extensions` beside `code` and `requestId`.
    pub detail: Map<String, Value>,
    /// The methods there are, with 405.
    pub allow: Option<&'static str>,
    /// In how many seconds to come again, with 429.
    pub retry_after: Option<u32>,
    /// Whether there was a token, with 401.
    pub shown: bool,
    /// How the answer is labelled; [`Media::Json`] until the request's `Accept` is known.
    pub media: Media,
    pub request_id: Option<Box<str>>,
    /// What the log line says of whom it was refused to.
    pub served: Option<Box<Served>>,
}

impl Refusal {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            detail: Map::new(),
            allow: None,
            retry_after: None,
            shown: false,
            media: Media::Json,
            request_id: None,
            served: None,
        }
    }

    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message)
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "BAD_USER_INPUT", "there is nothing at this address")
    }

    pub fn method_not_allowed(allow: &'static str) -> Self {
        let message = format!("this address answers {allow} only");
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self { allow: Some(allow), ..Self::new(status, "BAD_USER_INPUT", message) }
    }

    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", message)
    }

    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "something went wrong here")
    }

    /// Adds a member to `extensions`.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }

    /// Says which request it is about.
    pub fn about(self, request_id: &str) -> Self {
        Self { request_id: Some(request_id.into()), ..self }
    }

    /// Says whose request it was.
    pub fn to(self, workspace: &WorkspaceId) -> Self {
        Self { served: Some(Box::new(Served::to(workspace))), ..self }
    }

    pub fn labelled(self, media: Media) -> Self {
        Self { media, ..self }
    }

    fn body(&self) -> Value {
        let mut extensions = self.detail.clone();
        extensions.insert("code".to_owned(), self.code.into());
        if let Some(id) = &self.request_id {
            extensions.insert("requestId".to_owned(), (**id).into());
        }
        json!({"errors": [{"message": self.message, "extensions": extensions}]})
    }
}

impl From<ServerError> for Refusal {
    /// A batch is refused as a whole, so its refusal is no operation's own answer.
    fn from(error: ServerError) -> Self {
        let extensions = serde_json::to_value(&error.extensions).unwrap_or_default();
        let mut refusal = Self::bad_input(error.message);
        if let Value::Object(mut members) = extensions {
            members.remove("code");
            refusal.detail = members;
        }
        refusal.code = "QUERY_TOO_EXPENSIVE";
        refusal
    }
}

impl From<TooFast> for Refusal {
    fn from(too_fast: TooFast) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let refusal = Self::new(status, "RATE_LIMITED", TooFast::MESSAGE)
            .with("retryAfterMs", too_fast.retry_after_ms());
        // Whole seconds (RFC 9110, section 10.2.3), and not before the time.
        let seconds = u32::try_from(too_fast.0.as_secs()).unwrap_or(u32::MAX);
        Self { retry_after: Some(seconds.saturating_add(1)), ..refusal }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Missing => Self::new(
                StatusCode::UNAUTHORIZED,
                "UNAUTHENTICATED",
                "this needs a token in the header Authorization: Bearer",
            ),
            // RFC 6750, section 3.1.
            Denied::Unauthenticated(why) => {
                Self { shown: true, ..Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", why) }
            }
            Denied::Forbidden(why) => Self::forbidden(why),
            Denied::Unavailable => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "UPSTREAM_UNAVAILABLE",
                "the token cannot be checked now",
            ),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body().to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, self.media.content_type());
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = if self.shown { "Bearer error=\"invalid_token\"" } else { "Bearer" };
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(served) = self.served {
            response.extensions_mut().insert(*served);
        }
        response
    }
}

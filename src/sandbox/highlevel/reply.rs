//! Answers and refusals. Every JSON answer carries a `traceId`; a refusal's `message` is a string
//! or, for validation, an array with one entry a violation.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::sandbox::settings::MissingStatus;

/// A finished answer without its `traceId`.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    /// A JSON object.
    body: Vec<u8>,
}

/// What a handler answers.
pub type Answer = Result<Reply, Refusal>;

/// A refused call: a status and the object that explains it.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The JSON object.
    pub body: Value,
}

impl Reply {
    /// 200 with `body`, which must serialise to an object.
    #[expect(clippy::unnecessary_wraps, reason = "it ends a handler")]
    pub fn ok<T: Serialize>(body: &T) -> Answer {
        Ok(Self::with(StatusCode::OK, body))
    }

    /// 201 with `body`, which must serialise to an object.
    #[expect(clippy::unnecessary_wraps, reason = "it ends a handler")]
    pub fn created<T: Serialize>(body: &T) -> Answer {
        Ok(Self::with(StatusCode::CREATED, body))
    }

    fn with<T: Serialize>(status: StatusCode, body: &T) -> Self {
        let mut bytes = Vec::with_capacity(1024);
        serde_json::to_writer(&mut bytes, body)
            .expect("the views have string keys and write to memory");
        Self { status, body: bytes }
    }

    /// The HTTP answer, with the trace id put at the end of the object.
    pub fn into_response(mut self, trace: Uuid) -> Response<Body> {
        if self.body.last() == Some(&b'}') {
            self.body.pop();
            let first = if self.body.len() > 1 { ",\"traceId\":\"" } else { "\"traceId\":\"" };
            self.body.extend_from_slice(first.as_bytes());
            let mut text = Uuid::encode_buffer();
            self.body.extend_from_slice(trace.hyphenated().encode_lower(&mut text).as_bytes());
            self.body.extend_from_slice(b"\"}");
        }
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self { status: refusal.status, body: refusal.body.to_string().into_bytes() }
    }
}

impl Refusal {
    /// 400 with the fixed `error` text of `NestJS`.
    pub fn bad_request(message: impl Into<String>) -> Self {
        let message = message.into();
        Self::of(400, &json!({"statusCode": 400, "message": message, "error": "Bad Request"}))
    }

    /// 400 for an id that no contact has: HighLevel never answers 404 here.
    pub fn no_contact(id: &str) -> Self {
        Self::bad_request(format!("Contact with id {id} not found"))
    }

    /// 400 for a field or a tag that does not exist. Assumed alike to contacts.
    pub fn missing(what: &str, id: &str) -> Self {
        Self::bad_request(format!("{what} with id {id} not found"))
    }

    /// The same for a note or a task, of which the status is a switch.
    pub fn missing_thing(status: MissingStatus, what: &str, id: &str) -> Self {
        let message = format!("{what} with id {id} not found");
        match status {
            MissingStatus::BadRequest => Self::bad_request(message),
            MissingStatus::NotFound => {
                Self::of(404, &json!({"statusCode": 404, "message": message, "error": "Not Found"}))
            }
        }
    }

    /// 401 without the optional `error`.
    pub fn unauthorized(message: &str) -> Self {
        Self::of(401, &json!({"statusCode": 401, "message": message}))
    }

    /// 403: the right class of token, another tenant.
    pub fn wrong_location() -> Self {
        let message = "The token does not have access to this location.";
        Self::of(403, &json!({"statusCode": 403, "message": message}))
    }

    /// 422, one entry a violation.
    pub fn invalid(violations: &[String]) -> Self {
        let error = "Unprocessable Entity";
        Self::of(422, &json!({"message": violations, "error": error, "statusCode": 422}))
    }

    /// 422 with a plain string.
    pub fn unprocessable(message: &str) -> Self {
        let error = "Unprocessable Entity";
        Self::of(422, &json!({"statusCode": 422, "message": message, "error": error}))
    }

    /// 404 as `NestJS` answers for a path or a verb it does not know.
    pub fn no_route(method: &str, path: &str) -> Self {
        let message = format!("Cannot {method} {path}");
        Self::of(404, &json!({"message": message, "error": "Not Found", "statusCode": 404}))
    }

    /// 429. The body is undocumented.
    pub fn too_many_requests() -> Self {
        Self::of(429, &json!({"statusCode": 429, "message": "Too Many Requests"}))
    }

    /// The token endpoint's own form.
    pub fn oauth(status: u16, error: &str, description: &str) -> Self {
        Self::of(status, &json!({"error": error, "error_description": description}))
    }

    /// Any other.
    pub fn of(status: u16, body: &Value) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, body: body.clone() }
    }
}

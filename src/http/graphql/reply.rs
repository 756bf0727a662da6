//! One answer as bytes, with the status its media type asks for.

use async_graphql::{ErrorExtensionValues, Response as GraphqlResponse, ServerError, Value};
use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;
use serde::ser::SerializeMap;

use super::super::record::{Outcome, Served};
use super::Media;
use crate::graphql::Answer;

/// An answer in the response format: one that did not run has no member `data`.
pub(in crate::http) struct Shape<'a>(pub &'a Answer);

impl Serialize for Shape<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let response = &self.0.response;
        if self.0.executed {
            return response.serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("errors", &response.errors)?;
        if !response.extensions.is_empty() {
            map.serialize_entry("extensions", &response.extensions)?;
        }
        map.end()
    }
}

/// The bytes of an answer.
pub(super) fn bytes(answer: &impl Serialize) -> Bytes {
    serde_json::to_vec(answer).expect("an answer has string keys and finite numbers only").into()
}

/// The HTTP answer.
pub(super) fn http(media: Media, status: StatusCode, body: Bytes, served: Served) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, media.content_type());
    response.extensions_mut().insert(served);
    response
}

/// 200, except that the newer media type says of a request that did not run that it was bad.
pub(super) fn status(media: Media, executed: bool) -> StatusCode {
    match media {
        Media::GraphqlResponse if !executed => StatusCode::BAD_REQUEST,
        Media::GraphqlResponse | Media::Json => StatusCode::OK,
    }
}

/// The answer to a request whose operation could not even be told.
pub(in crate::http) fn refused(mut error: ServerError, request_id: &str) -> Answer {
    let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
    if extensions.get("code").is_none() {
        extensions.set("code", "GRAPHQL_PARSE_FAILED");
    }
    extensions.set("requestId", request_id);
    answer(error, false)
}

/// The answer when running the operation failed in a way nobody foresaw.
pub(super) fn internal(request_id: &str) -> Answer {
    let mut error = ServerError::new("something went wrong here", None);
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", "INTERNAL");
    extensions.set("requestId", request_id);
    error.extensions = Some(extensions);
    answer(error, true)
}

fn answer(error: ServerError, executed: bool) -> Answer {
    let response = GraphqlResponse::from_errors(vec![error]);
    Answer { response, executed, share: None }
}

/// How an operation ended, for the metrics.
pub(super) fn outcome(answer: &Answer) -> Outcome {
    match (answer.executed, answer.response.errors.is_empty()) {
        (false, _) => Outcome::Refused,
        (true, true) => Outcome::Ok,
        (true, false) => Outcome::Errors,
    }
}

/// Whether a request asks for `extensions.cost` by its own `extensions`.
pub(in crate::http) fn asks_for_cost(request: &async_graphql::Request) -> bool {
    request.extensions.get("cost") == Some(&Value::Boolean(true))
}

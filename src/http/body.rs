//! Reading request bodies.

use axum::body::{Body, HttpBody};
use axum::http::StatusCode;
use bytes::Bytes;
use http_body_util::{BodyExt, Collected, LengthLimitError, Limited};
use tokio::time::{Instant, timeout_at};

use super::error::Refusal;

/// Reads a body of at most `limit` bytes before the deadline. One that says it is longer is not
/// read at all.
pub(super) async fn read_body(
    body: Body,
    limit: usize,
    deadline: Instant,
) -> Result<Bytes, Refusal> {
    let too_large = || {
        let message = format!("the body is larger than {limit} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "BAD_USER_INPUT", message).with("limit", limit)
    };
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let read = timeout_at(deadline, Limited::new(body, limit).collect()).await.map_err(|_| {
        let message = "the body did not arrive in time";
        Refusal::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message)
    })?;
    read.map(Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() {
            too_large()
        } else {
            Refusal::bad_input("the body broke off")
        }
    })
}

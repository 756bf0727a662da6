//! Reading request bodies.

use axum::body::{Body, HttpBody};
use axum::http::StatusCode;
use bytes::Bytes;
use http_body_util::{BodyExt, Collected, LengthLimitError, Limited};
use tokio::time::{Instant, timeout_at};

use super::error::Refusal;

/// Up to so many times the limit is read and thrown away, because many a client that is cut off while
/// it sends never sees why.
const THROWN_AWAY: usize = 16;

/// Reads a body of at most `limit` bytes before the deadline. Nothing of one that says it is longer is
/// kept, and one that is much longer is not read at all.
pub(super) async fn read_body(
    body: Body,
    limit: usize,
    deadline: Instant,
) -> Result<Bytes, Refusal> {
    let too_large = || {
        let message = format!("the body is larger than {limit} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "BAD_USER_INPUT", message).with("limit", limit)
    };
    let told = body.size_hint().lower();
    if told > limit as u64 {
        if told <= (limit * THROWN_AWAY) as u64 {
            // Whatever becomes of it, the answer is the same.
            let _ = timeout_at(deadline, throw_away(body)).await;
        }
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

async fn throw_away(mut body: Body) {
    while let Some(Ok(_)) = body.frame().await {}
}

//! For `tests/fuzz`: the JSON that carries operations.

use async_graphql::Request;

use super::envelope::{Envelope, parse};

/// How many operations a batch may have here.
const BATCH: usize = 10;

/// The operations of a body; none if it is refused.
pub(crate) fn operations(body: &[u8]) -> Vec<Request> {
    match parse(body, BATCH) {
        Ok(Envelope::One(request)) => vec![*request],
        Ok(Envelope::Batch(requests)) => {
            assert!((1..=BATCH).contains(&requests.len()), "a batch of {}", requests.len());
            requests
        }
        Err(_) => Vec::new(),
    }
}

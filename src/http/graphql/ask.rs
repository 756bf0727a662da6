//! What a request says beside its operation: who asks, how fresh the answer must be, by when.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, UPGRADE};
use axum::http::{HeaderMap, HeaderValue};
use tokio::time::Instant;

use super::super::access::bearer;
use super::super::error::Refusal;
use super::super::executor::Executor;
use super::super::front::{Front, RequestId};
use super::super::peer::Peer;
use crate::auth::Requester;
use crate::graphql::{CachePolicy, Caller};

/// The id that the front door gave a request.
pub(super) fn request_id(request: &Request) -> Arc<str> {
    request.extensions().get::<RequestId>().map_or_else(|| "".into(), |it| Arc::clone(&it.0))
}

/// Where a request comes from.
pub(super) fn peer(request: &Request) -> Option<Peer> {
    request.extensions().get::<Peer>().copied()
}

/// The asker of a request, whose first operation is counted. Whatever refuses the rest of the request
/// notes it.
pub(super) async fn caller<E: Executor>(
    front: &Front<E>,
    headers: &HeaderMap,
    (request_id, peer): (&Arc<str>, Option<Peer>),
) -> Result<Caller, Refusal> {
    let admitted = front.admitted(bearer(headers), peer).await?;
    let counted = front.count(&admitted.requester, (peer, 1));
    counted.map_err(|too_fast| refused(front, &admitted.requester, too_fast.into()))?;
    Ok(Caller {
        requester: admitted.requester,
        until: admitted.until,
        cache: headers.get(CACHE_CONTROL).map_or_else(CachePolicy::default, |_| policy(headers)),
        wants_cost: headers.get("tandem-cost").is_some_and(|it| it.as_bytes() == b"true"),
        request_id: Arc::clone(request_id),
        deadline: Instant::now() + front.settings.request_timeout,
    })
}

/// Notes that a client is refused what it asks for.
pub(super) fn refused<E>(front: &Front<E>, requester: &Requester, why: Refusal) -> Refusal {
    front.unusual.refused(requester);
    why.to(&requester.workspace)
}

/// The request's `Cache-Control`. What it does not know is skipped; a `max-age` that is no number
/// counts as 0, the careful reading.
fn policy(headers: &HeaderMap) -> CachePolicy {
    let mut policy = CachePolicy::default();
    let values = headers.get_all(CACHE_CONTROL).into_iter().filter_map(|it| it.to_str().ok());
    for directive in values.flat_map(|it| it.split(',')).map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.to_ascii_lowercase().as_str() {
            // Nothing that is kept may be used, and so nothing of this answer is kept either.
            "no-cache" | "no-store" => policy.no_cache = true,
            "only-if-cached" => policy.only_if_cached = true,
            "max-age" => {
                let seconds = value.trim_matches('"').parse().unwrap_or(0);
                policy.max_age = Some(Duration::from_secs(seconds));
            }
            _ => {}
        }
    }
    policy
}

/// Whether the request asks for an upgrade to a WebSocket.
pub(super) fn wants_socket(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(UPGRADE).map(HeaderValue::as_bytes);
    upgrade.is_some_and(|it| it.eq_ignore_ascii_case(b"websocket"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cache_control() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
            policy(&headers)
        };
        let none = CachePolicy::default();
        assert_eq!(of("no-cache"), CachePolicy { no_cache: true, ..none });
        assert_eq!(of("No-Store"), CachePolicy { no_cache: true, ..none });
        assert_eq!(
            of("max-age=60, only-if-cached"),
            CachePolicy { max_age: Some(Duration::from_mins(1)), only_if_cached: true, ..none }
        );
        assert_eq!(of("max-age=soon").max_age, Some(Duration::ZERO));
        assert_eq!(of("immutable"), none);
    }
}

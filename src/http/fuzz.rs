//! For `tests/fuzz`: what the routes make of bytes before anybody else sees them.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) use super::graphql::fuzz::operations;

/// The text of a signature's header; `None`: no client can send such a header.
pub(crate) fn signature(value: &[u8]) -> Option<String> {
    const NAME: &str = "x-ghl-signature";
    let value = HeaderValue::from_bytes(value).ok()?;
    let headers = HeaderMap::from_iter([(HeaderName::from_static(NAME), value)]);
    super::webhooks::text(&headers, NAME).map(str::to_owned)
}

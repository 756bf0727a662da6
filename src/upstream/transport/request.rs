//! What differs between calls.

use bytes::Bytes;
use reqwest::Method;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Serialize;
use url::Url;

use crate::upstream::segment::{Query, Segment};
use crate::upstream::{Error, Kind, Route};

use super::JSON;
use super::failure::Failure;

/// The largest answer that is read. A page of 500 contacts is about 1 MB.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// One call: which operation, on what, with what.
pub struct Request<'a> {
    pub(super) route: &'static Route,
    pub(super) values: &'a [Option<Segment<'a>>],
    pub(super) query: Query,
    pub(super) body: Option<Bytes>,
}

impl<'a> Request<'a> {
    /// A call of `route` with a value for each placeholder of its template. A value of `None` is
    /// one that cannot be a path segment and so names nothing: the call fails as not found.
    pub fn new(route: &'static Route, values: &'a [Option<Segment<'a>>]) -> Self {
        Self { route, values, query: Query::default(), body: None }
    }

    /// With a query.
    #[must_use]
    pub fn query(mut self, query: Query) -> Self {
        self.query = query;
        self
    }

    /// With a JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let encoded = serde_json::to_vec(body).map_err(|_| {
            let kind = Kind::Rejected { fields: Vec::new() };
            Error::new(self.route.system, self.route.template, kind)
        })?;
        self.body = Some(encoded.into());
        Ok(self)
    }
}

/// A whole answer.
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Sends and reads to the end.
pub(super) async fn send(
    http: &reqwest::Client,
    method: Method,
    url: Url,
    authorization: HeaderValue,
    body: Option<Bytes>,
) -> Result<Answer, Failure> {
    let mut request = reqwest::Request::new(method, url);
    request.headers_mut().insert(AUTHORIZATION, authorization);
    if let Some(body) = body {
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        *request.body_mut() = Some(body.into());
    }
    let mut response = http.execute(request).await?;
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let body = match response.content_length() {
        Some(length) if length > MAX_BODY as u64 => return Err(Failure::too_long()),
        Some(_) => response.bytes().await?,
        None => {
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                if body.len() + chunk.len() > MAX_BODY {
                    return Err(Failure::too_long());
                }
                body.extend_from_slice(&chunk);
            }
            body.into()
        }
    };
    Ok(Answer { status, headers, body })
}

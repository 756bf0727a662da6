//! Content negotiation: what the client takes and what it sent.

use axum::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use super::super::error::Refusal;

/// How an answer is labelled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::http) enum Media {
    /// `application/json`: a well-formed request is answered with 200, whatever became of it.
    Json,
    /// `application/graphql-response+json`: a request that did not run is answered with 400.
    GraphqlResponse,
}

impl Media {
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }
}

/// What a client takes, by its `Accept`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Accept {
    /// For one answer; `None`: only a stream.
    pub media: Option<Media>,
    /// Whether a stream of events is taken. Only if it is named: `*/*` means one answer.
    pub stream: bool,
    /// Whether a stream is liked better, so that one answer too comes as a stream.
    pub stream_first: bool,
}

impl Accept {
    const JSON: Self = Self { media: Some(Media::Json), stream: false, stream_first: false };

    /// Reads the header; 406 if there is nothing in it that can be served.
    pub fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        match headers.get(ACCEPT).map(HeaderValue::as_bytes) {
            None | Some(b"*/*" | b"application/json") => Ok(Self::JSON),
            Some(_) => Self::negotiate(headers),
        }
    }

    fn negotiate(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut found = Ranges::default();
        for value in headers.get_all(ACCEPT) {
            value.to_str().unwrap_or_default().split(',').for_each(|range| found.add(range));
        }
        let Ranges { json, graphql, stream, any, .. } = found;
        // A named type is what its own range says; the others are what a wildcard says. What the
        // client names first wins among equals, and JSON wins where it named neither.
        let (json, graphql) = (json.or(any), graphql.or(any));
        let wanted = |it: Option<Range>| it.filter(|range| range.q > 0);
        let media = match (wanted(json), wanted(graphql)) {
            (Some(json), Some(graphql)) if graphql.beats(json) => {
                Some((Media::GraphqlResponse, graphql))
            }
            (Some(json), _) => Some((Media::Json, json)),
            (None, Some(graphql)) => Some((Media::GraphqlResponse, graphql)),
            (None, None) => None,
        };
        let stream = wanted(stream);
        let stream_first = match (stream, media) {
            (Some(stream), Some((_, media))) => stream.q > media.q,
            (stream, None) => stream.is_some(),
            (None, Some(_)) => false,
        };
        if media.is_none() && stream.is_none() {
            return Err(Refusal::new(
                StatusCode::NOT_ACCEPTABLE,
                "BAD_USER_INPUT",
                "the answer is application/graphql-response+json, application/json or \
                 text/event-stream",
            ));
        }
        Ok(Self { media: media.map(|it| it.0), stream: stream.is_some(), stream_first })
    }
}

/// One media range: its weight in thousandths, and its place in the list.
#[derive(Clone, Copy, Debug)]
struct Range {
    q: u16,
    place: usize,
}

impl Range {
    fn beats(self, other: Self) -> bool {
        self.q > other.q || (self.q == other.q && self.place < other.place)
    }
}

/// The ranges of an `Accept` that concern us.
#[derive(Debug, Default)]
struct Ranges {
    json: Option<Range>,
    graphql: Option<Range>,
    stream: Option<Range>,
    /// `*/*` and `application/*`, which stand for either kind of JSON.
    any: Option<Range>,
    seen: usize,
}

impl Ranges {
    fn add(&mut self, range: &str) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|it| it.strip_prefix("q=").or_else(|| it.strip_prefix("Q=")));
        let q = weight.map_or(1000, thousandths);
        self.seen += 1;
        let wildcard = name.ends_with("/*");
        let range = Range { q, place: if wildcard { usize::MAX } else { self.seen } };
        let slot = match name.as_str() {
            "application/json" => &mut self.json,
            "application/graphql-response+json" => &mut self.graphql,
            "text/event-stream" => &mut self.stream,
            "*/*" | "application/*" => &mut self.any,
            _ => return,
        };
        if slot.is_none_or(|held| range.q > held.q) {
            *slot = Some(range);
        }
    }
}

/// A weight such as `0.8`. What is no weight counts as 1, as if it were not there.
fn thousandths(weight: &str) -> u16 {
    let parsed: f32 = weight.parse().unwrap_or(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=1000 before"
    )]
    let whole = (parsed.clamp(0.0, 1.0) * 1000.0) as u16;
    whole
}

/// Refuses a body that is not JSON in UTF-8 by its label. Anything else could be sent by a web page
/// of another site without the browser asking first.
pub(super) fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    // What is small on the wire and large in memory is not taken.
    if headers.get(CONTENT_ENCODING).is_some_and(|it| it.as_bytes() != b"identity") {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Refusal::new(status, "BAD_USER_INPUT", "the body must not be compressed"));
    }
    let value = headers.get(CONTENT_TYPE);
    if value.is_some_and(|it| it.as_bytes() == b"application/json") {
        return Ok(());
    }
    let text = value.and_then(|it| it.to_str().ok()).unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    let json = parts.next().is_some_and(|it| it.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.filter_map(|it| it.split_once('=')).all(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset")
            || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    if json && utf8 {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "BAD_USER_INPUT",
        "the body must be application/json in UTF-8",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &'static str) -> Option<(Option<Media>, bool, bool)> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        Accept::of(&headers).ok().map(|it| (it.media, it.stream, it.stream_first))
    }

    #[test]
    fn negotiates() {
        const JSON: Option<Media> = Some(Media::Json);
        const GRAPHQL: Option<Media> = Some(Media::GraphqlResponse);
        let cases = [
            ("*/*", Some((JSON, false, false))),
            ("application/*", Some((JSON, false, false))),
            ("text/html, application/xhtml+xml, */*;q=0.8", Some((JSON, false, false))),
            ("application/json", Some((JSON, false, false))),
            ("application/graphql-response+json", Some((GRAPHQL, false, false))),
            ("APPLICATION/GraphQL-Response+JSON; charset=utf-8", Some((GRAPHQL, false, false))),
            (
                "application/graphql-response+json, application/json;q=0.9",
                Some((GRAPHQL, false, false)),
            ),
            ("application/graphql-response+json, application/json", Some((GRAPHQL, false, false))),
            ("application/json, application/graphql-response+json", Some((JSON, false, false))),
            ("application/graphql-response+json;q=0.1, */*", Some((JSON, false, false))),
            ("application/json;q=0, */*;q=0.1", Some((GRAPHQL, false, false))),
            ("application/json, text/event-stream", Some((JSON, true, false))),
            ("application/json;q=0.5, text/event-stream", Some((JSON, true, true))),
            ("text/event-stream", Some((None, true, true))),
            ("text/event-stream;q=0, application/json", Some((JSON, false, false))),
            ("text/html", None),
            ("application/json;q=0", None),
        ];
        for (accept, expected) in cases {
            assert_eq!(of(accept), expected, "{accept}");
        }
    }

    #[test]
    fn takes_only_json_in_utf8() {
        let check = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            check_content_type(&headers).map_err(|it| it.status.as_u16())
        };
        for good in
            ["application/json", "Application/JSON ; Charset=\"UTF-8\"", "application/json;a=b"]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "text/plain",
            "application/json; charset=utf-16",
            "application/jsonx",
            "",
            "multipart/form-data",
        ] {
            assert_eq!(check(bad), Err(415), "{bad}");
        }
        assert!(check_content_type(&HeaderMap::new()).is_err());
    }
}

//! A value on its way into a URL's path.
//!
//! Ids and addresses come from clients of the gateway, so they are hostile until proven otherwise:
//! a slash, a question mark or a dot segment in one of them must never lead to another route of the
//! system, where our credential is good too. Every value is percent-encoded as exactly one segment,
//! and what cannot be one (`.` and `..`, which URL parsers resolve even when written `%2e`) is
//! refused before any call.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The longest value that is ever sent. The longest legal e-mail address has 254 bytes.
const MAX_BYTES: usize = 254;

/// The longest id that is ever sent. HighLevel's have 20 to 36 characters.
const MAX_ID_BYTES: usize = 128;

/// A value that is safe as one path segment.
#[derive(Clone, Copy)]
pub struct Segment<'a>(&'a str);

impl<'a> Segment<'a> {
    /// Any text that can stand as one segment; `None` for one that cannot.
    pub fn new(value: &'a str) -> Option<Self> {
        let sendable = !value.is_empty()
            && value.len() <= MAX_BYTES
            && value != "."
            && value != ".."
            && !value.chars().any(char::is_control);
        sendable.then_some(Self(value))
    }

    /// An id as the systems write them: letters, digits and a few marks. Anything else names
    /// nothing, and is refused rather than encoded because proxies on the way may decode `%2F`
    /// before they route.
    pub fn id(value: &'a str) -> Option<Self> {
        let like_an_id = value.len() <= MAX_ID_BYTES
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte))
            && value.bytes().any(|byte| byte.is_ascii_alphanumeric());
        if like_an_id { Self::new(value) } else { None }
    }

    /// An e-mail address as a path segment. One with two dots in a row is no address to Doppler
    /// (its own test data says so) and would be the seed of a dot segment, so it is refused.
    pub fn email(value: &'a str) -> Option<Self> {
        let like_an_address = value.contains('@') && !value.contains("..");
        if like_an_address { Self::new(value) } else { None }
    }

    fn write_to(self, path: &mut String) {
        path.extend(utf8_percent_encode(self.0, RESERVED));
    }
}

/// Fills the `{placeholders}` of a route template in order, after `prefix`.
///
/// `None` if there are not as many values as placeholders.
pub(super) fn fill(prefix: &str, template: &str, values: &[Segment<'_>]) -> Option<String> {
    let mut path = String::with_capacity(prefix.len() + template.len() + 64);
    path.push_str(prefix);
    let mut values = values.iter();
    let mut rest = template;
    while let Some((literal, tail)) = rest.split_once('{') {
        path.push_str(literal);
        values.next()?.write_to(&mut path);
        (_, rest) = tail.split_once('}')?;
    }
    path.push_str(rest);
    values.next().is_none().then_some(path)
}

/// A URL's query under construction.
#[derive(Default)]
pub struct Query(String);

impl Query {
    /// Adds one parameter, encoded.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, RESERVED));
        self
    }

    /// The query without the question mark.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(value: &str) -> Option<String> {
        let path = fill("/base", "/contacts/{contactId}/notes", &[Segment::new(value)?])?;
        let mut url = url::Url::parse("http://upstream.test").unwrap();
        url.set_path(&path);
        Some(url.path().to_owned())
    }

    #[test]
    fn a_value_stays_one_segment() {
        for hostile in [
            "zzz/../../contacts/OTHER",
            "77?x=1#",
            "%2e%2e",
            "%2E",
            "..%2f..",
            "a\\..\\b",
            "ñandú@ejemplo.ar",
            "...",
            ";v=1",
            " ",
        ] {
            let path = path_of(hostile).unwrap();
            let segments: Vec<_> = path.split('/').collect();
            assert_eq!(segments.len(), 5, "{path}");
            assert_eq!(
                percent_encoding::percent_decode_str(segments[3]).decode_utf8().unwrap(),
                hostile
            );
            assert_eq!((segments[1], segments[2], segments[4]), ("base", "contacts", "notes"));
        }
    }

    #[test]
    fn what_cannot_be_one_segment_is_refused() {
        let long = "x".repeat(10_000);
        for refused in ["", ".", "..", "a\0b", "a\nb", "\u{85}", "\u{7f}", &long] {
            assert!(Segment::new(refused).is_none(), "{refused:?}");
        }
    }

    #[test]
    fn ids_and_addresses_are_narrower() {
        for id in ["cnt00000000000000001", "abcdefghijKLMNOPQRST", "a-b_c:1.2", "c1"] {
            assert!(Segment::id(id).is_some(), "{id}");
        }
        for no_id in ["a/b1", "a%2fb1", "..", "-", "a 1", "ñ1", &"1".repeat(129)] {
            assert!(Segment::id(no_id).is_none(), "{no_id}");
        }
        assert!(Segment::email("ana+1/x@example.com").is_some());
        assert!(Segment::email("..").is_none());
        assert!(Segment::email("a/../lists@example.com").is_none());
    }

    #[test]
    fn a_template_takes_exactly_its_values() {
        let one = Segment::new("1").unwrap();
        assert_eq!(fill("", "/a/{x}/b/{y}", &[one, one]).as_deref(), Some("/a/1/b/1"));
        assert_eq!(fill("", "/a/{x}/b/{y}", &[one]), None);
        assert_eq!(fill("", "/a", &[one]), None);
    }

    #[test]
    fn query_values_are_encoded() {
        let query = Query::default().with("number", "+54 11&x=1").with("page", "2");
        assert_eq!(query.as_str(), "number=%2B54%2011%26x%3D1&page=2");
    }
}

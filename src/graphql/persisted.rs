//! Documents that clients name instead of sending them.
//!
//! Two ways lead here, and both may name the same document: `documentId` beside `variables` (the GraphQL
//! over HTTP specification's appendix on persisted documents), and `extensions.persistedQuery` (Apollo's
//! automatic persisted queries, whose client sends text and hash once after it was told
//! `PERSISTED_QUERY_NOT_FOUND`). A document is known because the operator lists it
//! ([`super::Trusted`]), or because a client sent it before.

use std::sync::Arc;

use async_graphql::{Request, ServerError, Value};
use sha2::{Digest, Sha256};

use super::error::{ErrorCode, refusal};
use super::trusted::Trusted;

/// What all documents that clients sent may take together, in bytes.
const MAX_BYTES: u64 = 2 * 1024 * 1024;
/// A longer text is not kept: nothing that people write is as long.
const MAX_TEXT: usize = 16 * 1024;

/// The documents that can be named.
pub struct Persisted {
    trusted: Trusted,
    /// Those that clients sent, by their hash; `None`: none are taken.
    automatic: Option<moka::sync::Cache<String, Arc<str>>>,
}

/// What a client calls a document.
struct Named {
    id: String,
    /// The hash of the document, if that is what it is called.
    hash: Option<String>,
}

impl Persisted {
    /// The trusted ones, and if `automatic` those that clients will send.
    pub fn new(trusted: Trusted, automatic: bool) -> Self {
        let weigh = |key: &String, text: &Arc<str>| {
            u32::try_from(key.len() + text.len()).unwrap_or(u32::MAX)
        };
        let cache = || moka::sync::Cache::builder().weigher(weigh).max_capacity(MAX_BYTES).build();
        Self { trusted, automatic: automatic.then(cache) }
    }

    /// Gives a request that names its document the text, or checks the name against the text that came
    /// with it.
    pub fn resolve(&self, request: &mut Request) -> Result<(), ServerError> {
        let Some(named) = Named::by(request)? else { return Ok(()) };
        if request.query.is_empty() {
            let text = self.find(&named).ok_or_else(|| self.unknown())?;
            text.as_ref().clone_into(&mut request.query);
            return Ok(());
        }
        if self.trusted.named(&named.id).is_some_and(|text| **text == request.query) {
            return Ok(());
        }
        let Some(hash) = named.hash else {
            return Err(bad_input("documentId names another document than the one in query"));
        };
        if hash != hash_of(&request.query) {
            return Err(bad_input("the hash is not that of the query"));
        }
        if let Some(automatic) = self.automatic.as_ref().filter(|_| request.query.len() <= MAX_TEXT)
        {
            automatic.insert(hash, request.query.as_str().into());
        }
        Ok(())
    }

    /// Whether the operator listed this very text.
    pub fn trusts(&self, text: &str) -> bool {
        self.trusted.lists(text)
    }

    fn find(&self, named: &Named) -> Option<Arc<str>> {
        let listed = self.trusted.named(&named.id).cloned();
        let hash = named.hash.as_deref();
        listed
            .or_else(|| hash.and_then(|hash| self.trusted.hashed(hash)).cloned())
            .or_else(|| hash.and_then(|hash| self.automatic.as_ref()?.get(hash)))
    }

    /// In Apollo's words, which its clients compare: the first means "send it", the second "stop asking".
    fn unknown(&self) -> ServerError {
        let asks = self.automatic.is_some();
        let message = if asks { "PersistedQueryNotFound" } else { "PersistedQueryNotSupported" };
        refusal(message, ErrorCode::PersistedQueryNotFound)
    }
}

impl Named {
    fn by(request: &Request) -> Result<Option<Self>, ServerError> {
        if let Some(id) = request.extensions.get("documentId") {
            let Value::String(id) = id else {
                return Err(bad_input("documentId must be a string"));
            };
            let hash = id.strip_prefix("sha256:").map(str::to_ascii_lowercase);
            return Ok(Some(Self { id: id.clone(), hash }));
        }
        let Some(Value::Object(persisted)) = request.extensions.get("persistedQuery") else {
            return Ok(None);
        };
        let is_first = matches!(persisted.get("version"),
            Some(Value::Number(number)) if number.as_u64() == Some(1));
        match persisted.get("sha256Hash") {
            Some(Value::String(hash)) if is_first => {
                let hash = hash.to_ascii_lowercase();
                Ok(Some(Self { id: hash.clone(), hash: Some(hash) }))
            }
            _ => Err(bad_input("persistedQuery must have version 1 and a sha256Hash")),
        }
    }
}

/// A document's name among all documents: the SHA-256 of its text, in lower-case hexadecimal.
pub(super) fn hash_of(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

fn bad_input(message: &str) -> ServerError {
    refusal(message, ErrorCode::BadUserInput)
}

#[cfg(test)]
mod tests {
    use async_graphql::value;

    use super::*;

    const TEXT: &str = "{ tags { name } }";

    fn request(text: &str, extensions: &[(&str, Value)]) -> Request {
        let mut request = Request::new(text);
        request
            .extensions
            .extend(extensions.iter().map(|(name, it)| ((*name).to_owned(), it.clone())));
        request
    }

    fn apollo(hash: &str) -> [(&'static str, Value); 1] {
        [("persistedQuery", value!({"version": 1, "sha256Hash": hash}))]
    }

    fn told(result: Result<(), ServerError>) -> String {
        result.unwrap_err().message
    }

    #[test]
    fn a_document_is_known_by_its_hash_once_it_was_sent() {
        let persisted = Persisted::new(Trusted::default(), true);
        let hash = hash_of(TEXT);
        let mut unknown = request("", &apollo(&hash));
        assert_eq!(told(persisted.resolve(&mut unknown)), "PersistedQueryNotFound");
        persisted.resolve(&mut request(TEXT, &apollo(&hash))).unwrap();
        persisted.resolve(&mut unknown).unwrap();
        assert_eq!(unknown.query, TEXT);
        let mut by_id = request("", &[("documentId", Value::String(format!("sha256:{hash}")))]);
        persisted.resolve(&mut by_id).unwrap();
        assert_eq!(by_id.query, TEXT);
    }

    #[test]
    fn nobody_puts_a_text_under_the_hash_of_another() {
        let persisted = Persisted::new(Trusted::default(), true);
        let hash = hash_of(TEXT);
        let lie = persisted.resolve(&mut request("{ lists { name } }", &apollo(&hash)));
        assert_eq!(told(lie), "the hash is not that of the query");
        assert!(persisted.resolve(&mut request("", &apollo(&hash))).is_err());
    }

    #[test]
    fn nothing_is_kept_where_none_are_taken() {
        let persisted = Persisted::new(Trusted::default(), false);
        let hash = hash_of(TEXT);
        persisted.resolve(&mut request(TEXT, &apollo(&hash))).unwrap();
        let again = persisted.resolve(&mut request("", &apollo(&hash)));
        assert_eq!(told(again), "PersistedQueryNotSupported");
    }

    #[test]
    fn a_listed_document_goes_by_every_name() {
        let trusted = Trusted::parse(&format!(r#"{{"tags-1": "{TEXT}"}}"#)).unwrap();
        let persisted = Persisted::new(trusted, false);
        let by_hash = apollo(&hash_of(TEXT));
        for named in [&[("documentId", Value::from("tags-1"))][..], &by_hash] {
            let mut request = request("", named);
            persisted.resolve(&mut request).unwrap();
            assert_eq!(request.query, TEXT);
        }
        let other = [("documentId", Value::from("tags-1"))];
        assert!(
            told(persisted.resolve(&mut request("{ a }", &other))).contains("another document")
        );
        assert!(persisted.trusts(TEXT) && !persisted.trusts("{ a }"));
    }

    #[test]
    fn a_name_that_is_none_is_said_so() {
        let persisted = Persisted::new(Trusted::default(), true);
        for bad in [value!({}), value!({"version": 2, "sha256Hash": "a"}), value!({"version": 1})] {
            let refused = persisted.resolve(&mut request("", &[("persistedQuery", bad)]));
            assert!(told(refused).contains("version 1"));
        }
        let refused = persisted.resolve(&mut request("", &[("documentId", value!(7))]));
        assert_eq!(told(refused), "documentId must be a string");
    }
}

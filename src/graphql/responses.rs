//! Whole answers, kept until something they were made of changes.
//!
//! The key is the request's exact bytes together with who may see the answer, so a hit costs a hash
//! and no parsing.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use bytes::Bytes;

use crate::auth::Requester;
use crate::contacts::Token;
use crate::contacts::Used;

/// What an answer takes beside its bytes.
const OVERHEAD: usize = 300;

/// What identifies an answer that may be shared: who may see it and the exact request body.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ResponseKey(u64, u64);

/// Answers by their keys.
pub struct Responses {
    answers: moka::sync::Cache<ResponseKey, Arc<Stored>>,
    /// Keyed at random for each process, so that nobody can aim at another's answer.
    hashers: (RandomState, RandomState),
}

struct Stored {
    body: Bytes,
    tokens: Vec<Token>,
    expires_ms: i64,
}

/// What an answer was made of.
#[derive(Debug)]
pub struct Share {
    tokens: Vec<Token>,
    expires_ms: i64,
}

impl Share {
    /// `None` if the answer is its asker's own or was made of nothing that is kept.
    pub fn of(used: Used, now_ms: i64) -> Option<Self> {
        let Used { tokens, expires_ms, shareable } = used;
        (shareable && !tokens.is_empty() && expires_ms > now_ms)
            .then_some(Self { tokens, expires_ms })
    }
}

impl Responses {
    /// Keeps at most `max_bytes`.
    pub fn new(max_bytes: u64) -> Self {
        let answers = moka::sync::Cache::builder()
            .weigher(|_, stored: &Arc<Stored>| {
                let tokens = stored.tokens.len() * size_of::<Token>();
                u32::try_from(stored.body.len() + tokens + OVERHEAD).unwrap_or(u32::MAX)
            })
            .max_capacity(max_bytes)
            .build();
        Self { answers, hashers: (RandomState::new(), RandomState::new()) }
    }

    /// The key of a request by someone, while the credentials see `view`.
    pub fn key(&self, requester: &Requester, view: u64, body: &[u8]) -> ResponseKey {
        let parts = (requester, view, body);
        ResponseKey(self.hashers.0.hash_one(parts), self.hashers.1.hash_one(parts))
    }

    /// An answer that is still true.
    pub fn recall(&self, key: &ResponseKey, now_ms: i64) -> Option<Bytes> {
        let stored = self.answers.get(key)?;
        let good = now_ms < stored.expires_ms && stored.tokens.iter().all(Token::is_good);
        if good {
            return Some(stored.body.clone());
        }
        self.answers.invalidate(key);
        None
    }

    /// Keeps an answer.
    pub fn remember(&self, key: ResponseKey, body: Bytes, share: Share) {
        let Share { tokens, expires_ms } = share;
        self.answers.insert(key, Arc::new(Stored { body, tokens, expires_ms }));
    }
}

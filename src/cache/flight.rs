//! A read under way, shared by everyone who asked for it meanwhile.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use super::Token;

/// A shared read. It makes progress as long as one of its holders is polled; the copy in the
/// cache's table is never polled and only lets others join.
pub(super) struct Flight<V, E> {
    read: Shared<BoxFuture<'static, Result<V, E>>>,
    began_ms: i64,
    token: Token,
}

impl<V: Clone, E: Clone> Flight<V, E> {
    pub fn new(read: BoxFuture<'static, Result<V, E>>, began_ms: i64) -> Self {
        Self { read: read.shared(), began_ms, token: Token::default() }
    }

    pub fn began_ms(&self) -> i64 {
        self.began_ms
    }

    /// Becomes the token of what the flight brings.
    pub fn token(&self) -> &Token {
        &self.token
    }

    pub fn is(&self, other: &Self) -> bool {
        self.token.is(&other.token)
    }

    /// Whether everyone who waited has left, so that only the table holds it: its deadline is
    /// theirs and may be over.
    pub fn is_abandoned(&self) -> bool {
        self.read.strong_count() == Some(1)
    }
}

impl<V: Clone, E: Clone> Clone for Flight<V, E> {
    fn clone(&self) -> Self {
        Self { read: self.read.clone(), began_ms: self.began_ms, token: self.token.clone() }
    }
}

impl<V: Clone, E: Clone> Future for Flight<V, E> {
    type Output = Result<V, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.read.poll_unpin(context)
    }
}

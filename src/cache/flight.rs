//! A read under way, shared by everyone who asked for it meanwhile.

use std::collections::HashMap;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use foldhash::quality::RandomState;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::time::Instant;

use super::Token;

/// A shared read. It makes progress as long as one of its holders is polled; the copy in the
/// cache's table is never polled and only lets others join.
pub(super) struct Flight<V, E> {
    read: Shared<BoxFuture<'static, Result<V, E>>>,
    began_ms: i64,
    /// Its starter's: the read ends by then.
    deadline: Option<Instant>,
    token: Token,
}

impl<V: Clone, E: Clone> Flight<V, E> {
    pub fn new(
        read: BoxFuture<'static, Result<V, E>>,
        began_ms: i64,
        deadline: Option<Instant>,
    ) -> Self {
        Self { read: read.shared(), began_ms, deadline, token: Token::new(began_ms) }
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
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

    /// Whether everyone who waited has left, so that only the table holds it.
    fn is_abandoned(&self) -> bool {
        self.read.strong_count() == Some(1)
    }
}

impl<V: Clone, E: Clone> Clone for Flight<V, E> {
    fn clone(&self) -> Self {
        Self { read: self.read.clone(), token: self.token.clone(), ..*self }
    }
}

impl<V: Clone, E: Clone> Future for Flight<V, E> {
    type Output = Result<V, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.read.poll_unpin(context)
    }
}

/// One waiter's place in a shared read. The last to leave a read that has not ended takes it off
/// the table: nobody polls it any more, and what it holds (a connection, a share of the budget)
/// would be held for ever.
pub(super) struct Seat<'a, K: Eq + Hash, V: Clone, E: Clone> {
    pub flights: &'a Mutex<HashMap<K, Flight<V, E>, RandomState>>,
    pub key: &'a K,
    /// `None` only while it is dropped.
    pub flight: Option<Flight<V, E>>,
}

impl<K: Eq + Hash, V: Clone, E: Clone> Drop for Seat<'_, K, V, E> {
    fn drop(&mut self) {
        let Some(flight) = self.flight.take() else { return };
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if !flights.get(self.key).is_some_and(|current| current.is(&flight)) {
            return;
        }
        // Under the lock, so that of two who leave at once the second finds itself the last.
        drop(flight);
        let abandoned = flights.get(self.key).is_some_and(Flight::is_abandoned);
        let ended = if abandoned { flights.remove(self.key) } else { None };
        // What a read does as it ends is not done under the lock.
        drop(flights);
        drop(ended);
    }
}

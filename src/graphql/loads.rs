//! Who makes the loads of an operation: whoever waits for its answer.
//!
//! Loaders hand their batches in here, and [`Driven`] makes them between two rounds of resolvers, in
//! the same task. So a batch holds all that one round asked for (a task of its own would begin on
//! another core while the round still asks), and it ends with the operation: nobody waits for it then.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, FuturesUnordered};
use futures_util::{Stream, StreamExt};

/// Loads that have not begun. Clones are handles on the same.
#[derive(Clone, Default)]
pub struct Loads(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl Loads {
    /// Hands a load in. To be called by what [`Loads::drive`] drives.
    pub fn hand_in(&self, load: BoxFuture<'static, ()>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(load);
    }

    /// The answers, with the loads made for them.
    pub fn drive<A: 'static>(&self, answers: BoxStream<'static, A>) -> Driven<A> {
        Driven { answers, waiting: self.clone(), running: FuturesUnordered::new() }
    }

    fn take(&self) -> Vec<BoxFuture<'static, ()>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// See [`Loads::drive`].
pub struct Driven<A> {
    answers: BoxStream<'static, A>,
    waiting: Loads,
    running: FuturesUnordered<BoxFuture<'static, ()>>,
}

impl<A> Stream for Driven<A> {
    type Item = A;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<A>> {
        loop {
            if let Poll::Ready(answer) = self.answers.poll_next_unpin(context) {
                return Poll::Ready(answer);
            }
            let waiting = self.waiting.take();
            self.running.extend(waiting);
            match self.running.poll_next_unpin(context) {
                // What it brought is looked at before the next one is made.
                Poll::Ready(Some(())) => {}
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, stream};

    use super::*;

    #[tokio::test]
    async fn a_load_begins_after_the_round_that_asked_and_the_answer_follows_it() {
        let (loads, log) = (Loads::default(), Arc::new(Mutex::new(Vec::new())));
        let (queue, lines) = (loads.clone(), Arc::clone(&log));
        let answer = async move {
            let (done, wait) = tokio::sync::oneshot::channel();
            let line = Arc::clone(&lines);
            let load = async move {
                tokio::task::yield_now().await;
                line.lock().unwrap().push("loaded");
                done.send(7).unwrap();
            };
            queue.hand_in(load.boxed());
            lines.lock().unwrap().push("asked");
            wait.await.unwrap()
        };
        let mut driven = loads.drive(stream::once(answer).boxed());
        assert_eq!(driven.next().await, Some(7));
        assert_eq!(driven.next().await, None);
        assert_eq!(*log.lock().unwrap(), ["asked", "loaded"]);
    }

    #[tokio::test]
    async fn a_load_ends_with_the_operation() {
        let (loads, held) = (Loads::default(), Arc::new(()));
        let (queue, connection) = (loads.clone(), Arc::clone(&held));
        let answer = async move {
            let load = async move {
                std::future::pending::<()>().await;
                drop(connection);
            };
            queue.hand_in(load.boxed());
            std::future::pending::<()>().await;
        };
        let mut driven = loads.drive(stream::once(answer).boxed());
        assert!(futures_util::poll!(driven.next()).is_pending());
        assert_eq!(Arc::strong_count(&held), 2);
        drop(driven);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

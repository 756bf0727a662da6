//! A request's loads, run by the request's own task.
//!
//! Spawned, a load would begin on another thread as soon as the first resolver asks for something,
//! and the batch would hold whoever was quick enough. Here it begins when every resolver that can go
//! on has gone on, so that a page of people is one batch, always. And it ends with the request:
//! nobody waits for it then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::future::BoxFuture;
use futures_util::stream::{self, FuturesUnordered};
use futures_util::task::AtomicWaker;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;

/// Takes loads. Cheap to clone.
#[derive(Clone)]
pub struct Loads(mpsc::UnboundedSender<BoxFuture<'static, ()>>);

/// Loads that wait to be run.
pub struct Queue(mpsc::UnboundedReceiver<BoxFuture<'static, ()>>);

/// Both ends.
pub fn channel() -> (Loads, Queue) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Loads(sender), Queue(receiver))
}

impl Loads {
    /// Leaves a load to be run. Nobody waits for one of a request that is over.
    pub fn leave(&self, load: BoxFuture<'static, ()>) {
        let _ = self.0.send(load);
    }
}

/// The same answers, with the loads run whenever they wait.
pub fn beside<S: Stream + Unpin>(mut answers: S, mut queue: Queue) -> impl Stream<Item = S::Item> {
    let mut running = FuturesUnordered::new();
    let turn = Arc::new(Turn::default());
    let waker = Waker::from(Arc::clone(&turn));
    stream::poll_fn(move |context| {
        turn.task.register(context.waker());
        loop {
            turn.again.store(false, Ordering::SeqCst);
            if let Poll::Ready(answer) = answers.poll_next_unpin(&mut Context::from_waker(&waker)) {
                return Poll::Ready(answer);
            }
            // A long list of resolvers takes a breath now and then: it is not done with asking. The
            // task has been woken, so it goes on at once.
            if turn.again.load(Ordering::SeqCst) {
                return Poll::Pending;
            }
            while let Poll::Ready(Some(load)) = queue.0.poll_recv(context) {
                running.push(load);
            }
            // What a load brought lets the answers go on.
            let Poll::Ready(Some(())) = running.poll_next_unpin(context) else {
                return Poll::Pending;
            };
        }
    })
}

/// Tells whether the answers want another turn.
#[derive(Default)]
struct Turn {
    again: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.again.store(true, Ordering::SeqCst);
        self.task.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicUsize;

    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_load_begins_when_everybody_has_asked() {
        let (loads, queue) = channel();
        let asked = Arc::new(AtomicUsize::new(0));
        let ask = |_| {
            let (loads, asked) = (loads.clone(), Arc::clone(&asked));
            async move {
                let (done, result) = oneshot::channel();
                asked.fetch_add(1, Ordering::SeqCst);
                loads
                    .leave(async move { done.send(asked.load(Ordering::SeqCst)).unwrap() }.boxed());
                result.await.unwrap()
            }
        };
        let all = futures_util::future::join_all((0..100).map(ask));
        let answers: Vec<_> = beside(stream::once(all).boxed(), queue).collect().await;
        assert_eq!(answers, [vec![100; 100]]);
    }

    #[tokio::test]
    async fn the_answer_follows_its_load() {
        let ((loads, queue), log) = (channel(), Arc::new(Mutex::new(Vec::new())));
        let lines = Arc::clone(&log);
        let answer = async move {
            let (done, wait) = oneshot::channel();
            let line = Arc::clone(&lines);
            let load = async move {
                tokio::task::yield_now().await;
                line.lock().unwrap().push("loaded");
                done.send(7).unwrap();
            };
            loads.leave(load.boxed());
            lines.lock().unwrap().push("asked");
            wait.await.unwrap()
        };
        let answers: Vec<_> = beside(stream::once(answer).boxed(), queue).collect().await;
        assert_eq!(answers, [7]);
        assert_eq!(*log.lock().unwrap(), ["asked", "loaded"]);
    }

    #[tokio::test]
    async fn a_load_ends_with_the_operation() {
        let ((loads, queue), held) = (channel(), Arc::new(()));
        let connection = Arc::clone(&held);
        let answer = async move {
            let load = async move {
                std::future::pending::<()>().await;
                drop(connection);
            };
            loads.leave(load.boxed());
            std::future::pending::<()>().await;
        };
        let mut answers = beside(stream::once(answer).boxed(), queue);
        assert!(futures_util::poll!(answers.next()).is_pending());
        assert_eq!(Arc::strong_count(&held), 2);
        drop(answers);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

//! Background tasks: every spawned task is tracked, told to stop and waited for.
//!
//! `tokio::spawn` is banned elsewhere: a task that nobody tracks outlives the shutdown that should
//! have drained it.

use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

/// A group of tasks with one stop signal. Clones are handles on the same group.
#[derive(Clone, Debug)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
    /// What log lines of the tasks carry; nothing of the group as it begins.
    span: Span,
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Tasks {
    /// An empty group.
    pub fn new() -> Self {
        let (tracker, stop) = (TaskTracker::default(), CancellationToken::default());
        Self { tracker, stop, span: Span::none() }
    }

    /// A part of the group, whose tasks' log lines carry what the span does. It stops with the group, or
    /// when the guard is dropped that was not disarmed.
    pub fn part(&self, span: Span) -> (Self, DropGuard) {
        let stop = self.stop.child_token();
        let guard = stop.clone().drop_guard();
        (Self { tracker: self.tracker.clone(), stop, span }, guard)
    }

    /// Starts `task` and remembers it until it ends. It should watch [`Tasks::stopping`].
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tracker.spawn(task.instrument(self.span.clone()))
    }

    /// Ends when the group is asked to stop. Cancel-safe.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Whether the group was asked to stop.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Asks every task to stop.
    pub fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
    }

    /// How many tasks still run.
    pub fn running(&self) -> usize {
        self.tracker.len()
    }

    /// Ends when [`Tasks::stop`] was called and every task has ended.
    pub async fn drained(&self) {
        self.tracker.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_ends_with_its_guard_or_with_the_group() {
        let group = Tasks::new();
        let (failed, guard) = group.part(Span::none());
        let (good, kept) = group.part(Span::none());
        kept.disarm();
        let waits = |part: Tasks| async move { part.stopping().await };
        let ended = failed.spawn(waits(failed.clone()));
        good.spawn(waits(good.clone()));
        drop(guard);
        ended.await.unwrap();
        assert!(failed.is_stopping() && !good.is_stopping() && !group.is_stopping());
        assert_eq!(group.running(), 1);
        group.stop();
        group.drained().await;
        assert!(good.is_stopping());
    }
}

//! Background tasks: every spawned task is tracked, told to stop and waited for.
//!
//! `tokio::spawn` is banned elsewhere: a task that nobody tracks outlives the shutdown that should
//! have drained it.

use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
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

    /// A handle whose tasks' log lines carry what the span does.
    #[must_use]
    pub fn within(&self, span: Span) -> Self {
        Self { span, ..self.clone() }
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

//! Background tasks: every spawned task is tracked, told to stop and waited for.
//!
//! `tokio::spawn` is banned elsewhere: a task that nobody tracks outlives the shutdown that should
//! have drained it.

use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A group of tasks with one stop signal. Clones are handles on the same group.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// An empty group.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts `task` and remembers it until it ends. It should watch [`Tasks::stopping`].
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tracker.spawn(task)
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

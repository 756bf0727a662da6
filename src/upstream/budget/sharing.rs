//! Turns at the shared budget: when to take one, and who waits meanwhile.
//!
//! Where what is shared is kept is behind [`SharedBudget`]: a text that is changed by a function, with
//! nobody else at it. A gateway takes a turn when a call finds no place, now and then while calls wait,
//! and to renew what it has. One that has nothing and waits for nothing only looks, every few seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::clock::new_id;
use crate::tasks::Tasks;
use crate::upstream::Priority;

use super::pool::{Ask, Grant, Pool};
use super::{Allowance, Rule};

/// How often a gateway asks whose calls wait for a place.
pub(super) const AGAIN: Duration = Duration::from_millis(250);
/// How often one renews whose calls do not wait.
const RENEW: Duration = Duration::from_secs(1);
/// How often one looks that has no places.
const LOOK: Duration = Duration::from_secs(5);
/// How many turns a call waits for before it believes that there is nothing to be had in time.
const HOPE: u32 = 3;

/// Makes the new text of the old one; `None`: there is none yet.
pub type Change<'a> = Box<dyn FnOnce(Option<&str>) -> String + Send + 'a>;

/// What is shared could not be reached, or nobody knows whether it was changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unshared;

/// Where several gateways keep the budget of one account.
#[async_trait]
pub trait SharedBudget: Send + Sync {
    /// Changes what is kept, with nobody else at it meanwhile.
    async fn change(&self, change: Change<'_>) -> Result<(), Unshared>;
}

/// Those who wait for a place.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Whether there is a pool to ask.
    shared: AtomicBool,
    interactive: AtomicU32,
    background: AtomicU32,
    asked: Notify,
    /// How many turns are over, and when the last one was.
    turns: AtomicU32,
    turned_at: AtomicI64,
}

/// One that waits.
pub(super) struct Place<'a> {
    line: &'a Line,
    priority: Priority,
    since: u32,
}

impl Line {
    /// Waits until dropped.
    pub(super) fn enter(&self, priority: Priority) -> Place<'_> {
        self.count(priority).fetch_add(1, Ordering::AcqRel);
        Place { line: self, priority, since: self.turns.load(Ordering::Acquire) }
    }

    fn count(&self, priority: Priority) -> &AtomicU32 {
        match priority {
            Priority::Interactive => &self.interactive,
            Priority::Background => &self.background,
        }
    }

    fn waiting(&self) -> (u32, u32) {
        let count = |count: &AtomicU32| count.load(Ordering::Acquire);
        (count(&self.interactive), count(&self.background))
    }
}

impl Place<'_> {
    /// Asks for a turn, if one may help. Whether it is too early to say that there is no place.
    pub(super) fn ask(&mut self, now_ms: i64) -> bool {
        if !self.line.shared.load(Ordering::Acquire) {
            return false;
        }
        let turns = self.line.turns.load(Ordering::Acquire).wrapping_sub(self.since);
        let age = now_ms - self.line.turned_at.load(Ordering::Acquire);
        if turns == 0 || age >= i64::try_from(AGAIN.as_millis()).unwrap_or(i64::MAX) {
            self.line.asked.notify_one();
        }
        turns < HOPE
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.line.count(self.priority).fetch_sub(1, Ordering::AcqRel);
    }
}

impl Allowance {
    /// Keeps to a part of the window from now on, until the tasks stop. A budget of our own settings
    /// is not shared.
    pub fn share(self: &Arc<Self>, shared: Arc<dyn SharedBudget>, tasks: &Tasks) {
        let Rule::Stated(window) = &mut *self.lock() else { return };
        window.share(new_id(&self.clock));
        self.line.shared.store(true, Ordering::Release);
        let (this, stop) = (Arc::clone(self), tasks.clone());
        tasks.spawn(async move { this.keep_sharing(&*shared, &stop).await });
    }

    async fn keep_sharing(&self, shared: &dyn SharedBudget, stop: &Tasks) {
        loop {
            tokio::select! {
                () = stop.stopping() => break,
                () = self.line.asked.notified() => {}
                () = self.clock.sleep(self.pause()) => {}
            }
            if !self.is_free() {
                self.turn(shared).await;
            }
        }
        // Requests under way have what is left until the lease ends; nobody asks for more.
        self.line.shared.store(false, Ordering::Release);
        self.turn(shared).await;
    }

    fn pause(&self) -> Duration {
        let holds = matches!(&*self.lock(), Rule::Stated(window) if window.holds());
        match self.line.waiting() {
            (0, 0) if holds => RENEW,
            (0, 0) => LOOK,
            _ => AGAIN,
        }
    }

    async fn turn(&self, shared: &dyn SharedBudget) {
        let now = self.clock.now_ms();
        let ask = match &mut *self.lock() {
            Rule::Stated(window) => window.ask(now, self.line.waiting()),
            Rule::Own(_) => None,
        };
        let Some(ask) = ask else { return };
        let granted = take_turn(shared, ask).await;
        if granted.is_err() {
            tracing::warn!("the shared budget cannot be reached: a small share of our own is left");
        }
        let now = self.clock.now_ms();
        let mut rule = self.lock();
        if let Rule::Stated(window) = &mut *rule {
            match granted {
                Ok(grant) => window.granted(now, grant),
                Err(Unshared) => window.cut_off(),
            }
        }
        drop(rule);
        self.line.turned_at.store(now, Ordering::Release);
        self.line.turns.fetch_add(1, Ordering::AcqRel);
        self.turned.notify_waiters();
    }
}

/// A text that cannot be read (a newer program's) is begun anew.
async fn take_turn(shared: &dyn SharedBudget, ask: Ask) -> Result<Grant, Unshared> {
    let mut granted = None;
    let change: Change<'_> = Box::new(|kept| {
        let pool = kept.and_then(|kept| serde_json::from_str(kept).ok());
        let mut pool: Pool = pool.unwrap_or_else(|| Pool::new(ask.assumed, ask.now));
        granted = Some(pool.turn(&ask));
        serde_json::to_string(&pool).unwrap_or_default()
    });
    shared.change(change).await?;
    granted.ok_or(Unshared)
}

//! A strict fake of Doppler's API: lists, subscribers, fields, unsubscribed, imports with their
//! tasks, deliveries and the campaigns they belong to.
//!
//! A call goes through [`call`] to its handler in [`routes`], which reads or changes the
//! [`account`]; the answer is shaped by [`answer`], [`page`] and [`problem`]. Where the vendor's
//! public material leaves something open, the doc comment at the place says what was assumed.

mod account;
mod answer;
mod call;
mod campaign;
mod edit;
mod email;
mod field;
mod limit;
mod page;
mod problem;
mod routes;
pub mod seed;
mod snapshot;
mod stamp;
mod subscriber;
mod task;
mod value;
mod write;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

use axum::Router;

use self::account::Account;
use self::limit::Limit;
use super::credentials::{ACCOUNTS, Account as Named};
use super::here;
use super::shared::Shared;

/// The fake of one account. Several know nothing of each other but that a key of one leads there.
#[derive(Debug)]
pub struct Doppler {
    name: &'static Named,
    /// All accounts of the sandbox.
    all: Arc<RwLock<Vec<Weak<Doppler>>>>,
    shared: Arc<Shared>,
    account: RwLock<Account>,
    limit: Limit,
    /// When the next import ends, so that a call without one costs a comparison.
    next_end: AtomicI64,
}

impl Doppler {
    /// An account with the predefined fields and nobody in it.
    pub fn new(shared: Arc<Shared>) -> Arc<Self> {
        Self::make(shared, &ACCOUNTS[0], Arc::default())
    }

    /// Another empty account, served by the same routes.
    pub fn beside(&self, name: &'static Named) -> Arc<Self> {
        Self::make(Arc::clone(&self.shared), name, Arc::clone(&self.all))
    }

    fn make(
        shared: Arc<Shared>,
        name: &'static Named,
        all: Arc<RwLock<Vec<Weak<Doppler>>>>,
    ) -> Arc<Self> {
        let limit = Limit::new(shared.clock.now_ms());
        let account = here::within(name, RwLock::default);
        let next_end = AtomicI64::new(i64::MAX);
        let others = Arc::clone(&all);
        let fake = Arc::new(Self { name, all, shared, account, limit, next_end });
        others.write().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&fake));
        fake
    }

    /// The account that a key is for.
    fn of_key(&self, key: &str) -> Option<Arc<Self>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter_map(Weak::upgrade).find(|fake| fake.name.api_key == key)
    }

    /// Its routes, without the system's prefix.
    pub fn router(self: &Arc<Self>) -> Router {
        routes::router(self)
    }

    /// The index, to be nested once more under the prefix with a slash.
    pub fn index(self: &Arc<Self>) -> Router {
        routes::index(self)
    }

    fn read(&self) -> RwLockReadGuard<'_, Account> {
        self.account.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Account> {
        self.account.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings imports that have ended by `now` into effect.
    fn settle(&self, now: i64) {
        if now >= self.next_end.load(Ordering::Acquire) {
            let mut account = self.write();
            let next = task::settle(&mut account, now);
            self.next_end.store(next.unwrap_or(i64::MAX), Ordering::Release);
        }
    }

    /// Sees to a task's end, and tells `callback` of it. The callback's body is a copy of the task;
    /// what the real one holds is not known.
    fn await_task(self: &Arc<Self>, number: u64, ends: i64, callback: Option<url::Url>) {
        self.next_end.fetch_min(ends, Ordering::AcqRel);
        let Some(callback) = callback else { return };
        let doppler = Arc::clone(self);
        let tell = async move {
            let shared = &doppler.shared;
            let left = u64::try_from(ends - shared.clock.now_ms()).unwrap_or_default();
            shared.clock.sleep(Duration::from_millis(left)).await;
            let now = shared.clock.now_ms();
            doppler.settle(now);
            let body = {
                let account = doppler.read();
                account.tasks.get(&number).map(|task| task.shown(number, now))
            };
            let encode = || serde_json::to_vec(&body).unwrap_or_default();
            let body = here::within(doppler.name, encode);
            shared.outbound.post(callback, &[], body).await;
        };
        let tasks = self.shared.tasks.clone();
        self.shared.tasks.spawn(async move {
            tokio::select! {
                () = tasks.stopping() => {}
                () = tell => {}
            }
        });
    }
}

//! Workers: claim what is due, hand it to the handler of its kind, as many at once as allowed.
//!
//! Work is found by asking the store, at least once a second; whoever marks something wakes the
//! workers, which only makes it sooner. Kinds are registered by the start of the program, so that
//! this loop knows none of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Notify, Semaphore};

use crate::bus::{Bus, Heard, Listener, What};
use crate::clock::{Clock, new_id};
use crate::store::{Claim, Lease, Store};
use crate::tasks::Tasks;

use super::Error;
use super::engine::LEASE;

/// How often the store is asked when nobody wakes the workers.
const POLL: Duration = Duration::from_secs(1);
/// How often a row is claimed without a word from its worker before it is given up: it may be what
/// kills the workers.
const MOST_CLAIMS: u32 = 25;

/// Wakes the workers of this process.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// There may be work.
    pub fn now(&self) {
        self.0.notify_one();
    }
}

/// Does one kind of work.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Does it and records its end, by the lease. After an error the work is claimed again when the
    /// lease has run out.
    async fn handle(&self, lease: Lease) -> Result<(), Error>;
}

/// Who does which kind of work.
pub type Handlers = HashMap<&'static str, Arc<dyn Handler>>;

/// The workers of this process.
pub struct Workers {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub clock: Clock,
    pub wake: Wake,
    pub handlers: Handlers,
    /// How many keys are worked on at once.
    pub at_once: usize,
}

impl Workers {
    /// Works until the tasks stop; what is under way then is finished.
    pub fn start(self, tasks: &Tasks) {
        let stop = tasks.clone();
        tasks.spawn(async move { self.run(&stop).await });
    }

    async fn run(self, tasks: &Tasks) {
        let free = Arc::new(Semaphore::new(self.at_once));
        let mut news = self.bus.listen();
        while !tasks.is_stopping() {
            let claimed = self.claim(&free).await;
            let more = match claimed {
                Ok(leases) => self.hand_out(leases, &free, tasks),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "no work claimed");
                    false
                }
            };
            if more {
                continue;
            }
            tokio::select! {
                () = tasks.stopping() => return,
                () = self.wake.0.notified() => {}
                () = news_of_work(&mut news) => {}
                () = self.clock.sleep(POLL) => {}
            }
        }
    }

    async fn claim(&self, free: &Semaphore) -> Result<Vec<Lease>, Error> {
        let limit = u32::try_from(free.available_permits()).unwrap_or(u32::MAX);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let kinds: Vec<&'static str> = self.handlers.keys().copied().collect();
        let now = self.clock.now();
        let claim = Claim {
            kinds: &kinds,
            token: new_id(&self.clock),
            now,
            until: now + LEASE,
            limit,
            most_attempts: MOST_CLAIMS,
        };
        let claimed = self.store.claim(&claim).await?;
        for (_, kind, _) in &claimed.dead {
            tracing::error!(work.kind = kind, "work given up: it never ended");
        }
        Ok(claimed.leases)
    }

    /// Whether all that could be taken was taken, so that more may be due.
    fn hand_out(&self, leases: Vec<Lease>, free: &Arc<Semaphore>, tasks: &Tasks) -> bool {
        let any = !leases.is_empty();
        for lease in leases {
            let Some(handler) = self.handlers.get(lease.kind) else { continue };
            // As many were claimed as there are permits.
            let Ok(permit) = Arc::clone(free).try_acquire_owned() else { continue };
            let (handler, wake) = (Arc::clone(handler), self.wake.clone());
            tasks.spawn(async move {
                let kind = lease.kind;
                if let Err(error) = handler.handle(lease).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(work.kind = kind, error, "work not ended");
                }
                drop(permit);
                wake.now();
            });
        }
        any && free.available_permits() > 0
    }
}

/// Ends when somebody said that there is work.
async fn news_of_work(news: &mut Listener) {
    loop {
        match news.hear().await {
            Some(Heard::News { news, .. }) if news.what != What::Work => {}
            Some(Heard::News { .. } | Heard::Missed) => return,
            // The bus is gone: the poll is left.
            None => std::future::pending().await,
        }
    }
}

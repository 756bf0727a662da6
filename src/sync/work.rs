//! Workers: claim what is due, hand it to the handler of its kind, as many at once as allowed.
//!
//! Work is found by asking the store, at least once a second; whoever marks something wakes the
//! workers, which only makes it sooner. Kinds are registered by the start of the program, so that
//! this loop knows none of them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Notify, Semaphore};

use crate::bus::{Bus, Heard, Listener, What};
use crate::clock::{Clock, new_id};
use crate::store::{Claim, Lease, Store};
use crate::tasks::Tasks;
use crate::unified::WorkspaceId;

use super::Error;
use super::engine::LEASE;

/// How often the store is asked when nobody wakes the workers.
const POLL: Duration = Duration::from_secs(1);
/// How often a row is claimed without a word from its worker before it is given up: it may be what
/// kills the workers.
const MOST_CLAIMS: u32 = 25;
/// How much is claimed in one transaction, so that others can write in between.
const AT_ONCE: u32 = 100;

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

/// What the workers of this process are made of.
pub struct Workers {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub clock: Clock,
    /// How many keys of one workspace are worked on at once.
    pub at_once: usize,
}

/// The workers of this process, for all its workspaces. One loop asks for all of them, and each has
/// its own room: whatever waits in one, and however long its systems take to answer, the others' work
/// is begun. Clones are the same.
#[derive(Clone)]
pub struct Crew(Arc<Inner>);

struct Inner {
    workers: Workers,
    wake: Wake,
    teams: RwLock<HashMap<WorkspaceId, Arc<Team>>>,
}

/// Who works on one workspace.
struct Team {
    handlers: Handlers,
    free: Arc<Semaphore>,
    tasks: Tasks,
}

impl Crew {
    /// Workers without work.
    pub fn new(workers: Workers) -> Self {
        Self(Arc::new(Inner { workers, wake: Wake::default(), teams: RwLock::default() }))
    }

    /// Works until the tasks stop; what is under way then is finished.
    pub fn start(&self, tasks: &Tasks) {
        let (inner, stop) = (Arc::clone(&self.0), tasks.clone());
        tasks.spawn(async move { inner.run(&stop).await });
    }

    /// Works on a workspace from now on, on its own tasks.
    pub fn join(&self, workspace: WorkspaceId, handlers: Handlers, tasks: Tasks) {
        let free = Arc::new(Semaphore::new(self.0.workers.at_once));
        let team = Arc::new(Team { handlers, free, tasks });
        let mut teams = self.0.teams.write().unwrap_or_else(PoisonError::into_inner);
        teams.insert(workspace, team);
        drop(teams);
        self.0.wake.now();
    }

    /// For whoever stores work by itself.
    pub fn waker(&self) -> Wake {
        self.0.wake.clone()
    }
}

impl Inner {
    async fn run(&self, tasks: &Tasks) {
        let mut news = self.workers.bus.listen();
        while !tasks.is_stopping() {
            let more = match self.claim().await {
                Ok(leases) => self.hand_out(leases),
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
                () = self.workers.clock.sleep(POLL) => {}
            }
        }
    }

    fn team(&self, workspace: &WorkspaceId) -> Option<Arc<Team>> {
        let teams = self.teams.read().unwrap_or_else(PoisonError::into_inner);
        teams.get(workspace).map(Arc::clone)
    }

    /// Which kinds of work are known, and how much of it each workspace may get.
    fn room(&self) -> (Vec<&'static str>, HashMap<WorkspaceId, u32>) {
        let teams = self.teams.read().unwrap_or_else(PoisonError::into_inner);
        let kinds: BTreeSet<&'static str> =
            teams.values().flat_map(|team| team.handlers.keys().copied()).collect();
        let rooms = teams.iter().map(|(workspace, team)| {
            let free = u32::try_from(team.free.available_permits()).unwrap_or(u32::MAX);
            (workspace.clone(), free)
        });
        (kinds.into_iter().collect(), rooms.filter(|(_, free)| *free > 0).collect())
    }

    async fn claim(&self) -> Result<Vec<Lease>, Error> {
        let (kinds, rooms) = self.room();
        if rooms.is_empty() {
            return Ok(Vec::new());
        }
        let Workers { store, clock, .. } = &self.workers;
        let now = clock.now();
        let claim = Claim {
            kinds: &kinds,
            token: new_id(clock),
            now,
            until: now + LEASE,
            limit: AT_ONCE,
            rooms: Some(&rooms),
            most_attempts: MOST_CLAIMS,
        };
        let claimed = store.claim(&claim).await?;
        for (workspace, kind, _) in &claimed.dead {
            let workspace = workspace.as_str();
            tracing::error!(workspace, work.kind = kind, "work given up: it never ended");
        }
        Ok(claimed.leases)
    }

    /// Whether all that could be taken was taken, so that more may be due.
    fn hand_out(&self, leases: Vec<Lease>) -> bool {
        let any = !leases.is_empty();
        for lease in leases {
            let Some(team) = self.team(&lease.workspace) else { continue };
            let Some(handler) = team.handlers.get(lease.kind).map(Arc::clone) else { continue };
            // As many were claimed as there are permits.
            let Ok(permit) = Arc::clone(&team.free).try_acquire_owned() else { continue };
            let wake = self.wake.clone();
            team.tasks.spawn(async move {
                let kind = lease.kind;
                if let Err(error) = handler.handle(lease).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(work.kind = kind, error, "work not ended");
                }
                drop(permit);
                wake.now();
            });
        }
        any
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

//! The newest events, read once for everyone who follows them.
//!
//! A thousand subscribers are one reader of the store: it reads on whenever the bus says that the
//! history went on, and at least once a second, because the bus may lose a message. Whoever follows
//! replays from the store what is older than the tail and goes on with the tail, by cursors, so that
//! nothing is missed or seen twice at the seam.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::bus::{Bus, Heard, Listener};
use crate::clock::Clock;
use crate::store::{EventFilter, Events, Span, Store};
use crate::tasks::Tasks;
use crate::unified::{Event, WorkspaceId};

/// How many events are kept at hand, and how far behind a follower may be before it is told so.
pub(super) const LENGTH: usize = 2_000;
/// How often the store is asked when the bus says nothing.
const POLL: Duration = Duration::from_secs(1);
/// How many events one look brings.
const BATCH: u32 = 500;

/// One workspace's newest events.
pub(super) struct Tail {
    events: Mutex<VecDeque<Arc<Event>>>,
    last: watch::Sender<i64>,
}

/// What a follower finds after its cursor.
pub(super) enum After {
    /// In order; may be empty.
    Events(Vec<Arc<Event>>),
    /// Some of them are older than the tail.
    Older,
}

impl Tail {
    /// Events after a cursor.
    pub fn after(&self, cursor: i64) -> After {
        let events = self.lock();
        match events.front() {
            Some(first) if cursor + 1 >= first.cursor => {
                let new = events.iter().filter(|event| event.cursor > cursor);
                After::Events(new.cloned().collect())
            }
            None if cursor >= *self.last.borrow() => After::Events(Vec::new()),
            Some(_) | None => After::Older,
        }
    }

    /// The cursor of the newest event.
    pub fn last(&self) -> i64 {
        *self.last.borrow()
    }

    /// Ends when there is an event after the cursor; `false` when there will be none any more.
    pub async fn grown(&self, cursor: i64) -> bool {
        let mut last = self.last.subscribe();
        last.wait_for(|last| *last > cursor).await.is_ok()
    }

    fn push(&self, new: Vec<Event>) {
        let Some(last) = new.last().map(|event| event.cursor) else { return };
        let mut events = self.lock();
        events.extend(new.into_iter().map(Arc::new));
        let surplus = events.len().saturating_sub(LENGTH);
        events.drain(..surplus);
        drop(events);
        self.last.send_replace(last);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<Event>>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tails of all workspaces that somebody follows.
pub(super) struct Tails {
    by_workspace: Mutex<HashMap<WorkspaceId, Arc<Tail>>>,
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    clock: Clock,
    tasks: Tasks,
}

impl Tails {
    /// None yet.
    pub fn new(store: Arc<dyn Store>, bus: Arc<dyn Bus>, clock: Clock, tasks: Tasks) -> Self {
        Self { by_workspace: Mutex::default(), store, bus, clock, tasks }
    }

    /// A workspace's tail; begins to read it if nobody did.
    pub async fn of(&self, workspace: &WorkspaceId) -> Result<Arc<Tail>, crate::store::Error> {
        if let Some(tail) = self.lock().get(workspace) {
            return Ok(Arc::clone(tail));
        }
        let last = self.store.last_cursor(workspace).await?;
        let mut tails = self.lock();
        // Somebody else may have begun meanwhile.
        let tail = tails.entry(workspace.clone()).or_insert_with(|| {
            let tail = Arc::new(Tail { events: Mutex::default(), last: watch::channel(last).0 });
            let reader = Reader {
                tail: Arc::clone(&tail),
                workspace: workspace.clone(),
                store: Arc::clone(&self.store),
                bus: Arc::clone(&self.bus),
                clock: self.clock.clone(),
                stop: self.tasks.clone(),
            };
            self.tasks.spawn(reader.run());
            tail
        });
        Ok(Arc::clone(tail))
    }

    /// Drops the events that are at hand: who has not taken them yet reads them from the store.
    pub fn forget(&self, workspace: &WorkspaceId) {
        if let Some(tail) = self.lock().get(workspace) {
            tail.lock().clear();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<WorkspaceId, Arc<Tail>>> {
        self.by_workspace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends with the next news that may be about a workspace.
async fn until_ours(news: &mut Listener, workspace: &WorkspaceId) -> Option<Heard> {
    loop {
        let heard = news.hear().await?;
        if !heard.is_elsewhere(workspace) {
            return Some(heard);
        }
    }
}

struct Reader {
    tail: Arc<Tail>,
    workspace: WorkspaceId,
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    clock: Clock,
    stop: Tasks,
}

impl Reader {
    async fn run(self) {
        let mut news = self.bus.listen();
        loop {
            if let Err(error) = self.read_on().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "history not read");
            }
            tokio::select! {
                () = self.stop.stopping() => return,
                heard = until_ours(&mut news, &self.workspace) => if heard.is_none() { return },
                () = self.clock.sleep(POLL) => {}
            }
        }
    }

    async fn read_on(&self) -> Result<(), crate::store::Error> {
        loop {
            let span = Span::After(Some(self.tail.last()));
            let filter = EventFilter::default();
            match self.store.events(&self.workspace, span, &filter, BATCH).await? {
                Events::Found { events, more, .. } => {
                    self.tail.push(events);
                    if !more {
                        return Ok(());
                    }
                }
                // What was pruned before it was read is not for the tail to bring back.
                Events::Expired { oldest } => {
                    self.tail.last.send_replace(oldest - 1);
                }
            }
        }
    }
}

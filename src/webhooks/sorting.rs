//! Looking at what came in: whom it is about is forgotten and marked.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::contacts::Contacts;
use crate::store::{Lease, Mark, Next, Priority, Record, Store};
use crate::sync::{self, Handler};
use crate::unified::{EventDraft, EventKind, SyncState, System};
use crate::upstream::{About, Call, Inbound, Priority as Urgency};

/// How many are looked at together.
const AT_ONCE: u32 = 200;
/// How long a person's changes are gathered: one change inside a system is often several events, and
/// what we wrote ourselves comes back as one.
const GATHERED_FOR: TimeDelta = TimeDelta::seconds(1);
/// How long the calls of one batch may take. Shorter than a lease.
const PATIENCE: Duration = Duration::from_secs(40);
/// When a system that could not be asked is asked again.
const AGAIN: TimeDelta = TimeDelta::seconds(10);

/// The work that looks at what came in.
pub struct Sorting {
    pub inbound: Arc<dyn Inbound>,
    pub store: Arc<dyn Store>,
    pub contacts: Contacts,
    pub clock: Clock,
}

#[async_trait]
impl Handler for Sorting {
    async fn handle(&self, lease: Lease) -> Result<(), sync::Error> {
        let next = loop {
            let until = self.clock.now() + sync::LEASE;
            if !self.store.extend(&lease, until).await? {
                return Ok(());
            }
            match self.batch(&lease).await? {
                Batch::Empty => break Next::Done,
                Batch::Lost => return Ok(()),
                Batch::Looked => {}
                Batch::NotAsked(error) => {
                    break Next::Retry { at: self.clock.now() + AGAIN, error };
                }
            }
        };
        self.store.record(&lease, Record { next, ..Record::default() }, self.clock.now()).await?;
        Ok(())
    }
}

enum Batch {
    Empty,
    Looked,
    /// HighLevel could not be asked who somebody is.
    NotAsked(String),
    Lost,
}

impl Sorting {
    async fn batch(&self, lease: &Lease) -> Result<Batch, sync::Error> {
        let workspace = &lease.workspace;
        let arrivals = self.store.waiting(workspace, AT_ONCE).await?;
        if arrivals.is_empty() {
            return Ok(Batch::Empty);
        }
        let read = |body: &str| self.inbound.read(body.as_bytes()).map(|notice| notice.about);
        let hints: Vec<About> = arrivals.iter().filter_map(|one| read(&one.body)).collect();
        let deadline = Instant::now() + PATIENCE;
        let call = Call { deadline, priority: Urgency::Background, meter: Arc::default() };
        let heard = match self.contacts.hear(workspace, &hints, &call).await {
            Ok(heard) => heard,
            Err(error) => return Ok(Batch::NotAsked(error.to_string())),
        };
        let events: Vec<EventDraft> = hints.iter().filter_map(app_event).collect();
        if !events.is_empty() {
            self.store.append(workspace, &events, self.clock.now()).await?;
        }
        let due = self.clock.now() + GATHERED_FOR;
        let marks: Vec<Mark> = match self.store.sync_settings(workspace).await?.state {
            // The first run sees everybody.
            SyncState::NotSetUp | SyncState::Preview => Vec::new(),
            SyncState::Running | SyncState::Paused => {
                heard.into_iter().map(|id| Mark::contact(id, Priority::Live, due)).collect()
            }
        };
        let ids: Vec<String> = arrivals.into_iter().map(|arrival| arrival.id).collect();
        let stored = self.store.looked_at(lease, &ids, &marks).await?;
        Ok(if stored { Batch::Looked } else { Batch::Lost })
    }
}

/// What the history says of the app itself.
fn app_event(hint: &About) -> Option<EventDraft> {
    let message = match hint {
        About::Installed => "The app was installed in HighLevel",
        About::Uninstalled => "The app was taken off HighLevel: it sends no changes any more",
        About::Contact(_)
        | About::Notes(_)
        | About::Tasks(_)
        | About::Task { .. }
        | About::Appointments(_)
        | About::Other => return None,
    };
    let draft = EventDraft::new(EventKind::UpstreamChanged, message);
    Some(EventDraft { system: Some(System::HighLevel), ..draft })
}

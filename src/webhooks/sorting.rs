//! Looking at what came in: whom it is about is forgotten and marked.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::Value;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::contacts::{self, Contacts};
use crate::store::{Arrival, Lease, LookedAt, Mark, Next, Priority, Record, Store, Trace};
use crate::sync::{self, Handler};
use crate::unified::{EventDraft, EventKind, SyncState, System, WorkspaceId, normalize_email};
use crate::upstream::{About, Call, Inbound, Notice, Priority as Urgency};

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
                    tracing::info!(
                        error,
                        "webhooks wait: HighLevel could not be asked whom they are about"
                    );
                    // No attempt is counted: what came in is looked at however long it takes.
                    break Next::Again(self.clock.now() + AGAIN);
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
        let read = |body: &str| self.inbound.read(body.as_bytes());
        let read = arrivals.iter().filter_map(|one| Some((&one.id, read(&one.body)?)));
        let (read_ids, notices): (Vec<&String>, Vec<_>) = read.unzip();
        let hints: Vec<About> = notices.iter().map(|notice| notice.about.clone()).collect();
        let deadline = Instant::now() + PATIENCE;
        let call = Call { deadline, priority: Urgency::Background, meter: Arc::default() };
        let heard = match self.contacts.hear(workspace, &hints, &call).await {
            Ok(heard) => heard,
            Err(error) => return Ok(Batch::NotAsked(error.to_string())),
        };
        let events: Vec<EventDraft> = hints.iter().filter_map(app_event).collect();
        if let Err(error) = self.hear_of_app(&notices).await {
            return Ok(Batch::NotAsked(error.to_string()));
        }
        let due = self.clock.now() + GATHERED_FOR;
        let marks: Vec<Mark> = match self.store.sync_settings(workspace).await?.state {
            // The first run sees everybody.
            SyncState::NotSetUp | SyncState::Preview => Vec::new(),
            SyncState::Running | SyncState::Paused => {
                heard.marked.into_iter().map(|id| Mark::contact(id, Priority::Live, due)).collect()
            }
        };
        let of_erased = heard.of_erased.iter().filter_map(|place| read_ids.get(*place));
        let mut forget: Vec<String> = of_erased.map(|id| (*id).clone()).collect();
        forget.extend(self.naming_erased(workspace, &arrivals).await?);
        if !forget.is_empty() {
            let (count, why) = (forget.len(), "the person was erased");
            tracing::info!(count, why, "webhooks ignored");
        }
        let ids: Vec<String> = arrivals.iter().map(|arrival| arrival.id.clone()).collect();
        let looked = LookedAt { ids: &ids, forget: &forget, marks: &marks, events: &events };
        let stored = self.store.looked_at(lease, looked, self.clock.now()).await?;
        Ok(if stored { Batch::Looked } else { Batch::Lost })
    }
}

impl Sorting {
    /// What befell the app itself may have ended a credential.
    async fn hear_of_app(&self, notices: &[Notice]) -> Result<(), contacts::Error> {
        let mut any = false;
        for Notice { about, at, .. } in notices {
            match about {
                About::Installed => {}
                About::Uninstalled => self.contacts.app_removed(*at).await?,
                About::TakenBack(agency) => self.contacts.app_taken_back(agency, *at).await?,
                About::Contact(_)
                | About::Notes(_)
                | About::Tasks(_)
                | About::Task { .. }
                | About::Appointments(_)
                | About::Other => continue,
            }
            any = true;
        }
        if any {
            // With the app its tokens go, and with a new one they may work again.
            self.contacts.probe(System::HighLevel).await;
        }
        Ok(())
    }

    /// The ids of those that name an erased person's address, whomever they are about.
    async fn naming_erased(
        &self,
        workspace: &WorkspaceId,
        arrivals: &[Arrival],
    ) -> Result<Vec<String>, sync::Error> {
        let (mut ids, mut traces) = (Vec::new(), Vec::new());
        for arrival in arrivals {
            for address in addresses(&arrival.body) {
                ids.push(&arrival.id);
                traces.push(Trace::Email(address));
            }
        }
        let erased = self.store.erased(workspace, &traces).await?;
        let named = ids.into_iter().zip(erased).filter(|(_, erased)| erased.is_some());
        Ok(named.map(|(id, _)| id.clone()).collect())
    }
}

/// Every address in a body, normalised.
fn addresses(body: &str) -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) => found.extend(normalize_email(text)),
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            Value::Object(members) => members.values().for_each(|member| collect(member, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut found = Vec::new();
    if let Ok(value) = serde_json::from_str(body) {
        collect(&value, &mut found);
    }
    found
}

/// What the history says of the app itself.
fn app_event(hint: &About) -> Option<EventDraft> {
    let message = match hint {
        About::Installed => "The app was installed in HighLevel",
        About::Uninstalled => "The app was taken off HighLevel: it sends no changes any more",
        // Whom it is about is told when they are disconnected.
        About::TakenBack(_) => return None,
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

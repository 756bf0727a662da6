//! Polls: looking for changes that nobody told us of. Doppler tells of none, and of HighLevel's
//! webhooks some get lost.
//!
//! A poll is a row of work that marks itself again. It reads a system's people page by page, and what
//! it remembers after each page is where it is and in which version it saw whom, so that a program
//! that dies goes on where it was. Whose version is new is marked; nothing is written here, and what
//! a page says of values is not believed: the reconcile reads both sides. The first one sees everybody
//! for the first time and is thereby the first run of sync, at the lowest priority.
//!
//! [`highlevel`] and [`doppler`] decide what to ask for next; both are pure.

mod doppler;
mod highlevel;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::store::{self, Lease, Mark, Next, POLL, Priority, Record, Step, Store, Version};
use crate::tasks::Tasks;
use crate::unified::{Sighting, System, WorkspaceId};
use crate::upstream::{self, Call, Crm, Mailing, Priority as Urgency, Retry};

use super::Error;
use super::backoff;
use super::engine::LEASE;
use super::mappings::Mappings;
use super::work::Handler;

/// How long one page's calls may take. Shorter than a lease.
const PATIENCE: Duration = Duration::from_secs(40);

/// Looks for changes in both systems.
pub struct Poll {
    pub store: Arc<dyn Store>,
    pub mailing: Arc<dyn Mailing>,
    pub crm: Arc<dyn Crm>,
    pub mappings: Mappings,
    pub clock: Clock,
    pub tasks: Tasks,
    pub settings: PollSettings,
}

/// What can be set about polls.
#[derive(Clone, Copy, Debug)]
pub struct PollSettings {
    /// From the end of one poll of Doppler to the next.
    pub doppler_every: Duration,
    /// The same of HighLevel.
    pub highlevel_every: Duration,
    /// How late HighLevel's search may hear of a change.
    pub index_delay: Duration,
}

/// A page as either system gave it.
struct Page {
    /// Who is on it, each with what is remembered of it.
    people: Vec<(Sighting, Version)>,
    /// Where to go on, as JSON.
    position: String,
    is_last: bool,
    /// Whether nobody was seen before it, so that nothing on it is urgent.
    is_first_run: bool,
}

enum Failure {
    Store(store::Error),
    Upstream(upstream::Error),
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<upstream::Error> for Failure {
    fn from(error: upstream::Error) -> Self {
        Self::Upstream(error)
    }
}

/// The rows of work that poll a workspace's systems, for whoever sets it up.
pub fn schedule(now: DateTime<Utc>) -> [Mark; 2] {
    System::ALL.map(|system| Mark {
        kind: POLL,
        key: system.as_str().to_owned(),
        priority: Priority::Live,
        due: now,
    })
}

#[async_trait]
impl Handler for Poll {
    async fn handle(&self, lease: Lease) -> Result<(), Error> {
        let system = System::ALL.into_iter().find(|system| system.as_str() == lease.key);
        let system = system.ok_or(Error::Key)?;
        let next = loop {
            if self.tasks.is_stopping() {
                self.store.give_back(&lease).await?;
                return Ok(());
            }
            if !self.store.extend(&lease, self.clock.now() + LEASE).await? {
                return Ok(());
            }
            match self.turn(&lease, system).await {
                Ok(Turn::More) => {}
                Ok(Turn::Over) => break Next::Again(self.clock.now() + self.every(system)),
                Ok(Turn::Lost) => return Ok(()),
                Err(Failure::Store(error)) => return Err(error.into()),
                Err(Failure::Upstream(error)) => {
                    let wait = match error.retry() {
                        Retry::After(wait) => wait,
                        Retry::Soon | Retry::Never => backoff::after(lease.attempt),
                    };
                    break Next::Retry { at: self.clock.now() + wait, error: error.to_string() };
                }
            }
        };
        self.store.record(&lease, Record { next, ..Record::default() }, self.clock.now()).await?;
        Ok(())
    }
}

enum Turn {
    More,
    Over,
    Lost,
}

impl Poll {
    fn every(&self, system: System) -> Duration {
        match system {
            System::Doppler => self.settings.doppler_every,
            System::HighLevel => self.settings.highlevel_every,
        }
    }

    /// Reads a page and remembers it.
    async fn turn(&self, lease: &Lease, system: System) -> Result<Turn, Failure> {
        let workspace = &lease.workspace;
        let held = self.store.position(workspace, system).await?;
        let deadline = Instant::now() + PATIENCE;
        let call = Call { deadline, priority: Urgency::Background, meter: Arc::default() };
        let page = match system {
            System::Doppler => self.doppler_page(workspace, held.as_deref(), &call).await?,
            System::HighLevel => self.highlevel_page(held.as_deref(), &call).await?,
        };
        let (sightings, seen): (Vec<Sighting>, Vec<Version>) = page.people.into_iter().unzip();
        let unseen = self.store.unseen(workspace, system, &seen).await?;
        let new: Vec<Sighting> =
            sightings.into_iter().zip(unseen).filter_map(|(one, new)| new.then_some(one)).collect();
        let now = self.clock.now();
        let known = self.store.recognize(workspace, &new, now).await?;
        let priority = if page.is_first_run { Priority::Backfill } else { Priority::Live };
        let marks: Vec<Mark> =
            known.iter().map(|known| Mark::contact(known.id, priority, now)).collect();
        let step = Step { system, seen: &seen, position: &page.position, marks: &marks };
        Ok(match (self.store.step(lease, step).await?, page.is_last) {
            (false, _) => Turn::Lost,
            (true, true) => Turn::Over,
            (true, false) => Turn::More,
        })
    }

    async fn highlevel_page(&self, held: Option<&str>, call: &Call) -> Result<Page, Failure> {
        let position = highlevel::Position::at(held, self.clock.now());
        let request = position.request(self.settings.index_delay);
        let rows = self.crm.search(call, &request).await?.rows;
        let is_first_run = position.is_first_run();
        let (next, is_last) = position.after(&rows);
        let people =
            rows.iter().map(|row| (Sighting::of_contact(&row.contact), highlevel::seen(row)));
        Ok(Page { people: people.collect(), position: next.to_json(), is_last, is_first_run })
    }

    async fn doppler_page(
        &self,
        workspace: &WorkspaceId,
        held: Option<&str>,
        call: &Call,
    ) -> Result<Page, Failure> {
        let position = doppler::Position::at(held, self.clock.now());
        let request = position.request();
        let page = match request {
            doppler::Request::Account(number) => {
                self.mailing.subscribers(call, number, None).await?
            }
            doppler::Request::Unsubscribed { from, to, number } => {
                self.mailing.unsubscribed(call, from, to, number).await?
            }
        };
        let is_first_run = position.is_first_run();
        let (next, is_last) = position.after(&page);
        let mapping = self.mappings.of(workspace);
        let people = page.items.iter().map(|subscriber| {
            let sighting = Sighting::of_subscriber(subscriber, &mapping);
            let seen = doppler::seen(request, &sighting.key, subscriber);
            (sighting, seen)
        });
        Ok(Page { people: people.collect(), position: next.to_json(), is_last, is_first_run })
    }
}

//! The use cases and the rights to them.
//!
//! [`Contacts`] hands out a [`Reader`] or a [`Writer`] to whoever may have it; without the handle
//! there is no method to call. A request brings a [`Session`], which says who asks, how long they
//! wait and how fresh they want things, and afterwards what the answer was made of.
//!
//! To add a use case: a method on the handle whose right it needs, in a file named for the topic.

mod admin;
mod budgets;
mod copies;
mod core;
mod doppler_side;
mod elsewhere;
mod entity;
mod error;
mod find;
mod hearing;
mod highlevel_side;
mod idempotency;
mod keeper;
mod listing;
mod mapping;
mod observer;
mod person;
mod reader;
mod session;
mod status;
mod submit;
mod tail;
mod tasks_of;
mod upsert;
mod watch;
mod writer;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use foldhash::quality::RandomState;

pub use self::core::Seen;
pub use admin::{Admin, Managed, PauseTarget};
pub use budgets::StoredBudget;
pub use doppler_side::DopplerSide;
pub use error::Error;
pub use find::By;
pub use highlevel_side::HighLevelSide;
pub use listing::Listing;
pub use observer::{ContactSyncState, Observer};
pub use person::Person;
pub use reader::Reader;
pub use session::{Session, Used, Wanted};
pub use status::Status;
pub use tasks_of::ContactTasks;
pub use upsert::Upsert;
pub use watch::Watch;
pub use writer::{Target, Writer, Written};

// What callers see of the layers below, which they do not import.
pub use crate::cache::Token;
pub use crate::store::{EventFilter, FailureFilter, HoldFilter, Workspace};
pub use crate::sync::{Action, Plan, PlannedField, Preview};
pub use crate::upstream::{
    CredentialKind, Error as UpstreamError, Kind as UpstreamKind, Retry, UpstreamState,
    UpstreamStatus,
};

use crate::bus::{Bus, Local};
use crate::cache::Cache;
use crate::clock::Clock;
use crate::config;
use crate::store::Store;
use crate::sync::{self, Engine, Handlers, Mappings, Wake};
use crate::tasks::Tasks;
use crate::unified::{Budget, Mapping, System};
use crate::upstream::{Crm, Directory, Mailing};

use self::core::Core;
use copies::Copies;
use keeper::Keeper;
use tail::Tails;

/// How many people are remembered by how they were seen.
const KNOWN_PEOPLE: u64 = 20_000;
/// How long, so that a merge made elsewhere shows.
const KNOWN_FOR: Duration = Duration::from_secs(60);
/// How many workspaces' states are remembered for a moment.
const STATUSES: u64 = 1_000;

/// How many writes are remembered, and for how long after the index has heard of them: longer than
/// any search takes.
const KNOWN_WRITES: u64 = 10_000;
const WRITES_KNOWN_FOR: Duration = Duration::from_secs(600);

/// The use cases. Cheap to clone.
#[derive(Clone)]
pub struct Contacts(Arc<Core>);

/// What the use cases are made of.
pub struct Parts {
    pub workspace: Workspace,
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub mailing: Arc<dyn Mailing>,
    pub crm: Arc<dyn Crm>,
    /// Of workspaces that have none of their own.
    pub mapping: Mapping,
    pub settings: Settings,
    pub clock: Clock,
}

/// What can be set about them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `doppler.scan_up_to`.
    pub scan_up_to: u32,
    /// `highlevel.timezone`, when set.
    pub zone: Option<chrono_tz::Tz>,
    /// `highlevel.index_delay`.
    pub index_delay: Duration,
    pub cache: config::cache::Cache,
    pub sync: config::sync::Sync,
}

impl Contacts {
    /// Puts the parts together and starts what works in the background.
    pub fn start(parts: Parts, tasks: &Tasks) -> Self {
        let Parts { workspace, store, bus, mailing, crm, mapping, settings, clock } = parts;
        let ttl = settings.cache.ttl.clone();
        let cache = Cache::new(
            settings.cache.max_bytes,
            move |entity| entity::time_to_live(entity, &ttl),
            clock.clone(),
        );
        let account =
            |directory: &dyn Directory| Arc::from(directory.status().account.unwrap_or_default());
        let accounts = [account(&*mailing), account(&*crm)];
        let copies = Copies::start(Arc::clone(&store), clock.clone(), tasks);
        let known = moka::sync::Cache::builder()
            .max_capacity(KNOWN_PEOPLE)
            .time_to_live(KNOWN_FOR)
            .build_with_hasher(RandomState::default());
        let written = moka::sync::Cache::builder()
            .max_capacity(KNOWN_WRITES)
            .time_to_live(WRITES_KNOWN_FOR.saturating_add(settings.index_delay))
            .build();
        let mappings = Mappings::new(mapping, Arc::clone(&store));
        mappings.follow(workspace.id.clone(), clock.clone(), tasks);
        let tails = Tails::new(Arc::clone(&store), Arc::clone(&bus), clock.clone(), tasks.clone());
        let core = Arc::new_cyclic(|core| {
            let engine = Engine::new(sync::Parts {
                store: Arc::clone(&store),
                bus: Arc::clone(&bus),
                mailing: Arc::clone(&mailing),
                crm: Arc::clone(&crm),
                mirror: Arc::new(Keeper(core.clone())),
                mappings: mappings.clone(),
                settings: sync::Settings {
                    catalog_for: settings.cache.ttl.definitions,
                    most_attempts: settings.sync.most_attempts,
                },
                clock: clock.clone(),
                tasks: tasks.clone(),
            });
            Core {
                workspace,
                store,
                bus,
                followed: Local::new(),
                mailing,
                crm,
                cache,
                known,
                copies,
                mappings,
                engine,
                tails,
                recent: moka::sync::Cache::new(STATUSES),
                written,
                written_ms: AtomicI64::new(i64::MIN),
                search_tasks_from: AtomicI64::new(i64::MIN),
                settings,
                clock,
                accounts,
                subscribers: AtomicU32::new(u32::MAX),
                tags: AtomicU32::new(u32::MAX),
            }
        });
        elsewhere::listen(Arc::clone(&core), tasks);
        Self(core)
    }

    /// Sets the workers to work: what was accepted and not finished, by this process or another, and
    /// other kinds of work by their handlers.
    pub fn work(&self, others: Handlers) {
        let core = &self.0;
        core.engine.start_workers(core.settings.sync.workers, others);
    }

    /// Keeps the workspace's systems in step from now on, if that was never decided before.
    pub async fn begin_sync(&self) -> Result<(), Error> {
        self.0.begin_sync().await
    }

    /// Has both systems looked through for changes, now and then.
    pub async fn schedule_polls(&self) -> Result<(), Error> {
        let core = &self.0;
        let marks = sync::schedule(core.clock.now());
        Ok(core.store.mark(&core.workspace.id, &marks).await?)
    }

    /// Each workspace's mapping.
    pub fn mappings(&self) -> Mappings {
        self.0.mappings.clone()
    }

    /// For whoever stores work by itself.
    pub fn waker(&self) -> Wake {
        self.0.engine.waker()
    }

    /// The right to read, if the session's requester has it.
    pub fn reader(&self, session: Arc<Session>) -> Result<Reader, Error> {
        Reader::new(Arc::clone(&self.0), session)
    }

    /// The right to write, if the session's requester has it and HighLevel's credential allows.
    pub fn writer(&self, session: Arc<Session>) -> Result<Writer, Error> {
        Writer::new(Arc::clone(&self.0), session)
    }

    /// The right to watch sync, if the session's requester has it.
    pub fn observer(&self, session: Arc<Session>) -> Result<Observer, Error> {
        Observer::new(Arc::clone(&self.0), session)
    }

    /// The right to run sync, if the session's requester has it.
    pub fn admin(&self, session: Arc<Session>) -> Result<Admin, Error> {
        Admin::new(Arc::clone(&self.0), session)
    }

    /// The current time.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// A number that changes with what either credential may see.
    pub fn view(&self) -> u64 {
        let (doppler, highlevel) =
            (Directory::view(&*self.0.mailing), Directory::view(&*self.0.crm));
        let revision = self.0.mappings.of(&self.0.workspace.id).revision;
        doppler.rotate_left(1) ^ highlevel ^ revision.unsigned_abs().rotate_left(32)
    }

    /// What each system still allows.
    pub fn budgets(&self) -> [(System, Budget); 2] {
        [
            (System::Doppler, Directory::status(&*self.0.mailing).budget),
            (System::HighLevel, Directory::status(&*self.0.crm).budget),
        ]
    }

    /// How many subscribers the Doppler account has, once that is known.
    pub fn account_size(&self) -> Option<u32> {
        let known = self.0.subscribers.load(Ordering::Relaxed);
        (known != u32::MAX).then_some(known)
    }

    /// How many tags the HighLevel location knows, once they were read.
    pub fn tag_count(&self) -> Option<u32> {
        let known = self.0.tags.load(Ordering::Relaxed);
        (known != u32::MAX).then_some(known)
    }

    /// Whether the tasks of several people are asked for together.
    pub fn searches_tasks(&self) -> bool {
        self.0.searches_tasks()
    }

    /// Looks at both systems once: whether they answer, and how large the Doppler account is.
    pub async fn look(&self, session: Arc<Session>) -> Vec<Error> {
        let page = self.0.subscriber_page(&session, NonZeroU32::MIN, None);
        let (doppler, highlevel) =
            tokio::join!(page, Directory::check(&*self.0.crm, &session.call));
        let highlevel = highlevel.map_err(Error::from);
        [doppler.err(), highlevel.err()].into_iter().flatten().collect()
    }

    /// The workspace that is served.
    pub fn workspace(&self) -> &Workspace {
        &self.0.workspace
    }

    /// Whether the store answers.
    pub async fn ready(&self) -> Result<(), Error> {
        Ok(self.0.store.ping().await?)
    }
}

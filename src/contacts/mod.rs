//! The use cases and the rights to them.
//!
//! [`Contacts`] hands out a [`Reader`] or a [`Writer`] to whoever may have it; without the handle
//! there is no method to call. A request brings a [`Session`], which says who asks, how long they
//! wait and how fresh they want things, and afterwards what the answer was made of.
//!
//! To add a use case: a method on the handle whose right it needs, in a file named for the topic.

mod admin;
mod budgets;
mod connections;
mod consent;
mod copies;
mod core;
mod credentials;
mod doppler_side;
mod elsewhere;
mod entity;
mod erasing;
mod error;
mod expiring;
mod find;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod hearing;
mod highlevel_side;
mod idempotency;
mod index;
mod installs;
mod keeper;
mod listing;
mod mapping;
mod observer;
mod person;
mod reader;
mod realm;
mod recall;
mod runs;
mod session;
mod status;
mod submit;
mod tail;
mod tasks_of;
mod upsert;
mod watch;
mod watched;
mod workspaces;
mod writer;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use foldhash::quality::RandomState;

pub use self::core::Seen;
pub use admin::{Admin, Managed, PauseTarget};
pub use budgets::StoredBudget;
pub use connections::{Access, Connected, Connections};
pub use consent::{Begun, Consent, Finished, Return};
pub use doppler_side::DopplerSide;
pub use erasing::Eraser;
pub use error::Error;
pub use find::By;
pub use hearing::Asking;
pub use highlevel_side::HighLevelSide;
pub use installs::{Confirmation, Confirmed, HeldInstall};
pub use listing::Listing;
pub use observer::Observer;
pub use person::Person;
pub use reader::Reader;
pub use realm::{NAME_TAKEN, Realm, new_workspace};
pub use runs::Sample;
pub use session::{Session, Used, Wanted};
pub use status::Status;
pub use tasks_of::ContactTasks;
pub use upsert::Upsert;
pub use watch::Watch;
pub use watched::Pace;
pub use workspaces::{Opener, Shared, Unopened, Workspaces, stored_workspaces};
pub use writer::{Target, Writer, Written};

// What callers see of the layers below, which they do not import.
pub use crate::cache::Token;
pub use crate::store::{EventFilter, FailureFilter, HoldFilter, Workspace};
pub use crate::sync::{Action, Plan, PlannedField, Preview, PreviewCount, PreviewHold, RunPreview};
pub use crate::unified::ContactSyncState;
pub use crate::upstream::{
    CredentialKind, Error as UpstreamError, Kind as UpstreamKind, Retry, UpstreamState,
    UpstreamStatus,
};

use crate::auth::Vault;
use crate::bus::{Bus, Local};
use crate::clock::Clock;
use crate::config;
use crate::sync::{
    self, Deletion, Engine, Handlers, Mappings, Mirror, Wake, WhenChanged, WhenUnchanged,
};
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

/// The use cases of one workspace. Cheap to clone.
#[derive(Clone)]
pub struct Contacts(Arc<Core>);

/// What the use cases are made of.
pub struct Parts {
    pub workspace: Workspace,
    /// What all workspaces have together.
    pub shared: Shared,
    pub mailing: Arc<dyn Mailing>,
    pub crm: Arc<dyn Crm>,
    /// What the systems are connected with.
    pub access: Access,
    /// Of workspaces that have none of their own.
    pub mapping: Mapping,
    pub settings: Settings,
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
        let Parts { workspace, shared, mailing, crm, access, mapping, settings } = parts;
        let Shared { store, bus, cache, crew, clock } = shared;
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
                    imports: settings.sync.import_from > 0,
                    most_attempts: settings.sync.most_attempts,
                    deletion: deletion(&settings.sync),
                },
                clock: clock.clone(),
                tasks: tasks.clone(),
                wake: crew.waker(),
            });
            Core {
                workspace,
                store,
                bus,
                followed: Local::new(),
                watched: watched::Watched::default(),
                mailing,
                crm,
                access,
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
                crew,
                subscribers: AtomicU32::new(u32::MAX),
                tags: AtomicU32::new(u32::MAX),
            }
        });
        elsewhere::listen(Arc::clone(&core), tasks);
        index::keep(Arc::clone(&core), tasks);
        Self(core)
    }

    /// For whoever stores what others follow.
    pub fn bus(&self) -> Arc<dyn Bus> {
        Arc::clone(&self.0.bus)
    }

    /// Sets the workers to work: what was accepted and not finished, by this process or another, and
    /// other kinds of work by their handlers.
    pub fn work(&self, others: Handlers) {
        let core = &self.0;
        core.engine.join(&core.crew, core.workspace.id.clone(), others);
    }

    /// Begins a first run that nobody has to approve, if nothing was ever decided about sync.
    pub async fn begin_sync(&self) -> Result<(), Error> {
        self.0.begin_sync().await
    }

    /// Has both systems looked through for changes, and everybody compared, now and then.
    pub async fn schedule_looks(&self) -> Result<(), Error> {
        let core = &self.0;
        let now = core.clock.now();
        let mut marks = sync::schedule(now).to_vec();
        marks.push(sync::import_hint(now));
        marks.push(sync::schedule_compare(now, core.settings.sync.compare_every));
        Ok(core.store.mark(&core.workspace.id, &marks).await?)
    }

    /// Has everybody in scope asked about for opens and clicks, and those who are looked at meanwhile.
    pub async fn schedule_engagement(&self, pace: Pace, tasks: &Tasks) -> Result<(), Error> {
        let core = &self.0;
        let mark = sync::schedule_round(core.clock.now());
        core.store.mark(&core.workspace.id, &[mark]).await?;
        let at = (core.clock.clone(), pace);
        watched::mark_them(core.watched.clone(), Arc::clone(&core.store), at, tasks);
        Ok(())
    }

    /// Told of what others read, so that what is kept of it is put right.
    pub fn mirror(&self) -> Arc<dyn Mirror> {
        Arc::new(Keeper(Arc::downgrade(&self.0)))
    }

    /// Each workspace's mapping.
    pub fn mappings(&self) -> Mappings {
        self.0.mappings.clone()
    }

    /// For whoever takes runs on.
    pub fn engine(&self) -> Engine {
        self.0.engine.clone()
    }

    /// For whoever stores work by itself.
    pub fn waker(&self) -> Wake {
        self.0.engine.waker()
    }

    /// What the rights are to, for a session in this workspace.
    fn core(&self, session: &Session) -> Result<Arc<Core>, Error> {
        if session.requester.workspace == self.0.workspace.id {
            Ok(Arc::clone(&self.0))
        } else {
            Err(Error::Internal("a session of another workspace"))
        }
    }

    /// The right to read, if the session's requester has it.
    pub fn reader(&self, session: Arc<Session>) -> Result<Reader, Error> {
        Reader::new(self.core(&session)?, session)
    }

    /// The right to write, if the session's requester has it and HighLevel's credential allows.
    pub fn writer(&self, session: Arc<Session>) -> Result<Writer, Error> {
        Writer::new(self.core(&session)?, session)
    }

    /// The right to watch sync, if the session's requester has it.
    pub fn observer(&self, session: Arc<Session>) -> Result<Observer, Error> {
        Observer::new(self.core(&session)?, session)
    }

    /// The right to run sync, if the session's requester has it.
    pub fn admin(&self, session: Arc<Session>) -> Result<Admin, Error> {
        Admin::new(self.core(&session)?, session)
    }

    /// The right to connect, if the session's requester has it.
    pub fn connections(&self, session: &Session) -> Result<Connections, Error> {
        Connections::new(self.core(session)?, session)
    }

    /// The right to erase people, if the session's requester has it.
    pub fn eraser(&self, session: Arc<Session>) -> Result<Eraser, Error> {
        Eraser::new(self.core(&session)?, session)
    }

    /// What the systems are connected with.
    pub fn vault(&self) -> Vault {
        self.0.access.vault.clone()
    }

    /// The connections, without a call.
    pub fn upstreams(&self) -> Vec<(System, UpstreamStatus)> {
        self.0.upstreams()
    }

    /// Told that the app was taken off a location, and when by HighLevel's clock; whether it is the
    /// workspace's. What it was granted is forgotten, waiting or in use, unless it was granted after
    /// that: news of it come again for hours.
    pub async fn app_removed(
        &self,
        location: &str,
        at: Option<DateTime<Utc>>,
    ) -> Result<bool, Error> {
        self.0.access.vault.reread(System::HighLevel).await?;
        self.0.drop_waiting(location, at).await?;
        let is_own = *self.0.account(System::HighLevel) == *location;
        if is_own {
            self.0.forget_grant(at).await?;
        }
        Ok(is_own)
    }

    /// The same of all that an agency granted. What is not by its consent stays.
    pub async fn app_taken_back(
        &self,
        agency: &str,
        at: Option<DateTime<Utc>>,
    ) -> Result<(), Error> {
        let vault = &self.0.access.vault;
        vault.reread(System::HighLevel).await?;
        self.0.drop_agencys(agency, at).await?;
        let granted = vault.granted(System::HighLevel);
        if granted.is_some_and(|secret| secret.granted_by() == Some(agency)) {
            self.0.forget_grant(at).await?;
        }
        Ok(())
    }

    /// How the connections are, without a call.
    pub fn states(&self) -> [(System, UpstreamState); 2] {
        System::ALL.map(|system| (system, self.0.directory(system).status().state))
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

    /// The workspace.
    pub fn workspace(&self) -> &Workspace {
        &self.0.workspace
    }

    /// Whether the store answers.
    pub async fn ready(&self) -> Result<(), Error> {
        Ok(self.0.store.ping().await?)
    }
}

/// What the config says of people who were deleted.
fn deletion(config: &config::sync::Sync) -> Deletion {
    use config::sync::{Deleted, DeletedButChanged};
    Deletion {
        unchanged: match config.deleted {
            Deleted::Unlink => WhenUnchanged::Unlink,
            Deleted::Tag => WhenUnchanged::Tag,
            Deleted::Unsubscribe => WhenUnchanged::Unsubscribe,
            Deleted::Delete => WhenUnchanged::Delete,
        },
        changed: match config.deleted_but_changed {
            DeletedButChanged::Keep => WhenChanged::Keep,
            DeletedButChanged::Recreate => WhenChanged::Recreate,
        },
    }
}

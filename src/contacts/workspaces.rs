//! The workspaces that run in this process.
//!
//! Each has its own [`Contacts`]; whoever deals with a request, a webhook or a consent asks here for
//! those of its workspace. One that is in the store and does not run yet is opened when it is asked
//! for, and a few seconds later in any case, because another gateway or `tandem workspace` may have
//! made it. One that cannot be opened costs the others nothing.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::auth;
use crate::bus::Bus;
use crate::cache::Cache;
use crate::clock::Clock;
use crate::config::cache::Cache as CacheSettings;
use crate::store::{self, Store, Workspace};
use crate::sync::Crew;
use crate::tasks::Tasks;
use crate::telemetry::names;
use crate::unified::WorkspaceId;
use crate::upstream;

use super::entity::{self, Entity, EntityKey};
use super::{Consent, Contacts, Error, Realm, Session};

/// How often it is looked for workspaces that do not run yet.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// For so long one that could not be opened is not tried again.
const PAUSE: Duration = Duration::from_secs(5);
/// How many are read at once.
const PAGE: u32 = 500;

/// What all workspaces of a process have together. Cheap to clone.
#[derive(Clone)]
pub struct Shared {
    pub(super) store: Arc<dyn Store>,
    pub(super) bus: Arc<dyn Bus>,
    /// One, so that many workspaces take no more memory than few. Keys say whose an entry is.
    pub(super) cache: Arc<Cache<EntityKey, Entity, upstream::Error>>,
    pub(super) crew: Crew,
    pub(super) clock: Clock,
}

impl Shared {
    /// Puts it together.
    pub fn new(
        (store, bus): (Arc<dyn Store>, Arc<dyn Bus>),
        settings: &CacheSettings,
        crew: Crew,
        clock: Clock,
    ) -> Self {
        let ttl = settings.ttl.clone();
        let time_to_live = move |entity: &Entity| entity::time_to_live(entity, &ttl);
        let cache = Arc::new(Cache::new(settings.max_bytes, time_to_live, clock.clone()));
        Self { store, bus, cache, crew, clock }
    }
}

fn count(running: usize) {
    metrics::gauge!(names::WORKSPACES).set(u32::try_from(running).map_or(f64::MAX, f64::from));
}

/// Why a workspace could not be opened, for the log.
pub type Unopened = Box<dyn std::error::Error + Send + Sync>;

/// Opens workspaces: the start of the program, which knows what they are made of.
#[async_trait]
pub trait Opener: Send + Sync {
    /// Puts a workspace together and sets it to work.
    async fn open(&self, workspace: Workspace) -> Result<Contacts, Unopened>;
}

/// All workspaces of a store, in the order in which they were made.
pub async fn stored_workspaces(store: &dyn Store) -> Result<Vec<Workspace>, store::Error> {
    let mut all: Vec<Workspace> = Vec::new();
    loop {
        let page = store.workspaces(all.last().map(|last| &last.id), PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Workspaces(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    clock: Clock,
    opener: Arc<dyn Opener>,
    /// The operator's.
    home: Contacts,
    running: RwLock<HashMap<WorkspaceId, Contacts>>,
    /// When those that could not be opened were tried; held while one is opened.
    failed: Mutex<HashMap<WorkspaceId, Instant>>,
}

impl Workspaces {
    /// With the operator's own workspace, which runs already.
    pub fn new(home: Contacts, opener: Arc<dyn Opener>) -> Self {
        let running = HashMap::from([(home.workspace().id.clone(), home.clone())]);
        count(running.len());
        Self(Arc::new(Inner {
            store: Arc::clone(&home.0.store),
            clock: home.0.clock.clone(),
            opener,
            home,
            running: RwLock::new(running),
            failed: Mutex::default(),
        }))
    }

    /// The operator's own workspace.
    pub fn home(&self) -> &Contacts {
        &self.0.home
    }

    /// The current time.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// A workspace, if it runs.
    pub fn running(&self, id: &WorkspaceId) -> Option<Contacts> {
        let running = self.0.running.read().unwrap_or_else(PoisonError::into_inner);
        running.get(id).cloned()
    }

    /// All that run.
    pub fn all(&self) -> Vec<Contacts> {
        let running = self.0.running.read().unwrap_or_else(PoisonError::into_inner);
        running.values().cloned().collect()
    }

    /// A workspace, opened if it does not run yet.
    pub async fn of(&self, id: &WorkspaceId) -> Result<Contacts, Error> {
        if let Some(contacts) = self.running(id) {
            return Ok(contacts);
        }
        match self.0.store.find_workspace(id).await? {
            Some(workspace) => self.open(workspace).await,
            None => Err(Error::Unopened),
        }
    }

    async fn open(&self, workspace: Workspace) -> Result<Contacts, Error> {
        let id = workspace.id.clone();
        let mut failed = self.0.failed.lock().await;
        if let Some(contacts) = self.running(&id) {
            return Ok(contacts);
        }
        if failed.get(&id).is_some_and(|at| at.elapsed() < PAUSE) {
            return Err(Error::Unopened);
        }
        match self.0.opener.open(workspace).await {
            Ok(contacts) => {
                failed.remove(&id);
                let mut running = self.0.running.write().unwrap_or_else(PoisonError::into_inner);
                running.insert(id, contacts.clone());
                count(running.len());
                Ok(contacts)
            }
            Err(error) => {
                let (workspace, error) = (id.as_str(), &*error as &dyn std::error::Error);
                tracing::error!(workspace, error, "the workspace cannot be opened");
                failed.insert(id, Instant::now());
                Err(Error::Unopened)
            }
        }
    }

    /// Opens all that are in the store; those that cannot be are logged and left.
    pub async fn open_all(&self) -> Result<(), Error> {
        for workspace in stored_workspaces(&*self.0.store).await? {
            if self.running(&workspace.id).is_none() {
                // It is in the log, and tried again.
                let _ = self.open(workspace).await;
            }
        }
        Ok(())
    }

    /// Opens what is made elsewhere, and keeps the credentials of all up to date, until the tasks stop.
    pub fn keep_up(&self, tasks: &Tasks) {
        let vaults = self.clone();
        let vaults = move || vaults.all().iter().map(Contacts::vault).collect();
        auth::watch(Arc::clone(&self.0.store), vaults, (self.0.clock.clone(), tasks));
        let (this, stop) = (self.clone(), tasks.clone());
        tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = this.0.clock.sleep(LOOK_EVERY) => {}
                    () = stop.stopping() => return,
                }
                if let Err(error) = this.open_all().await {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "no workspaces looked for");
                }
            }
        });
    }

    /// The right to the workspaces there are, as far as the session's requester has it.
    pub fn realm(&self, session: &Session) -> Realm {
        Realm::new(self.clone(), session.requester.clone())
    }

    /// What takes a person to the consent page and back.
    pub fn consent(&self) -> Consent {
        Consent(self.clone())
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }
}

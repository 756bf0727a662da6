//! What all use cases share: the store, the cache, both systems, and the one way to read a thing.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use chrono::DateTime;
use foldhash::quality::RandomState;
use tokio::time::timeout_at;

use crate::bus::{self, Bus, News, What};
use crate::cache::Cache;
use crate::clock::Clock;
use crate::store::{CopyKey, Sighting, Store, Workspace};
use crate::sync::{Crew, Engine, Mappings};
use crate::unified::{Freshness, FreshnessSource, Mapping, System, WorkspaceId};
use crate::upstream::{self, Call, Crm, Directory, Mailing};

use super::copies::Copies;
use super::entity::{Entity, EntityKey, Kept};
use super::person::{Glimpse, Person};
use super::status::Status;
use super::tail::Tails;
use super::watched::Watched;
use super::{Error, Session, Settings};

/// How long after its deadline a read is waited for: its own call ends itself then, and says so.
const TO_END: Duration = Duration::from_millis(50);

pub(super) struct Core {
    pub workspace: Workspace,
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    /// The same news for those who look again when they hear something: told after what changed
    /// elsewhere is forgotten here.
    pub followed: bus::Local,
    pub watched: Watched,
    pub mailing: Arc<dyn Mailing>,
    pub crm: Arc<dyn Crm>,
    pub access: super::Access,
    pub cache: Arc<Cache<EntityKey, Entity, upstream::Error>>,
    /// Who a sighting is, so that a page of known people costs no look into the store.
    pub known: moka::sync::Cache<Glimpse, Arc<Person>, RandomState>,
    /// When we last wrote a thing (epoch milliseconds), which indices hear of later.
    pub written: moka::sync::Cache<EntityKey, i64>,
    /// When the last of them was written.
    pub written_ms: AtomicI64,
    /// Tasks are not searched for before this moment (epoch milliseconds).
    pub search_tasks_from: AtomicI64,
    pub copies: Copies,
    pub mappings: Mappings,
    pub engine: Engine,
    pub tails: Tails,
    /// How sync stood a moment ago.
    pub recent: moka::sync::Cache<WorkspaceId, Arc<Status>>,
    pub settings: Settings,
    pub clock: Clock,
    /// Who works on what waits.
    pub crew: Crew,
    /// How many subscribers the account has, by its last page; `u32::MAX`: not known yet.
    pub subscribers: AtomicU32,
    /// How many tags the location knows, when they were last read; `u32::MAX`: not known yet.
    pub tags: AtomicU32,
}

/// A value as a read brought it, begun at `fetched_ms` (epoch milliseconds).
pub(super) struct Brought<T> {
    pub value: T,
    pub fetched_ms: i64,
}

/// A value and how fresh it is.
#[derive(Clone, Debug)]
pub struct Seen<T> {
    pub value: T,
    pub freshness: Freshness,
}

impl<T> Seen<T> {
    /// The same freshness with what `f` makes of the value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Seen<U> {
        Seen { value: f(self.value), freshness: self.freshness }
    }
}

impl Core {
    /// Reads one thing: from the cache as far as the session allows, else from its system, else
    /// its last known copy.
    pub async fn read<T, F>(
        &self,
        session: &Session,
        system: System,
        id: &str,
        load: impl FnOnce(Call) -> F,
    ) -> Result<Seen<T>, Error>
    where
        T: Kept,
        F: Future<Output = Result<T, upstream::Error>> + Send + 'static,
    {
        let key = self.key::<T>(&session.requester.workspace, system, id);
        let call = session.call.clone();
        let load = || {
            let read = load(call);
            async move { read.await.map(T::wrap) }
        };
        // A read of somebody else's may go on for longer than this request waits.
        let late = || upstream::Error::new(system, "a read under way", upstream::Kind::Timeout);
        let read = self.cache.get(&key, session.demand, load);
        let read = timeout_at(session.call.deadline + TO_END, read).await;
        match read.unwrap_or_else(|_| Some(Err(late()))) {
            // What is remembered of a person is not shared: it is as old as it happens to be.
            None if session.recalls => {
                session.keep_private();
                self.last_known(session, system, id).await?.ok_or(Error::NotCached)
            }
            None => Err(Error::NotCached),
            Some(Ok(read)) => {
                if !read.loaded {
                    session.call.meter.saved();
                }
                session.uses(read.token, read.expires_ms);
                let value = T::unwrap(read.value).ok_or(Error::Internal("cache kind"))?;
                if read.changed {
                    let workspace = &session.requester.workspace;
                    let (value, fetched_ms) = (value.clone(), read.fetched_ms);
                    self.leave_copy(workspace, system, id, Brought { value, fetched_ms });
                }
                let freshness = freshness(session, read.fetched_ms);
                Ok(Seen { value, freshness })
            }
            Some(Err(error)) => self.instead(session, system, id, error).await,
        }
    }

    /// What there is of a thing whose read failed: its last known copy where the system could not be
    /// asked, else the failure.
    pub async fn instead<T: Kept>(
        &self,
        session: &Session,
        system: System,
        id: &str,
        error: upstream::Error,
    ) -> Result<Seen<T>, Error> {
        if !error.unreachable() {
            return Err(error.into());
        }
        session.keep_private();
        match self.last_known(session, system, id).await? {
            Some(seen) => Ok(seen),
            None => Err(error.into()),
        }
    }

    /// What is at hand of a thing, without a call.
    pub fn peek<T: Kept>(&self, session: &Session, system: System, id: &str) -> Option<Seen<T>> {
        let key = self.key::<T>(&session.requester.workspace, system, id);
        let read = self.cache.peek(&key, session.demand)?;
        session.uses(read.token, read.expires_ms);
        let freshness = freshness(session, read.fetched_ms);
        Some(Seen { value: T::unwrap(read.value)?, freshness })
    }

    /// Whether a thing is at hand.
    pub fn has<T: Kept>(&self, session: &Session, system: System, id: &str) -> bool {
        let key = self.key::<T>(&session.requester.workspace, system, id);
        self.cache.has(&key, session.demand)
    }

    /// Keeps a thing that came along with another read.
    ///
    /// A read that brings many things keeps them before it ends: whoever waits for it then finds
    /// them.
    pub fn prime<T: Kept>(
        &self,
        workspace: &WorkspaceId,
        system: System,
        id: &str,
        brought: Brought<T>,
    ) {
        let key = self.key::<T>(workspace, system, id);
        if self.is_behind(&key, brought.fetched_ms) {
            return;
        }
        if self.cache.prime(key, brought.value.clone().wrap(), brought.fetched_ms) {
            self.leave_copy(workspace, system, id, brought);
        }
    }

    /// A workspace's mapping.
    pub fn mapping(&self, workspace: &WorkspaceId) -> Arc<Mapping> {
        self.mappings.of(workspace)
    }

    /// Keeps a person's side as a system holds it now, whatever was held before.
    pub fn replace<T>(
        &self,
        workspace: &WorkspaceId,
        system: System,
        id: &str,
        brought: Brought<Option<Arc<T>>>,
    ) where
        Option<Arc<T>>: Kept,
    {
        let key = self.key::<Option<Arc<T>>>(workspace, system, id);
        self.cache.invalidate(&key);
        self.cache.prime(key, brought.value.clone().wrap(), brought.fetched_ms);
        self.leave_copy(workspace, system, id, brought);
    }

    /// Tells everyone who listens.
    pub fn publish(&self, workspace: &WorkspaceId, what: What) {
        self.bus.publish(News { workspace: workspace.clone(), what });
    }

    /// Remembers that a thing was written just now: what indices say of it is behind.
    pub fn wrote<T: Kept>(&self, workspace: &WorkspaceId, system: System, id: &str) {
        let now_ms = self.clock.now_ms();
        self.written.insert(self.key::<T>(workspace, system, id), now_ms);
        self.written_ms.store(now_ms, Ordering::Release);
    }

    /// Whether a listing read at a moment may not have heard yet of a write to a thing.
    fn is_behind(&self, key: &EntityKey, at_ms: i64) -> bool {
        let delay = i64::try_from(self.settings.index_delay.as_millis()).unwrap_or(i64::MAX);
        let unheard = |written: i64| at_ms <= written.saturating_add(delay);
        // Mostly nothing was written lately, and then nothing is looked up.
        unheard(self.written_ms.load(Ordering::Acquire))
            && self.written.get(key).is_some_and(unheard)
    }

    /// Forgets a thing, so that the next read asks its system.
    pub fn forget<T: Kept>(&self, workspace: &WorkspaceId, system: System, id: &str) {
        self.cache.invalidate(&self.key::<T>(workspace, system, id));
    }

    /// Who people are; the store is asked only about those not seen lately.
    pub async fn recognize(
        &self,
        session: &Session,
        sightings: Vec<Sighting>,
    ) -> Result<Vec<Arc<Person>>, Error> {
        let workspace = &session.requester.workspace;
        let mut found: Vec<Option<Arc<Person>>> = Vec::with_capacity(sightings.len());
        let mut unknown = Vec::new();
        let mut places = Vec::new();
        for (place, sighting) in sightings.into_iter().enumerate() {
            let glimpse = Glimpse::of(workspace, &sighting);
            let known = self.known.get(&glimpse);
            if known.is_none() {
                unknown.push(sighting);
                places.push((place, glimpse));
            }
            found.push(known);
        }
        if !unknown.is_empty() {
            let now = self.clock.now();
            let known = self.store.recognize(workspace, &unknown, now).await?;
            for ((place, glimpse), known) in places.into_iter().zip(known) {
                let known = Arc::new(Person::from(&known));
                self.known.insert(glimpse, Arc::clone(&known));
                found[place] = Some(known);
            }
        }
        found.into_iter().collect::<Option<_>>().ok_or(Error::Internal("unrecognized sighting"))
    }

    /// Whether a sighting is of the contact `id`, or of one that turned out to be the same person.
    pub async fn is_of(
        &self,
        session: &Session,
        id: crate::unified::ContactId,
        sighting: Sighting,
    ) -> Result<bool, Error> {
        let known = self.recognize(session, vec![sighting]).await?;
        let Some(known) = known.first() else { return Ok(false) };
        if known.id == id {
            return Ok(true);
        }
        let survivor = self.store.contact(&session.requester.workspace, id).await?;
        let merged = survivor.is_some_and(|survivor| survivor.id == known.id);
        if merged {
            // Others may still be remembered under the id that is gone.
            self.known.invalidate_all();
        }
        Ok(merged)
    }

    pub fn key<T: Kept>(&self, workspace: &WorkspaceId, system: System, id: &str) -> EntityKey {
        let view = match system {
            System::Doppler => Directory::view(&*self.mailing),
            System::HighLevel => Directory::view(&*self.crm),
        };
        EntityKey {
            workspace: workspace.clone(),
            view,
            kind: match (T::KIND, system) {
                // The one kind that both systems have.
                ("fields", System::Doppler) => "doppler fields",
                (kind, _) => kind,
            },
            id: Arc::from(id),
        }
    }

    pub(super) fn copy_key<T: Kept>(&self, system: System, id: &str) -> CopyKey {
        CopyKey::new(system, T::KIND, &self.account(system), id)
    }

    fn leave_copy<T: Kept>(
        &self,
        workspace: &WorkspaceId,
        system: System,
        id: &str,
        brought: Brought<T>,
    ) {
        if T::COPIED {
            let key = self.copy_key::<T>(system, id);
            let at = DateTime::from_timestamp_millis(brought.fetched_ms).unwrap_or_default();
            self.copies.leave(workspace, key, brought.value, at);
        }
    }

    async fn last_known<T: Kept>(
        &self,
        session: &Session,
        system: System,
        id: &str,
    ) -> Result<Option<Seen<T>>, Error> {
        if !T::COPIED || !session.stale_allowed {
            return Ok(None);
        }
        let key = self.copy_key::<T>(system, id);
        let copies = self.store.copies(&session.requester.workspace, &[key]).await?;
        Ok(copies.into_iter().next().and_then(|copy| {
            let value = serde_json::from_str(copy.body.as_deref().unwrap_or("null")).ok()?;
            let freshness = Freshness {
                fetched_at: Some(copy.fetched_at),
                stale: true,
                source: FreshnessSource::LastKnown,
            };
            Some(Seen { value, freshness })
        }))
    }
}

/// The freshness of what needed no read.
pub(super) fn no_read() -> Freshness {
    Freshness { fetched_at: None, stale: false, source: FreshnessSource::Live }
}

fn freshness(session: &Session, fetched_ms: i64) -> Freshness {
    let live = fetched_ms >= session.began_ms;
    Freshness {
        fetched_at: DateTime::from_timestamp_millis(fetched_ms),
        stale: false,
        source: if live { FreshnessSource::Live } else { FreshnessSource::Cache },
    }
}

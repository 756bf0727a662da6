//! Tasks of many contacts at a time: one search answers for up to fifty.
//!
//! The search needs a scope of its own, lags writes by seconds, and does not tell a contact without
//! tasks from one that is gone. So whoever's tasks were just written, and whoever has none and is not
//! known to be there, is asked for singly; and where HighLevel refuses the search, everybody is.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::join_all;

use crate::cache::Demand;
use crate::unified::{HighLevelContact, HighLevelId, System, Task, WorkspaceId};
use crate::upstream::{self, Kind, TASK_CONTACTS};

use super::core::{Brought, Core, Seen};
use super::entity::{Entity, EntityKey, Idle, Kept};
use super::{Error, Reader, Session};

/// How long a refused search is not made again, in milliseconds.
const REFUSED_FOR_MS: i64 = 5 * 60 * 1000;

/// A contact's tasks: `None` inside if there is no such contact.
pub type ContactTasks = Result<Seen<Option<Arc<Vec<Task>>>>, Error>;

type Tasks = Option<Arc<Vec<Task>>>;

/// Contacts whose search failed because HighLevel could not be asked, with the reason.
type Failed = Vec<(HighLevelId, upstream::Error)>;

impl Reader {
    /// Contacts' tasks, in the order given: one call per fifty contacts (more where they have more
    /// than a hundred tasks), and one for each whom the search cannot speak for.
    pub async fn tasks_of(&self, ids: &[HighLevelId]) -> Vec<ContactTasks> {
        let failed = self.core.fetch_tasks(&self.session, ids).await;
        join_all(ids.iter().map(|id| self.tasks_unless(id, &failed))).await
    }

    async fn tasks_unless(&self, id: &HighLevelId, failed: &Failed) -> ContactTasks {
        match failed.iter().find(|(failed, _)| failed == id) {
            Some((_, error)) => {
                let error = error.clone();
                self.core.instead(&self.session, System::HighLevel, id.as_str(), error).await
            }
            None => self.tasks(id).await,
        }
    }
}

impl Core {
    /// Whether tasks of several contacts are asked for together.
    pub fn searches_tasks(&self) -> bool {
        self.crm.searches_tasks()
            && self.clock.now_ms() >= self.search_tasks_from.load(Ordering::Relaxed)
    }

    /// Brings those contacts' tasks into the cache that are not there, by search.
    async fn fetch_tasks(self: &Arc<Self>, session: &Session, ids: &[HighLevelId]) -> Failed {
        if ids.len() < 2 || session.demand.only_cached || !self.searches_tasks() {
            return Failed::new();
        }
        let now_ms = self.clock.now_ms();
        let workspace = &session.requester.workspace;
        let mut wanted: Vec<&HighLevelId> =
            ids.iter().filter(|id| !self.is_written(workspace, id, now_ms)).collect();
        // Equal searches are found to be equal whatever the order of the loader.
        wanted.sort_unstable();
        let missing: Vec<&HighLevelId> = wanted
            .iter()
            .copied()
            .filter(|id| !self.has_tasks(workspace, session.demand, id))
            .collect();
        if missing.len() < 2 {
            return Failed::new();
        }
        let chunks = wanted.chunks(TASK_CONTACTS).map(|ids| self.search_tasks(session, ids));
        let (found, ()) = tokio::join!(join_all(chunks), self.fetch_contacts(session, &missing));
        let mut failed = Failed::new();
        for (ids, found) in wanted.chunks(TASK_CONTACTS).zip(found) {
            match found {
                Ok(idle) => self.keep_idle(session, idle.as_deref().unwrap_or_default()),
                Err(error) => {
                    let ids = ids.iter().filter(|id| missing.contains(id));
                    failed.extend(ids.map(|&id| (id.clone(), error.clone())));
                }
            }
        }
        failed
    }

    fn has_tasks(&self, workspace: &WorkspaceId, demand: Demand, id: &HighLevelId) -> bool {
        self.cache.has(&self.key::<Tasks>(workspace, System::HighLevel, id.as_str()), demand)
    }

    /// Whether it is known at hand that there is such a contact.
    fn is_there(&self, workspace: &WorkspaceId, demand: Demand, id: &HighLevelId) -> bool {
        let key =
            self.key::<Option<Arc<HighLevelContact>>>(workspace, System::HighLevel, id.as_str());
        let held = self.cache.peek(&key, demand);
        held.is_some_and(|held| matches!(held.value, Entity::Contact(Some(_))))
    }

    /// Whether the index may not have heard by `at_ms` of what we last wrote.
    fn is_written(&self, workspace: &WorkspaceId, id: &HighLevelId, at_ms: i64) -> bool {
        let delay = i64::try_from(self.settings.index_delay.as_millis()).unwrap_or(i64::MAX);
        let unheard = |written: i64| at_ms <= written.saturating_add(delay);
        // Mostly nothing was written lately, and then nobody is looked up.
        if !unheard(self.written_ms.load(Ordering::Acquire)) {
            return false;
        }
        let key = self.key::<Tasks>(workspace, System::HighLevel, id.as_str());
        self.written.get(&key).is_some_and(unheard)
    }

    /// One search for those of them whose tasks are not at hand, shared by whoever asks for the same people
    /// while it is under way: what it brings comes in one by one, and must not make it another search. Gives
    /// those who have no tasks if they are there, of which nothing was known; nobody if HighLevel refuses the
    /// search.
    async fn search_tasks(
        self: &Arc<Self>,
        session: &Session,
        ids: &[&HighLevelId],
    ) -> Result<Option<Idle>, upstream::Error> {
        let ids: Vec<HighLevelId> = ids.iter().map(|&id| id.clone()).collect();
        let workspace = session.requester.workspace.clone();
        let key = self.tasks_found_key(&workspace, &ids);
        let (core, call, demand) = (Arc::clone(self), session.call.clone(), session.demand);
        let load = || async move {
            // An equal search may have ended since we looked.
            let missing = |id: &HighLevelId| !core.has_tasks(&workspace, demand, id);
            let ids: Vec<HighLevelId> = ids.into_iter().filter(missing).collect();
            if ids.is_empty() {
                return Ok(Entity::Idle(Arc::default()));
            }
            let fetched_ms = core.clock.now_ms();
            let found = core.crm.tasks_of(&call, &ids).await?;
            let mut idle = Vec::new();
            for (id, tasks) in ids.into_iter().zip(found) {
                if tasks.is_empty() && !core.is_there(&workspace, demand, &id) {
                    idle.push((id, fetched_ms));
                } else {
                    core.keep_tasks(&workspace, &id, tasks, fetched_ms);
                }
            }
            Ok(Entity::Idle(idle.into()))
        };
        match self.cache.get(&key, session.demand, load).await {
            Some(Ok(read)) => Ok(Idle::unwrap(read.value)),
            None => Ok(None),
            Some(Err(error)) if is_refusal(&error.kind) => {
                let again = self.clock.now_ms().saturating_add(REFUSED_FOR_MS);
                self.search_tasks_from.store(again, Ordering::Relaxed);
                Ok(None)
            }
            Some(Err(error)) => Err(error),
        }
    }

    fn tasks_found_key(&self, workspace: &WorkspaceId, ids: &[HighLevelId]) -> EntityKey {
        let ids: Vec<&str> = ids.iter().map(HighLevelId::as_str).collect();
        self.key::<Idle>(workspace, System::HighLevel, &ids.join(" "))
    }

    /// Keeps that those have no tasks who turned out to be there.
    fn keep_idle(&self, session: &Session, idle: &[(HighLevelId, i64)]) {
        let workspace = &session.requester.workspace;
        for (id, fetched_ms) in idle {
            if self.is_there(workspace, session.demand, id) {
                self.keep_tasks(workspace, id, Vec::new(), *fetched_ms);
            }
        }
    }

    /// Keeps what a search found, unless it was written meanwhile.
    fn keep_tasks(
        &self,
        workspace: &WorkspaceId,
        id: &HighLevelId,
        tasks: Vec<Task>,
        fetched_ms: i64,
    ) {
        if !self.is_written(workspace, id, fetched_ms) {
            let value: Tasks = Some(Arc::new(tasks));
            let brought = Brought { value, fetched_ms };
            self.prime(workspace, System::HighLevel, id.as_str(), brought);
        }
    }
}

/// Whether HighLevel can be asked, and does not answer this.
fn is_refusal(kind: &Kind) -> bool {
    match kind {
        Kind::ScopeMissing(_)
        // Some missing rights are told as a refused credential; single reads tell one from the other.
        | Kind::Unauthorized
        | Kind::NotFound
        | Kind::Rejected { .. }
        | Kind::Duplicate { .. }
        | Kind::ListGone
        | Kind::OptedOut { .. }
        | Kind::Full
        | Kind::Malformed => true,
        Kind::RateLimited { .. } | Kind::Busy | Kind::Unavailable | Kind::Timeout | Kind::NotConnected => false,
    }
}

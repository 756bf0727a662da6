//! Watching sync: the handle that a client with `sync.readonly` holds.

use std::sync::Arc;

use futures_util::{Stream, stream};
use uuid::Uuid;

use crate::auth::Scope;
use crate::store::{EventFilter, Events, FailureFilter, FailureKey, HoldFilter, Page, Span};
use crate::unified::{ContactId, ContactSyncState, Event, Failure, Hold, Mapping};

use super::core::Core;
use super::status::{FRESH, Status};
use super::tail::{After, LENGTH};
use super::{By, Error, Person, Plan, Preview, Reader, Session};

/// How many events a replay reads at once.
const BATCH: u32 = 200;

/// The right to watch sync, for one request. Cheap to clone.
#[derive(Clone)]
pub struct Observer {
    pub(super) core: Arc<Core>,
    pub(super) session: Arc<Session>,
}

/// How one contact stands.
#[derive(Clone, Debug)]
pub struct Standing {
    pub state: ContactSyncState,
    pub last_synced_at: Option<chrono::DateTime<chrono::Utc>>,
    pub pending_since: Option<chrono::DateTime<chrono::Utc>>,
    pub hold: Option<Hold>,
    pub failure: Option<Failure>,
}

impl Observer {
    pub(super) fn new(core: Arc<Core>, session: Arc<Session>) -> Result<Self, Error> {
        if session.requester.scopes.has(Scope::SyncRead) {
            // What it shows changes with every reconcile, anywhere.
            session.keep_private();
            Ok(Self { core, session })
        } else {
            Err(Error::Denied(Scope::SyncRead))
        }
    }

    /// How sync stands. No call.
    pub async fn status(&self) -> Result<Arc<Status>, Error> {
        self.core.recent_status(&self.session.requester.workspace).await
    }

    /// The workspace's mapping. No call.
    pub fn mapping(&self) -> Arc<Mapping> {
        self.core.mapping(&self.session.requester.workspace)
    }

    /// What a reconcile of a contact would do now, by reading both systems. Writes nothing.
    pub async fn plan(&self, by: By) -> Result<Option<(Arc<Person>, Plan)>, Error> {
        let Some(person) = self.reader()?.find(by).await? else { return Ok(None) };
        let workspace = &self.session.requester.workspace;
        let plan = self.core.engine.preview(workspace, person.id, &self.session.call).await?;
        Ok(plan.map(|plan| (person, plan)))
    }

    /// What another mapping would do to a person.
    pub(super) async fn try_mapping(
        &self,
        person: &Person,
        mapping: Arc<Mapping>,
    ) -> Result<Option<Preview>, Error> {
        let workspace = &self.session.requester.workspace;
        let call = &self.session.call;
        Ok(self.core.engine.try_mapping(workspace, person.id, mapping, call).await?)
    }

    pub(super) fn reader(&self) -> Result<Reader, Error> {
        Reader::new(Arc::clone(&self.core), Arc::clone(&self.session))
    }

    /// The history, the newest first, before a cursor.
    pub async fn events(
        &self,
        filter: &EventFilter,
        before: Option<i64>,
        first: u32,
    ) -> Result<(Vec<Event>, bool), Error> {
        let workspace = &self.session.requester.workspace;
        let (mut found, mut before) = (Vec::new(), before);
        loop {
            let left = first - u32::try_from(found.len()).unwrap_or(first);
            let span = Span::Before(before);
            match self.core.store.events(workspace, span, filter, left.max(1)).await? {
                Events::Found { events, searched, more } => {
                    found.extend(events.into_iter().take(left as usize));
                    if !more || found.len() >= first as usize {
                        return Ok((found, more));
                    }
                    before = Some(searched);
                }
                Events::Expired { oldest } => return Err(Error::CursorExpired { oldest }),
            }
        }
    }

    /// Open holds, the oldest first.
    pub async fn holds(
        &self,
        filter: &HoldFilter,
        after: Option<Uuid>,
        first: u32,
    ) -> Result<Page<Hold>, Error> {
        let workspace = &self.session.requester.workspace;
        Ok(self.core.store.holds(workspace, filter, after, first).await?)
    }

    /// Failures.
    pub async fn failures(
        &self,
        filter: &FailureFilter,
        after: Option<FailureKey>,
        first: u32,
    ) -> Result<Page<Failure>, Error> {
        let workspace = &self.session.requester.workspace;
        Ok(self.core.store.failures(workspace, filter, after, first).await?)
    }

    /// A hold, open or not.
    pub async fn hold(&self, id: Uuid) -> Result<Option<Hold>, Error> {
        Ok(self.core.store.hold(&self.session.requester.workspace, id).await?)
    }

    /// One contact's failure in one system.
    pub async fn failure(&self, key: FailureKey) -> Result<Option<Failure>, Error> {
        Ok(self.core.store.failure(&self.session.requester.workspace, key).await?)
    }

    /// How one contact stands. No call.
    pub async fn standing(&self, contact: ContactId) -> Result<Standing, Error> {
        let workspace = &self.session.requester.workspace;
        let sheet = self.core.store.sheet(workspace, contact).await?;
        let sheet = sheet.ok_or(Error::Internal("no such contact"))?;
        let settings = self.core.store.sync_settings(workspace).await?;
        let pending_since = sheet.edits.first().map(|edit| edit.at);
        let last_synced_at = sheet.agreement.canon.values().map(|canon| canon.changed_at).max();
        let mut failures = sheet.failures.into_iter();
        let failure = failures.next();
        let hold = sheet.holds.into_iter().next();
        let state = ContactSyncState::of(
            failure.as_ref().map(|failure| failure.dead),
            (hold.is_some(), pending_since.is_some()),
            settings.state,
            sheet.known.links.len(),
        );
        Ok(Standing { state, last_synced_at, pending_since, hold, failure })
    }

    /// Events after a cursor (`None`: from now on), first those that are stored, then live ones.
    ///
    /// Who falls behind by more than the tail holds is told so and from where to resume: a slow
    /// follower must not make the gateway hold what it has not taken.
    pub async fn follow(
        &self,
        after: Option<i64>,
        filter: EventFilter,
    ) -> Result<impl Stream<Item = Result<Arc<Event>, Error>> + Send + use<>, Error> {
        let workspace = self.session.requester.workspace.clone();
        let tail = self.core.tails.of(&workspace).await?;
        let cursor = after.unwrap_or_else(|| tail.last());
        let state = Following {
            core: Arc::clone(&self.core),
            workspace,
            tail,
            filter,
            cursor,
            live: after.is_none(),
            ready: std::collections::VecDeque::new(),
        };
        Ok(stream::unfold(Some(state), |state| async move {
            let mut state = state?;
            match state.next().await {
                Ok(Some(event)) => Some((Ok(event), Some(state))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        }))
    }

    /// How sync stands, now and after each change.
    pub async fn follow_status(
        &self,
    ) -> Result<impl Stream<Item = Result<Arc<Status>, Error>> + Send + use<>, Error> {
        let workspace = self.session.requester.workspace.clone();
        let tail = self.core.tails.of(&workspace).await?;
        let core = Arc::clone(&self.core);
        Ok(stream::unfold(Some((None, core, tail, workspace)), |state| async move {
            let (seen, core, tail, workspace) = state?;
            if let Some(seen) = seen {
                if !tail.grown(seen).await {
                    return None;
                }
                // What was counted before this event is too old by then, also for the last of a burst.
                core.clock.sleep(FRESH).await;
            }
            let seen = tail.last();
            let status = core.recent_status(&workspace).await;
            let next = status.is_ok().then_some((Some(seen), core, tail, workspace));
            Some((status, next))
        }))
    }
}

/// One follower's place in the history.
struct Following {
    core: Arc<Core>,
    workspace: crate::unified::WorkspaceId,
    tail: Arc<super::tail::Tail>,
    filter: EventFilter,
    /// Up to where everything was given out or is in `ready`.
    cursor: i64,
    /// Whether the follower has caught up with the tail before.
    live: bool,
    ready: std::collections::VecDeque<Arc<Event>>,
}

impl Following {
    async fn next(&mut self) -> Result<Option<Arc<Event>>, Error> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            match self.tail.after(self.cursor) {
                After::Events(events) if events.is_empty() => {
                    self.live = true;
                    if !self.tail.grown(self.cursor).await {
                        return Ok(None);
                    }
                }
                After::Events(events) => {
                    self.live = true;
                    self.cursor = events.last().map_or(self.cursor, |event| event.cursor);
                    self.ready.extend(events.into_iter().filter(|one| self.filter.admits(one)));
                }
                After::Older if self.live && self.behind() > LENGTH => {
                    return Err(Error::Lagged { cursor: self.cursor });
                }
                After::Older => self.replay().await?,
            }
        }
    }

    fn behind(&self) -> usize {
        usize::try_from(self.tail.last() - self.cursor).unwrap_or(0)
    }

    async fn replay(&mut self) -> Result<(), Error> {
        let span = Span::After(Some(self.cursor));
        let found = self.core.store.events(&self.workspace, span, &self.filter, BATCH).await?;
        match found {
            Events::Found { events, searched, .. } => {
                self.cursor = searched;
                self.ready.extend(events.into_iter().map(Arc::new));
                Ok(())
            }
            Events::Expired { oldest } => Err(Error::CursorExpired { oldest }),
        }
    }
}

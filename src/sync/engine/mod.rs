//! Reconciling one contact: read both sides, plan, act, record.
//!
//! The only module that acts. What to do is decided by [`super::plan`], what to record by
//! [`super::settle`]; here are the calls between them, each remembered before it is made, so that a
//! run that dies anywhere is finished by the next one. [`look`] reads, [`perform`] writes, [`close`]
//! puts what happened into a record.
//!
//! To add an action: a payload in the plan and its call in [`perform`].

mod act;
mod barred;
mod brake;
mod catalog;
mod close;
mod duplicate;
mod ended;
pub(in crate::sync) mod fault;
mod further;
mod look;
mod park;
mod perform;
mod run;
mod staged;
mod suppression;
mod together;
mod traces;
mod unfinished;
mod whose;
mod words;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::bus::Bus;
use crate::clock::{Clock, new_id};
use crate::store::{CONTACT, ClaimKey, ClaimOne, Lease, Sheet, Store};
use crate::tasks::Tasks;
use crate::unified::{
    ContactId, Delivery, HighLevelContact, HighLevelId, Mapping, Subscriber, SyncRun, WorkspaceId,
};
use crate::upstream::{Call, Crm, Mailing};

use super::mappings::Mappings;
use super::work::{Crew, Handler, Handlers, Wake};
use super::{Deletion, Error, Plan, Preview};
use catalog::Catalog;
pub(super) use park::{Slip, rules, sent_together};
use run::Urgency;
pub(super) use together::with_next;

/// How long a lease lasts. Longer than the longest call, before each of which it is prolonged.
pub const LEASE: Duration = Duration::from_secs(60);
/// How often a client that waits for somebody else's run looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Told of what the engine read and wrote, before anybody is answered: whoever keeps copies puts
/// them right.
pub trait Mirror: Send + Sync {
    /// A contact as HighLevel holds it; `None`: it is not there. `written`: by us, just now.
    fn contact(
        &self,
        of: &WorkspaceId,
        on: (ContactId, &HighLevelId),
        seen: Seen<HighLevelContact>,
    );
    /// A subscriber as Doppler holds it, by normalised address.
    fn subscriber(&self, of: &WorkspaceId, key: &str, seen: Seen<Subscriber>);
    /// A contact's notes or tasks are not what they were.
    fn attached(&self, of: &WorkspaceId, on: (ContactId, &HighLevelId), what: Attached);
    /// A subscriber's deliveries as Doppler tells them, and when (epoch milliseconds) reading began.
    fn deliveries(&self, of: &WorkspaceId, key: &str, read: (Arc<Vec<Delivery>>, i64));
    /// A person did something with a mail, and that is recorded: their followers are to look again.
    fn engaged(&self, of: &WorkspaceId, contact: ContactId);
    /// Something about a person is not what it was, and recorded: their followers are to look again.
    fn changed(&self, of: &WorkspaceId, contact: ContactId);
}

/// A side as the engine saw it.
#[derive(Clone, Debug)]
pub struct Seen<T> {
    pub value: Option<Arc<T>>,
    /// When the reading began, in epoch milliseconds.
    pub fetched_ms: i64,
    /// Whether it is what a write of ours made of it.
    pub written: bool,
}

/// What hangs on a contact.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Attached {
    Notes,
    Tasks,
}

/// Whose run it was that carried out what was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ran {
    /// One of the caller's own.
    Here,
    /// Another one's, perhaps of another gateway.
    Elsewhere,
}

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    parts: Parts,
    catalog: Catalog,
}

/// What an engine is made of.
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub mailing: Arc<dyn Mailing>,
    pub crm: Arc<dyn Crm>,
    pub mirror: Arc<dyn Mirror>,
    pub mappings: Mappings,
    pub settings: Settings,
    pub clock: Clock,
    pub tasks: Tasks,
    pub wake: Wake,
}

/// What can be set about it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long lists and field definitions are believed.
    pub catalog_for: Duration,
    /// How often a write is tried before it is given up.
    pub most_attempts: u32,
    /// What becomes of people in one system who were deleted in the other.
    pub deletion: Deletion,
    /// Whether what nobody waits for is sent to Doppler together.
    pub imports: bool,
}

impl Engine {
    /// An engine at rest; [`super::work`] sets it to work.
    pub fn new(parts: Parts) -> Self {
        let catalog = Catalog::new(&parts);
        Self(Arc::new(Inner { parts, catalog }))
    }

    /// Has the workers of this process work on a workspace's contacts, and on other kinds of its work.
    pub fn join(&self, crew: &Crew, workspace: WorkspaceId, mut handlers: Handlers) {
        handlers.insert(CONTACT, Arc::new(self.clone()));
        crew.join(workspace, handlers, self.0.parts.tasks.clone());
    }

    /// Reconciles a contact that has work, at once, whatever its backoff; waits for it until the
    /// call's deadline. What is not done by then goes on without the caller. Its calls are counted by
    /// the call's meter.
    pub async fn reconcile(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        call: &Call,
    ) -> Result<Ran, Error> {
        let until = call.deadline;
        fault::point("accepted");
        loop {
            // A merge meanwhile made it somebody else's work.
            let known = self.0.parts.store.contact(workspace, contact).await?;
            let Some(known) = known else { return Ok(Ran::Elsewhere) };
            match self.claim(workspace, known.id).await? {
                ClaimOne::Idle => return Ok(Ran::Elsewhere),
                ClaimOne::Claimed(lease) => {
                    let (engine, tasks) = (self.clone(), &self.0.parts.tasks);
                    let meter = Arc::clone(&call.meter);
                    let run = tasks
                        .spawn(async move { engine.0.run(&lease, Urgency::Client, meter).await });
                    match tokio::time::timeout_at(until, run).await {
                        // The run goes on by itself.
                        Err(_) => return Ok(Ran::Here),
                        // Whoever was accepted meanwhile is in somebody else's run.
                        Ok(joined) => {
                            let again = joined.map_err(|_| Error::Crashed)??;
                            if !again {
                                return Ok(Ran::Here);
                            }
                        }
                    }
                }
                ClaimOne::Busy { .. } => {
                    let again = tokio::time::sleep(LOOK_AGAIN);
                    if tokio::time::timeout_at(until, again).await.is_err() {
                        return Ok(Ran::Elsewhere);
                    }
                }
            }
        }
    }

    async fn claim(&self, workspace: &WorkspaceId, contact: ContactId) -> Result<ClaimOne, Error> {
        let parts = &self.0.parts;
        let (token, now) = (new_id(&parts.clock), parts.clock.now());
        let key = contact.to_string();
        let key = ClaimKey { kind: CONTACT, key: &key, token, now, until: now + LEASE };
        Ok(parts.store.claim_one(workspace, key).await?)
    }

    /// What a reconcile would do now. Reads both systems and writes nothing.
    pub async fn preview(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        call: &Call,
    ) -> Result<Option<Plan>, Error> {
        self.0.preview(workspace, contact, call).await
    }

    /// What a run would do about a contact, by what its listings showed, and what was known of the
    /// contact before. Writes nothing and makes no call of the contact's own.
    pub async fn foresee(
        &self,
        workspace: &WorkspaceId,
        run: &SyncRun,
        contact: ContactId,
        call: &Call,
    ) -> Result<Option<(Sheet, Plan)>, Error> {
        self.0.foresee(workspace, run, contact, call).await
    }

    /// What another mapping would do to a contact. Reads both systems and writes nothing.
    pub async fn try_mapping(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        mapping: Arc<Mapping>,
        call: &Call,
    ) -> Result<Option<Preview>, Error> {
        self.0.try_mapping(workspace, contact, mapping, call).await
    }

    /// Says that there may be work that was not due before.
    pub fn wake(&self) {
        self.0.parts.wake.now();
    }

    /// For whoever stores work by itself.
    pub fn waker(&self) -> Wake {
        self.0.parts.wake.clone()
    }
}

#[async_trait]
impl Handler for Engine {
    async fn handle(&self, lease: Lease) -> Result<(), Error> {
        self.0.run(&lease, Urgency::Background, Arc::default()).await.map(|_| ())
    }
}

/// An id for something new.
pub(super) fn id(clock: &Clock) -> Uuid {
    new_id(clock)
}

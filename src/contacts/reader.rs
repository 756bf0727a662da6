//! Reading: the handle that a client with `contacts.readonly` holds.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono_tz::Tz;

use crate::auth::Scope;
use crate::store::Trace;
use crate::unified::{
    Appointment, ContactId, Delivery, FieldDefinition, HighLevelContact, HighLevelId, List,
    Location, Mapping, Note, System, Task,
};
use crate::upstream::{Crm, Mailing, UpstreamStatus};

use super::core::{Core, Seen};
use super::doppler_side::DopplerSide;
use super::highlevel_side::HighLevelSide;
use super::person::Person;
use super::{Error, Session};

/// The right to read contacts, for one request. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    pub(super) core: Arc<Core>,
    pub(super) session: Arc<Session>,
}

impl Reader {
    pub(super) fn new(core: Arc<Core>, session: Arc<Session>) -> Result<Self, Error> {
        if session.requester.scopes.has(Scope::ContactsRead) {
            Ok(Self { core, session })
        } else {
            Err(Error::Denied(Scope::ContactsRead))
        }
    }

    /// The same right to what is remembered of people: nothing is asked of a system.
    #[must_use]
    pub fn recalling(&self) -> Self {
        Self { core: Arc::clone(&self.core), session: Arc::new(self.session.recalling()) }
    }

    /// The workspace's mapping.
    pub fn mapping(&self) -> Arc<Mapping> {
        self.core.mapping(&self.session.requester.workspace)
    }

    /// A contact by its own id; no call.
    pub async fn person(&self, id: ContactId) -> Result<Option<Arc<Person>>, Error> {
        let workspace = &self.session.requester.workspace;
        let known = self.core.store.contact(workspace, id).await?;
        Ok(known.map(|known| Arc::new(Person::from(&known))))
    }

    /// Whether a HighLevel contact is that of somebody who was erased here; no call.
    pub async fn is_erased(&self, id: &HighLevelId) -> Result<bool, Error> {
        let workspace = &self.session.requester.workspace;
        let trace = Trace::Record(System::HighLevel, id.as_str().to_owned());
        let erased = self.core.store.erased(workspace, std::slice::from_ref(&trace)).await?;
        Ok(erased.into_iter().flatten().next().is_some())
    }

    /// Says that so many people will be asked about one by one.
    pub fn expect_people(&self, people: usize) {
        self.session.expect_people(u32::try_from(people).unwrap_or(u32::MAX));
    }

    /// HighLevel's side of people, in the order given; one call per fifty, and one for each whom
    /// the search does not find.
    pub async fn highlevel_sides(&self, people: &[Arc<Person>]) -> Vec<HighLevelSide> {
        self.core.highlevel_sides(&self.session, people).await
    }

    /// A contact with the members that a listing may have left out. No call when it has them.
    pub async fn whole_contact(&self, contact: Arc<HighLevelContact>) -> HighLevelSide {
        self.core.whole_contact(&self.session, contact).await
    }

    /// Doppler's side of people, in the order given; the fewer of one call each and one per
    /// hundred subscribers of the account.
    pub async fn doppler_sides(&self, people: &[Arc<Person>]) -> Vec<DopplerSide> {
        self.core.doppler_sides(&self.session, people).await
    }

    /// A HighLevel contact's notes. One call.
    pub async fn notes(&self, id: &HighLevelId) -> Result<Seen<Option<Arc<Vec<Note>>>>, Error> {
        let (crm, wanted) = (Arc::clone(&self.core.crm), id.clone());
        let load = |call| async move { Ok(crm.notes(&call, &wanted).await?.map(Arc::new)) };
        let read = self.core.read(&self.session, System::HighLevel, id.as_str(), load);
        read.await.map_err(|error| error.blamed_on("id"))
    }

    /// A HighLevel contact's tasks. One call.
    pub async fn tasks(&self, id: &HighLevelId) -> Result<Seen<Option<Arc<Vec<Task>>>>, Error> {
        let (crm, wanted) = (Arc::clone(&self.core.crm), id.clone());
        let load = |call| async move { Ok(crm.tasks(&call, &wanted).await?.map(Arc::new)) };
        let read = self.core.read(&self.session, System::HighLevel, id.as_str(), load);
        read.await.map_err(|error| error.blamed_on("id"))
    }

    /// A HighLevel contact's appointments. One call, and one for the location's time zone where
    /// `highlevel.timezone` does not name it.
    pub async fn appointments(
        &self,
        id: &HighLevelId,
    ) -> Result<Seen<Option<Arc<Vec<Appointment>>>>, Error> {
        let zone = self.zone().await?;
        let (crm, wanted) = (Arc::clone(&self.core.crm), id.clone());
        let load =
            |call| async move { Ok(crm.appointments(&call, &wanted, zone).await?.map(Arc::new)) };
        let read = self.core.read(&self.session, System::HighLevel, id.as_str(), load);
        read.await.map_err(|error| error.blamed_on("id"))
    }

    /// A subscriber's deliveries. One call per hundred.
    pub async fn deliveries(&self, address: &str) -> Result<Seen<Arc<Vec<Delivery>>>, Error> {
        let (mailing, wanted) = (Arc::clone(&self.core.mailing), address.to_owned());
        let load = |call| async move { Ok(Arc::new(mailing.deliveries(&call, &wanted).await?)) };
        self.core.read(&self.session, System::Doppler, address, load).await
    }

    /// When each delivery was first seen, in the order given.
    pub async fn deliveries_seen(
        &self,
        contact: ContactId,
        deliveries: &[Delivery],
    ) -> Result<Vec<chrono::DateTime<chrono::Utc>>, Error> {
        let workspace = &self.session.requester.workspace;
        let campaigns: Vec<String> = deliveries.iter().map(|d| d.campaign_id.clone()).collect();
        let now = self.core.clock.now();
        Ok(self.core.store.deliveries_seen(workspace, contact, &campaigns, now).await?)
    }

    /// Doppler's lists. One call per 200.
    pub async fn lists(&self) -> Result<Arc<Vec<List>>, Error> {
        let mailing = Arc::clone(&self.core.mailing);
        let load = |call| async move { Ok(Arc::new(mailing.lists(&call).await?)) };
        Ok(self.core.read(&self.session, System::Doppler, "all", load).await?.value)
    }

    /// The tags that the HighLevel location knows. One call.
    pub async fn tags(&self) -> Result<Arc<Vec<String>>, Error> {
        let crm = Arc::clone(&self.core.crm);
        let load = |call| async move { Ok(Arc::new(crm.tags(&call).await?)) };
        let tags: Arc<Vec<String>> =
            self.core.read(&self.session, System::HighLevel, "all", load).await?.value;
        self.core.tags.store(u32::try_from(tags.len()).unwrap_or(u32::MAX - 1), Ordering::Relaxed);
        Ok(tags)
    }

    /// A system's contact fields. One call.
    pub async fn fields(&self, system: System) -> Result<Arc<Vec<FieldDefinition>>, Error> {
        let (crm, mailing) = (Arc::clone(&self.core.crm), Arc::clone(&self.core.mailing));
        let load = |call| async move {
            let fields = match system {
                System::Doppler => Mailing::fields(&*mailing, &call).await?,
                System::HighLevel => Crm::fields(&*crm, &call).await?,
            };
            Ok(Arc::new(fields))
        };
        Ok(self.core.read(&self.session, system, "all", load).await?.value)
    }

    /// How the connections are doing; no call.
    pub fn upstreams(&self) -> Vec<(System, UpstreamStatus)> {
        // Budgets and states change with every call.
        self.session.keep_private();
        self.core.upstreams()
    }

    async fn zone(&self) -> Result<Tz, Error> {
        if let Some(zone) = self.core.settings.zone {
            return Ok(zone);
        }
        let crm = Arc::clone(&self.core.crm);
        let load = |call| async move { Ok(Arc::new(crm.location(&call).await?)) };
        let seen: Seen<Arc<Location>> =
            self.core.read(&self.session, System::HighLevel, "location", load).await?;
        // A location without a zone that we know is read as UTC.
        Ok(seen.value.timezone.as_deref().and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC))
    }
}

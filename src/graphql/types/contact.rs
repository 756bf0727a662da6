//! A person, put together from both systems.
#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods of `Sides` are each for one lifetime, which `field` does not have"
)]

use std::sync::Arc;

use async_graphql::connection::Connection;
use async_graphql::{Context, ID, Object, Result};

use super::address::Address;
use super::appointment::Appointment;
use super::custom_field::CustomField;
use super::delivery::Delivery;
use super::difference::FieldDifference;
use super::doppler::DopplerSubscriber;
use super::enums::{ContactStatus, SystemName};
use super::freshness::Freshness;
use super::highlevel::{HighLevelContact, highlevel_fields};
use super::paging::paginate;
use super::sync::ContactSync;
use super::{DopplerList, Note, Task};
use crate::contacts::Person;
use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::{CountryCode, Date, DateTime, EmailAddress, PhoneNumber};
use crate::unified::{self, Sides, System, lists_of};

/// A person of the workspace.
#[derive(Clone)]
pub struct Contact {
    pub(super) person: Arc<Person>,
    pub(super) shown: Shown,
}

/// Where what is shown of a person comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shown {
    /// Both systems.
    Live,
    /// What was last known; nothing is asked of a system.
    Remembered,
    /// The same of the person's own fields; what hangs on them (notes, tasks, deliveries) is live.
    Listed,
}

impl Contact {
    /// A person as the schema shows them.
    pub fn new(person: Arc<Person>) -> Self {
        Self { person, shown: Shown::Live }
    }

    /// A person as they were last known: nothing is asked of a system.
    pub fn remembered(person: Arc<Person>) -> Self {
        Self { person, shown: Shown::Remembered }
    }

    /// A person of the index: as they were last known, and what hangs on them live.
    pub fn listed(person: Arc<Person>) -> Self {
        Self { person, shown: Shown::Listed }
    }
}

/// A person, put together from Doppler and HighLevel.
///
/// Unified fields take the owner's value by the mapping, and the other system's where the owner has
/// none; `doppler` and `highlevel` show each side as it is.
#[Object]
impl Contact {
    /// The contact's global id: minted at first sight, never changed, and without anything
    /// personal in it. Costs no upstream call.
    pub async fn id(&self) -> ID {
        GlobalId::Contact(self.person.id).encode()
    }

    /// For example `ana.paz@example.com`.
    async fn email(&self, context: &Context<'_>) -> Result<Option<EmailAddress>> {
        Ok(self.field(context, "email", |sides| sides.email()).await?.map(EmailAddress))
    }

    /// For example `+541155550199`.
    async fn phone(&self, context: &Context<'_>) -> Result<Option<PhoneNumber>> {
        Ok(self.field(context, "phone", |sides| sides.phone()).await?.map(PhoneNumber))
    }

    /// The full name, for example `Ana Paz`.
    async fn name(&self, context: &Context<'_>) -> Result<Option<String>> {
        self.field(context, "name", |sides| sides.name()).await
    }

    /// For example `Ana`.
    async fn first_name(&self, context: &Context<'_>) -> Result<Option<String>> {
        self.field(context, "firstName", |sides| sides.first_name()).await
    }

    /// For example `Paz`.
    async fn last_name(&self, context: &Context<'_>) -> Result<Option<String>> {
        self.field(context, "lastName", |sides| sides.last_name()).await
    }

    /// For example `Paz & Asociados`.
    async fn company_name(&self, context: &Context<'_>) -> Result<Option<String>> {
        self.field(context, "companyName", |sides| sides.company_name()).await
    }

    /// For example `1990-09-25`.
    async fn birthday(&self, context: &Context<'_>) -> Result<Option<Date>> {
        Ok(self.field(context, "birthday", |sides| sides.birthday()).await?.map(Date))
    }

    /// For example `AR`.
    async fn country(&self, context: &Context<'_>) -> Result<Option<CountryCode>> {
        Ok(self.field(context, "country", |sides| sides.country()).await?.map(CountryCode))
    }

    /// The postal address.
    async fn address(&self, context: &Context<'_>) -> Result<Option<Address>> {
        let pick = |sides: &Sides<'_>| Some(sides.address()).filter(|found| !found.is_empty());
        Ok(self.field(context, "address.line1", pick).await?.map(Into::into))
    }

    /// Whether the person may be mailed. Null, with an error, when a system cannot be read and no
    /// last known copy exists: it is never guessed.
    async fn status(&self, context: &Context<'_>) -> Result<Option<ContactStatus>> {
        let (doppler, highlevel) = self.both(context).await?;
        Ok(unified::status(doppler.as_deref(), highlevel.as_deref()).map(Into::into))
    }

    /// HighLevel's tags together with those that Doppler holds for Tandem.
    async fn tags(&self, context: &Context<'_>) -> Result<Option<Vec<String>>> {
        let (doppler, highlevel) = self.both(context).await?;
        let profile = self.unify(context, doppler.as_deref(), highlevel.as_deref()).await?;
        Ok(Some(profile.tags))
    }

    /// The Doppler lists that the person is in.
    async fn lists(&self, context: &Context<'_>) -> Result<Option<Vec<DopplerList>>> {
        let Some(subscriber) = self.doppler_side(context).await?.value else { return Ok(None) };
        if subscriber.lists.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let lists = Box::pin(self.reader(context)?.lists()).await?;
        let mine = lists_of(&subscriber, &lists);
        Ok(Some(mine.into_iter().map(|list| DopplerList(list.clone())).collect()))
    }

    /// The custom fields of both systems that have a value.
    async fn custom_fields(&self, context: &Context<'_>) -> Result<Option<Vec<CustomField>>> {
        let (doppler, highlevel) = self.both(context).await?;
        let mut fields = match highlevel {
            Some(contact) => highlevel_fields(context, &contact).await?,
            None => Vec::new(),
        };
        let filled = |field: &&unified::SubscriberField| {
            !field.predefined && field.value.as_deref().is_some_and(|value| !value.is_empty())
        };
        if let Some(subscriber) = doppler {
            fields.extend(subscriber.fields.iter().filter(filled).map(CustomField::doppler));
        }
        Ok(Some(fields))
    }

    /// Notes, as HighLevel orders them. Null for a person who is not in HighLevel.
    async fn notes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 if not given.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the edge before.")] after: Option<String>,
    ) -> Result<Option<Connection<String, Note>>> {
        let Some(id) = self.highlevel_id(context).await? else { return Ok(None) };
        let Some(notes) = self.reader(context)?.notes(&id).await?.value else { return Ok(None) };
        let node = |note: &unified::Note| self.note_on(&id, note);
        let page = paginate(&notes, first, after.as_deref(), |note| note.id.clone(), node)?;
        Ok(Some(page))
    }

    /// One of the person's notes.
    async fn note(&self, context: &Context<'_>, id: ID) -> Result<Option<Note>> {
        let Some(GlobalId::Note(target)) = GlobalId::decode(&id) else { return Ok(None) };
        if self.highlevel_id(context).await?.as_ref() != Some(&target.contact) {
            return Ok(None);
        }
        Box::pin(Note::find(context, &target)).await
    }

    /// Tasks in the order in which they are due. Null for a person who is not in HighLevel.
    async fn tasks(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 if not given.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the edge before.")] after: Option<String>,
        #[graphql(desc = "Only those that are done, or only those that are not.")]
        completed: Option<bool>,
    ) -> Result<Option<Connection<String, Task>>> {
        let Some(id) = self.highlevel_id(context).await? else { return Ok(None) };
        let Some(tasks) = self.all_tasks(context, &id).await?.value else { return Ok(None) };
        let wanted =
            tasks.iter().filter(|task| completed.is_none_or(|done| task.completed == done));
        let wanted: Vec<&unified::Task> = wanted.collect();
        let node = |task: &&unified::Task| self.task_on(&id, task);
        let page = paginate(&wanted, first, after.as_deref(), |task| task.id.clone(), node)?;
        Ok(Some(page))
    }

    /// One of the person's tasks.
    async fn task(&self, context: &Context<'_>, id: ID) -> Result<Option<Task>> {
        let Some(GlobalId::Task(target)) = GlobalId::decode(&id) else { return Ok(None) };
        if self.highlevel_id(context).await?.as_ref() != Some(&target.contact) {
            return Ok(None);
        }
        Box::pin(Task::find(context, &target)).await
    }

    /// Appointments, as HighLevel orders them. Null for a person who is not in HighLevel.
    async fn appointments(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 if not given.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the edge before.")] after: Option<String>,
    ) -> Result<Option<Connection<String, Appointment>>> {
        let Some(id) = self.highlevel_id(context).await? else { return Ok(None) };
        let reader = self.reader(context)?;
        let Some(all) = Box::pin(reader.appointments(&id)).await?.value else { return Ok(None) };
        let node = |appointment: &unified::Appointment| Appointment {
            appointment: appointment.clone(),
            with: id.clone(),
        };
        Ok(Some(paginate(&all, first, after.as_deref(), |one| one.id.clone(), node)?))
    }

    /// What became of the e-mails that Doppler sent. Null for a person who is not in Doppler.
    async fn deliveries(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 if not given.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the edge before.")] after: Option<String>,
    ) -> Result<Option<Connection<String, Delivery>>> {
        let Some(all) = Box::pin(self.all_deliveries(context)).await? else { return Ok(None) };
        let key = |one: &Seen| one.0.campaign_id.clone();
        let node = |(delivery, at): &Seen| Delivery {
            delivery: delivery.clone(),
            to: self.person.id,
            first_seen_at: Some(*at),
        };
        Ok(Some(paginate(&all, first, after.as_deref(), key, node)?))
    }

    /// When the contact was made in HighLevel; Doppler does not tell.
    async fn created_at(&self, context: &Context<'_>) -> Result<Option<DateTime>> {
        let side = self.highlevel_side(context).await?;
        Ok(side.value.and_then(|contact| contact.date_added).map(DateTime))
    }

    /// When the contact was last changed in HighLevel; Doppler does not tell.
    async fn updated_at(&self, context: &Context<'_>) -> Result<Option<DateTime>> {
        let side = self.highlevel_side(context).await?;
        Ok(side.value.and_then(|contact| contact.date_updated).map(DateTime))
    }

    /// Where the person is known to be. While a system cannot be asked, what was known before.
    async fn systems(&self, context: &Context<'_>) -> Vec<SystemName> {
        let (doppler, highlevel) =
            tokio::join!(self.doppler_side(context), self.highlevel_side(context));
        let in_doppler = doppler.map_or(self.person.doppler.is_some(), |side| side.value.is_some());
        let in_highlevel =
            highlevel.map_or(self.person.highlevel.is_some(), |side| side.value.is_some());
        let known = [(System::Doppler, in_doppler), (System::HighLevel, in_highlevel)];
        known.into_iter().filter(|(_, known)| *known).map(|(system, _)| system.into()).collect()
    }

    /// The person as Doppler knows them.
    async fn doppler(&self, context: &Context<'_>) -> Result<Option<DopplerSubscriber>> {
        Ok(self.doppler_side(context).await?.value.map(DopplerSubscriber))
    }

    /// The person as HighLevel knows them.
    async fn highlevel(&self, context: &Context<'_>) -> Result<Option<HighLevelContact>> {
        Ok(self.highlevel_side(context).await?.value.map(HighLevelContact))
    }

    /// Every field about which the systems disagree now. Null for a person who is in one only.
    async fn differences(&self, context: &Context<'_>) -> Result<Option<Vec<FieldDifference>>> {
        let (Some(doppler), Some(highlevel)) = self.both(context).await? else { return Ok(None) };
        let lists = self.tag_lists(context).await?;
        let reader = self.reader(context)?;
        let found = unified::differences(&doppler, &highlevel, &reader.mapping(), &lists);
        Ok(Some(found.into_iter().map(Into::into).collect()))
    }

    /// How old what is shown of the person is.
    async fn freshness(&self, context: &Context<'_>) -> Result<Freshness> {
        Ok(self.freshness_of_both(context).await?.into())
    }

    /// How the person stands in sync, and what was done about them. Needs `sync.readonly`.
    async fn sync(&self) -> ContactSync {
        ContactSync(self.person.id)
    }
}

/// A delivery and when it was first seen.
pub(super) type Seen = (unified::Delivery, chrono::DateTime<chrono::Utc>);

//! How a contact's fields get at its two sides.

use std::sync::Arc;

use async_graphql::{Context, Result};

use super::contact::{Seen as SeenDelivery, Shown};
use super::{Contact, Note, Task};
use crate::contacts::{Error, Reader, Seen};
use crate::graphql::context::{ContextExt, PersonKey};
use crate::graphql::loaders::{DopplerKey, HighLevelKey, SidesLoader, TasksKey};
use crate::unified::{
    self, FieldMapping, Freshness, FreshnessSource, HighLevelContact, HighLevelId, List, Profile,
    Sides, Subscriber, System, TagRepresentation,
};

type Side<T> = Seen<Option<Arc<T>>>;

impl Contact {
    /// The right to read, as far as the person may be asked about.
    pub(super) fn reader(&self, context: &Context<'_>) -> Result<Reader> {
        match self.shown {
            Shown::Remembered => context.recalled_reader(),
            Shown::Live | Shown::Listed => context.reader(),
        }
    }

    fn sides(&self, context: &Context<'_>) -> Result<Arc<SidesLoader>> {
        match self.shown {
            Shown::Remembered | Shown::Listed => context.recalled_sides(),
            Shown::Live => context.sides(),
        }
    }

    /// HighLevel's side, asked for together with everybody else's.
    pub(super) async fn highlevel_side(
        &self,
        context: &Context<'_>,
    ) -> Result<Side<HighLevelContact>> {
        let key = HighLevelKey(PersonKey(Arc::clone(&self.person)));
        let side = self.sides(context)?.load_one(key).await?;
        Ok(side.ok_or(Error::Internal("side not loaded"))??)
    }

    /// Doppler's side, asked for together with everybody else's.
    pub(super) async fn doppler_side(&self, context: &Context<'_>) -> Result<Side<Subscriber>> {
        let key = DopplerKey(PersonKey(Arc::clone(&self.person)));
        let side = self.sides(context)?.load_one(key).await?;
        Ok(side.ok_or(Error::Internal("side not loaded"))??)
    }

    /// The person's tasks, asked for together with everybody else's.
    pub(super) async fn all_tasks(
        &self,
        context: &Context<'_>,
        id: &HighLevelId,
    ) -> Result<Seen<Option<Arc<Vec<unified::Task>>>>> {
        let tasks = context.sides()?.load_one(TasksKey(id.clone())).await?;
        Ok(tasks.ok_or(Error::Internal("tasks not loaded"))??)
    }

    /// HighLevel's side with the members that a listing may have left out.
    pub(super) async fn whole_highlevel_side(
        &self,
        context: &Context<'_>,
    ) -> Result<Side<HighLevelContact>> {
        let side = self.highlevel_side(context).await?;
        match &side.value {
            Some(contact) if !contact.complete => {
                // Rare, and large: the fields of a page would all make room for it.
                let reader = match self.shown {
                    Shown::Remembered | Shown::Listed => context.recalled_reader()?,
                    Shown::Live => context.reader()?,
                };
                Ok(Box::pin(reader.whole_contact(Arc::clone(contact))).await?)
            }
            _ => Ok(side),
        }
    }

    /// Both sides; an error if either cannot be read.
    pub(super) async fn both(
        &self,
        context: &Context<'_>,
    ) -> Result<(Option<Arc<Subscriber>>, Option<Arc<HighLevelContact>>)> {
        let (doppler, highlevel) =
            tokio::try_join!(self.doppler_side(context), self.whole_highlevel_side(context))?;
        Ok((doppler.value, highlevel.value))
    }

    /// HighLevel's id of the person; no call when the link is known.
    pub(super) async fn highlevel_id(&self, context: &Context<'_>) -> Result<Option<HighLevelId>> {
        if let Some(id) = &self.person.highlevel {
            return Ok(Some(id.clone()));
        }
        Ok(self.highlevel_side(context).await?.value.map(|contact| contact.id.clone()))
    }

    /// A unified field: the owner's value; the other side is asked only where the owner has none.
    /// While the owner cannot be read, the other side's value stands in; if it has none either,
    /// the owner's failure is the answer.
    pub(super) async fn field<T>(
        &self,
        context: &Context<'_>,
        field: &str,
        pick: impl Fn(&Sides<'_>) -> Option<T>,
    ) -> Result<Option<T>> {
        let reader = self.reader(context)?;
        let mapping = reader.mapping();
        let owner = mapping.field(field).map_or(System::HighLevel, FieldMapping::owner);
        let (mut doppler, mut highlevel) = (None, None);
        let mut failure = None;
        for system in [owner, owner.other()] {
            let read = match system {
                System::Doppler => {
                    self.doppler_side(context).await.map(|side| doppler = side.value)
                }
                // The one field of a profile that listings may leave out.
                System::HighLevel if field == "birthday" => {
                    self.whole_highlevel_side(context).await.map(|side| highlevel = side.value)
                }
                System::HighLevel => {
                    self.highlevel_side(context).await.map(|side| highlevel = side.value)
                }
            };
            if let Err(error) = read {
                failure = failure.or(Some(error));
                continue;
            }
            let (subscriber, contact) = (doppler.as_deref(), highlevel.as_deref());
            let sides = Sides { subscriber, contact, mapping: &mapping };
            if let Some(value) = pick(&sides) {
                return Ok(Some(value));
            }
        }
        failure.map_or(Ok(None), Err)
    }

    /// The whole profile of both sides.
    pub(super) async fn unify(
        &self,
        context: &Context<'_>,
        doppler: Option<&Subscriber>,
        highlevel: Option<&HighLevelContact>,
    ) -> Result<Profile> {
        let lists = self.tag_lists(context).await?;
        Ok(unified::unify(doppler, highlevel, &self.reader(context)?.mapping(), &lists))
    }

    /// The account's lists, where they stand for tags.
    pub(super) async fn tag_lists(&self, context: &Context<'_>) -> Result<Arc<Vec<List>>> {
        let reader = self.reader(context)?;
        match reader.mapping().tags {
            TagRepresentation::Lists { .. } => Ok(reader.lists().await?),
            TagRepresentation::Field { .. } | TagRepresentation::Off => Ok(Arc::default()),
        }
    }

    /// All deliveries to the person; `None` if Doppler does not know them.
    pub(super) async fn all_deliveries(
        &self,
        context: &Context<'_>,
    ) -> Result<Option<Vec<SeenDelivery>>> {
        let Some(subscriber) = self.doppler_side(context).await?.value else { return Ok(None) };
        let reader = self.reader(context)?;
        let deliveries = reader.deliveries(&subscriber.email).await?.value;
        let seen = reader.deliveries_seen(self.person.id, &deliveries).await?;
        Ok(Some(deliveries.iter().cloned().zip(seen).collect()))
    }

    /// The freshness of both sides together; a side that cannot be read at all is stale.
    pub(super) async fn freshness_of_both(&self, context: &Context<'_>) -> Result<Freshness> {
        // It tells whether this very request asked the systems, so nobody else may be told the same.
        context.session()?.keep_private();
        let (doppler, highlevel) =
            tokio::join!(self.doppler_side(context), self.highlevel_side(context));
        let unread =
            Freshness { fetched_at: None, stale: true, source: FreshnessSource::LastKnown };
        let doppler = doppler.map_or(unread, |side| side.freshness);
        let highlevel = highlevel.map_or(unread, |side| side.freshness);
        Ok(doppler.with(highlevel))
    }

    pub(super) fn note_on(&self, id: &HighLevelId, note: &unified::Note) -> Note {
        Note { note: note.clone(), on: id.clone(), about: Some(self.clone()) }
    }

    pub(super) fn task_on(&self, id: &HighLevelId, task: &unified::Task) -> Task {
        Task { task: task.clone(), on: id.clone(), about: Some(self.clone()) }
    }
}

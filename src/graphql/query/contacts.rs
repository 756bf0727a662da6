//! People, and what there is to know of the systems.
#![expect(clippy::too_many_arguments, reason = "a field's arguments are the schema's")]

use async_graphql::{Context, ID, Object, Result};

use crate::contacts::{Error, Listing};
use crate::graphql::context::ContextExt;
use crate::graphql::types::{
    Contact, ContactBy, ContactConnection, ContactFilter, ContactOrder, ContactSource,
    ContactStats, CustomFieldDefinition, DopplerList, Node, SystemName, Tag, Upstream, Viewer,
    contact_page, page_size, resolve,
};
use crate::unified::System;

/// How many ids `nodes` takes at most.
const MOST_NODES: usize = 100;

/// Everything that can be read.
#[derive(Default)]
pub struct ContactReads;

/// Everything that can be read.
#[Object]
impl ContactReads {
    /// Anything by its global id; null if there is no such thing. Needs `contacts.readonly`, for runs, holds
    /// and failures `sync.readonly`.
    async fn node(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A global id, as any `id` field gives it.")] id: ID,
    ) -> Result<Option<Node>> {
        resolve(context, &id).await
    }

    /// Many things by their global ids, in the order asked for; at most 100. Needs
    /// `contacts.readonly`, for runs, holds and failures `sync.readonly`.
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Global ids, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Result<Node>>>> {
        if ids.len() > MOST_NODES {
            Err(Error::invalid("ids", format!("at most {MOST_NODES}, not {}", ids.len())))?;
        }
        if let Ok(reader) = context.reader() {
            reader.expect_people(ids.len());
        }
        // One that cannot be read is null with its own error, and costs the others nothing.
        let all = futures_util::future::join_all(ids.iter().map(|id| resolve(context, id))).await;
        Ok(all.into_iter().map(Result::transpose).collect())
    }

    /// Who asks.
    async fn viewer(&self, context: &Context<'_>) -> Result<Viewer> {
        Ok(Viewer(context.session()?.requester.clone()))
    }

    /// One person by one thing that is known of them, for example
    /// `contact(by: {email: "ana.paz@example.com"})`; null if neither system knows them. Needs
    /// `contacts.readonly`.
    async fn contact(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How the person is named.")] by: ContactBy,
    ) -> Result<Option<Contact>> {
        let person = context.reader()?.find(by.try_into()?).await?;
        Ok(person.map(Contact::new))
    }

    /// People, as the index of both systems or one system's own listing has them. A cursor belongs
    /// to its source, order and filter. Needs `contacts.readonly`.
    async fn contacts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 if not given.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the edge before; it brings its source along.")]
        after: Option<String>,
        #[graphql(
            desc = "Whose listing. If not given, the cursor's; at the beginning the index where its \
                    `coverage` is complete, else HighLevel's."
        )]
        source: Option<ContactSource>,
        #[graphql(desc = "Conditions that must hold.")] filter: Option<ContactFilter>,
        #[graphql(
            desc = "The order. If not given, source `INDEX`: last changed first; `HIGHLEVEL`: newest \
                    first."
        )]
        order_by: Option<ContactOrder>,
    ) -> Result<Option<ContactConnection>> {
        let listing = Listing {
            source: source.map(Into::into),
            first: page_size(first)?,
            after,
            filter: filter.unwrap_or_default().into(),
            order: order_by.map(Into::into),
        };
        contact_page(context, &listing).await.map(Some)
    }

    /// People in numbers, by the index; no upstream call. Without a filter all are counted, with one
    /// counting stops at 10,000. Needs `contacts.readonly`.
    async fn contact_stats(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Conditions that must hold.")] filter: Option<ContactFilter>,
    ) -> Result<ContactStats> {
        let filter = filter.unwrap_or_default().into();
        Ok(context.reader()?.tally(&filter).await?.into())
    }

    /// The tags that HighLevel's location knows. Needs `contacts.readonly`.
    async fn tags(&self, context: &Context<'_>) -> Result<Option<Vec<Tag>>> {
        let tags = context.reader()?.tags().await?;
        Ok(Some(tags.iter().map(|name| Tag { name: name.clone() }).collect()))
    }

    /// Doppler's lists. Needs `contacts.readonly`.
    async fn lists(&self, context: &Context<'_>) -> Result<Option<Vec<DopplerList>>> {
        let lists = context.reader()?.lists().await?;
        Ok(Some(lists.iter().map(|list| DopplerList(list.clone())).collect()))
    }

    /// The definitions of custom fields, of both systems or of one. Needs `contacts.readonly`.
    async fn custom_fields(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only this system's.")] system: Option<SystemName>,
    ) -> Result<Option<Vec<CustomFieldDefinition>>> {
        let systems = system.map_or(System::ALL.to_vec(), |system| vec![system.into()]);
        let reader = context.reader()?;
        let read = systems.into_iter().map(|system| reader.fields(system));
        let fields = futures_util::future::try_join_all(read).await?;
        let custom = fields.iter().flat_map(|fields| fields.iter()).filter(|f| !f.predefined);
        Ok(Some(custom.cloned().map(Into::into).collect()))
    }

    /// How the connections to both systems are doing. Needs `contacts.readonly`.
    async fn upstreams(&self, context: &Context<'_>) -> Result<Vec<Upstream>> {
        Ok(context.reader()?.upstreams().into_iter().map(Into::into).collect())
    }
}

//! A tag.

use async_graphql::{ComplexObject, Context, Result, SimpleObject};

use super::{ContactConnection, contact_page, page_size};
use crate::contacts::Listing;
use crate::unified::ContactFilter;

/// A tag that HighLevel's location knows.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct Tag {
    /// For example `vip`.
    pub name: String,
}

#[ComplexObject]
impl Tag {
    /// Whoever has the tag, as in `contacts(filter: {tagsAll: ["vip"]})`: by the index where it is
    /// complete, last changed first; else in HighLevel, newest first, with one call for each tag.
    async fn contacts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 if not given.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the edge before.")] after: Option<String>,
    ) -> Result<Option<ContactConnection>> {
        let tags_all = Some(vec![self.name.clone()]);
        let listing = Listing {
            source: None,
            first: page_size(first)?,
            after,
            filter: ContactFilter { tags_all, ..ContactFilter::default() },
            order: None,
        };
        contact_page(context, &listing).await.map(Some)
    }
}

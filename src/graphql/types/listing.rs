//! What a listing of contacts can be asked for.

use async_graphql::connection::{Connection, Edge};
use async_graphql::{Context, Enum, InputObject, Result, SimpleObject};

use super::Contact;
use super::enums::{ContactStatus, SystemName};
use crate::contacts::Listing;
use crate::graphql::context::{ContextExt, PersonKey};
use crate::graphql::loaders::HighLevelKey;
use crate::graphql::scalars::DateTime;
use crate::unified;

/// Whose listing it is.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "unified::System")]
pub enum ContactSource {
    /// HighLevel's contacts, live, newest first unless ordered otherwise.
    #[graphql(name = "HIGHLEVEL")]
    HighLevel,
    /// Doppler's subscribers, live, in Doppler's own order.
    Doppler,
}

/// The order of a listing. Doppler's cannot be ordered.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "unified::ContactOrder")]
pub enum ContactOrder {
    /// Last changed first.
    UpdatedDesc,
    /// Last changed last.
    UpdatedAsc,
    /// Newest first.
    CreatedDesc,
    /// By e-mail address.
    EmailAsc,
    /// By first name.
    NameAsc,
}

/// Conditions on a listing; all given ones must hold. What a source cannot filter by is refused
/// with `BAD_USER_INPUT`.
#[derive(Clone, Debug, Default, InputObject)]
pub struct ContactFilter {
    /// Free text, at most 75 characters. Both sources.
    query: Option<String>,
    /// Known in one of these systems. Neither live source filters by it.
    systems: Option<Vec<SystemName>>,
    /// With one of these statuses. Neither live source filters by it.
    status: Option<Vec<ContactStatus>>,
    /// With any of these tags. Source `HIGHLEVEL`.
    tags_any: Option<Vec<String>>,
    /// With all of these tags. Source `HIGHLEVEL`.
    tags_all: Option<Vec<String>>,
    /// Changed at or after this moment. Source `HIGHLEVEL`.
    updated_since: Option<DateTime>,
    /// Who opened an e-mail. Neither live source filters by it.
    opened: Option<bool>,
    /// Who followed a link in an e-mail. Neither live source filters by it.
    clicked: Option<bool>,
}

impl From<ContactFilter> for unified::ContactFilter {
    fn from(filter: ContactFilter) -> Self {
        Self {
            query: filter.query,
            systems: filter.systems.map(|all| all.into_iter().map(Into::into).collect()),
            status: filter.status.map(|all| all.into_iter().map(Into::into).collect()),
            tags_any: filter.tags_any,
            tags_all: filter.tags_all,
            updated_since: filter.updated_since.map(|at| at.0),
            opened: filter.opened,
            clicked: filter.clicked,
        }
    }
}

/// A page of people as a connection.
pub async fn contact_page(
    context: &Context<'_>,
    listing: &Listing,
) -> Result<Connection<String, Contact, TotalCount>> {
    let page = context.reader()?.list(listing).await?;
    let sides = page.sides.into_iter();
    let sides = sides.map(|(who, side)| (HighLevelKey(PersonKey(who)), side));
    context.sides()?.feed_many(sides).await;
    let total = TotalCount { total_count: page.total };
    let has_previous = listing.after.is_some();
    let mut connection = Connection::with_additional_fields(has_previous, page.has_next, total);
    let edges = page.people.into_iter();
    connection.edges.extend(edges.map(|(cursor, who)| Edge::new(cursor, Contact::new(who))));
    Ok(connection)
}

/// What a connection of contacts has beside its edges.
#[derive(Clone, Debug, SimpleObject)]
pub struct TotalCount {
    /// How many contacts there are on all pages, by the source's own count.
    pub total_count: Option<u64>,
}

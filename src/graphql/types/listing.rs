//! What a listing of contacts can be asked for.

use async_graphql::connection::{Connection, Edge};
use async_graphql::{ComplexObject, Context, Enum, InputObject, Result, SimpleObject};

use super::enums::{ContactStatus, SystemName};
use super::{Contact, ContactSyncState, Coverage};
use crate::contacts::Listing;
use crate::graphql::context::{ContextExt, PersonKey};
use crate::graphql::loaders::HighLevelKey;
use crate::graphql::scalars::DateTime;
use crate::unified;

/// Whose listing it is.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "unified::ContactSource")]
pub enum ContactSource {
    /// Everybody of both systems as they were last known, in any order and by any condition,
    /// without a call. See `coverage` for how much it knows.
    Index,
    /// HighLevel's contacts, live, newest first unless ordered otherwise.
    #[graphql(name = "HIGHLEVEL")]
    HighLevel,
    /// Doppler's subscribers, live, in Doppler's own order.
    Doppler,
}

/// The order of a listing. Doppler's cannot be ordered. In the index, who has no name or address
/// comes last, by the other of the two; who has no time counts as the oldest.
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
    /// By name, which begins with the first name.
    NameAsc,
}

/// Conditions on a listing; all given ones must hold. What a source cannot filter by is refused
/// with `BAD_USER_INPUT`.
#[derive(Clone, Debug, Default, InputObject)]
pub struct ContactFilter {
    /// Free text, at most 75 characters. Source `INDEX`: each word must begin a word of the name, or
    /// the whole e-mail address, whatever the capitals; `HIGHLEVEL` and `DOPPLER` as they search.
    query: Option<String>,
    /// Known in one of these systems. Source `INDEX`.
    systems: Option<Vec<SystemName>>,
    /// With one of these statuses. Source `INDEX`.
    status: Option<Vec<ContactStatus>>,
    /// With any of these tags, however they are spelled. Sources `INDEX` and `HIGHLEVEL`.
    tags_any: Option<Vec<String>>,
    /// With all of these tags, however they are spelled. Sources `INDEX` and `HIGHLEVEL`.
    tags_all: Option<Vec<String>>,
    /// Standing so in sync. Source `INDEX`.
    sync_state: Option<Vec<ContactSyncState>>,
    /// Changed at or after this moment, as far as HighLevel tells. Sources `INDEX` and `HIGHLEVEL`.
    updated_since: Option<DateTime>,
    /// Who opened an e-mail, or who opened none; those whose deliveries were never read are neither.
    /// Source `INDEX`.
    opened: Option<bool>,
    /// Who followed a link in an e-mail, or who followed none. Source `INDEX`.
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
            sync_state: filter.sync_state.map(|all| all.into_iter().map(Into::into).collect()),
            updated_since: filter.updated_since.map(|at| at.0),
            opened: filter.opened,
            clicked: filter.clicked,
        }
    }
}

/// A page of people as a connection.
pub async fn contact_page(context: &Context<'_>, listing: &Listing) -> Result<ContactConnection> {
    let page = context.reader()?.list(listing).await?;
    let sides = page.sides.into_iter();
    let sides = sides.map(|(who, side)| (HighLevelKey(PersonKey(who)), side));
    context.sides()?.feed_many(sides).await;
    let (total_count, of_index) = (page.total, page.remembered);
    let total = OfContacts { total_count, of_index };
    let has_previous = listing.after.is_some();
    let mut connection = Connection::with_additional_fields(has_previous, page.has_next, total);
    let edges = page.people.into_iter();
    let shown = if page.remembered { Contact::listed } else { Contact::new };
    connection.edges.extend(edges.map(|(cursor, who)| Edge::new(cursor, shown(who))));
    Ok(connection)
}

/// A page of contacts.
pub type ContactConnection = Connection<String, Contact, OfContacts>;

/// What a connection of contacts has beside its edges.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct OfContacts {
    /// How many contacts there are on all pages, by the source's own count. Null where the index
    /// would have to count them: ask `contactStats`.
    pub total_count: Option<u64>,
    #[graphql(skip)]
    of_index: bool,
}

#[ComplexObject]
impl OfContacts {
    /// How much of both systems the index knows. A live source always shows all there is.
    async fn coverage(&self, context: &Context<'_>) -> Result<Coverage> {
        if self.of_index {
            return Ok(context.reader()?.coverage().await?.into());
        }
        Ok(Coverage { complete: true, as_of: None })
    }
}

//! Pages of contacts: as one system lists them, live, with that system's own cursor, or of the index.

use std::num::NonZeroU32;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::unified::{ContactFilter, ContactOrder, ContactSource, Sighting, System};
use crate::upstream::SearchRequest;

use super::index::IndexCursor;
use super::person::Person;
use super::{Error, HighLevelSide, Reader};

/// What HighLevel accepts as free text (`highlevel-api.md`, search: at most 75 characters).
const LONGEST_QUERY: usize = 75;
/// And as a filter's value, which a tag is.
const LONGEST_TAG: usize = 75;
/// HighLevel states no bound on the number of filters; this one keeps the body small.
const MOST_TAGS: usize = 50;

/// Which page of which listing.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Not given: the source of the cursor; without one the index where it is complete, else
    /// HighLevel.
    pub source: Option<ContactSource>,
    /// 1 to 100.
    pub first: u32,
    pub after: Option<String>,
    pub filter: ContactFilter,
    pub order: Option<ContactOrder>,
}

/// A page of people, each with the cursor that continues after them.
#[derive(Clone, Debug)]
pub struct Page {
    pub people: Vec<(String, Arc<Person>)>,
    /// HighLevel's sides that came along.
    pub sides: Vec<(Arc<Person>, HighLevelSide)>,
    pub has_next: bool,
    /// How many there are in all, as far as the system says.
    pub total: Option<u64>,
    /// Whether they are shown as they were last known.
    pub remembered: bool,
}

#[derive(Deserialize, Serialize)]
pub(super) enum Cursor {
    /// The last row's own cursor.
    #[serde(rename = "h")]
    HighLevel(Vec<Value>),
    /// Doppler's page and how many of its rows are done.
    #[serde(rename = "d")]
    Doppler(NonZeroU32, u32),
    /// A place in the index.
    #[serde(rename = "i")]
    Index(IndexCursor),
}

impl Reader {
    /// A page of contacts. No call from the index; one from HighLevel; one from Doppler, two where
    /// the page lies across two of its pages.
    pub async fn list(&self, listing: &Listing) -> Result<Page, Error> {
        let after = listing.after.as_deref().map(Cursor::decode).transpose()?;
        let source = match (listing.source, &after) {
            (Some(source), _) => source,
            (None, Some(Cursor::Index(_))) => ContactSource::Index,
            (None, Some(Cursor::HighLevel(_) | Cursor::Doppler(..))) => ContactSource::HighLevel,
            (None, None) => self.default_source().await?,
        };
        self.session.expect_people(listing.first);
        let page = match (source, after) {
            (ContactSource::Index, None) => self.list_index(listing, None).await,
            (ContactSource::Index, Some(Cursor::Index(after))) => {
                self.list_index(listing, Some(after)).await
            }
            (ContactSource::HighLevel, None) => self.list_highlevel(listing, None).await,
            (ContactSource::HighLevel, Some(Cursor::HighLevel(after))) => {
                self.list_highlevel(listing, Some(after)).await
            }
            (ContactSource::Doppler, None) => self.list_doppler(listing, NonZeroU32::MIN, 0).await,
            (ContactSource::Doppler, Some(Cursor::Doppler(page, done))) => {
                self.list_doppler(listing, page, done).await
            }
            _ => Err(Error::invalid("after", "the cursor belongs to another source")),
        };
        page.map_err(|error| error.blamed_on(listing.doubtful()))
    }

    async fn default_source(&self) -> Result<ContactSource, Error> {
        let coverage = self.core.coverage(&self.session.requester.workspace).await?;
        Ok(if coverage.complete { ContactSource::Index } else { ContactSource::HighLevel })
    }

    async fn list_highlevel(
        &self,
        listing: &Listing,
        after: Option<Vec<Value>>,
    ) -> Result<Page, Error> {
        let filter = &listing.filter;
        refuse_index_filters(filter, System::HighLevel)?;
        if filter.query.as_ref().is_some_and(|query| query.chars().count() > LONGEST_QUERY) {
            return Err(Error::invalid("query", "at most 75 characters"));
        }
        check_tags(filter.tags_any.as_deref(), "tagsAny")?;
        check_tags(filter.tags_all.as_deref(), "tagsAll")?;
        let request = SearchRequest {
            any_of: Vec::new(),
            query: filter.query.clone(),
            tags_any: filter.tags_any.clone().unwrap_or_default(),
            tags_all: filter.tags_all.clone().unwrap_or_default(),
            updated_since: filter.updated_since,
            order: Some(listing.order.unwrap_or(ContactOrder::CreatedDesc)),
            // One more than asked for tells whether there is a next page.
            limit: listing.first + 1,
            after,
        };
        let (core, session) = (&self.core, &self.session);
        let page = core.search(session, request).await?.value;
        let rows = &page.rows[..page.rows.len().min(listing.first as usize)];
        let contacts = join_all(rows.iter().map(|(id, _)| core.contact(session, id))).await;
        let mut sightings = Vec::with_capacity(rows.len());
        let mut cursors = Vec::with_capacity(rows.len());
        let mut sides = Vec::with_capacity(rows.len());
        for (contact, (_, cursor)) in contacts.into_iter().zip(rows) {
            // Somebody who was deleted since the index was built is passed over.
            let side = contact?;
            if let Some(contact) = &side.value {
                sightings.push(Sighting::of_contact(contact));
                cursors.push(Cursor::HighLevel(cursor.clone()).encode()?);
                sides.push(side);
            }
        }
        let people = core.recognize(session, sightings).await?;
        let has_next = page.rows.len() > rows.len();
        // Who is linked to the very row is known by it.
        let linked = people.iter().cloned().zip(sides).filter(|(person, side)| {
            let id = side.value.as_ref().map(|contact| &contact.id);
            id.is_some() && person.highlevel.as_ref() == id
        });
        Ok(Page {
            sides: linked.map(|(person, side)| (person, Ok(side))).collect(),
            people: living(cursors, people),
            has_next,
            total: page.total,
            remembered: false,
        })
    }

    async fn list_doppler(
        &self,
        listing: &Listing,
        mut number: NonZeroU32,
        mut done: u32,
    ) -> Result<Page, Error> {
        let filter = &listing.filter;
        refuse_index_filters(filter, System::Doppler)?;
        refuse(filter.tags_any.is_some(), "tagsAny", System::Doppler)?;
        refuse(filter.tags_all.is_some(), "tagsAll", System::Doppler)?;
        refuse(filter.updated_since.is_some(), "updatedSince", System::Doppler)?;
        if listing.order.is_some() {
            return Err(Error::invalid("orderBy", "Doppler lists subscribers in no stated order"));
        }
        let (core, session) = (&self.core, &self.session);
        let mapping = self.mapping();
        let mut people = Vec::new();
        loop {
            let page = core.subscriber_page(session, number, filter.query.clone()).await?.value;
            let left = page.emails.iter().enumerate().skip(done as usize);
            let wanted = listing.first as usize - people.len();
            for (place, email) in left.take(wanted) {
                // Somebody who is gone again is passed over.
                let Some(found) = core.subscriber(session, email).await?.value else { continue };
                let sighting = Sighting::of_subscriber(&found, &mapping);
                done = u32::try_from(place + 1).unwrap_or(u32::MAX);
                people.push((Cursor::Doppler(number, done).encode()?, sighting));
            }
            let page_done = done as usize >= page.emails.len();
            let last_page = number.get() >= page.pages;
            if people.len() >= listing.first as usize || last_page {
                let (cursors, sightings): (Vec<String>, Vec<_>) = people.into_iter().unzip();
                let people = core.recognize(session, sightings).await?;
                return Ok(Page {
                    sides: Vec::new(),
                    people: living(cursors, people),
                    has_next: !(last_page && page_done),
                    total: Some(page.total.into()),
                    remembered: false,
                });
            }
            number = number.saturating_add(1);
            done = 0;
        }
    }
}

/// People with their cursors; those who were erased here are passed over.
fn living(cursors: Vec<String>, people: Vec<Arc<Person>>) -> Vec<(String, Arc<Person>)> {
    cursors.into_iter().zip(people).filter(|(_, person)| !person.erased).collect()
}

impl Listing {
    /// The argument that a system which refuses the listing most likely means: a cursor is the one
    /// that we cannot check.
    fn doubtful(&self) -> &'static str {
        let filter = &self.filter;
        if self.after.is_some() {
            "after"
        } else if filter.updated_since.is_some() {
            "updatedSince"
        } else if filter.query.is_some() {
            "query"
        } else {
            "filter"
        }
    }
}

pub(super) fn check_tags(tags: Option<&[String]>, argument: &'static str) -> Result<(), Error> {
    let tags = tags.unwrap_or_default();
    if tags.len() > MOST_TAGS {
        return Err(Error::invalid(argument, format!("at most {MOST_TAGS} tags")));
    }
    let is_tag = |tag: &String| !tag.is_empty() && tag.chars().count() <= LONGEST_TAG;
    if tags.iter().all(is_tag) {
        return Ok(());
    }
    Err(Error::invalid(argument, format!("a tag has 1 to {LONGEST_TAG} characters")))
}

impl Cursor {
    pub(super) fn encode(&self) -> Result<String, Error> {
        let json = serde_json::to_vec(self).map_err(|_| Error::Internal("cursor"))?;
        Ok(URL_SAFE_NO_PAD.encode(json))
    }

    pub(super) fn decode(text: &str) -> Result<Self, Error> {
        let json = URL_SAFE_NO_PAD.decode(text).ok();
        json.and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or_else(|| Error::invalid("after", "not a cursor of this listing"))
    }
}

/// What only an index of both systems could filter by.
fn refuse_index_filters(filter: &ContactFilter, source: System) -> Result<(), Error> {
    refuse(filter.systems.is_some(), "systems", source)?;
    refuse(filter.status.is_some(), "status", source)?;
    refuse(filter.sync_state.is_some(), "syncState", source)?;
    refuse(filter.opened.is_some(), "opened", source)?;
    refuse(filter.clicked.is_some(), "clicked", source)
}

fn refuse(given: bool, argument: &'static str, source: System) -> Result<(), Error> {
    if given {
        let message = format!("the source {source} cannot filter by {argument}");
        return Err(Error::Invalid { argument, message });
    }
    Ok(())
}

//! The index of contacts: kept to the mapping and the accounts, and listed.
//!
//! Whatever stores a copy changes the index with it (`store::sql::index`). What is done here is to make
//! all entries again when what they are made with has changed, which is also how a store from before
//! there was an index gets one.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::store::{Error as StoreError, Place, Search};
use crate::sync;
use crate::tasks::Tasks;
use crate::unified::{
    Basis, ContactFilter, ContactId, ContactOrder, Coverage, List, System, TagRepresentation,
    Tally, WorkspaceId,
};
use crate::upstream::UpstreamState;

use super::core::Core;
use super::listing::{Cursor, Listing, Page, check_tags};
use super::person::Person;
use super::{Error, Reader};

/// How often it is looked whether what entries are made with has changed.
const LOOK: Duration = Duration::from_secs(5);
/// How many entries one transaction makes, so that others can write in between.
const AT_ONCE: u32 = 500;
/// How far a filter's people are counted.
const MOST_COUNTED: u32 = 10_000;
/// What a query may be long; the other sources have the same bound.
const LONGEST_QUERY: usize = 75;

/// Keeps the index of the workspace until `tasks` stops.
pub(super) fn keep(core: Arc<Core>, tasks: &Tasks) {
    let stop = tasks.clone();
    tasks.spawn(async move {
        loop {
            if let Err(error) = core.keep_index(&stop).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "index not kept");
            }
            tokio::select! {
                () = stop.stopping() => return,
                () = core.clock.sleep(LOOK) => {}
            }
        }
    });
}

impl Core {
    async fn keep_index(&self, stop: &Tasks) -> Result<(), StoreError> {
        let workspace = &self.workspace.id;
        self.set_basis(workspace).await?;
        while !stop.is_stopping() && !self.store.fill(workspace, AT_ONCE).await? {}
        Ok(())
    }

    /// Tells the store what entries are made with now.
    async fn set_basis(&self, workspace: &WorkspaceId) -> Result<(), StoreError> {
        let mapping = self.mapping(workspace);
        let lists = match mapping.tags {
            TagRepresentation::Lists { .. } => self.remembered_lists(workspace).await?,
            TagRepresentation::Field { .. } | TagRepresentation::Off => Vec::new(),
        };
        let accounts = System::ALL.map(|system| self.account(system).to_string());
        let basis = Basis { accounts, mapping: (*mapping).clone(), lists };
        self.store.set_basis(workspace, &basis).await?;
        Ok(())
    }

    /// Doppler's lists as they were last read, without what changes all the time.
    async fn remembered_lists(&self, workspace: &WorkspaceId) -> Result<Vec<List>, StoreError> {
        let key = self.copy_key::<Arc<Vec<List>>>(System::Doppler, "all");
        let copies = self.store.copies(workspace, &[key]).await?;
        let body = copies.first().and_then(|copy| copy.body.as_deref());
        let lists: Vec<List> =
            body.and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
        Ok(lists.into_iter().map(|list| List { subscribers_count: None, ..list }).collect())
    }

    /// Whether everybody of both systems, as far as they are connected, is in the index.
    pub(super) async fn coverage(&self, workspace: &WorkspaceId) -> Result<Coverage, Error> {
        let connected = self
            .upstreams()
            .into_iter()
            .filter(|(_, status)| status.state != UpstreamState::NotConnected);
        let mut ends = Vec::new();
        for (system, _) in connected {
            let position = self.store.position(workspace, system).await?;
            ends.push(position.as_deref().and_then(sync::read_through));
        }
        let complete = !ends.is_empty()
            && ends.iter().all(Option::is_some)
            && self.store.is_filled(workspace).await?;
        let as_of = if complete { ends.into_iter().flatten().min() } else { None };
        Ok(Coverage { complete, as_of })
    }
}

impl Reader {
    /// How much the index knows. No call.
    pub async fn coverage(&self) -> Result<Coverage, Error> {
        self.session.keep_private();
        self.core.coverage(&self.session.requester.workspace).await
    }

    /// A filter's people in numbers, by the index. No call.
    pub async fn tally(&self, filter: &ContactFilter) -> Result<Tally, Error> {
        self.session.keep_private();
        check(filter)?;
        let workspace = &self.session.requester.workspace;
        Ok(self.core.store.tally(workspace, filter, MOST_COUNTED).await?)
    }

    /// A page of the index. No call.
    pub(super) async fn list_index(
        &self,
        listing: &Listing,
        after: Option<IndexCursor>,
    ) -> Result<Page, Error> {
        // It changes with every copy that anybody brings.
        self.session.keep_private();
        let filter = &listing.filter;
        check(filter)?;
        let order = listing.order.unwrap_or(ContactOrder::UpdatedDesc);
        let listed = fingerprint(filter, order);
        let after = match after {
            Some(after) if after.listed == listed => Some(after.place()),
            Some(_) => {
                let message = "the cursor belongs to another order or filter";
                return Err(Error::invalid("after", message));
            }
            None => None,
        };
        let workspace = &self.session.requester.workspace;
        // One more than asked for tells whether there is a next page.
        let search = Search { filter, order, after: after.as_ref(), limit: listing.first + 1 };
        let mut found = self.core.store.search(workspace, search).await?;
        let has_next = found.len() > listing.first as usize;
        found.truncate(listing.first as usize);
        let total = self.core.store.total(workspace, filter).await?;
        let mut people = Vec::with_capacity(found.len());
        for (place, known) in found {
            let cursor = Cursor::Index(IndexCursor::at(place, listed.clone())).encode()?;
            people.push((cursor, Arc::new(Person::from(&known))));
        }
        Ok(Page { people, sides: Vec::new(), has_next, total, remembered: true })
    }
}

/// Where a page of the index ended, and of which listing.
#[derive(Debug, serde::Deserialize, serde::Serialize)]
pub(super) struct IndexCursor {
    listed: String,
    key: String,
    contact: ContactId,
}

impl IndexCursor {
    fn at(Place { key, contact }: Place, listed: String) -> Self {
        Self { listed, key, contact }
    }

    fn place(self) -> Place {
        Place { key: self.key, contact: self.contact }
    }
}

/// Tells one order and filter from another.
fn fingerprint(filter: &ContactFilter, order: ContactOrder) -> String {
    let hash = Sha256::digest(format!("{order:?} {filter:?}"));
    hash[..6].iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn check(filter: &ContactFilter) -> Result<(), Error> {
    if filter.query.as_ref().is_some_and(|query| query.chars().count() > LONGEST_QUERY) {
        return Err(Error::invalid("query", "at most 75 characters"));
    }
    check_tags(filter.tags_any.as_deref(), "tagsAny")?;
    check_tags(filter.tags_all.as_deref(), "tagsAll")
}

//! The index of contacts: who there is by the last known copies, found and put in order without
//! either system.

use async_trait::async_trait;

use super::{Error, Known};
use crate::unified::{Basis, ContactFilter, ContactId, ContactOrder, Tally, WorkspaceId};

/// Which people of the index.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    pub filter: &'a ContactFilter,
    pub order: ContactOrder,
    /// Where the page before ended.
    pub after: Option<&'a Place>,
    pub limit: u32,
}

/// A place in an order, whoever stands there by now.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    pub key: String,
    pub contact: ContactId,
}

/// The index of contacts. Whoever stores copies, or says whose they are, changes it in the same
/// transaction; nothing else writes it but [`Index::fill`].
#[async_trait]
pub trait Index: Send + Sync {
    /// Sets what entries are made with. Where that is new, all of them have to be made again:
    /// `true`. Before the first time nobody is in the index.
    async fn set_basis(&self, workspace: &WorkspaceId, basis: &Basis) -> Result<bool, Error>;

    /// Makes the entries of so many contacts more; `true`: all are made with the present basis.
    async fn fill(&self, workspace: &WorkspaceId, limit: u32) -> Result<bool, Error>;

    /// Whether [`Index::fill`] has come to the end with the present basis.
    async fn is_filled(&self, workspace: &WorkspaceId) -> Result<bool, Error>;

    /// A page of people in order, each with where they stand. Who comes or changes between two pages
    /// makes nobody else be left out or come twice.
    async fn search(
        &self,
        workspace: &WorkspaceId,
        search: Search<'_>,
    ) -> Result<Vec<(Place, Known)>, Error>;

    /// How many people a filter finds, if that is at hand without counting them.
    async fn total(
        &self,
        workspace: &WorkspaceId,
        filter: &ContactFilter,
    ) -> Result<Option<u64>, Error>;

    /// A filter's people in numbers. Without conditions all are counted; else counting stops at
    /// `most` people, or after looking at ten times as many.
    async fn tally(
        &self,
        workspace: &WorkspaceId,
        filter: &ContactFilter,
        most: u32,
    ) -> Result<Tally, Error>;
}

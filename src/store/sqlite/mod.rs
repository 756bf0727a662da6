//! SQLite: one file, no service.
//!
//! One connection writes, by `BEGIN IMMEDIATE`, so that a transaction never finds out half-way that
//! it cannot; four read beside it (WAL). A commit is on the disk when it returns
//! (`synchronous = FULL`). The statements are in `store::sql`.

mod open;
#[cfg(test)]
pub(crate) mod tests;

use super::sql::db::{Db, Pools};
use super::{Error, SqlStore};

/// Opens `sqlite://FILE`, making the file (for its owner's eyes only) and bringing its schema up to
/// date. `sqlite::memory:` is gone when closed.
pub async fn open(url: &str) -> Result<SqlStore, Error> {
    let (writer, reader) = open::open(url).await?;
    Ok(SqlStore::new(Db::new(Pools::Sqlite { writer, reader })))
}

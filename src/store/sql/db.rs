//! The two databases behind one way to run a statement.
//!
//! A statement's text is the same for both. Where PostgreSQL needs a word that SQLite does not know
//! (row locks: SQLite has one writer), it stands in a comment that only PostgreSQL reads:
//! `/*pg FOR UPDATE */`.
//!
//! Lists of values travel as one JSON parameter, `[[…], …]`, opened by `json_each`, so that the
//! text of a statement never depends on how many there are and it stays prepared. PostgreSQL's
//! `json_each(text)` is made by our first migration there. What comes out of `value ->> n` is cast
//! where it is a number.

use std::time::Duration;

use sqlx::sqlite::SqlitePool;
#[cfg(feature = "postgres")]
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use sqlx::{FromRow, Transaction};

use super::arg::Arg;
use super::erasure::Pepper;
use crate::store::Error;
use crate::unified::WorkspaceId;

/// An open database. Clones share its connections and the key of erased people.
#[derive(Clone, Debug)]
pub(in crate::store) struct Db {
    pub(in crate::store) pools: Pools,
    pub(super) pepper: Pepper,
}

/// Its connections.
#[derive(Clone, Debug)]
pub(in crate::store) enum Pools {
    /// One connection writes, the others read beside it.
    Sqlite { writer: SqlitePool, reader: SqlitePool },
    #[cfg(feature = "postgres")]
    Postgres(sqlx::postgres::PgPool),
}

/// A transaction; rolled back when it is dropped.
pub(in crate::store) struct Tx {
    on: Begun,
    pub(super) pepper: Pepper,
}

enum Begun {
    Sqlite(Transaction<'static, sqlx::Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(Transaction<'static, sqlx::Postgres>),
}

/// A row that both databases can give.
#[cfg(feature = "postgres")]
pub(in crate::store) trait Row:
    for<'r> FromRow<'r, sqlx::sqlite::SqliteRow>
    + for<'r> FromRow<'r, sqlx::postgres::PgRow>
    + Send
    + Unpin
{
}
#[cfg(feature = "postgres")]
impl<T> Row for T where
    T: for<'r> FromRow<'r, sqlx::sqlite::SqliteRow>
        + for<'r> FromRow<'r, sqlx::postgres::PgRow>
        + Send
        + Unpin
{
}

/// A row that the database can give.
#[cfg(not(feature = "postgres"))]
pub(in crate::store) trait Row:
    for<'r> FromRow<'r, sqlx::sqlite::SqliteRow> + Send + Unpin
{
}
#[cfg(not(feature = "postgres"))]
impl<T> Row for T where T: for<'r> FromRow<'r, sqlx::sqlite::SqliteRow> + Send + Unpin {}

impl Db {
    /// A database that has not been given the key of erased people yet.
    pub(in crate::store) fn new(pools: Pools) -> Self {
        Self { pools, pepper: Pepper::default() }
    }

    /// Begins a transaction that writes. On SQLite it has the database to itself.
    pub(in crate::store) async fn write(&self) -> Result<Tx, Error> {
        let on = match &self.pools {
            Pools::Sqlite { writer, .. } => {
                Begun::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            #[cfg(feature = "postgres")]
            Pools::Postgres(pool) => Begun::Postgres(pool.begin().await?),
        };
        Ok(Tx { on, pepper: self.pepper.clone() })
    }

    /// Begins a transaction that reads: all its statements see the same moment.
    pub(super) async fn read(&self) -> Result<Tx, Error> {
        let on = match &self.pools {
            Pools::Sqlite { reader, .. } => Begun::Sqlite(reader.begin().await?),
            #[cfg(feature = "postgres")]
            Pools::Postgres(pool) => Begun::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
            ),
        };
        Ok(Tx { on, pepper: self.pepper.clone() })
    }

    /// All rows of one statement that only reads.
    pub(in crate::store) async fn all<R: Row>(
        &self,
        sql: &'static str,
        args: Vec<Arg>,
    ) -> Result<Vec<R>, Error> {
        Ok(match &self.pools {
            Pools::Sqlite { reader, .. } => {
                sqlx::query_as_with(sql, Arg::sqlite(args)?).fetch_all(reader).await?
            }
            #[cfg(feature = "postgres")]
            Pools::Postgres(pool) => {
                sqlx::query_as_with(for_postgres(sql), Arg::postgres(args)?).fetch_all(pool).await?
            }
        })
    }

    /// The one row of a statement that only reads, if there is one.
    pub(in crate::store) async fn one<R: Row>(
        &self,
        sql: &'static str,
        args: Vec<Arg>,
    ) -> Result<Option<R>, Error> {
        Ok(self.all(sql, args).await?.pop())
    }

    /// Empties SQLite's log, where pages still stand as they were before they were overwritten. `false`:
    /// somebody was reading; the log is emptied when the next one is, or when all is closed.
    pub(super) async fn empty_log(&self) -> Result<bool, Error> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                const TRIES: u32 = 5;
                for _ in 0..TRIES {
                    let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
                    let (busy, _, _): (i64, i64, i64) =
                        sqlx::query_as(sql).fetch_one(writer).await?;
                    if busy == 0 {
                        return Ok(true);
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Ok(false)
            }
            #[cfg(feature = "postgres")]
            Pools::Postgres(_) => Ok(true),
        }
    }

    /// Writes everything out and closes the connections.
    pub(super) async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, reader } => {
                if !reader.is_closed() && reader.size() > 0 {
                    reader.close().await;
                }
                // The last connection to close writes the log into the file and removes it.
                writer.close().await;
            }
            #[cfg(feature = "postgres")]
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Runs a statement; how many rows it touched.
    pub(super) async fn run(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<u64, Error> {
        Ok(match &mut self.on {
            Begun::Sqlite(tx) => {
                sqlx::query_with(sql, Arg::sqlite(args)?).execute(&mut **tx).await?.rows_affected()
            }
            #[cfg(feature = "postgres")]
            Begun::Postgres(tx) => sqlx::query_with(for_postgres(sql), Arg::postgres(args)?)
                .execute(&mut **tx)
                .await?
                .rows_affected(),
        })
    }

    /// All rows of a statement.
    pub(in crate::store) async fn all<R: Row>(
        &mut self,
        sql: &'static str,
        args: Vec<Arg>,
    ) -> Result<Vec<R>, Error> {
        Ok(match &mut self.on {
            Begun::Sqlite(tx) => {
                sqlx::query_as_with(sql, Arg::sqlite(args)?).fetch_all(&mut **tx).await?
            }
            #[cfg(feature = "postgres")]
            Begun::Postgres(tx) => {
                sqlx::query_as_with(for_postgres(sql), Arg::postgres(args)?)
                    .fetch_all(&mut **tx)
                    .await?
            }
        })
    }

    /// The one row of a statement, if there is one.
    pub(in crate::store) async fn one<R: Row>(
        &mut self,
        sql: &'static str,
        args: Vec<Arg>,
    ) -> Result<Option<R>, Error> {
        Ok(self.all(sql, args).await?.pop())
    }

    /// Waits until nobody erases anybody of the workspace, or with `alone` until nobody is at what an
    /// erasure takes away, and keeps it so to the end of the transaction. To be called before any other
    /// lock is taken. SQLite has one writer.
    pub(in crate::store) async fn lock_erasures(
        &mut self,
        workspace: &WorkspaceId,
        alone: bool,
    ) -> Result<(), Error> {
        match &mut self.on {
            Begun::Sqlite(_) => {}
            #[cfg(feature = "postgres")]
            Begun::Postgres(tx) => {
                // The number keeps it apart from other locks of the database. Two workspaces of one
                // hash wait for each other, which harms nobody.
                let sql = if alone {
                    "SELECT pg_advisory_xact_lock(hashtextextended($1, 8386094136))"
                } else {
                    "SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 8386094136))"
                };
                sqlx::query(sql).bind(workspace.as_str()).execute(&mut **tx).await?;
            }
        }
        #[cfg(not(feature = "postgres"))]
        let _ = (workspace, alone);
        Ok(())
    }

    /// Makes it durable.
    pub(in crate::store) async fn commit(self) -> Result<(), Error> {
        match self.on {
            Begun::Sqlite(tx) => tx.commit().await?,
            #[cfg(feature = "postgres")]
            Begun::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

/// Whether a statement failed because somebody else has what may be one row's only.
pub(super) fn is_taken(error: &Error) -> bool {
    let Error::Driver(error) = error else { return false };
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// The text with what only PostgreSQL reads. The text is ours whole, so it is as safe as before.
#[cfg(feature = "postgres")]
fn for_postgres(sql: &'static str) -> SqlStr {
    const OPEN: &str = "/*pg";
    if sql.contains(OPEN) {
        AssertSqlSafe(sql.replace(OPEN, "").replace("*/", "")).into_sql_str()
    } else {
        sql.into_sql_str()
    }
}

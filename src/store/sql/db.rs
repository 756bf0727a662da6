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

use sqlx::sqlite::SqlitePool;
#[cfg(feature = "postgres")]
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use sqlx::{FromRow, Transaction};

use super::arg::Arg;
use crate::store::Error;

/// An open database. Clones share its connections.
#[derive(Clone, Debug)]
pub(in crate::store) enum Db {
    /// One connection writes, the others read beside it.
    Sqlite { writer: SqlitePool, reader: SqlitePool },
    #[cfg(feature = "postgres")]
    Postgres(sqlx::postgres::PgPool),
}

/// A transaction; rolled back when it is dropped.
pub(in crate::store) enum Tx {
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
    /// Begins a transaction that writes. On SQLite it has the database to itself.
    pub(in crate::store) async fn write(&self) -> Result<Tx, Error> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Begins a transaction that reads: all its statements see the same moment.
    pub(super) async fn read(&self) -> Result<Tx, Error> {
        Ok(match self {
            Self::Sqlite { reader, .. } => Tx::Sqlite(reader.begin().await?),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => Tx::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
            ),
        })
    }

    /// All rows of one statement that only reads.
    pub(in crate::store) async fn all<R: Row>(
        &self,
        sql: &'static str,
        args: Vec<Arg>,
    ) -> Result<Vec<R>, Error> {
        Ok(match self {
            Self::Sqlite { reader, .. } => {
                sqlx::query_as_with(sql, Arg::sqlite(args)?).fetch_all(reader).await?
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => {
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

    /// Writes everything out and closes the connections.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite { writer, reader } => {
                if !reader.is_closed() && reader.size() > 0 {
                    reader.close().await;
                }
                // The last connection to close writes the log into the file and removes it.
                writer.close().await;
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Runs a statement; how many rows it touched.
    pub(super) async fn run(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<u64, Error> {
        Ok(match self {
            Self::Sqlite(tx) => {
                sqlx::query_with(sql, Arg::sqlite(args)?).execute(&mut **tx).await?.rows_affected()
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(tx) => sqlx::query_with(for_postgres(sql), Arg::postgres(args)?)
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
        Ok(match self {
            Self::Sqlite(tx) => {
                sqlx::query_as_with(sql, Arg::sqlite(args)?).fetch_all(&mut **tx).await?
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(tx) => {
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

    /// Makes it durable.
    pub(in crate::store) async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            #[cfg(feature = "postgres")]
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
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

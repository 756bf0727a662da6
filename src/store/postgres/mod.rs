//! PostgreSQL: one database that several gateways share.
//!
//! Transactions are READ COMMITTED with row locks where two could meet; those that read several
//! rows as of one moment are REPEATABLE READ. The statements are in `store::sql`. Time is the
//! caller's here too: what keeps two workers apart is the lease's token, and a clock that is wrong
//! by less than a lease only moves when a lease can be taken over.

#[cfg(test)]
pub(crate) mod tests;

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection};

use super::sql::db::{Db, Pools};
use super::{Error, SqlStore};

/// Every step of the schema, the oldest first. An applied step is never edited.
static MIGRATIONS: Migrator = sqlx::migrate!("src/store/postgres/migrations");

/// How long a caller waits for a free connection before it is told that the store is overloaded.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the first connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// No transaction of ours takes a second; one that waits this long for a lock waits for somebody
/// who is gone.
const LOCK_TIMEOUT: &str = "10s";
/// A transaction whose gateway is gone without closing the connection ends by itself.
const IDLE_TIMEOUT: &str = "30s";

/// Opens `postgres://USER:PASSWORD@HOST/DATABASE?sslmode=…` with at most so many connections, and
/// brings the schema up to date. One gateway at a time does that.
pub async fn open(url: &str, connections: u32) -> Result<SqlStore, Error> {
    if !url.starts_with("postgres") {
        return Err(Error::Url);
    }
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| Error::Url)?
        .application_name("tandem")
        .options([
            ("lock_timeout", LOCK_TIMEOUT),
            ("idle_in_transaction_session_timeout", IDLE_TIMEOUT),
            // Not less than this however the server is set up: what is answered is kept.
            ("synchronous_commit", "on"),
            // Statements name the way in which they are to be carried out, row by row along an index. By the values
            // of the first five times another one seems cheaper, which reads a whole table.
            ("plan_cache_mode", "force_generic_plan"),
            ("jit", "off"),
        ]);
    migrate(&options).await?;
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options)
        .await?;
    Ok(SqlStore::new(Db::new(Pools::Postgres(pool))))
}

/// On a connection of its own, because the lock belongs to the connection: however this ends, the
/// lock ends with it. Others wait for it longer than for any other lock.
async fn migrate(options: &PgConnectOptions) -> Result<(), Error> {
    let options = options.clone().options([("lock_timeout", "0")]);
    let connect = PgConnection::connect_with(&options);
    let connected = tokio::time::timeout(CONNECT_TIMEOUT, connect).await;
    let mut connection = connected.map_err(|_| sqlx::Error::PoolTimedOut)??;
    let migrated = MIGRATIONS.run_direct(None, &mut connection, false).await;
    // Nothing is left to be lost with it.
    let _ = connection.close().await;
    Ok(migrated?)
}

//! Opening the database: its file, its two pools, its schema.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::store::Error;

/// Every step of the schema, the oldest first. An applied step is never edited.
pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("src/store/sqlite/migrations");

/// How long a statement waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// SQLite's code for a file that somebody else uses.
const BUSY: &str = "5";
/// How often a file that others open too is tried again, and the pause between.
const OPEN_TRIES: u32 = 100;
const OPEN_PAUSE: Duration = Duration::from_millis(50);
/// How long a caller waits for a free connection before it is told that the store is overloaded.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Each is a thread; a lookup takes microseconds, so a few serve many requests.
const READERS: u32 = 4;
/// How many rows a reading thread may be ahead: a page of people with two links each, so that it
/// does not stop and start.
const ROWS_AHEAD: usize = 400;

/// What each connection keeps of the file in its own memory, in kibibytes as SQLite wants it told:
/// a quarter of the default, since the system keeps the file in memory as well.
const PAGES_KIB: &str = "-512";

/// The writer's pool of one, and the readers'.
pub(super) async fn open(url: &str) -> Result<(SqlitePool, SqlitePool), Error> {
    if !url.starts_with("sqlite:") {
        return Err(Error::Url);
    }
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|_| Error::Url)?
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .row_buffer_size(ROWS_AHEAD)
        .pragma("cache_size", PAGES_KIB)
        // What is deleted is overwritten: it is about people, some of whom asked to be forgotten.
        .pragma("secure_delete", "ON")
        .busy_timeout(BUSY_TIMEOUT);
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    if !in_memory {
        protect(&options).await?;
    }
    for _ in 0..OPEN_TRIES {
        match pools(&options, in_memory).await {
            Err(Error::Driver(sqlx::Error::Database(error)))
                if error.code().as_deref() == Some(BUSY) =>
            {
                tokio::time::sleep(OPEN_PAUSE).await;
            }
            done => return done,
        }
    }
    pools(&options, in_memory).await
}

/// Both pools over a file whose schema is up to date.
///
/// Whoever turns the write-ahead log on needs the file alone and is refused at once, without the busy
/// time-out, while others open it too: several processes that start at once try again.
async fn pools(
    options: &SqliteConnectOptions,
    in_memory: bool,
) -> Result<(SqlitePool, SqlitePool), Error> {
    // So that a statement of many rows can be undone alone, SQLite copies the pages that it changes: of a hundred
    // people, ten mebibytes. In a file that is a third of all that is written. A step of the schema that sorts a whole
    // table would do that in memory as well.
    let changing = options.clone().pragma("temp_store", "MEMORY");
    let writer = pool(1).connect_with(changing).await?;
    migrate(&writer).await?;
    // A database in memory belongs to its connection, so that one serves both.
    let reader = if in_memory {
        writer.clone()
    } else {
        pool(READERS).connect_with(options.clone().read_only(true)).await?
    };
    Ok((writer, reader))
}

/// Connections that are kept: none is closed for its age and none is tried before each use, because
/// a file does not hang up.
fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Makes the file, readable by nobody else: it holds people's data. SQLite gives its companion
/// files (`-wal`, `-shm`) the same rights.
async fn protect(options: &SqliteConnectOptions) -> Result<(), Error> {
    let path = options.get_filename();
    let mut open = tokio::fs::OpenOptions::new();
    open.create(true).append(true);
    #[cfg(unix)]
    open.mode(0o600);
    let file = open.open(path).await.map_err(Error::File)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let owner_only = std::fs::Permissions::from_mode(0o600);
        file.set_permissions(owner_only).await.map_err(Error::File)?;
    }
    drop(file);
    Ok(())
}

/// Brings the schema up to date in one transaction, which also keeps two processes that start at
/// once from doing it twice.
async fn migrate(writer: &SqlitePool) -> Result<(), Error> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    MIGRATIONS.run_direct(None, &mut *transaction, false).await?;
    transaction.commit().await?;
    Ok(())
}

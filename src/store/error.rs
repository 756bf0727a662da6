//! What can go wrong in the store. Absent rows are `Option`, never an error.

/// A failed store operation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database could not be reached or refused the statement.
    #[error("the database failed")]
    Driver(#[source] sqlx::Error),
    /// The schema could not be brought up to date, or is newer than this program.
    #[error("the database's schema cannot be used")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// A row holds what no program of ours wrote.
    #[error("inconsistent row in {table}, column {column}")]
    Inconsistent { table: &'static str, column: &'static str },
    /// `store.url` names no database that this build knows.
    #[error("unknown kind of store url: expected sqlite://FILE")]
    Url,
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Driver(error)
    }
}

//! What can go wrong in the store. Absent rows are `Option`, never an error.

/// A failed store operation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database could not be reached or refused the statement.
    #[error("the database failed")]
    Driver(#[source] sqlx::Error),
    /// The database's file could not be made, opened or protected from other users.
    #[error("the database's file cannot be used")]
    File(#[source] std::io::Error),
    /// The schema could not be brought up to date.
    #[error("the database's schema cannot be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// A newer program has been at this database; this one would damage it.
    #[error(
        "the database was written by a newer version of this program (its schema {0} is unknown)"
    )]
    Newer(i64),
    /// A row holds what no program of ours wrote.
    #[error("inconsistent row in {table}, column {column}")]
    Inconsistent { table: &'static str, column: &'static str },
    /// People were erased or are to be, and the key that they are known again by was not given: see
    /// [`super::Erasures::unlock`].
    #[error("the key of erased people is not open")]
    Locked,
    /// `store.url` names no database that this build knows.
    #[error("unknown kind of store url: expected sqlite://FILE or postgres://HOST/DATABASE")]
    Url,
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Driver(error)
    }
}

impl From<sqlx::migrate::MigrateError> for Error {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        if let sqlx::migrate::MigrateError::VersionMissing(version) = error {
            Self::Newer(version)
        } else {
            Self::Migrate(error)
        }
    }
}

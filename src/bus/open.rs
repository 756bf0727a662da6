//! Which bus the settings ask for.

use std::sync::Arc;

use super::{Bus, Local};
use crate::config::bus::Bus as Settings;
use crate::tasks::Tasks;

/// Why the bus cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// NATS does not do.
    #[cfg(feature = "nats")]
    #[error(transparent)]
    Nats(#[from] super::nats::Error),
    /// The database's url does not do.
    #[cfg(feature = "postgres")]
    #[error("the database cannot carry news")]
    Postgres(#[from] sqlx::Error),
    /// The url names no bus that this build knows.
    #[error("unknown kind of bus url")]
    Url,
}

/// Starts the bus that the settings ask for. `database`: the store's url where NOTIFY is to carry the
/// news. A server that is down is waited for in the background.
pub async fn open(
    settings: &Settings,
    database: Option<&str>,
    tasks: &Tasks,
) -> Result<Arc<dyn Bus>, Error> {
    #[cfg(feature = "nats")]
    if settings.is_nats() {
        let bus = super::nats::start(&settings.url, &settings.channel, tasks).await?;
        return Ok(Arc::new(bus));
    }
    // Only a line to others needs somebody to look after it.
    #[cfg(not(any(feature = "nats", feature = "postgres")))]
    let _ = tasks;
    if !settings.url.is_empty() {
        return Err(Error::Url);
    }
    match database {
        #[cfg(feature = "postgres")]
        Some(url) => Ok(Arc::new(super::postgres::start(url, &settings.channel, tasks)?)),
        #[cfg(not(feature = "postgres"))]
        Some(_) => Err(Error::Url),
        None => Ok(Arc::new(Local::new())),
    }
}

/// Whether a server answers, where the bus has one of its own.
pub async fn check(settings: &Settings) -> Result<(), Error> {
    #[cfg(feature = "nats")]
    if settings.is_nats() {
        return Ok(super::nats::check(&settings.url).await?);
    }
    if settings.url.is_empty() { Ok(()) } else { Err(Error::Url) }
}

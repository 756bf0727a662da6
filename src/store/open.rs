//! Which database a url names.

use std::sync::Arc;

use super::{Error, Store, sqlite};
use crate::config::store::Store as Settings;

/// Opens the store that the settings name, and brings its schema up to date.
pub async fn open(settings: &Settings) -> Result<Arc<dyn Store>, Error> {
    #[cfg(feature = "postgres")]
    if settings.is_postgres() {
        let store = super::postgres::open(&settings.url, settings.connections).await?;
        return Ok(Arc::new(store));
    }
    Ok(Arc::new(sqlite::open(&settings.url).await?))
}

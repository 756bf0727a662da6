//! Trying a credential before it is kept.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::{Call, Credentials, Directory, Error, Kind, Priority, SetupError};

/// Somebody waits for the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tries a system with a credential that is not its own.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Makes the cheapest call to an account that needs the credential.
    async fn attempt(&self, credentials: Arc<dyn Credentials>, account: &str) -> Result<(), Error>;
}

/// Tries it with a client of its own, which this makes.
#[async_trait]
impl<F, C> Connector for F
where
    F: Fn(Arc<dyn Credentials>, &str) -> Result<C, SetupError> + Send + Sync,
    C: Directory,
{
    async fn attempt(&self, credentials: Arc<dyn Credentials>, account: &str) -> Result<(), Error> {
        let client = self(credentials, account)
            .map_err(|failed| Error::new(failed.system, "connecting", Kind::Unavailable))?;
        check_once(&client).await
    }
}

/// Calls a system once, for somebody who waits for the answer.
pub async fn check_once(client: &impl Directory) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    let call = Call { deadline, priority: Priority::Interactive, meter: Arc::default() };
    client.check(&call).await
}

//! What ends a run before its record.

use crate::{store, upstream};

/// A run that was not recorded. The work stays marked, so another run does it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the store failed")]
    Store(#[from] store::Error),
    /// Somebody else works on the contact by now.
    #[error("the lease is lost")]
    LeaseLost,
    /// Work whose key names no contact.
    #[error("a key of work is no contact's id")]
    Key,
    #[error("what is to be sent cannot be put down")]
    Encoding,
    /// A record that the store was asked about is nobody's.
    #[error("the store did not recognize a record")]
    Unrecognized,
    /// The task that ran it is gone.
    #[error("the run ended without a word")]
    Crashed,
}

/// What ends a turn of background work before its end.
pub(super) enum Failure {
    Sync(Error),
    /// A system was asked and did not do it: later, perhaps.
    Upstream(upstream::Error),
    /// The lease is lost, or the program stops.
    Stop,
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::Sync(error.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Sync(error)
    }
}

impl From<upstream::Error> for Failure {
    fn from(error: upstream::Error) -> Self {
        Self::Upstream(error)
    }
}

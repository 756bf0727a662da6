//! What the use cases refuse or fail at: what a client has to tell apart, with the source for the
//! log.

use std::sync::Arc;
use std::time::Duration;

use crate::auth::Scope;
use crate::unified::ContactId;
use crate::{store, sync, upstream};

/// A failed use case. Cheap to clone, because requests share reads and so their failures.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The client's token lacks a scope.
    #[error("the scope {} is missing", .0.as_str())]
    Denied(Scope),
    /// Only managers of the operator's own workspace may.
    #[error("only an operator may")]
    NotOperator,
    /// The workspace could not be opened.
    #[error("the workspace cannot be opened")]
    Unopened,
    /// HighLevel's credential lacks `contacts.write`.
    #[error("the workspace is read-only")]
    ReadOnly,
    /// An argument that cannot be served, in words for the client.
    #[error("{message}")]
    Invalid { argument: &'static str, message: String },
    /// Several people answer to one e-mail address or phone number.
    #[error("several contacts match")]
    Ambiguous(Vec<ContactId>),
    /// The client asked for cached values only and there is none.
    #[error("not in the cache")]
    NotCached,
    /// The idempotency key was used with other input.
    #[error("the idempotency key was used with other input")]
    KeyReused,
    /// Events after a cursor are no longer kept; those after `oldest` are.
    #[error("the cursor has expired")]
    CursorExpired { oldest: i64 },
    /// A follower took too long; everything up to the cursor was given to it.
    #[error("the follower fell behind")]
    Lagged { cursor: i64 },
    /// The first use of the idempotency key is not known to have ended; it is taken for dead after
    /// `left`.
    #[error("the idempotency key is in use")]
    KeyInUse { left: Duration },
    #[error(transparent)]
    Upstream(#[from] upstream::Error),
    #[error("the store failed")]
    Store(#[source] Arc<store::Error>),
    /// Something that cannot be, could not be put into words of the contract.
    #[error("{0}")]
    Internal(&'static str),
}

impl From<sync::Error> for Error {
    fn from(error: sync::Error) -> Self {
        match error {
            sync::Error::Store(error) => error.into(),
            sync::Error::LeaseLost
            | sync::Error::Key
            | sync::Error::Encoding
            | sync::Error::Unrecognized
            | sync::Error::Crashed => Self::Internal("a reconcile ended without a record"),
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl Error {
    /// An argument that cannot be served.
    pub fn invalid(argument: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { argument, message: message.into() }
    }

    /// Whether it only says that nobody has connected a system yet.
    pub fn is_not_connected(&self) -> bool {
        matches!(self, Self::Upstream(error) if error.kind == upstream::Kind::NotConnected)
    }

    /// The same, where it is a system that found out. Of a read, only what came from the client can
    /// be refused.
    pub(super) fn blamed_on(self, argument: &'static str) -> Self {
        if let Self::Upstream(error) = &self
            && matches!(error.kind, upstream::Kind::Rejected { .. })
        {
            return Self::invalid(argument, format!("{} does not take it", error.system));
        }
        self
    }
}

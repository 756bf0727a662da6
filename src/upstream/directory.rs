//! What both systems can say of themselves.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::unified::{Budget, System};

use super::{Call, Error, Kind};

/// A connected system.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Which of the two.
    fn system(&self) -> System;

    /// What is known of the connection without a call.
    fn status(&self) -> UpstreamStatus;

    /// A number that changes with what the credential may see. Part of every cache key, so that
    /// a narrower credential never reads what a wider one fetched.
    fn view(&self) -> u64;

    /// Calls the system once with the cheapest read that needs the credential.
    async fn check(&self, call: &Call) -> Result<(), Error>;
}

/// The state of a connection.
#[derive(Clone, Debug)]
pub struct UpstreamStatus {
    pub state: UpstreamState,
    pub writing: Writing,
    /// The Doppler account or the HighLevel location.
    pub account: Option<String>,
    /// Scopes as far as they are known; empty when nobody said.
    pub scopes: Vec<String>,
    pub credential: Option<CredentialKind>,
    /// When the credential ends unless it is renewed; `None`: never, as far as is known.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the credential ends for good unless a person does something; `None`: nobody knows, or never.
    pub ends_at: Option<DateTime<Utc>>,
    /// When the credential was last put in the place of another.
    pub rotated_at: Option<DateTime<Utc>>,
    pub budget: Budget,
    pub last_call_at: Option<DateTime<Utc>>,
    pub last_error: Option<Kind>,
}

/// Whether the credential may write, as far as that is known. Beside the state, which says of a system that
/// fails only that.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Writing {
    /// Nobody knows: the scopes are what was asked for, not what a token that a person made was given.
    Unknown,
    /// It was seen to write since the start.
    Seen,
    /// A write was refused for want of a scope, and none was taken since.
    Refused,
    /// The same, so long ago that one is to be tried again.
    Doubted,
    /// Its scopes do not allow it.
    Forbidden,
}

impl Writing {
    /// Whether the credential is known not to allow writing.
    pub fn is_read_only(self) -> bool {
        matches!(self, Self::Refused | Self::Forbidden)
    }
}

/// How a connection is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UpstreamState {
    Connected,
    /// Reads work, writes lack a scope.
    ReadOnly,
    /// The last calls failed.
    Degraded,
    /// The credential was refused.
    NeedsReauthorization,
    NotConnected,
}

/// What kind of credential a connection has; never the credential itself.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum CredentialKind {
    OAuth,
    PrivateIntegrationToken,
    ApiKey,
}

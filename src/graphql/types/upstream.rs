//! How the connections to both systems are doing.

use async_graphql::{Enum, SimpleObject};

use super::enums::SystemName;
use crate::contacts::{self, UpstreamStatus};
use crate::graphql::error::{ErrorCode, upstream_code};
use crate::graphql::scalars::DateTime;
use crate::unified::{self, System};

/// The connection to one system.
#[derive(Clone, Debug, SimpleObject)]
pub struct Upstream {
    /// Which system.
    system: SystemName,
    /// How it is doing.
    state: UpstreamState,
    /// The Doppler account or the HighLevel location.
    account: Option<String>,
    /// What the credential may do, as far as that is known.
    scopes: Vec<String>,
    /// The credential; never the secret itself.
    credential: Option<Credential>,
    /// How many calls are left.
    budget: Budget,
    /// When it was last called.
    last_call_at: Option<DateTime>,
    /// Why the last call failed, if it did.
    last_error: Option<ErrorCode>,
}

/// How a connection is doing.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "contacts::UpstreamState")]
pub enum UpstreamState {
    /// Reads and writes work.
    Connected,
    /// Reads work, writes lack a scope.
    ReadOnly,
    /// The last calls failed.
    Degraded,
    /// The credential was refused; connect anew.
    NeedsReauthorization,
    /// There is no credential.
    NotConnected,
}

/// A credential, without its secret.
#[derive(Clone, Debug, SimpleObject)]
pub struct Credential {
    /// What kind it is.
    kind: CredentialKind,
    /// When it expires unless it is renewed, if it does.
    expires_at: Option<DateTime>,
    /// When it was last rotated, if that is known.
    rotated_at: Option<DateTime>,
}

/// What kind of credential a connection has.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "contacts::CredentialKind")]
pub enum CredentialKind {
    /// Granted through HighLevel's consent page.
    #[graphql(name = "OAUTH")]
    OAuth,
    /// A private integration token of a HighLevel location.
    PrivateIntegrationToken,
    /// A Doppler account's API key.
    ApiKey,
}

/// How many calls a system still allows. Absent values are unknown.
#[derive(Clone, Debug, SimpleObject)]
pub struct Budget {
    /// Calls that a burst window allows, for example 100.
    limit: Option<u32>,
    /// Calls left in the current window.
    remaining: Option<u32>,
    /// When the window is full again.
    resets_at: Option<DateTime>,
    /// Calls that a day allows, for example 200,000.
    daily_limit: Option<u32>,
    /// Calls left today.
    daily_remaining: Option<u32>,
}

impl From<unified::Budget> for Budget {
    fn from(budget: unified::Budget) -> Self {
        Self {
            limit: budget.limit,
            remaining: budget.remaining,
            resets_at: budget.resets_at.map(DateTime),
            daily_limit: budget.daily_limit,
            daily_remaining: budget.daily_remaining,
        }
    }
}

impl From<(System, UpstreamStatus)> for Upstream {
    fn from((system, status): (System, UpstreamStatus)) -> Self {
        let credential = status.credential.map(|kind| Credential {
            kind: kind.into(),
            expires_at: status.expires_at.map(DateTime),
            rotated_at: status.rotated_at.map(DateTime),
        });
        Self {
            system: system.into(),
            state: status.state.into(),
            account: status.account,
            scopes: status.scopes,
            credential,
            budget: status.budget.into(),
            last_call_at: status.last_call_at.map(DateTime),
            last_error: status.last_error.as_ref().map(upstream_code),
        }
    }
}

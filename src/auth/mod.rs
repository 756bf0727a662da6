//! Who asks and what they may do, and what we prove ourselves with.
//!
//! [`Authenticate`] turns a client's token into a [`Requester`]. [`tokens`] does it by signed tokens
//! (JWT), whose keys are a secret, a file or what an issuer publishes; [`Everyone`] lets everybody be
//! the operator of the default workspace, which is accepted on a loopback address only.
//!
//! [`Vault`] keeps the credentials that we call the systems with.
//!
//! To add a way to recognise clients: an implementation of [`Authenticate`], and its choice in
//! [`open`].

mod authenticate;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod jwks;
mod jwt;
mod keys;
mod scope;
mod token;
mod tokens;
mod vault;

use std::sync::Arc;

/// A requester's.
pub use crate::unified::WorkspaceId;

pub use authenticate::{Admitted, Authenticate, Denied, Everyone};
pub use scope::{Scope, Scopes};
pub use token::{TokenDraft, sign};
pub use tokens::open;
pub use vault::{
    AgencyGrant, Brought, Browser, KeyFile, Keyring, Pass, Secret, Seed, Vault, VaultError,
    VaultParts, check, rotate, unlock, watch,
};

/// Who a request comes from. Cheap to clone.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Requester {
    pub workspace: WorkspaceId,
    /// The token's `sub`; `None` when client authentication is off, or the token names nobody.
    pub subject: Option<Arc<str>>,
    pub scopes: Scopes,
}

impl Requester {
    /// Everyone, while client authentication is off.
    pub fn anonymous(workspace: WorkspaceId) -> Self {
        Self { workspace, subject: None, scopes: Scopes::all() }
    }
}

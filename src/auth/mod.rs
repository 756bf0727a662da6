//! Who asks, and what they may do.
//!
//! [`Requester`] is the outcome of authenticating a client. With `auth.mode = "off"`, which is
//! accepted on a loopback address only, everyone is the operator of the default workspace.

use std::sync::Arc;

use crate::unified::WorkspaceId;

/// Who a request comes from. Cheap to clone.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Requester {
    pub workspace: WorkspaceId,
    /// The token's `sub`; `None` when client authentication is off.
    pub subject: Option<Arc<str>>,
    pub scopes: Scopes,
}

/// A set of client scopes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Scopes(u8);

/// One client scope.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    ContactsRead,
    ContactsWrite,
    SyncRead,
    SyncManage,
    WorkspaceManage,
}

impl Scope {
    /// Every scope, in the order in which they are shown.
    pub const ALL: [Self; 5] = [
        Self::ContactsRead,
        Self::ContactsWrite,
        Self::SyncRead,
        Self::SyncManage,
        Self::WorkspaceManage,
    ];

    /// The name in a token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContactsRead => "contacts.readonly",
            Self::ContactsWrite => "contacts.write",
            Self::SyncRead => "sync.readonly",
            Self::SyncManage => "sync.manage",
            Self::WorkspaceManage => "workspace.manage",
        }
    }
}

impl Scopes {
    /// Everything.
    pub const fn all() -> Self {
        Self(u8::MAX)
    }

    /// Whether `scope` is among them.
    pub fn has(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    /// The names of the scopes held.
    pub fn names(self) -> Vec<String> {
        Scope::ALL
            .into_iter()
            .filter(|scope| self.has(*scope))
            .map(|scope| scope.as_str().to_owned())
            .collect()
    }
}

impl Requester {
    /// Everyone, while client authentication is off.
    pub fn anonymous(workspace: WorkspaceId) -> Self {
        Self { workspace, subject: None, scopes: Scopes::all() }
    }
}

//! What a client may do.

/// A set of client scopes.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Scopes(u8);

/// One client scope.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    ContactsRead,
    ContactsWrite,
    SyncRead,
    SyncManage,
    WorkspaceManage,
    MetricsRead,
}

impl Scope {
    /// Every scope, in the order in which they are shown.
    pub const ALL: [Self; 6] = [
        Self::ContactsRead,
        Self::ContactsWrite,
        Self::SyncRead,
        Self::SyncManage,
        Self::WorkspaceManage,
        Self::MetricsRead,
    ];

    /// The name in a token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContactsRead => "contacts.readonly",
            Self::ContactsWrite => "contacts.write",
            Self::SyncRead => "sync.readonly",
            Self::SyncManage => "sync.manage",
            Self::WorkspaceManage => "workspace.manage",
            Self::MetricsRead => "metrics.readonly",
        }
    }
}

impl Scopes {
    /// Everything.
    pub const fn all() -> Self {
        Self(u8::MAX)
    }

    /// Those of ours among the names of a token; a token may have others for other services.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let of = |name: &str| Scope::ALL.into_iter().find(|scope| scope.as_str() == name);
        let held = names.into_iter().filter_map(of);
        Self(held.fold(0, |held, scope| held | 1 << scope as u8))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gives_what_it_names_and_nothing_else() {
        let scopes = Scopes::named(["contacts.readonly", "openid", "Sync.Manage", ""]);
        assert_eq!(scopes.names(), ["contacts.readonly"]);
        assert!(!scopes.has(Scope::ContactsWrite));
        assert_eq!(Scopes::named(Scope::ALL.map(Scope::as_str)).names(), Scopes::all().names());
    }
}

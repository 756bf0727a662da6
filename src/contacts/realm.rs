//! The workspaces there are, for one who asks.
//!
//! The workspace `default` is the operator's: whoever manages it sees all others and makes new ones.
//! Everybody else sees their own, and of others not even whether there are any.

use crate::auth::{Requester, Scope};
use crate::clock::{Clock, new_id};
use crate::store::Workspace;
use crate::unified::{System, UserError, UserErrorCode, WorkspaceId};
use crate::upstream::UpstreamStatus;

use super::admin::{Managed, refused};
use super::{Contacts, Error, Workspaces};

/// Why a new workspace is not stored.
pub const NAME_TAKEN: &str = "another workspace has this name";
/// A name may be so long, in characters.
const LONGEST_NAME: usize = 100;

/// See the module; for one request.
pub struct Realm {
    workspaces: Workspaces,
    requester: Requester,
}

impl Realm {
    pub(super) fn new(workspaces: Workspaces, requester: Requester) -> Self {
        Self { workspaces, requester }
    }

    /// Whether all may be seen.
    fn is_operators(&self) -> bool {
        self.requester.workspace == self.workspaces.home().workspace().id
            && self.requester.scopes.has(Scope::WorkspaceManage)
    }

    fn may_see(&self, id: &WorkspaceId) -> bool {
        *id == self.requester.workspace || self.is_operators()
    }

    /// A page of those that may be seen, in the order in which they were made, and whether more come.
    pub async fn list(
        &self,
        first: u32,
        after: Option<&WorkspaceId>,
    ) -> Result<(Vec<Workspace>, bool), Error> {
        if let Some(after) = after
            && self.find(after).await?.is_none()
        {
            return Err(Error::invalid("after", "not a cursor of this list"));
        }
        if !self.is_operators() {
            let own = self.find(&self.requester.workspace).await?;
            let own: Vec<_> = own.into_iter().filter(|_| after.is_none()).collect();
            let shown = first.min(1) as usize;
            return Ok((own.iter().take(shown).cloned().collect(), own.len() > shown));
        }
        let mut page = self.workspaces.store().workspaces(after, first + 1).await?;
        let more = page.len() > first as usize;
        page.truncate(first as usize);
        Ok((page, more))
    }

    /// One that may be seen.
    pub async fn find(&self, id: &WorkspaceId) -> Result<Option<Workspace>, Error> {
        if !self.may_see(id) {
            return Ok(None);
        }
        Ok(self.workspaces.store().find_workspace(id).await?)
    }

    /// The connections of one that may be seen, without a call.
    pub async fn upstreams(
        &self,
        id: &WorkspaceId,
    ) -> Result<Vec<(System, UpstreamStatus)>, Error> {
        if self.may_see(id) {
            Ok(self.workspaces.of(id).await?.upstreams())
        } else {
            Ok(Vec::new())
        }
    }

    /// Makes one and opens it.
    pub async fn create(&self, name: &str) -> Result<Managed<Workspace>, Error> {
        self.as_operator()?;
        let workspace = match new_workspace(name, self.workspaces.clock()) {
            Ok(workspace) => workspace,
            Err(refusal) => return Ok(Err(vec![refusal])),
        };
        if !self.workspaces.store().create_workspace(&workspace).await? {
            return Ok(Err(vec![refused(UserErrorCode::Duplicate, NAME_TAKEN, "name")]));
        }
        tracing::info!(workspace = workspace.id.as_str(), "a workspace was made");
        // It is there, whatever becomes of this: whoever asks for it next opens it.
        let _ = self.workspaces.of(&workspace.id).await;
        Ok(Ok(workspace))
    }

    /// Another workspace's use cases, for the operator.
    pub(super) async fn contacts(&self, id: &WorkspaceId) -> Result<Option<Contacts>, Error> {
        self.as_operator()?;
        match self.find(id).await? {
            Some(_) => Ok(Some(self.workspaces.of(id).await?)),
            None => Ok(None),
        }
    }

    /// Whether whoever asks is the operator.
    pub(super) fn as_operator(&self) -> Result<(), Error> {
        if !self.requester.scopes.has(Scope::WorkspaceManage) {
            return Err(Error::Denied(Scope::WorkspaceManage));
        }
        if self.is_operators() { Ok(()) } else { Err(Error::NotOperator) }
    }
}

/// A workspace to be stored, or why the name is none.
pub fn new_workspace(name: &str, clock: &Clock) -> Result<Workspace, UserError> {
    let name = sane_name(name)?.to_owned();
    let id = WorkspaceId::from(new_id(clock).simple().to_string());
    Ok(Workspace { id, name, created_at: clock.now() })
}

/// A name as it is kept, or why it is none.
fn sane_name(name: &str) -> Result<&str, UserError> {
    let name = name.trim();
    let refused = |code, message: &str| Err(UserError::new(code, message, ["name"]));
    if name.is_empty() || name.chars().any(char::is_control) {
        return refused(UserErrorCode::Invalid, "a name has letters and no line breaks");
    }
    if name.chars().count() > LONGEST_NAME {
        return refused(UserErrorCode::TooLong, "at most 100 characters");
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_line_that_says_something() {
        assert_eq!(sane_name(" Sunny Bakery ").unwrap(), "Sunny Bakery");
        for (name, code) in [
            ("", UserErrorCode::Invalid),
            ("  ", UserErrorCode::Invalid),
            ("a\nb", UserErrorCode::Invalid),
            (&"a".repeat(101), UserErrorCode::TooLong),
        ] {
            assert_eq!(sane_name(name).unwrap_err().code, code, "{name:?}");
        }
        assert!(sane_name(&"ñ".repeat(100)).is_ok());
    }
}

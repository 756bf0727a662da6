//! Sealed credentials. The store never sees what is in them: the vault encrypts before and decrypts
//! after.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Error;
use crate::unified::{EventDraft, System, WorkspaceId};

/// What is kept of one system's credential.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredSecret {
    /// Counts up by one with every change, from 1; 0 is what the settings hold.
    pub version: i64,
    /// `None` of a version above 0: it was forgotten, and what the config says does not count any more.
    pub sealed: Option<String>,
    /// The account that it is for; it outlives the credential. `None`: from before it was kept.
    pub account: Option<String>,
}

/// What became of a credential that was to be kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Placed {
    /// The new version.
    Stored(i64),
    /// Another workspace is connected to the account.
    Taken,
    /// The workspace has another account.
    Bound,
}

/// Whose an account is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Owner {
    pub workspace: WorkspaceId,
    /// Whether it is connected to the account; else it was, and nobody else ever.
    pub is_connected: bool,
}

/// An installation that waits for somebody to confirm it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredInstall {
    pub id: Uuid,
    /// The location that it is for.
    pub account: String,
    pub sealed: String,
    pub expires_at: DateTime<Utc>,
}

/// Where a sealed text stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kept {
    Credential(System),
    Install,
    /// The key of the hashes of erased people: the whole store's, so its workspace is empty.
    ErasureKey,
}

/// One sealed text, of whatever workspace.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sealed {
    pub workspace: WorkspaceId,
    pub kept: Kept,
    pub text: String,
}

/// Who may renew a credential, and from which version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Turn {
    pub lease: Uuid,
    pub version: i64,
}

/// Credentials of workspaces.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// What is kept for a system; `None` before anything was ever kept.
    async fn secret(
        &self,
        workspace: &WorkspaceId,
        system: System,
    ) -> Result<Option<StoredSecret>, Error>;

    /// Keeps another credential and its account, or with `None` forgets the credential there is,
    /// whoever holds its lease, and appends the event. An account is connected in one workspace, and a
    /// workspace has one account of a system for good.
    async fn put_secret(
        &self,
        workspace: &WorkspaceId,
        system: System,
        sealed: Option<(&str, &str)>,
        (event, now): (&EventDraft, DateTime<Utc>),
    ) -> Result<Placed, Error>;

    /// Says which account the settings name for a workspace, whatever it was before; `false`: another
    /// workspace is connected to it.
    async fn bind_account(
        &self,
        workspace: &WorkspaceId,
        system: System,
        account: &str,
    ) -> Result<bool, Error>;

    /// Whose an account is: the workspace that is connected to it, else the only one that ever was.
    async fn whose_account(&self, system: System, account: &str) -> Result<Option<Owner>, Error>;

    /// The version of every credential of every workspace.
    async fn versions(&self) -> Result<Vec<(WorkspaceId, System, i64)>, Error>;

    /// Takes the right to renew a version until a time; whether it is taken. It is not if the version
    /// is not the present one or somebody has it at `now`.
    async fn lease_secret(
        &self,
        workspace: &WorkspaceId,
        system: System,
        turn: Turn,
        (now, until): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<bool, Error>;

    /// Keeps what a renewal brought, and keeps the lease; the new version. `None`: the credential was
    /// replaced or the lease was taken meanwhile, and nothing is changed.
    async fn renew_secret(
        &self,
        workspace: &WorkspaceId,
        system: System,
        turn: Turn,
        sealed: &str,
    ) -> Result<Option<i64>, Error>;

    /// Gives the right to renew back.
    async fn unlease_secret(
        &self,
        workspace: &WorkspaceId,
        system: System,
        lease: Uuid,
    ) -> Result<(), Error>;

    /// Keeps an installation in the place of one of the same account that waits already. Of many the
    /// oldest are given up.
    async fn hold_install(
        &self,
        workspace: &WorkspaceId,
        install: &StoredInstall,
    ) -> Result<(), Error>;

    /// The installations that wait and have not expired, the oldest first.
    async fn held_installs(
        &self,
        workspace: &WorkspaceId,
        now: DateTime<Utc>,
    ) -> Result<Vec<StoredInstall>, Error>;

    /// Keeps what an installation brought as HighLevel's credential of a workspace, as
    /// [`Secrets::put_secret`] does, and forgets the installation, which waits in the workspace that is
    /// named with it; `None`: it did not wait. Where the credential is not kept it waits on.
    async fn use_install(
        &self,
        workspace: &WorkspaceId,
        sealed: (&str, &str),
        install: (&WorkspaceId, Uuid),
        told: (&EventDraft, DateTime<Utc>),
    ) -> Result<Option<Placed>, Error>;

    /// Forgets an installation; whether it waited.
    async fn drop_install(&self, workspace: &WorkspaceId, id: Uuid) -> Result<bool, Error>;

    /// Appends the event that tells how many days before its end a credential is, unless that was told of
    /// this end before, or of fewer days; the event's cursor if it is appended.
    async fn announce(
        &self,
        workspace: &WorkspaceId,
        system: System,
        (ends_at, days): (DateTime<Utc>, u32),
        (event, now): (&EventDraft, DateTime<Utc>),
    ) -> Result<Option<i64>, Error>;

    /// Every sealed text of every workspace.
    async fn all_sealed(&self) -> Result<Vec<Sealed>, Error>;

    /// Puts the same under another key, without changing version or lease; `false`: it was changed
    /// meanwhile.
    async fn reseal(&self, old: &Sealed, text: &str) -> Result<bool, Error>;
}

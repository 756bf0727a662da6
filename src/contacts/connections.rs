//! Connecting and disconnecting the systems: the handle that a client with `workspace.manage` holds.
//!
//! A credential is tried before it is kept, so that a typing error is told at once and the one there is
//! goes on working. It is one of the workspace's own account: the one that the config names, or that it
//! was first connected to. What is known of people is that account's, so it stays. No two workspaces
//! are connected to one account.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use url::Url;

use crate::auth::{Pass, Scope, Secret, Vault, VaultError};
use crate::store::Placed;
use crate::unified::{EventDraft, EventKind, System, UserError, UserErrorCode};
use crate::upstream::{self, Connector, CredentialKind, Kind, Token, UpstreamStatus};

use super::admin::{Managed, refused};
use super::core::Core;
use super::{Error, Session};

/// More scopes than HighLevel has are a mistake.
const MOST_SCOPES: usize = 100;
/// What an account's name may be long (RFC 5321), and a location's id.
const LONGEST_ADDRESS: usize = 254;
pub(super) const LONGEST_ID: usize = 64;
/// Not whose it is: that is nobody else's business.
pub(super) const TAKEN: &str = "this account is connected in another workspace";

/// What connections are made with.
pub struct Access {
    pub vault: Vault,
    /// Of Doppler and of HighLevel.
    pub connectors: [Arc<dyn Connector>; 2],
    /// Where a consent begins and where it comes back to.
    pub start: Url,
    pub callback: Url,
    /// What is asked for unless somebody names other rights.
    pub scopes: Vec<String>,
}

/// The right to connect, for one request.
pub struct Connections {
    pub(super) core: Arc<Core>,
}

/// One system and how it stands now.
pub type Connected = (System, UpstreamStatus);

impl Connections {
    pub(super) fn new(core: Arc<Core>, session: &Session) -> Result<Self, Error> {
        if session.requester.scopes.has(Scope::WorkspaceManage) {
            Ok(Self { core })
        } else {
            Err(Error::Denied(Scope::WorkspaceManage))
        }
    }

    /// Tries Doppler's API key and keeps it; until when it is good, where somebody says.
    pub async fn connect_doppler(
        &self,
        account: &str,
        key: SecretString,
        until: Option<DateTime<Utc>>,
    ) -> Result<Managed<Connected>, Error> {
        // Doppler takes it in any case.
        let account = &account.to_ascii_lowercase();
        let field = "account";
        if let Err(refusal) = self.may_keep(System::Doppler, account, field).await? {
            return Ok(Err(vec![refusal]));
        }
        let kind = CredentialKind::ApiKey;
        let token = Token::new("token", Some(&key), kind);
        let tried = self.attempt((System::Doppler, account), token, "apiKey").await?;
        if let Err(refusal) = tried {
            return Ok(Err(vec![refusal]));
        }
        let secret = Secret::made(kind, key, None, self.core.clock.now()).until(until);
        let message = "An API key was given for Doppler";
        let made = (System::Doppler, secret, &**account);
        Ok(connected(self.core.connect(made, message).await?, field))
    }

    /// Tries a private integration token and keeps it. `scopes`: what it was given, where somebody
    /// says, and until when it is good.
    pub async fn connect_highlevel(
        &self,
        location: Option<&str>,
        token: SecretString,
        (scopes, until): (Option<Vec<String>>, Option<DateTime<Utc>>),
    ) -> Result<Managed<Connected>, Error> {
        let own = self.core.account(System::HighLevel);
        let (location, field) = (location.map_or(&*own, str::trim), "locationId");
        let allowed = self.may_keep(System::HighLevel, location, field).await?;
        if let Err(refusal) = allowed.and_then(|()| sane(scopes.as_deref())) {
            return Ok(Err(vec![refusal]));
        }
        // As it is written in what is stored.
        let location = if own.is_empty() { location } else { &own };
        let kind = CredentialKind::PrivateIntegrationToken;
        let header = Token::new("Bearer", Some(&token), kind);
        let to = (System::HighLevel, location);
        let tried = self.attempt(to, header, "privateIntegrationToken").await?;
        if let Err(refusal) = tried {
            return Ok(Err(vec![refusal]));
        }
        let secret = Secret::made(kind, token, scopes, self.core.clock.now()).until(until);
        let message = "A private integration token was given for HighLevel";
        let made = (System::HighLevel, secret, location);
        Ok(connected(self.core.connect(made, message).await?, field))
    }

    /// A link with which a person grants access at HighLevel, to one location if it is named. Whoever
    /// has it may use it for ten minutes.
    pub fn authorization_url(
        &self,
        location: Option<String>,
        scopes: Option<Vec<String>>,
    ) -> Managed<Url> {
        sane(scopes.as_deref()).map_err(|refusal| vec![refusal])?;
        if let Some(location) = &location {
            self.is_own(System::HighLevel, location, "locationId").map_err(|it| vec![it])?;
        }
        let access = &self.core.access;
        let missing = |message| vec![refused(UserErrorCode::NotSupported, message, "scopes")];
        if access.vault.authorizer().is_none() {
            return Err(missing("the settings name no app: set highlevel.client_id"));
        }
        let pass = Pass {
            workspace: self.core.workspace.id.as_str().to_owned(),
            location,
            scopes: scopes.filter(|it| !it.is_empty()).unwrap_or_else(|| access.scopes.clone()),
        };
        let issued = access.vault.issue(pass, None);
        let link = issued.ok_or_else(|| missing("the settings name no key: set vault.keys"))?;
        let mut url = access.start.clone();
        url.query_pairs_mut().append_pair("link", &link);
        Ok(url)
    }

    /// Forgets a system's credential, and an installation that waits for it.
    pub async fn disconnect(&self, system: System) -> Result<Connected, Error> {
        if system == System::HighLevel {
            let own = self.core.account(system);
            self.core.drop_waiting(&own, None).await?;
        }
        self.core.disconnect(system, "was disconnected: its credential is forgotten").await?;
        Ok((system, self.core.directory(system).status()))
    }

    /// Whether an account is the workspace's, or may become it.
    fn is_own(&self, system: System, account: &str, field: &str) -> Result<(), UserError> {
        suits(system, (account, &self.core.account(system)), field)
    }

    pub(super) async fn may_keep(
        &self,
        system: System,
        account: &str,
        field: &str,
    ) -> Result<Result<(), UserError>, Error> {
        // Another gateway may have connected it a moment ago.
        self.core.access.vault.reread(system).await?;
        if let Err(refusal) = self.is_own(system, account, field) {
            return Ok(Err(refusal));
        }
        if !self.core.access.vault.can_keep() {
            let message = "the settings name no key to store it with: set vault.keys";
            return Ok(Err(refused(UserErrorCode::NotSupported, message, field)));
        }
        Ok(Ok(()))
    }

    pub(super) async fn attempt(
        &self,
        (system, account): (System, &str),
        token: Token,
        field: &str,
    ) -> Result<Result<(), UserError>, Error> {
        let connector = &self.core.access.connectors[system as usize];
        let Err(error) = connector.attempt(Arc::new(token), account).await else {
            return Ok(Ok(()));
        };
        match judged(&error) {
            Some(message) => Ok(Err(refused(UserErrorCode::Invalid, &message, field))),
            None => Err(error.into()),
        }
    }
}

/// Whether an account is a workspace's own, or may become it where there is none.
pub(super) fn suits(
    system: System,
    (account, own): (&str, &str),
    field: &str,
) -> Result<(), UserError> {
    if own.is_empty() {
        let sane = match system {
            System::Doppler => account.contains('@') && account.len() <= LONGEST_ADDRESS,
            System::HighLevel => (1..=LONGEST_ID).contains(&account.len()),
        };
        let message = match system {
            System::Doppler => "the e-mail address that the account was opened with",
            System::HighLevel => "the id of the location",
        };
        return if sane { Ok(()) } else { Err(refused(UserErrorCode::Invalid, message, field)) };
    }
    if !account.eq_ignore_ascii_case(own) {
        let message = "this workspace has another account: make another workspace for this one";
        return Err(refused(UserErrorCode::Invalid, message, field));
    }
    Ok(())
}

/// What a failed try says of the credential; `None`: nothing.
fn judged(error: &upstream::Error) -> Option<String> {
    let system = error.system.name();
    match &error.kind {
        Kind::Unauthorized | Kind::NotFound | Kind::Rejected { .. } => {
            Some(format!("{system} does not take it for this account"))
        }
        Kind::ScopeMissing(scope) => Some(format!("it lacks the scope {scope}")),
        Kind::NotConnected => Some("it is empty or has characters that none has".to_owned()),
        Kind::RateLimited { .. }
        | Kind::ListGone
        | Kind::Duplicate { .. }
        | Kind::OptedOut { .. }
        | Kind::Busy
        | Kind::Full
        | Kind::Unavailable
        | Kind::Timeout
        | Kind::Malformed => None,
    }
}

/// Whether scopes look like scopes.
fn sane(scopes: Option<&[String]>) -> Result<(), UserError> {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"./_-".contains(&byte);
    let sane = |scope: &String| (1..=100).contains(&scope.len()) && scope.bytes().all(letters);
    let scopes = scopes.unwrap_or_default();
    if scopes.len() <= MOST_SCOPES && scopes.iter().all(sane) {
        Ok(())
    } else {
        let message = "scopes are words such as contacts.readonly";
        Err(refused(UserErrorCode::Invalid, message, "scopes"))
    }
}

/// Why a credential that works is not kept, in words for the client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elsewhere(pub &'static str, UserErrorCode);

pub(super) fn connected(made: Result<Connected, Elsewhere>, field: &str) -> Managed<Connected> {
    made.map_err(|Elsewhere(message, code)| vec![refused(code, message, field)])
}

impl Core {
    /// The account of a system that the workspace has; empty before it was first connected. Copies of
    /// another account's things are never shown.
    pub(super) fn account(&self, system: System) -> Arc<str> {
        self.access.vault.account(system).unwrap_or_default()
    }

    /// Keeps a credential for an account, uses it and looks whether it works.
    pub(super) async fn connect(
        &self,
        (system, secret, account): (System, Secret, &str),
        message: &str,
    ) -> Result<Result<Connected, Elsewhere>, Error> {
        let event = told(system, message.to_owned());
        let placed = self.access.vault.keep(system, (secret, account), &event).await?;
        self.begin(system, placed).await
    }

    /// Looks whether a credential works that is kept from now on, if it is.
    pub(super) async fn begin(
        &self,
        system: System,
        placed: Placed,
    ) -> Result<Result<Connected, Elsewhere>, Error> {
        match placed {
            Placed::Stored(_) => {}
            Placed::Taken => return Ok(Err(Elsewhere(TAKEN, UserErrorCode::Duplicate))),
            Placed::Bound => {
                let message = "this workspace was just connected to another account";
                return Ok(Err(Elsewhere(message, UserErrorCode::Invalid)));
            }
        }
        self.tell_connection(system).await;
        self.probe(system).await;
        Ok(Ok((system, self.directory(system).status())))
    }

    /// Forgets HighLevel's credential if the app's end, which was then by HighLevel's clock, ended it.
    pub(super) async fn forget_grant(&self, ended: Option<DateTime<Utc>>) -> Result<(), Error> {
        let granted = self.access.vault.granted(System::HighLevel);
        if granted.is_some_and(|secret| secret.is_from_before(ended)) {
            let why = "was disconnected: the app was taken off there";
            self.disconnect(System::HighLevel, why).await?;
        }
        Ok(())
    }

    /// Forgets a credential. `why` goes on from the system's name.
    pub(super) async fn disconnect(&self, system: System, why: &str) -> Result<(), Error> {
        let event = told(system, format!("{} {why}", system.name()));
        self.access.vault.forget(system, &event).await?;
        self.tell_connection(system).await;
        Ok(())
    }

    /// Tells those who follow events that there is one.
    async fn tell_connection(&self, system: System) {
        tracing::info!(system = system.as_str(), "the connection was changed");
        let workspace = &self.workspace.id;
        if let Ok(cursor) = self.store.last_cursor(workspace).await {
            self.publish(workspace, crate::bus::What::Events(cursor));
        }
    }
}

/// What the history says of a connection.
pub(super) fn told(system: System, message: String) -> EventDraft {
    let draft = EventDraft::new(EventKind::UpstreamChanged, message);
    EventDraft { system: Some(system), ..draft }
}

impl From<VaultError> for Error {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Store(error) => error.into(),
            VaultError::Key { .. } => Self::Internal("what is stored does not decrypt"),
            VaultError::NoKeys => Self::Internal("there is no key to store with"),
        }
    }
}

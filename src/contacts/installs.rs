//! Installations that began at the marketplace: what waits, and what becomes of it when somebody
//! confirms it.
//!
//! What an agency granted is for none of its locations yet. Which one is told or known when it is
//! confirmed, and only then is its token exchanged for that location's, as often as it takes: what the
//! exchange is made with is good until it ends, and nothing that is good once is used before the
//! credential is kept.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::{AgencyGrant, Brought, Secret};
use crate::store::Workspace;
use crate::unified::{System, UserError, UserErrorCode, WorkspaceId};
use crate::upstream::{NotGranted, Owner};

use super::admin::{Managed, refused};
use super::connections::{Connected, Connections, TAKEN, connected, suits, told};
use super::core::Core;
use super::{Error, Realm};

/// An installation that waits to be confirmed.
#[derive(Clone, Debug)]
pub struct HeldInstall {
    pub id: Uuid,
    /// The location, or the agency that granted it.
    pub account: String,
    pub by_agency: bool,
    /// For which locations it was granted, as far as that is known.
    pub locations: Vec<String>,
    pub scopes: Vec<String>,
    pub expires_at: DateTime<Utc>,
}

/// What is confirmed.
#[derive(Clone, Copy, Debug)]
pub struct Confirmation<'a> {
    pub install: Uuid,
    /// For which location.
    pub location: Option<&'a str>,
    pub into: Confirmed<'a>,
}

/// In which workspace an installation is used.
#[derive(Clone, Copy, Debug)]
pub enum Confirmed<'a> {
    /// The one that it waits in.
    Own,
    Existing(&'a WorkspaceId),
    /// One that is made for it, with this name.
    New(&'a str),
}

/// What is in the end kept: a credential, and the location that it is for.
type Made = (Secret, String);

impl Connections {
    /// The installations that began at the marketplace and wait to be confirmed.
    pub async fn held_installs(&self) -> Result<Vec<HeldInstall>, Error> {
        let waiting = self.core.access.vault.waiting().await?;
        let shown = waiting.into_iter().map(|(install, brought)| {
            let (by_agency, locations) = match &brought {
                Brought::Credential(_) => (false, vec![install.account.clone()]),
                Brought::Agency(grant) => (true, grant.locations().to_vec()),
            };
            HeldInstall {
                id: install.id,
                account: install.account,
                by_agency,
                locations,
                scopes: brought.granted_scopes(),
                expires_at: install.expires_at,
            }
        });
        Ok(shown.collect())
    }

    /// Uses what an installation brought, in this workspace or in another that the operator names or
    /// has made for it; which.
    pub async fn confirm(
        &self,
        asked: Confirmation<'_>,
        realm: &Realm,
    ) -> Result<Managed<(Workspace, Connected)>, Error> {
        let waiting = self.core.access.vault.waiting().await?;
        let found = waiting.into_iter().find(|(one, _)| one.id == asked.install);
        let made = match found {
            None => {
                let message = "no such installation waits: it was used or taken back, or its time is \
                    over and the app is to be installed again";
                return Ok(Err(vec![refused(UserErrorCode::NotFound, message, "install")]));
            }
            Some((install, Brought::Credential(secret))) => {
                self.of_location(asked, (secret, install.account), realm).await?
            }
            Some((_, Brought::Agency(grant))) => self.of_agency(asked, &grant, realm).await?,
        };
        match made {
            Ok((core, made)) => self.take(&core, made, asked).await,
            Err(refusals) => Ok(Err(refusals)),
        }
    }

    /// Where a location's installation is used, if it may be.
    async fn of_location(
        &self,
        asked: Confirmation<'_>,
        made: Made,
        realm: &Realm,
    ) -> Result<Managed<(Arc<Core>, Made)>, Error> {
        let other = |named: &str| !named.trim().eq_ignore_ascii_case(&made.1);
        if asked.location.is_some_and(other) {
            let message = "this installation is for another location";
            return Ok(Err(vec![refused(UserErrorCode::Invalid, message, "location")]));
        }
        let core = match self.target(asked.into, realm).await? {
            Ok(core) => core,
            Err(refusals) => return Ok(Err(refusals)),
        };
        let there = Self { core };
        Ok(match there.may_keep(System::HighLevel, &made.1, "install").await? {
            Ok(()) => Ok((there.core, made)),
            Err(refusal) => Err(vec![refusal]),
        })
    }

    /// The same of an agency's, and what it was exchanged for. A workspace is made for it last: whoever
    /// names a wrong location is left without one.
    async fn of_agency(
        &self,
        asked: Confirmation<'_>,
        grant: &AgencyGrant,
        realm: &Realm,
    ) -> Result<Managed<(Arc<Core>, Made)>, Error> {
        let there = match asked.into {
            Confirmed::New(_) => {
                // Who may not make one does not learn by trying which locations an agency has.
                realm.as_operator()?;
                None
            }
            Confirmed::Own | Confirmed::Existing(_) => {
                match self.target(asked.into, realm).await? {
                    Ok(core) => Some(core),
                    Err(refusals) => return Ok(Err(refusals)),
                }
            }
        };
        let made = match self.exchanged(grant, there.as_deref(), asked.location).await? {
            Ok(made) => made,
            Err(refusal) => return Ok(Err(vec![refusal])),
        };
        let core = match there {
            Some(core) => Ok(core),
            None => self.target(asked.into, realm).await?,
        };
        Ok(core.map(|core| (core, made)))
    }

    /// A location's credential that works, for what an agency granted; in which workspace it is to be
    /// used, if there is one yet.
    async fn exchanged(
        &self,
        grant: &AgencyGrant,
        there: Option<&Core>,
        named: Option<&str>,
    ) -> Result<Result<Made, UserError>, Error> {
        let mut own: Arc<str> = Arc::default();
        if let Some(core) = there {
            // Another gateway may have connected it a moment ago.
            core.access.vault.reread(System::HighLevel).await?;
            own = core.account(System::HighLevel);
        }
        let named = named.map(str::trim);
        let field = if named.is_some() { "location" } else { "install" };
        let location = match chosen(named, &own, grant.locations()) {
            Ok(location) => location,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let refused = |code, message: &str| Ok(Err(refused(code, message, field)));
        let Some(authorizer) = self.core.access.vault.authorizer() else {
            let message =
                "the settings name no app or no key: set highlevel.client_id and vault.keys";
            return refused(UserErrorCode::NotSupported, message);
        };
        let local = match authorizer.for_location(grant.as_shown(), location).await {
            Ok(local) => local,
            Err(NotGranted::Later(error)) => return Err(error.into()),
            Err(NotGranted::Gone) => return refused(UserErrorCode::Invalid, NO_TOKEN),
            Err(NotGranted::Declined) => return refused(UserErrorCode::Invalid, NO_TOKEN_NOW),
            Err(NotGranted::Client) => {
                let message = "HighLevel refuses the app's id or secret: see the settings";
                return refused(UserErrorCode::NotSupported, message);
            }
        };
        // As HighLevel writes it, which webhooks go by.
        let told = if let Owner::Location(of) = &local.owner { Some(of.clone()) } else { None };
        let told = told.filter(|_| own.is_empty());
        let location = told.as_deref().unwrap_or(location);
        let secret = grant.credential(local, location, self.core.clock.now());
        let to = (System::HighLevel, location);
        if let Err(refusal) = self.attempt(to, secret.as_token(), field).await? {
            return Ok(Err(refusal));
        }
        // Only now: whoever has a good credential may learn that the location is in use.
        let owner = self.core.store.whose_account(System::HighLevel, location).await?;
        let elsewhere = owner.is_some_and(|owner| {
            owner.is_connected && there.is_none_or(|core| core.workspace.id != owner.workspace)
        });
        if elsewhere {
            return refused(UserErrorCode::Duplicate, TAKEN);
        }
        Ok(Ok((secret, location.to_owned())))
    }

    /// Keeps the credential, in the place of the installation.
    async fn take(
        &self,
        core: &Arc<Core>,
        (secret, location): Made,
        asked: Confirmation<'_>,
    ) -> Result<Managed<(Workspace, Connected)>, Error> {
        let system = System::HighLevel;
        let message = "Somebody confirmed the installation that began at the marketplace";
        let event = told(system, message.to_owned());
        let (made, waits) = ((secret, &*location), (&self.core.workspace.id, asked.install));
        // At once: two who confirm it must not use one refresh token twice, and it must not be lost.
        let kept = core.access.vault.keep_install(made, waits, &event).await?;
        let Some(kept) = kept else {
            let message = "somebody else confirmed it just now";
            return Ok(Err(vec![refused(UserErrorCode::NotFound, message, "install")]));
        };
        let placed = core.begin(system, kept).await?;
        let workspace = core.workspace.clone();
        Ok(connected(placed, "install").map(|connected| (workspace, connected)))
    }

    /// The workspace in which an installation is to be used.
    async fn target(
        &self,
        into: Confirmed<'_>,
        realm: &Realm,
    ) -> Result<Managed<Arc<Core>>, Error> {
        let id = match into {
            Confirmed::Own => return Ok(Ok(Arc::clone(&self.core))),
            Confirmed::Existing(id) => id.clone(),
            Confirmed::New(name) => match realm.create(name).await? {
                Ok(workspace) => workspace.id,
                Err(mut refusals) => {
                    for refusal in &mut refusals {
                        refusal.field = vec!["newWorkspace".to_owned()];
                    }
                    return Ok(Err(refusals));
                }
            },
        };
        let found = realm.contacts(&id).await?.map(|contacts| Arc::clone(&contacts.0));
        let missing = || refused(UserErrorCode::NotFound, "no such workspace", "workspace");
        Ok(found.ok_or_else(|| vec![missing()]))
    }
}

const NO_TOKEN: &str = "HighLevel gives out no token for this location: the agency does not have it, the \
    app is not installed on it, or the scope oauth.write was not granted; if none of it is so, the app \
    is to be installed again";
const NO_TOKEN_NOW: &str =
    "HighLevel gives out no token for this location: it may not be active there";

/// For which location an agency's installation is used: the one that is named, else the workspace's own,
/// else the only one that there is.
fn chosen<'a>(
    named: Option<&'a str>,
    own: &'a str,
    approved: &'a [String],
) -> Result<&'a str, UserError> {
    let connected = Some(own).filter(|own| !own.is_empty());
    if let Some(named) = named {
        suits(System::HighLevel, (named, own), "location")?;
        // As it is written in what is stored.
        return Ok(connected.unwrap_or(named));
    }
    let only = match approved {
        [only] => Some(&**only),
        [] | [_, ..] => None,
    };
    connected.or(only).ok_or_else(|| {
        let message = "an agency granted it: give the id of the location that it is to be used for";
        refused(UserErrorCode::Invalid, message, "location")
    })
}

impl Core {
    /// Forgets installations of a location that wait and were granted before a time, without one all of
    /// them. Of one that cannot be read nobody knows, and it is of no use. An agency's that may be used
    /// for another location waits on.
    pub(super) async fn drop_waiting(
        &self,
        location: &str,
        ended: Option<DateTime<Utc>>,
    ) -> Result<(), Error> {
        let is_of = |account: &str, brought: Option<&Brought>| match brought {
            Some(Brought::Agency(grant)) => grant.is_only_for(location),
            Some(Brought::Credential(_)) | None => account == location,
        };
        self.drop_those(is_of, ended).await
    }

    /// The same of those that are there by an agency's consent.
    pub(super) async fn drop_agencys(
        &self,
        agency: &str,
        ended: Option<DateTime<Utc>>,
    ) -> Result<(), Error> {
        let is_of = |account: &str, brought: Option<&Brought>| match brought {
            Some(Brought::Agency(grant)) => grant.company() == agency,
            Some(Brought::Credential(secret)) => secret.granted_by() == Some(agency),
            None => account == agency,
        };
        self.drop_those(is_of, ended).await
    }

    async fn drop_those(
        &self,
        is_of: impl Fn(&str, Option<&Brought>) -> bool + Send + Sync,
        ended: Option<DateTime<Utc>>,
    ) -> Result<(), Error> {
        let is_gone = |account: &str, brought: Option<&Brought>| {
            is_of(account, brought) && brought.is_none_or(|brought| brought.is_from_before(ended))
        };
        Ok(self.access.vault.unhold(is_gone).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_named_or_connected_or_the_only_one() {
        let approved =
            |ids: &[&str]| -> Vec<String> { ids.iter().map(|&id| id.to_owned()).collect() };
        let (one, two, none) = (approved(&["a"]), approved(&["a", "b"]), approved(&[]));
        let asked = |named: Option<&'static str>, own: &'static str, approved: &[String]| {
            chosen(named, own, approved).map(str::to_owned).map_err(|refusal| refusal.field)
        };
        let refused = || Err(vec!["location".to_owned()]);
        assert_eq!(
            asked(Some("c"), "", &one),
            Ok("c".to_owned()),
            "what is approved may be cut off"
        );
        assert_eq!(asked(Some("A"), "a", &none), Ok("a".to_owned()));
        assert_eq!(asked(Some("b"), "a", &two), refused(), "a workspace keeps its location");
        assert_eq!(asked(Some(""), "", &one), refused());
        assert_eq!(asked(None, "b", &one), Ok("b".to_owned()));
        assert_eq!(asked(None, "", &one), Ok("a".to_owned()));
        assert_eq!(asked(None, "", &two), refused());
        assert_eq!(asked(None, "", &none), refused());
    }
}

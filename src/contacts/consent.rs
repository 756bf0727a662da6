//! A person's consent at HighLevel: out with a state that is bound to one browser, back with a code.
//!
//! An installation that begins at the marketplace comes back without a state. Nobody here asked for
//! it, so what it brings is held until somebody who may connect confirms it (`installs`).

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tracing::Instrument;
use url::Url;

use crate::auth::{AgencyGrant, Brought, Browser, Pass, Requester, Scope, Secret};
use crate::telemetry::of_workspace;
use crate::unified::{System, WorkspaceId};
use crate::upstream::{Authorizer, Granted, Kind, NotGranted, Owner};

use super::connections::{LONGEST_ID, told};
use super::{Access, Error, Workspaces};

/// How long an installation waits for somebody.
const HELD_FOR: Duration = Duration::from_hours(24);

/// Takes a person to the consent page and back. Who may begin is in the link that
/// [`super::Connections::authorization_url`] makes, or asks with a token of their own.
#[derive(Clone)]
pub struct Consent(pub(super) Workspaces);

/// Where a person is sent, and what their browser is to keep.
pub struct Begun {
    pub page: Url,
    pub browser: Browser,
    pub workspace: WorkspaceId,
}

/// With what a person comes back.
#[derive(Clone, Copy)]
pub struct Return<'a> {
    pub code: Option<&'a str>,
    pub state: Option<&'a str>,
    pub browser: Option<&'a Browser>,
}

/// What became of a consent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Finished {
    Connected,
    /// It waits to be confirmed.
    Held,
    /// It came to nothing; why.
    Refused(&'static str),
    /// The same, and later it may succeed.
    Later(&'static str),
}

const NOBODY: &str = "HighLevel does not say for whom it was granted";
const NOTHING_LASTS: &str = "HighLevel granted nothing that lasts";
const NO_APP: &str = "this gateway is not set up for consents: highlevel.client_id is not set";

impl Consent {
    /// Where consents begin and end, which is the same for all workspaces.
    fn access(&self) -> &Access {
        &self.0.home().0.access
    }

    /// Whether the gateway is reached by TLS, so that a cookie need not travel without.
    pub fn is_secure(&self) -> bool {
        self.access().callback.scheme() == "https"
    }

    /// Below which path the browser brings its cookie back: that of our two routes, as it sees them.
    pub fn cookie_path(&self) -> &str {
        let path = self.access().callback.path();
        path.rsplit_once('/').map_or(path, |(parent, _)| parent)
    }

    /// Begins a consent by a link, or for whoever may connect.
    pub fn begin(
        &self,
        link: Option<&str>,
        requester: Option<&Requester>,
    ) -> Result<Begun, &'static str> {
        let access = self.access();
        let authorizer = access.vault.authorizer().ok_or(NO_APP)?;
        let pass = match (link, requester) {
            (Some(link), _) => access.vault.admit(link, None),
            (None, Some(requester)) if requester.scopes.has(Scope::WorkspaceManage) => Some(Pass {
                workspace: requester.workspace.as_str().to_owned(),
                location: None,
                scopes: access.scopes.clone(),
            }),
            (None, Some(_) | None) => None,
        };
        let pass = pass.ok_or("this link is not valid any more: ask for a new one")?;
        let browser = Browser::new();
        let (scopes, workspace) = (pass.scopes.clone(), pass.workspace.as_str().into());
        let state = access.vault.issue(pass, Some(&browser)).ok_or(NO_APP)?;
        let page = authorizer.consent_page(&access.callback, &state, &scopes);
        Ok(Begun { page, browser, workspace })
    }

    /// In which workspace a consent was begun, if in one and by this browser.
    pub fn whose(&self, back: Return<'_>) -> Option<WorkspaceId> {
        self.pass(back).map(|pass| pass.workspace.into())
    }

    fn pass(&self, back: Return<'_>) -> Option<Pass> {
        self.access().vault.admit(back.state?, Some(back.browser?))
    }

    /// Ends a consent.
    pub async fn finish(&self, back: Return<'_>) -> Result<Finished, Error> {
        let access = self.access();
        let Some(authorizer) = access.vault.authorizer() else {
            return Ok(Finished::Refused(NO_APP));
        };
        let pass = self.pass(back);
        if back.state.is_some() && pass.is_none() {
            let why = "this consent was begun in another browser or too long ago: begin again";
            return Ok(Finished::Refused(why));
        }
        let Some(shown) = back.code else {
            return Ok(Finished::Refused("HighLevel sent no code: nothing was granted"));
        };
        let granted = match authorizer.redeem(shown, &access.callback).await {
            Ok(granted) => granted,
            Err(why) => return Ok(not_granted(&why)),
        };
        match pass {
            Some(pass) => self.connect(&*authorizer, granted, pass).await,
            None => self.hold(&*authorizer, granted).await,
        }
    }

    /// Uses what was granted, in the workspace that the consent was begun for and in no other.
    async fn connect(
        &self,
        authorizer: &dyn Authorizer,
        granted: Granted,
        pass: Pass,
    ) -> Result<Finished, Error> {
        let contacts = self.0.of(&WorkspaceId::from(pass.workspace)).await?;
        let core = &contacts.0;
        core.access.vault.reread(System::HighLevel).await?;
        let own = core.account(System::HighLevel);
        let wanted = Some(&*own).filter(|own| !own.is_empty()).or(pass.location.as_deref());
        let now = core.clock.now();
        let (secret, location) = match of_location(authorizer, granted, (wanted, now)).await {
            Ok(granted) => granted,
            Err(finished) => return Ok(finished),
        };
        let made = (System::HighLevel, secret, &*location);
        match core.connect(made, "HighLevel was connected by consent").await? {
            Ok(_) => Ok(Finished::Connected),
            Err(elsewhere) => Ok(Finished::Refused(elsewhere.0)),
        }
    }

    /// Keeps what was granted to nobody who asked: where it is at home, else where the operator finds
    /// it.
    async fn hold(&self, authorizer: &dyn Authorizer, granted: Granted) -> Result<Finished, Error> {
        let home = self.0.home();
        let now = home.0.clock.now();
        if let Owner::Company(agency) = &granted.owner {
            let agency = agency.clone();
            return self.hold_agencys(AgencyGrant::new(granted, now), &agency).await;
        }
        let (secret, location) = match of_location(authorizer, granted, (None, now)).await {
            Ok(granted) => granted,
            Err(finished) => return Ok(finished),
        };
        let owner = home.0.store.whose_account(System::HighLevel, &location).await?;
        let workspace = owner.map_or_else(|| home.workspace().id.clone(), |owner| owner.workspace);
        let span = of_workspace(workspace.as_str());
        let held = async {
            if let Some(why) = self.refuses(&secret, &location).await {
                return Ok(Finished::Refused(why));
            }
            let until = now + HELD_FOR;
            self.hold_in(&workspace, &Brought::Credential(secret), (&location, until)).await
        };
        held.instrument(span).await
    }

    /// Keeps what an agency granted, as it is: for which of its locations somebody says later. Nothing can
    /// be tried with it but the exchange for one of them. Whoever serves one of the agency's customers
    /// learns nothing of the others, so it waits for the operator.
    async fn hold_agencys(
        &self,
        grant: Option<AgencyGrant>,
        agency: &str,
    ) -> Result<Finished, Error> {
        let Some(grant) = grant else { return Ok(Finished::Refused(NOTHING_LASTS)) };
        if !(1..=LONGEST_ID).contains(&agency.len()) {
            return Ok(Finished::Refused(NOBODY));
        }
        let home = &self.0.home().0;
        let until = (home.clock.now() + HELD_FOR).min(grant.ends_at());
        self.hold_in(&home.workspace.id, &Brought::Agency(grant), (agency, until)).await
    }

    async fn hold_in(
        &self,
        workspace: &WorkspaceId,
        brought: &Brought,
        account: (&str, DateTime<Utc>),
    ) -> Result<Finished, Error> {
        let contacts = self.0.of(workspace).await?;
        let core = &contacts.0;
        core.access.vault.hold(brought, account).await?;
        let message = "An installation that began at the marketplace waits to be confirmed";
        let event = told(System::HighLevel, message.to_owned());
        let cursor = core.store.append(&core.workspace.id, &[event], core.clock.now()).await?;
        core.publish(&core.workspace.id, crate::bus::What::Events(cursor));
        Ok(Finished::Held)
    }

    /// Why an installation is not held: HighLevel does not take what it granted. One that cannot be tried
    /// now is held: its code is used up, and whoever confirms it sees.
    async fn refuses(&self, secret: &Secret, location: &str) -> Option<&'static str> {
        let connector = &self.access().connectors[System::HighLevel as usize];
        let error = connector.attempt(Arc::new(secret.as_token()), location).await.err()?;
        let final_ = matches!(
            error.kind,
            Kind::Unauthorized | Kind::NotFound | Kind::Rejected { .. } | Kind::NotConnected
        );
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "what an installation brought was tried");
        final_.then_some("HighLevel does not take what it granted: install the app again")
    }
}

/// The credential for a location, which an agency's token is exchanged for, and which one it is.
async fn of_location(
    authorizer: &dyn Authorizer,
    granted: Granted,
    (wanted, now): (Option<&str>, DateTime<Utc>),
) -> Result<(Secret, String), Finished> {
    let other = Finished::Refused("it was granted for another location than this workspace's");
    let (granted, location) = match granted.owner.clone() {
        Owner::Location(of) if wanted.is_none_or(|wanted| wanted == of) => (granted, of),
        Owner::Location(_) => return Err(other),
        Owner::Unknown => return Err(Finished::Refused(NOBODY)),
        Owner::Company(company) => {
            let Some(location) = wanted.filter(|wanted| !wanted.is_empty()) else {
                let why = "it was granted for an agency: begin again with the id of a location";
                return Err(Finished::Refused(why));
            };
            let asked = authorizer.for_location((&company, &granted.access), location).await;
            let local = asked.map_err(|why| match why {
                NotGranted::Gone => other,
                NotGranted::Declined | NotGranted::Client | NotGranted::Later(_) => {
                    not_granted(&why)
                }
            })?;
            (
                Granted { refresh: granted.refresh, owner: granted.owner, ..local },
                location.to_owned(),
            )
        }
    };
    let secret = Secret::granted(granted, &location, now);
    let secret = secret.ok_or(Finished::Refused(NOTHING_LASTS))?;
    Ok((secret, location))
}

fn not_granted(why: &NotGranted) -> Finished {
    match why {
        NotGranted::Gone => {
            Finished::Refused("HighLevel does not know the code any more: begin again")
        }
        NotGranted::Declined => {
            Finished::Refused("HighLevel gives out no token for the location: it may not be active")
        }
        NotGranted::Client => {
            tracing::error!("the app's id or secret was refused: see the settings");
            Finished::Refused("HighLevel refuses the app's id or secret: see the settings")
        }
        NotGranted::Later(error) => {
            let error = error as &dyn std::error::Error;
            tracing::warn!(error, "a consent could not be finished");
            Finished::Later("HighLevel could not be asked: begin again in a moment")
        }
    }
}

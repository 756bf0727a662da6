//! Connecting both systems. Secrets go in here and come out nowhere.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use secrecy::SecretString;
use uuid::Uuid;

use super::payload::{UserError, split};
use crate::contacts::{Confirmation, Confirmed, Error, Managed};
use crate::graphql::context::ContextExt;
use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::graphql::types::{SystemName, Upstream, Workspace};

/// The mutations of the connections.
#[derive(Default)]
pub struct ConnectionWrites;

/// Access to Doppler.
#[derive(InputObject)]
pub struct ConnectDopplerInput {
    /// The account's name, an e-mail address: the one that the workspace has, or any where it has none
    /// yet.
    account: String,
    /// The account's API key. It is never shown again.
    api_key: String,
    /// When the key ends, if it does: it is announced ahead.
    expires_at: Option<DateTime>,
}

/// Access to HighLevel: a private integration token, or nothing for a link to the consent page.
#[derive(InputObject)]
pub struct ConnectHighLevelInput {
    /// The location (sub-account): the one that the workspace has, and that one if not given. Where it
    /// has none yet, any, and whichever is chosen at the consent page if not given.
    location_id: Option<String>,
    /// A private integration token of the location. It is never shown again.
    private_integration_token: Option<String>,
    /// With a token: what it was given, for example `["contacts.readonly"]`; the settings'
    /// `highlevel.scopes` if not given. Without: what the consent page is to ask for, by default what
    /// reading needs.
    scopes: Option<Vec<String>>,
    /// With a token: when it ends, if it does. It is announced ahead.
    expires_at: Option<DateTime>,
}

/// Which connection ends.
#[derive(InputObject)]
pub struct DisconnectInput {
    /// The system whose credential is forgotten.
    system: SystemName,
}

/// Which installation is confirmed.
#[derive(InputObject)]
pub struct ConfirmInstallInput {
    /// Its id, from `heldInstalls`.
    install: ID,
    /// Of an agency's installation: for which of its locations it is used. If not given, for the one that
    /// the workspace is connected to, else for the only one that the agency approved. Any other
    /// installation is for its own.
    location: Option<String>,
    /// The workspace in which it is used, if not the one that it waits in. Needs `workspace.manage` in
    /// the workspace `default`.
    workspace: Option<ID>,
    /// The name of a workspace that is made for it. Needs `workspace.manage` in the workspace
    /// `default`.
    new_workspace: Option<String>,
}

/// Declares a payload that shows the connection after it.
macro_rules! payload {
    ($name:ident) => {
        /// The connection after it.
        #[derive(SimpleObject)]
        pub struct $name {
            /// How the connection is now.
            upstream: Option<Upstream>,
            /// Why the input was not taken; empty when it was.
            user_errors: Vec<UserError>,
        }

        impl From<Managed<crate::contacts::Connected>> for $name {
            fn from(managed: Managed<crate::contacts::Connected>) -> Self {
                let (upstream, user_errors) = split(managed);
                Self { upstream, user_errors }
            }
        }
    };
}

payload!(ConnectDopplerPayload);
payload!(DisconnectPayload);

/// The connection after it, and whose it is.
#[derive(SimpleObject)]
pub struct ConfirmInstallPayload {
    /// How the connection is now.
    upstream: Option<Upstream>,
    /// The workspace in which it is used.
    workspace: Option<Workspace>,
    /// Why the input was not taken; empty when it was.
    user_errors: Vec<UserError>,
}

/// The connection after it, or the way to it.
#[derive(SimpleObject)]
pub struct ConnectHighLevelPayload {
    /// How the connection is now, where a token was given.
    upstream: Option<Upstream>,
    /// Where a person grants access, where none was given. Good for ten minutes, for whoever has it.
    authorization_url: Option<String>,
    /// Why the input was not taken; empty when it was.
    user_errors: Vec<UserError>,
}

#[Object]
impl ConnectionWrites {
    /// Tries a Doppler API key and, if it works, uses it from now on. The one before works until then.
    /// Needs `workspace.manage`.
    async fn connect_doppler(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The account and its key.")] input: ConnectDopplerInput,
    ) -> Result<ConnectDopplerPayload> {
        let key = SecretString::from(input.api_key);
        let connections = context.connections()?;
        let until = input.expires_at.map(|at| at.0);
        Ok(connections.connect_doppler(input.account.trim(), key, until).await?.into())
    }

    /// Tries a private integration token and, if it works, uses it from now on; or, without one,
    /// answers where a person grants access by OAuth. Needs `workspace.manage`.
    async fn connect_high_level(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The location and its token, or what to ask for.")]
        input: ConnectHighLevelInput,
    ) -> Result<ConnectHighLevelPayload> {
        let connections = context.connections()?;
        let ConnectHighLevelInput { location_id, private_integration_token, scopes, expires_at } =
            input;
        let Some(token) = private_integration_token else {
            let (authorization_url, user_errors) =
                split(connections.authorization_url(location_id, scopes));
            return Ok(ConnectHighLevelPayload { upstream: None, authorization_url, user_errors });
        };
        let (token, until) = (SecretString::from(token), expires_at.map(|at| at.0));
        let connected =
            connections.connect_highlevel(location_id.as_deref(), token, (scopes, until)).await?;
        let (upstream, user_errors) = split(connected);
        Ok(ConnectHighLevelPayload { upstream, authorization_url: None, user_errors })
    }

    /// Uses what an installation that began at HighLevel's marketplace brought. Of an agency's that is
    /// one location's credential, and the installation is used up; where HighLevel gives out none it
    /// waits on. Needs `workspace.manage`.
    async fn confirm_install(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which installation.")] input: ConfirmInstallInput,
    ) -> Result<ConfirmInstallPayload> {
        let id = Uuid::try_parse(&input.install).unwrap_or_default();
        let existing = input.workspace.as_ref().map(|id| GlobalId::workspace(id)).transpose()?;
        let into = match (&existing, &input.new_workspace) {
            (Some(_), Some(_)) => {
                let message = "give workspace or newWorkspace, not both";
                return Err(Error::invalid("newWorkspace", message).into());
            }
            (Some(existing), None) => Confirmed::Existing(existing),
            (None, Some(name)) => Confirmed::New(name),
            (None, None) => Confirmed::Own,
        };
        let location = input.location.as_deref();
        let asked = Confirmation { install: id, location, into };
        let confirmed = context.connections()?.confirm(asked, context.realm()?).await?;
        Ok(match confirmed {
            Ok((workspace, connected)) => ConfirmInstallPayload {
                upstream: Some(connected.into()),
                workspace: Some(Workspace(workspace)),
                user_errors: Vec::new(),
            },
            Err(refusals) => ConfirmInstallPayload {
                upstream: None,
                workspace: None,
                user_errors: refusals.into_iter().map(Into::into).collect(),
            },
        })
    }

    /// Forgets a system's credential. What the settings say does not count any more either, until
    /// somebody connects anew. Needs `workspace.manage`.
    async fn disconnect(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which connection.")] input: DisconnectInput,
    ) -> Result<DisconnectPayload> {
        Ok(Ok(context.connections()?.disconnect(input.system.into()).await?).into())
    }
}

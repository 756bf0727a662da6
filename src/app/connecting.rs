//! What the systems are connected with: the vault, the app at HighLevel, and the addresses of a
//! consent.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use url::Url;

use crate::auth::{self, Keyring, Seed, Vault, VaultParts};
use crate::clock::Clock;
use crate::config::Config;
use crate::contacts::Access;
use crate::store::Store;
use crate::tasks::Tasks;
use crate::unified::WorkspaceId;
use crate::upstream::{Authorizer, Connector, Credentials, below};
use crate::{doppler, highlevel};

/// What it is made of.
pub(super) struct Ground<'a> {
    pub config: &'a Config,
    pub store: &'a Arc<dyn Store>,
    pub workspace: &'a WorkspaceId,
    pub clock: &'a Clock,
    pub tasks: &'a Tasks,
    /// The process's keys.
    pub keyring: &'a Keyring,
    /// Where the gateway listens.
    pub addr: SocketAddr,
}

/// A client of each system, whose connections all others use.
pub(super) struct Clients {
    pub doppler: doppler::Client,
    pub highlevel: highlevel::Client,
}

impl Clients {
    /// Sets them up; makes no call.
    pub fn new(config: &Config, clock: &Clock) -> anyhow::Result<Arc<Self>> {
        let (key, token) = (doppler::seed(&config.doppler), highlevel::seed(&config.highlevel));
        Ok(Arc::new(Self {
            doppler: doppler::Client::with(&config.doppler, key, clock)?,
            highlevel: highlevel::Client::with(&config.highlevel, token, clock)?,
        }))
    }
}

/// What the settings say, which is about the operator's own workspace.
pub(super) fn seeds(config: &Config) -> [Seed; 2] {
    let Config { doppler, highlevel, .. } = config;
    let named = |account: &Option<String>| account.as_deref().map(Arc::from);
    [
        Seed { credentials: doppler::seed(doppler), account: named(&doppler.account) },
        Seed { credentials: highlevel::seed(highlevel), account: named(&highlevel.location_id) },
    ]
}

/// Opens the vault, which fails if a key of what is stored is missing or wrong.
pub(super) async fn access(
    ground: &Ground<'_>,
    seeds: [Seed; 2],
    clients: &Arc<Clients>,
) -> anyhow::Result<Access> {
    let Ground { config, store, workspace, clock, tasks, keyring, addr } = *ground;
    let app = highlevel::OAuth::new(&config.highlevel)?;
    let vault = Vault::open(VaultParts {
        store: Arc::clone(store),
        workspace: workspace.clone(),
        keyring: keyring.clone(),
        authorizer: app.map(|app| Arc::new(app) as Arc<dyn Authorizer>),
        clock: clock.clone(),
        tasks: tasks.clone(),
        seeds,
    });
    let public = match &config.server.public_url {
        Some(url) => url.clone(),
        None => Url::parse(&format!("http://{addr}"))?,
    };
    Ok(Access {
        vault: vault.await?,
        connectors: connectors(config, clock, clients),
        // A proxy may serve us below a path of its own.
        start: below(&public, "/oauth/highlevel/start"),
        callback: below(&public, "/oauth/highlevel/callback"),
        scopes: config.highlevel.consent_scopes.clone(),
    })
}

/// Clients for credentials that are not yet anybody's, of Doppler and of HighLevel.
fn connectors(config: &Config, clock: &Clock, clients: &Arc<Clients>) -> [Arc<dyn Connector>; 2] {
    let (doppler, highlevel) = (config.doppler.clone(), config.highlevel.clone());
    let ((one, of_one), (other, of_other)) =
        ((clock.clone(), Arc::clone(clients)), (clock.clone(), Arc::clone(clients)));
    [
        Arc::new(move |key: Arc<dyn Credentials>, account: &str| {
            of_one.doppler.beside((&doppler, &one), Some(account), key)
        }),
        Arc::new(move |token: Arc<dyn Credentials>, location: &str| {
            of_other.highlevel.beside((&highlevel, &other), Some(location), token)
        }),
    ]
}

/// Encrypts everything in the config's store with the first key, while gateways may run on it; how
/// much there was to do.
pub async fn rotate(config: &Config) -> anyhow::Result<usize> {
    let store = super::open_store(config).await?;
    let keyring = keyring(config)?;
    let done = auth::rotate(&*store, &keyring).await;
    store.close().await;
    Ok(done?)
}

pub(super) fn keyring(config: &Config) -> anyhow::Result<Keyring> {
    Keyring::new(&config.vault).map_err(anyhow::Error::msg).context("vault.keys")
}

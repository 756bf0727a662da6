//! Opening a workspace: what is its own (clients, vault, use cases, handlers of its work) over what all
//! have together (store, bus, cache, workers, connections).

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use tokio::time::Instant;

use crate::auth::{Keyring, Requester, Seed, Vault};
use crate::clock::Clock;
use crate::config::Config;
use crate::config::mapping::Mapping as MappingSettings;
use crate::contacts::{self, Contacts, Opener, Session, Shared, StoredBudget, Unopened, Wanted};
use crate::store::{Store, Workspace};
use crate::tasks::Tasks;
use crate::telemetry::of_workspace;
use crate::unified::System;
use crate::upstream::{CredentialKind, Credentials, Inbound, Token};
use crate::{doppler, highlevel};

use super::at_work::AtWork;
use super::connecting::{self, Clients, Ground};
use super::{DEFAULT_WORKSPACE, FIRST_LOOK, mapping};

/// What workspaces are opened with.
#[derive(Clone)]
pub(super) struct Opening {
    pub config: Arc<Config>,
    pub store: Arc<dyn Store>,
    pub shared: Shared,
    pub clients: Arc<Clients>,
    pub keyring: Keyring,
    pub inbound: Arc<dyn Inbound>,
    pub clock: Clock,
    pub tasks: Tasks,
    /// Where the gateway listens.
    pub addr: SocketAddr,
}

#[async_trait]
impl Opener for Opening {
    async fn open(&self, workspace: Workspace) -> Result<Contacts, Unopened> {
        let requester = Requester::anonymous(workspace.id.clone());
        let contacts = self.open_one(workspace).await?;
        // Nobody waits for it: a system that takes its time is known when it answers.
        let (looked, clock) = (contacts.clone(), self.clock.clone());
        self.tasks.spawn(async move { first_look(&looked, &requester, &clock).await });
        Ok(contacts)
    }
}

impl Opening {
    /// Opens a workspace and sets it to work. Of one that cannot be opened nothing goes on.
    pub async fn open_one(&self, workspace: Workspace) -> anyhow::Result<Contacts> {
        let Self { config, store, clock, .. } = self;
        let id = workspace.id.clone();
        let (tasks, unopened) = self.tasks.part(of_workspace(id.as_str()));
        let is_home = id.as_str() == DEFAULT_WORKSPACE;
        let seeds = if is_home { self.home_seeds().await? } else { [nothing(), nothing()] };
        let ground = Ground {
            config,
            store,
            workspace: &id,
            clock,
            tasks: &tasks,
            keyring: &self.keyring,
            addr: self.addr,
        };
        let access = connecting::access(&ground, seeds, &self.clients).await?;
        let (doppler, crm) = self.systems(&ground, &access.vault)?;
        let parts = contacts::Parts {
            workspace,
            shared: self.shared.clone(),
            mailing: Arc::new(doppler),
            crm: Arc::new(crm),
            access,
            mapping: if is_home {
                mapping(&config.mapping)
            } else {
                mapping(&MappingSettings::default())
            },
            settings: contacts::Settings {
                scan_up_to: config.doppler.scan_up_to,
                // It is that of the location that the settings name.
                zone: config.highlevel.timezone.filter(|_| is_home),
                index_delay: config.highlevel.index_delay,
                sync: config.sync.clone(),
                cache: config.cache.clone(),
            },
        };
        let (mailing, crm) = (Arc::clone(&parts.mailing), Arc::clone(&parts.crm));
        let contacts = Contacts::start(parts, &tasks);
        contacts.mappings().refresh(&id).await?;
        let at_work = AtWork {
            config,
            contacts: &contacts,
            store,
            clock,
            tasks: &tasks,
            inbound: &self.inbound,
            is_home,
        };
        at_work.start(mailing, crm).await?;
        unopened.disarm();
        Ok(contacts)
    }

    /// What the settings say, which is about the operator's own workspace. Its accounts are taken
    /// before anybody else connects to them.
    async fn home_seeds(&self) -> anyhow::Result<[Seed; 2]> {
        let Config { doppler, highlevel, .. } = &*self.config;
        let workspace = DEFAULT_WORKSPACE.into();
        let address = doppler.account.as_ref().map(|account| account.to_ascii_lowercase());
        let accounts = [
            (System::Doppler, address, "doppler.account"),
            (System::HighLevel, highlevel.location_id.clone(), "highlevel.location_id"),
        ];
        for (system, account, key) in accounts {
            let Some(account) = account else { continue };
            let bound = self.store.bind_account(&workspace, system, &account).await?;
            anyhow::ensure!(bound, "{key} is connected in another workspace: disconnect it there");
        }
        Ok(connecting::seeds(&self.config))
    }

    /// The clients of both systems. Where others may call the same location, they share its budget.
    fn systems(
        &self,
        ground: &Ground<'_>,
        vault: &Vault,
    ) -> anyhow::Result<(doppler::Client, highlevel::Client)> {
        let Self { config, clock, .. } = self;
        let credentials = |system| vault.credentials(system);
        let is_home = ground.workspace.as_str() == DEFAULT_WORKSPACE;
        let home = |account: &Option<String>| account.clone().filter(|_| is_home);
        // Of other workspaces the credential says.
        let (account, location) =
            (home(&config.doppler.account), home(&config.highlevel.location_id));
        let crm = self.clients.highlevel.beside(
            (&config.highlevel, clock),
            location.as_deref(),
            credentials(System::HighLevel),
        )?;
        if config.store.is_postgres() {
            let (store, workspace) = (Arc::clone(&self.store), ground.workspace.clone());
            // A workspace has one location for good: it need not be named.
            let location = location.unwrap_or_default();
            let budget = StoredBudget::new(store, workspace, (System::HighLevel, &location));
            crm.share_budget(Arc::new(budget), ground.tasks);
        }
        let mailing = self.clients.doppler.beside(
            (&config.doppler, clock),
            account.as_deref(),
            credentials(System::Doppler),
        )?;
        Ok((mailing, crm))
    }
}

/// What the settings say about a workspace that they do not know.
fn nothing() -> Seed {
    let credentials: Arc<dyn Credentials> =
        Arc::new(Token::new("Bearer", None, CredentialKind::ApiKey));
    Seed { credentials, account: None }
}

/// Looks at both systems once, so that their state, their budgets and the account's size are known
/// before the first client asks.
pub(super) async fn first_look(contacts: &Contacts, requester: &Requester, clock: &Clock) {
    let deadline = Instant::now() + FIRST_LOOK;
    let session = Session::new(requester.clone(), Wanted::default(), clock.now_ms(), deadline);
    let looked = tokio::time::timeout_at(deadline, contacts.look(Arc::new(session))).await;
    for error in looked.into_iter().flatten() {
        if error.is_not_connected() {
            continue;
        }
        tracing::warn!(error = &error as &dyn std::error::Error, "system not reached at start");
    }
}

/// The operator's own workspace, without which there is no gateway.
pub(super) async fn home(opening: &Opening) -> anyhow::Result<Contacts> {
    let id = DEFAULT_WORKSPACE.into();
    let row = opening.store.workspace(&id, DEFAULT_WORKSPACE, opening.clock.now()).await?;
    opening.open_one(row).await.context("the workspace default cannot be opened")
}

//! The vault: credentials for both systems, encrypted in the store, renewed before they end.
//!
//! A client of a system gets its header here ([`Vault::credentials`]) and never learns where it comes
//! from: what was stored counts, else what the config says. Secrets go in and never come out again but
//! in that header. What is encrypted and how is `keyring`'s; what is renewed and when, `renew`'s.
//!
//! To keep another kind of secret: what it is about in [`about`], and a row of the store for it.

mod erasure;
mod held;
mod install;
mod keyfile;
mod keyring;
mod pass;
mod renew;
mod secret;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use tracing::Instrument;

use crate::clock::Clock;
use crate::store::{self, Kept, Placed, Sealed, Store};
use crate::tasks::Tasks;
use crate::telemetry::of_workspace;
use crate::unified::{EventDraft, System, WorkspaceId};
use crate::upstream::{Authorizer, Credentials};

use held::{Entry, Held, Inner, held};

pub use erasure::unlock;
pub use install::{AgencyGrant, Brought};
pub use keyfile::KeyFile;
pub use keyring::{Keyring, Unopened};
pub use pass::{Browser, Pass};
pub use secret::Secret;

/// How often it is looked for what other gateways stored, and for what ends soon.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What the vault is made of.
pub struct VaultParts {
    pub store: Arc<dyn Store>,
    pub workspace: WorkspaceId,
    pub keyring: Keyring,
    pub authorizer: Option<Arc<dyn Authorizer>>,
    pub clock: Clock,
    pub tasks: Tasks,
    /// What the config says, of Doppler and of HighLevel.
    pub seeds: [Seed; 2],
}

/// What the config says of one system for a workspace.
pub struct Seed {
    pub credentials: Arc<dyn Credentials>,
    /// The account that it names.
    pub account: Option<Arc<str>>,
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    shared: Arc<Shared>,
    entries: [Entry; 2],
}

struct Shared {
    store: Arc<dyn Store>,
    workspace: WorkspaceId,
    keyring: Keyring,
    authorizer: Option<Arc<dyn Authorizer>>,
    clock: Clock,
    tasks: Tasks,
}

/// Why the vault cannot be opened or used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A wrong or missing key.
    #[error("the stored {what} {why}")]
    Key { what: &'static str, why: Unopened },
    #[error("vault.keys names no key, so nothing can be stored")]
    NoKeys,
    #[error("the store failed")]
    Store(#[from] store::Error),
}

impl Vault {
    /// Opens it; fails if something that is stored of the workspace cannot be decrypted.
    pub async fn open(parts: VaultParts) -> Result<Self, VaultError> {
        let VaultParts { store, workspace, keyring, authorizer, clock, tasks, seeds } = parts;
        for sealed in sealed_of(&*store, &workspace, clock.now()).await? {
            opens(&keyring, &sealed)?;
        }
        let shared = Arc::new(Shared { store, workspace, keyring, authorizer, clock, tasks });
        let [doppler, highlevel] = seeds;
        let entry = |system, seed| Entry(Arc::new(Inner::new(system, Arc::clone(&shared), seed)));
        let entries = [entry(System::Doppler, doppler), entry(System::HighLevel, highlevel)];
        for entry in &entries {
            entry.0.reread().await?;
        }
        Ok(Self { shared, entries })
    }

    /// Takes over what another gateway stored, by the versions that there are, and has renewed what
    /// ends soon.
    async fn keep_up(&self, versions: &HashMap<(WorkspaceId, System), i64>) {
        for entry in &self.entries {
            let stored = versions.get(&(self.shared.workspace.clone(), entry.0.system));
            if stored.is_some_and(|stored| entry.0.current().yields_to(*stored)) {
                // The look is at those of all workspaces.
                let span = of_workspace(self.shared.workspace.as_str());
                take_over(entry).instrument(span).await;
            }
            entry.renew_early();
        }
    }

    /// The account of a system that the workspace has, once it has one.
    pub fn account(&self, system: System) -> Option<Arc<str>> {
        self.entry(system).0.account()
    }

    fn entry(&self, system: System) -> &Entry {
        match system {
            System::Doppler => &self.entries[0],
            System::HighLevel => &self.entries[1],
        }
    }

    /// Takes over what another gateway stored, for a decision that must not rest on what was.
    pub async fn reread(&self, system: System) -> Result<(), VaultError> {
        Ok(self.entry(system).0.reread().await?)
    }

    /// For the client of a system.
    pub fn credentials(&self, system: System) -> Arc<dyn Credentials> {
        Arc::new(self.entry(system).clone())
    }

    /// Whether there is a key to store with.
    pub fn can_keep(&self) -> bool {
        !self.shared.keyring.is_empty()
    }

    /// The app, if the config names one and what it grants can be stored.
    pub fn authorizer(&self) -> Option<Arc<dyn Authorizer>> {
        self.shared.authorizer.clone().filter(|_| self.can_keep())
    }

    /// The present credential, if it is from an authorization server.
    pub fn granted(&self, system: System) -> Option<Secret> {
        match &self.entry(system).0.current().held {
            Held::Secret(secret, _) => secret.renewal.is_some().then(|| Secret::clone(secret)),
            Held::Seed | Held::Forgotten | Held::Unreadable => None,
        }
    }

    /// Puts a credential for an account in the place of the one there is.
    pub async fn keep(
        &self,
        system: System,
        (secret, account): (Secret, &str),
        event: &EventDraft,
    ) -> Result<Placed, VaultError> {
        let Shared { store, workspace, clock, .. } = &*self.shared;
        let sealed = self.shared.seal(system, &secret).ok_or(VaultError::NoKeys)?;
        let told = (event, clock.now());
        let placed = store.put_secret(workspace, system, Some((&sealed, account)), told).await?;
        self.adopt(system, placed, (secret, account));
        Ok(placed)
    }

    /// Forgets the credential there is; what the config says does not count any more either.
    pub async fn forget(&self, system: System, event: &EventDraft) -> Result<(), VaultError> {
        let Shared { store, workspace, clock, .. } = &*self.shared;
        let told = (event, clock.now());
        if let Placed::Stored(version) = store.put_secret(workspace, system, None, told).await? {
            self.entry(system).0.adopt(version, Held::Forgotten);
        }
        Ok(())
    }

    /// Uses what was stored.
    fn adopt(&self, system: System, placed: Placed, (secret, account): (Secret, &str)) {
        if let Placed::Stored(version) = placed {
            self.entry(system).0.bind(account);
            self.entry(system).0.adopt(version, held(secret));
        }
    }
}

impl Shared {
    fn seal(&self, system: System, secret: &Secret) -> Option<String> {
        let plain = secret.encoded()?;
        let about = about(&self.workspace, Kept::Credential(system));
        self.keyring.seal(&about, plain.expose_secret().as_bytes())
    }

    fn unseal(&self, system: System, sealed: &str) -> Result<Secret, Unopened> {
        let about = about(&self.workspace, Kept::Credential(system));
        let plain = self.keyring.open(&about, sealed)?;
        serde_json::from_slice(&plain).map_err(|_| Unopened::Odd)
    }
}

/// Follows what other gateways store and renews what ends soon, for the vaults that there are at each
/// look, until the tasks stop. A look is one read, however many vaults there are.
pub fn watch(
    store: Arc<dyn Store>,
    vaults: impl Fn() -> Vec<Vault> + Send + 'static,
    (clock, tasks): (Clock, &Tasks),
) {
    let stop = tasks.clone();
    tasks.spawn(async move {
        loop {
            tokio::select! {
                () = clock.sleep(LOOK_EVERY) => {}
                () = stop.stopping() => return,
            }
            let versions = match store.versions().await {
                Ok(versions) => versions,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "the stored credentials were not looked at");
                    Vec::new()
                }
            };
            let versions =
                versions.into_iter().map(|(of, system, version)| ((of, system), version));
            let versions: HashMap<_, _> = versions.collect();
            for vault in vaults() {
                vault.keep_up(&versions).await;
            }
        }
    });
}

/// Takes over what another gateway stored.
async fn take_over(entry: &Entry) {
    if let Err(error) = entry.0.reread().await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "the stored credential was not looked at");
    }
}

/// Whether the keys are those of what is stored: fails if nothing of it opens. What does not open of
/// one workspace alone is found when that is opened.
pub async fn check(store: &dyn Store, keyring: &Keyring) -> Result<(), VaultError> {
    let mut fault = None;
    for sealed in store.all_sealed().await? {
        match opens(keyring, &sealed) {
            Ok(()) => return Ok(()),
            // The first is a credential, which says more than a key of ours.
            Err(error) => fault = fault.or(Some(error)),
        }
    }
    fault.map_or(Ok(()), Err)
}

/// Everything sealed that a workspace has.
async fn sealed_of(
    store: &dyn Store,
    workspace: &WorkspaceId,
    now: DateTime<Utc>,
) -> Result<Vec<Sealed>, store::Error> {
    let sealed = |kept, text| Sealed { workspace: workspace.clone(), kept, text };
    let mut all = Vec::new();
    for system in System::ALL {
        let stored = store.secret(workspace, system).await?;
        let text = stored.and_then(|stored| stored.sealed);
        all.extend(text.map(|text| sealed(Kept::Credential(system), text)));
    }
    let installs = store.held_installs(workspace, now).await?;
    all.extend(installs.into_iter().map(|install| sealed(Kept::Install, install.sealed)));
    Ok(all)
}

fn opens(keyring: &Keyring, sealed: &Sealed) -> Result<(), VaultError> {
    let opened = keyring.open(&about(&sealed.workspace, sealed.kept), &sealed.text);
    opened.map(|_| ()).map_err(|why| VaultError::Key { what: shown(sealed.kept), why })
}

/// Encrypts everything stored with the first key, while gateways may run; how many there were to do.
pub async fn rotate(store: &dyn Store, keyring: &Keyring) -> Result<usize, VaultError> {
    let mut done = 0;
    loop {
        let old: Vec<Sealed> = store.all_sealed().await?;
        let old: Vec<_> = old.into_iter().filter(|one| !keyring.is_current(&one.text)).collect();
        if old.is_empty() {
            return Ok(done);
        }
        for sealed in old {
            let about = about(&sealed.workspace, sealed.kept);
            let key = |why| VaultError::Key { what: shown(sealed.kept), why };
            let plain = keyring.open(&about, &sealed.text).map_err(key)?;
            let text = keyring.seal(&about, &plain).ok_or(VaultError::NoKeys)?;
            // Or somebody renewed it in between: the next round sees.
            done += usize::from(store.reseal(&sealed, &text).await?);
        }
    }
}

/// The associated data of what is kept: a sealed text opens in its own row only.
fn about(workspace: &WorkspaceId, kept: Kept) -> String {
    format!("credential\n{}\n{}", workspace.as_str(), named(kept))
}

fn named(kept: Kept) -> &'static str {
    match kept {
        Kept::Credential(system) => system.as_str(),
        Kept::Install => "an installation that waits",
        Kept::ErasureKey => "erased people",
    }
}

/// The same in an error.
fn shown(kept: Kept) -> &'static str {
    match kept {
        Kept::Credential(System::Doppler) => "credential of DOPPLER",
        Kept::Credential(System::HighLevel) => "credential of HIGHLEVEL",
        Kept::Install => "credential of an installation that waits",
        Kept::ErasureKey => "key of erased people",
    }
}

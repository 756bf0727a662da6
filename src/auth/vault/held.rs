//! What this process holds of one system's credential, and giving it to whoever calls the system.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use chrono::DateTime;
use reqwest::header::HeaderValue;
use tokio::time::Instant;

use crate::store;
use crate::unified::{System, WorkspaceId};
use crate::upstream::{CredentialKind, Credentials, Facts, Kind, fingerprint};

use super::secret::Secret;
use super::{Seed, Shared};

/// How long before its end a token is not sent any more.
pub(super) const MARGIN_MS: i64 = 30_000;
/// A token that is so young and refused is not mended by another.
const YOUNG_MS: i64 = 60_000;
/// How often a header is looked for before giving up: others may renew in between.
const LOOKS: u32 = 3;

/// One system's credential. Clones are the same.
#[derive(Clone)]
pub(super) struct Entry(pub Arc<Inner>);

pub(super) struct Inner {
    pub system: System,
    pub shared: Arc<Shared>,
    /// What the config says.
    seed: Arc<dyn Credentials>,
    current: RwLock<Arc<Current>>,
    /// Which account it is for, as far as that is known; the settings' own where they name one.
    account: RwLock<Option<Arc<str>>>,
    fingerprint: AtomicU64,
    /// Whoever renews, in this process.
    pub turn: tokio::sync::Mutex<()>,
    /// The renewal that failed last.
    pub failed: Mutex<Option<Failed>>,
}

/// A renewal that failed, and may have failed before.
pub(super) struct Failed {
    /// Of which version.
    pub version: i64,
    /// When it did so first and last (epoch milliseconds), and when for those who wait.
    pub first_ms: i64,
    pub last_ms: i64,
    pub at: Instant,
    pub kind: Kind,
}

/// A version and what it is.
pub(super) struct Current {
    /// 0: nothing was ever stored.
    pub version: i64,
    pub held: Held,
}

pub(super) enum Held {
    /// Nothing was ever stored, so the config counts.
    Seed,
    Forgotten,
    Secret(Box<Secret>, HeaderValue),
    /// What is stored cannot be read.
    Unreadable,
}

impl Current {
    /// Whether a version takes its place: a newer one, or the same where it could not be read, because keys
    /// may have come.
    pub fn yields_to(&self, version: i64) -> bool {
        version > self.version || (version == self.version && matches!(self.held, Held::Unreadable))
    }
}

impl Inner {
    pub fn new(system: System, shared: Arc<Shared>, seed: Seed) -> Self {
        let Seed { credentials: seed, account } = seed;
        let fingerprint = AtomicU64::new(seed.fingerprint());
        Self {
            system,
            shared,
            seed,
            current: RwLock::new(Arc::new(Current { version: 0, held: Held::Seed })),
            account: RwLock::new(account),
            fingerprint,
            turn: tokio::sync::Mutex::default(),
            failed: Mutex::default(),
        }
    }

    pub fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes what is stored over, if it is newer.
    pub async fn reread(&self) -> Result<(), store::Error> {
        let Shared { store, workspace, .. } = &*self.shared;
        let Some(stored) = store.secret(workspace, self.system).await? else { return Ok(()) };
        if let Some(account) = &stored.account {
            self.bind(account);
        }
        let current = self.current();
        if !current.yields_to(stored.version) {
            return Ok(());
        }
        let held = match stored.sealed {
            None => Held::Forgotten,
            Some(sealed) => match self.shared.unseal(self.system, &sealed) {
                Ok(secret) => held(secret),
                // It was said when it was first tried.
                Err(_) if stored.version == current.version => return Ok(()),
                Err(why) => {
                    let system = self.system.as_str();
                    tracing::error!(system, %why, "the stored credential cannot be read");
                    Held::Unreadable
                }
            },
        };
        self.adopt(stored.version, held);
        Ok(())
    }

    /// The account that it is for.
    pub fn account(&self) -> Option<Arc<str>> {
        self.account.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers the account, which stays once there is one.
    pub fn bind(&self, account: &str) {
        let mut held = self.account.write().unwrap_or_else(PoisonError::into_inner);
        held.get_or_insert_with(|| Arc::from(account));
    }

    /// Uses a version from now on, unless a newer one is used already, or the same and it can be read.
    pub fn adopt(&self, version: i64, held: Held) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if !current.yields_to(version) {
            return;
        }
        // Of the connection, and not of the token: a renewed one sees the same.
        let seen = match &held {
            Held::Seed => self.seed.fingerprint(),
            Held::Forgotten | Held::Unreadable => 0,
            Held::Secret(secret, _) => {
                let scopes = secret.scopes.as_ref().map(|scopes| scopes.join(" "));
                let seen = format!("{:?} {} {scopes:?}", secret.kind, secret.since_ms);
                fingerprint(seen.as_bytes())
            }
        };
        self.fingerprint.store(seen, Ordering::Release);
        *current = Arc::new(Current { version, held });
    }
}

/// A secret, ready to be sent.
pub(super) fn held(secret: Secret) -> Held {
    match secret.header() {
        Some(header) => Held::Secret(Box::new(secret), header),
        None => Held::Unreadable,
    }
}

#[async_trait]
impl Credentials for Entry {
    async fn authorization(&self) -> Result<HeaderValue, Kind> {
        for _ in 0..LOOKS {
            let current = self.0.current();
            match &current.held {
                Held::Seed => return self.0.seed.authorization().await,
                Held::Forgotten => return Err(Kind::NotConnected),
                Held::Unreadable => return Err(Kind::Unauthorized),
                Held::Secret(secret, _) if secret.lost => return Err(Kind::Unauthorized),
                Held::Secret(secret, header) => {
                    let good = secret.lasts_until(self.0.shared.clock.now_ms() + MARGIN_MS);
                    // Of one that nothing can renew the system itself says whether it has ended.
                    if good || secret.renewal.is_none() {
                        return Ok(header.clone());
                    }
                    self.renewed(current.version).await?;
                }
            }
        }
        Err(Kind::Unavailable)
    }

    fn kind(&self) -> Option<CredentialKind> {
        match &self.0.current().held {
            Held::Seed => self.0.seed.kind(),
            Held::Forgotten => None,
            Held::Secret(secret, _) => Some(secret.kind),
            Held::Unreadable => Some(match self.0.system {
                System::Doppler => CredentialKind::ApiKey,
                System::HighLevel => CredentialKind::OAuth,
            }),
        }
    }

    fn fingerprint(&self) -> u64 {
        self.0.fingerprint.load(Ordering::Acquire)
    }

    fn workspace(&self) -> Option<&WorkspaceId> {
        Some(&self.0.shared.workspace)
    }

    fn account(&self) -> Option<Arc<str>> {
        self.0.account()
    }

    fn facts(&self) -> Facts {
        match &self.0.current().held {
            Held::Seed => self.0.seed.facts(),
            Held::Forgotten => Facts::default(),
            Held::Unreadable => Facts { lost: true, ..Facts::default() },
            Held::Secret(secret, _) => Facts {
                scopes: secret.scopes.as_ref().map(|scopes| Arc::from(scopes.as_slice())),
                expires_at: secret.expires_ms.and_then(DateTime::from_timestamp_millis),
                ends_at: secret.ends_ms().and_then(DateTime::from_timestamp_millis),
                rotated_at: DateTime::from_timestamp_millis(secret.rotated_ms),
                lost: secret.lost,
            },
        }
    }

    async fn refused(&self, header: &HeaderValue) -> bool {
        let before = self.0.current();
        let other = |current: &Current| match &current.held {
            Held::Secret(secret, present) => !secret.lost && present != header,
            Held::Seed | Held::Forgotten | Held::Unreadable => false,
        };
        if other(&before) {
            return true;
        }
        if self.0.reread().await.is_err() {
            return false;
        }
        let current = self.0.current();
        if current.version != before.version {
            return other(&current);
        }
        let Held::Secret(secret, _) = &current.held else { return false };
        let old = self.0.shared.clock.now_ms() - secret.rotated_ms > YOUNG_MS;
        secret.renewal.is_some()
            && !secret.lost
            && old
            && self.renewed(current.version).await.is_ok()
    }
}

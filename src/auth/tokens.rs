//! Recognising clients by signed tokens.
//!
//! The keys of an issuer are fetched at start, every so often, and when none of those at hand signed a
//! token, so that an issuer may change them at any time, and need not name them anew; bad tokens make us
//! ask no more than twice a minute. Where the issuer cannot be reached, the keys at hand go on to count.
//! A token that was checked is remembered for a minute: a signature costs more than
//! most answers.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use foldhash::quality::RandomState;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::jwks::Source;
use super::jwt::{Fault, Rules, verify};
use super::keys::Keys;
use super::{Admitted, Authenticate, Denied, Everyone, Requester};
use crate::clock::Clock;
use crate::config::auth::{Auth, Mode};
use crate::store::Store;
use crate::tasks::Tasks;
use crate::unified::WorkspaceId;

/// How often an issuer is asked for its keys.
const EVERY: Duration = Duration::from_mins(10);
/// How long after being asked it is left alone, whatever tokens name.
const PAUSE: Duration = Duration::from_secs(30);
/// How long a token that was checked is remembered, and how many are.
const REMEMBERED: Duration = Duration::from_mins(1);
const MOST_REMEMBERED: u64 = 10_000;

/// What keeps clients from being recognised at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the file of public keys cannot be read")]
    Unreadable(#[source] std::io::Error),
    #[error("the file of public keys holds no key that can check a signature")]
    NoKeys,
    #[error("no client for fetching public keys")]
    Client(#[source] reqwest::Error),
    /// The config's own check says it first.
    #[error("no keys are set")]
    Unset,
}

/// See the module.
struct Tokens {
    rules: Rules,
    keys: RwLock<Arc<Keys>>,
    /// Where there are newer ones; `None`: these are all.
    source: Option<Source>,
    /// When the source was last asked, in epoch milliseconds; held while it is asked.
    asked: Mutex<Option<i64>>,
    checked: moka::sync::Cache<[u8; 32], Admitted, RandomState>,
    /// Workspaces that there are: none is ever taken away.
    known: moka::sync::Cache<WorkspaceId, (), RandomState>,
    store: Arc<dyn Store>,
    clock: Clock,
}

/// Who recognises clients by these settings, in the workspaces of the store; `everybodys` is that of
/// all, where clients are not told apart.
pub async fn open(
    config: &Auth,
    (store, everybodys): (&Arc<dyn Store>, &WorkspaceId),
    clock: &Clock,
    tasks: &Tasks,
) -> Result<Arc<dyn Authenticate>, Error> {
    if config.mode == Mode::Off {
        return Ok(Arc::new(Everyone(Requester::anonymous(everybodys.clone()))));
    }
    let (keys, source) = match (&config.hs256_secret, &config.jwks_file, &config.jwks_url) {
        (Some(secret), ..) => (Keys::secret(secret.expose_secret().as_bytes()), None),
        (None, Some(file), _) => (read(file)?, None),
        (None, None, Some(url)) => {
            (Keys::default(), Some(Source::new(url.clone()).map_err(Error::Client)?))
        }
        (None, None, None) => return Err(Error::Unset),
    };
    let rules = Rules {
        issuer: config.issuer.clone(),
        audience: config.audience.clone(),
        workspace_claim: config.workspace_claim.clone(),
        skew: config.clock_skew,
    };
    let tokens = Arc::new(Tokens {
        rules,
        keys: RwLock::new(Arc::new(keys)),
        source,
        asked: Mutex::new(None),
        checked: moka::sync::Cache::builder()
            .max_capacity(MOST_REMEMBERED)
            .time_to_live(REMEMBERED)
            .build_with_hasher(RandomState::default()),
        known: moka::sync::Cache::builder()
            .max_capacity(MOST_REMEMBERED)
            .build_with_hasher(RandomState::default()),
        store: Arc::clone(store),
        clock: clock.clone(),
    });
    if tokens.source.is_some() {
        tokens.renew().await;
        tasks.spawn(keep_renewing(Arc::clone(&tokens), tasks.clone()));
    }
    Ok(tokens)
}

fn read(file: &Path) -> Result<Keys, Error> {
    let text = std::fs::read(file).map_err(Error::Unreadable)?;
    Keys::parse(&text).filter(|keys| !keys.is_empty()).ok_or(Error::NoKeys)
}

async fn keep_renewing(tokens: Arc<Tokens>, tasks: Tasks) {
    loop {
        tokio::select! {
            () = tokens.clock.sleep(EVERY) => tokens.renew().await,
            () = tasks.stopping() => return,
        }
    }
}

impl Tokens {
    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Refuses a workspace that there is not. Another gateway may have made it a moment ago.
    async fn is_here(&self, workspace: &WorkspaceId) -> Result<(), Denied> {
        if self.known.contains_key(workspace) {
            return Ok(());
        }
        match self.store.find_workspace(workspace).await {
            Ok(Some(_)) => {
                self.known.insert(workspace.clone(), ());
                Ok(())
            }
            Ok(None) => Err(Denied::Forbidden("the token is for a workspace that is not here")),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                let workspace = workspace.as_str();
                tracing::warn!(workspace, error, "a token's workspace could not be looked up");
                Err(Denied::Unavailable)
            }
        }
    }

    /// Asks the source for its keys, unless it was asked a moment ago. Those who ask at the same time
    /// wait for one answer.
    async fn renew(&self) {
        let Some(source) = &self.source else { return };
        let mut asked = self.asked.lock().await;
        let now = self.clock.now_ms();
        let pause = i64::try_from(PAUSE.as_millis()).unwrap_or(i64::MAX);
        if asked.is_some_and(|asked| now < asked.saturating_add(pause)) {
            return;
        }
        *asked = Some(now);
        match source.fetch().await {
            Ok(keys) => {
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
                // What a key signed that is gone does not count any more.
                self.checked.invalidate_all();
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "no keys for clients' tokens");
            }
        }
    }
}

#[async_trait]
impl Authenticate for Tokens {
    async fn authenticate(&self, token: Option<&str>) -> Result<Admitted, Denied> {
        let token = token.ok_or(Denied::Missing)?;
        let id: [u8; 32] = Sha256::digest(token).into();
        let now = self.clock.now();
        let remembered = self.checked.get(&id);
        if let Some(known) = remembered.filter(|known| known.until.is_some_and(|it| now < it)) {
            return Ok(known);
        }
        let keys = self.keys();
        let mut verified = verify(token, &keys, &self.rules, now);
        if verified.as_ref().is_err_and(|fault| fault.is_of_keys()) {
            self.renew().await;
            let newer = self.keys();
            if !Arc::ptr_eq(&keys, &newer) {
                verified = verify(token, &newer, &self.rules, now);
            }
        }
        if verified == Err(Fault::UnknownKey) && self.source.is_some() && self.keys().is_empty() {
            return Err(Denied::Unavailable);
        }
        let admitted = verified.map_err(Fault::denied)?;
        self.is_here(&admitted.requester.workspace).await?;
        self.checked.insert(id, admitted.clone());
        Ok(admitted)
    }
}

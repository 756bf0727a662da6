//! The file of keys, read again while the gateway runs: a key can be changed without a restart.
//!
//! What is not good in every way changes nothing: the keys there are go on, and the log says why.

use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::clock::Clock;
use crate::config::vault::Vault as Settings;
use crate::store::Store;
use crate::tasks::Tasks;

use super::{Keyring, LOOK_EVERY, opens};

const STORE: &str = "the store cannot be asked what the keys must open";

/// The file, and whose keys it has.
pub struct KeyFile {
    pub path: PathBuf,
    /// Every vault of the process has a clone of it.
    pub keyring: Keyring,
    pub store: Arc<dyn Store>,
}

/// What the file said when it was last looked at, in short.
#[derive(Default)]
struct Looked(Option<[u8; 32]>);

impl KeyFile {
    /// Looks at it until the tasks stop.
    pub fn watch(self, clock: Clock, tasks: &Tasks) {
        let stop = tasks.clone();
        tasks.spawn(async move {
            let mut looked = Looked::default();
            loop {
                self.look(&mut looked).await;
                tokio::select! {
                    () = clock.sleep(LOOK_EVERY) => {}
                    () = stop.stopping() => return,
                }
            }
        });
    }

    /// Uses the file's keys from now on if they are others than before and open everything stored.
    async fn look(&self, looked: &mut Looked) {
        let Ok(bytes) = tokio::fs::read(&self.path).await else {
            if looked.0.replace([0; 32]) != Some([0; 32]) {
                tracing::error!("vault.keys_file cannot be read: the keys before go on");
            }
            return;
        };
        let hash = Sha256::digest(&bytes).into();
        if looked.0.replace(hash) == Some(hash) {
            return;
        }
        match self.other_keys(bytes).await {
            Ok(keyring) => {
                // At the first look they are mostly those of the start.
                let other = format!("{keyring:?}") != format!("{:?}", self.keyring);
                self.keyring.become_as(&keyring);
                if other {
                    tracing::info!(keys = ?keyring, "vault.keys_file has other keys, which count now");
                }
            }
            Err(why) => {
                tracing::error!(why, "vault.keys_file is not good: the keys before go on");
                // What cannot be tried is tried again.
                if why == STORE {
                    looked.0 = Some([0; 32]);
                }
            }
        }
    }

    async fn other_keys(&self, bytes: Vec<u8>) -> Result<Keyring, String> {
        let text = String::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
        if text.trim().is_empty() {
            return Err("it is empty".to_owned());
        }
        let settings = Settings { keys: Some(text.into()), keys_file: None };
        let keyring = Keyring::new(&settings)?;
        let stored = self.store.all_sealed().await.map_err(|_| STORE.to_owned())?;
        stored.iter().try_for_each(|one| opens(&keyring, one)).map_err(|why| why.to_string())?;
        Ok(keyring)
    }
}

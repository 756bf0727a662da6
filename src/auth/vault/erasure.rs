//! The key that erased people are known again by: kept sealed in the store, made when it is first wanted.
//!
//! It is a key of its own and not one of `vault.keys`: those change, and then nobody would be known any
//! more.

use secrecy::{ExposeSecret as _, SecretBox};

use crate::clock::secret_bytes;
use crate::store::{ERASURE_KEY_BYTES, ErasureKey, Kept, Store};
use crate::unified::WorkspaceId;

use super::{Keyring, Unopened, VaultError, about, shown};

/// Gives the store its key. Without `vault.keys` there is none, and nobody can be erased.
pub async fn unlock(store: &dyn Store, keyring: &Keyring) -> Result<(), VaultError> {
    let about = about(&WorkspaceId::from(""), Kept::ErasureKey);
    let mut kept = store.sealed_key(None).await?;
    if kept.is_none() {
        let new = SecretBox::new(Box::new(secret_bytes::<ERASURE_KEY_BYTES>()));
        let Some(sealed) = keyring.seal(&about, new.expose_secret()) else { return Ok(()) };
        kept = store.sealed_key(Some(&sealed)).await?;
    }
    let Some(sealed) = kept else { return Ok(()) };
    let key = |why| VaultError::Key { what: shown(Kept::ErasureKey), why };
    let plain = SecretBox::new(Box::new(keyring.open(&about, &sealed).map_err(key)?));
    let bytes = <[u8; ERASURE_KEY_BYTES]>::try_from(plain.expose_secret().as_slice());
    let bytes = bytes.map_err(|_| key(Unopened::Odd))?;
    store.unlock(ErasureKey(SecretBox::new(Box::new(bytes))));
    Ok(())
}

//! The keys that the vault encrypts with.
//!
//! A sealed text is `v1:KEY:` and, in base64, the nonce and what XChaCha20-Poly1305 makes of the
//! plain text. What it is about goes in as associated data, so that a text moved to another row does
//! not open there. Nonces are random: with 192 bits none comes twice.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use secrecy::ExposeSecret;

use crate::clock::secret_bytes;
use crate::config::vault::Vault;

const FORM: &str = "v1";
const NONCE_BYTES: usize = 24;

/// Keys by their ids. The first encrypts. Clones are the same: other keys are other keys for all.
#[derive(Clone)]
pub struct Keyring(Arc<RwLock<Keys>>);

type Keys = Arc<[(String, XChaCha20Poly1305)]>;

/// Why a sealed text does not open.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unopened {
    #[error("is encrypted, and vault.keys names no key")]
    NoKeys,
    #[error("is encrypted with the key \"{0}\", which vault.keys does not name")]
    Unknown(String),
    #[error("was not encrypted with the key that vault.keys names \"{0}\"")]
    Wrong(String),
    #[error("is not what this program encrypts")]
    Odd,
}

impl Keyring {
    /// The keys of the config; the error says what is wrong with them and quotes none.
    pub fn new(config: &Vault) -> Result<Self, String> {
        let keys = config.parsed()?.into_iter();
        let keys: Keys = keys
            .map(|key| {
                let cipher = XChaCha20Poly1305::new(&(*key.bytes.expose_secret()).into());
                (key.id, cipher)
            })
            .collect();
        Ok(Self(Arc::new(RwLock::new(keys))))
    }

    fn keys(&self) -> Keys {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Uses another one's keys from now on.
    pub fn become_as(&self, other: &Self) {
        let keys = other.keys();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// Whether there is nothing to encrypt with.
    pub fn is_empty(&self) -> bool {
        self.keys().is_empty()
    }

    /// Encrypts; `None` without a key.
    pub fn seal(&self, about: &str, plain: &[u8]) -> Option<String> {
        let keys = self.keys();
        let (id, cipher) = keys.first()?;
        let nonce: [u8; NONCE_BYTES] = secret_bytes();
        let payload = Payload { msg: plain, aad: about.as_bytes() };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).ok()?;
        let body = URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat());
        Some(format!("{FORM}:{id}:{body}"))
    }

    /// Decrypts what was sealed about the same.
    pub fn open(&self, about: &str, sealed: &str) -> Result<Vec<u8>, Unopened> {
        if self.is_empty() {
            return Err(Unopened::NoKeys);
        }
        let mut parts = sealed.splitn(3, ':');
        let (form, id, body) = (parts.next(), parts.next(), parts.next());
        let (Some(FORM), Some(id), Some(body)) = (form, id, body) else {
            return Err(Unopened::Odd);
        };
        let keys = self.keys();
        let Some((_, cipher)) = keys.iter().find(|(known, _)| known == id) else {
            return Err(Unopened::Unknown(id.to_owned()));
        };
        let body = URL_SAFE_NO_PAD.decode(body).map_err(|_| Unopened::Odd)?;
        let Some((nonce, sealed)) = body.split_first_chunk::<NONCE_BYTES>() else {
            return Err(Unopened::Odd);
        };
        let payload = Payload { msg: sealed, aad: about.as_bytes() };
        let wrong = |_| Unopened::Wrong(id.to_owned());
        cipher.decrypt(&XNonce::from(*nonce), payload).map_err(wrong)
    }

    /// Whether it is encrypted with the first key.
    pub fn is_current(&self, sealed: &str) -> bool {
        let key = sealed.split(':').nth(1);
        self.keys().first().is_some_and(|(id, _)| Some(id.as_str()) == key)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys().iter().map(|(id, _)| id)).finish()
    }
}

#[cfg(test)]
mod tests {
    use crate::config::vault::key_text;

    use super::*;

    fn keyring(keys: &[(&str, u8)]) -> Keyring {
        let texts: Vec<String> = keys.iter().map(|(id, byte)| key_text(id, [*byte; 32])).collect();
        let keys = Some(texts.join(" ").into()).filter(|_| !keys.is_empty());
        Keyring::new(&Vault { keys, keys_file: None }).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let ring = keyring(&[("a", 1)]);
        let sealed = ring.seal("here", b"a secret").unwrap();
        assert_eq!(ring.open("here", &sealed).unwrap(), b"a secret");
        assert_ne!(ring.seal("here", b"a secret").unwrap(), sealed, "a nonce is used once");
        assert_eq!(ring.open("there", &sealed), Err(Unopened::Wrong("a".to_owned())));
        let last = if sealed.ends_with('A') { "B" } else { "A" };
        let bent = format!("{}{last}", &sealed[..sealed.len() - 1]);
        assert!(ring.open("here", &bent).is_err());
        for odd in ["", "v1:a", "v1:a:", "v1:a:AAAA", "v2:a:AAAA", "v1:a:!"] {
            assert_eq!(ring.open("here", odd), Err(Unopened::Odd), "{odd}");
        }
    }

    #[test]
    fn several_keys_open_and_the_first_seals() {
        let old = keyring(&[("a", 1)]);
        let both = keyring(&[("b", 2), ("a", 1)]);
        let sealed = old.seal("here", b"x").unwrap();
        assert!(old.is_current(&sealed) && !both.is_current(&sealed));
        assert_eq!(both.open("here", &sealed).unwrap(), b"x");
        let anew = both.seal("here", b"x").unwrap();
        assert!(both.is_current(&anew));
        assert_eq!(old.open("here", &anew), Err(Unopened::Unknown("b".to_owned())));
        let wrong = keyring(&[("a", 3)]);
        assert_eq!(wrong.open("here", &sealed), Err(Unopened::Wrong("a".to_owned())));
        let none = keyring(&[]);
        assert_eq!(none.open("here", &sealed), Err(Unopened::NoKeys));
        assert_eq!(none.seal("here", b"x"), None);
    }

    #[test]
    fn a_keyring_shows_names_only() {
        assert_eq!(format!("{:?}", keyring(&[("a", 65)])), "[\"a\"]");
    }
}

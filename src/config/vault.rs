//! `[vault]`: the keys that stored credentials are encrypted with.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::Deserialize;

use super::check::Check;
use super::value::SecretSlot;

/// As long as `XChaCha20-Poly1305` wants it.
const KEY_BYTES: usize = 32;
const LONGEST_ID: usize = 32;

/// See `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Vault {
    /// `ID:BASE64` for each key, separated by spaces, commas or lines; the first encrypts.
    pub keys: Option<SecretString>,
    /// A file that holds them.
    pub keys_file: Option<PathBuf>,
}

/// One key and its name. Debug shows only the name.
#[derive(Debug)]
pub struct Key {
    /// Its name in sealed texts.
    pub id: String,
    /// The key.
    pub bytes: SecretBox<[u8; KEY_BYTES]>,
}

impl Vault {
    pub(super) fn secrets(&mut self) -> Vec<SecretSlot<'_>> {
        vec![SecretSlot { key: "keys", secret: &mut self.keys, file: &self.keys_file }]
    }

    pub(super) fn validate(&self, check: &mut Check<'_>) {
        if let Err(message) = self.parsed() {
            check.fault("keys", message);
        }
    }

    /// Whether keys are named, by text or by file.
    pub fn is_set(&self) -> bool {
        self.keys.is_some() || self.keys_file.is_some()
    }

    /// The keys in their order. The error says what is wrong and quotes nothing.
    pub fn parsed(&self) -> Result<Vec<Key>, String> {
        let Some(text) = &self.keys else { return Ok(Vec::new()) };
        let apart = |character: char| character.is_whitespace() || character == ',';
        let mut keys: Vec<Key> = Vec::new();
        for (place, one) in
            text.expose_secret().split(apart).filter(|it| !it.is_empty()).enumerate()
        {
            let place = place + 1;
            let (id, encoded) = one.split_once(':').ok_or_else(|| {
                format!("key {place} is not ID:BASE64; `tandem vault key` makes one")
            })?;
            let sane = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(sane) {
                return Err(format!(
                    "key {place}: its id must have 1 to {LONGEST_ID} letters, digits, dots and dashes"
                ));
            }
            let bytes = STANDARD.decode(encoded).ok().and_then(|bytes| bytes.try_into().ok());
            let Some(bytes) = bytes.map(Box::new) else {
                return Err(format!("key {place} is not {KEY_BYTES} bytes in base64"));
            };
            if keys.iter().any(|known| known.id == id) {
                return Err(format!("key {place} has the id of an earlier one"));
            }
            keys.push(Key { id: id.to_owned(), bytes: SecretBox::new(bytes) });
        }
        if keys.is_empty() { Err("must not be empty".to_owned()) } else { Ok(keys) }
    }
}

impl Default for Vault {
    fn default() -> Self {
        super::Config::default().vault
    }
}

/// A key's text for the settings.
pub fn key_text(id: &str, bytes: [u8; KEY_BYTES]) -> String {
    format!("{id}:{}", STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<String>, String> {
        let vault = Vault { keys: Some(text.into()), keys_file: None };
        Ok(vault.parsed()?.into_iter().map(|key| key.id).collect())
    }

    #[test]
    fn keys_are_named_and_whole() {
        let (one, two) = (key_text("2026-a", [1; 32]), key_text("b", [2; 32]));
        assert_eq!(parsed(&format!("{one}, {two}\n")).unwrap(), ["2026-a", "b"]);
        for wrong in ["", "nothing", "a:c2hvcnQ=", &format!("{two} {two}"), ":AAAA"] {
            let message = parsed(wrong).unwrap_err();
            assert!(!message.contains("c2hvcnQ") && !message.contains("AAAA"), "{message}");
        }
        let shown = format!("{:?}", Vault { keys: Some(one.as_str().into()), keys_file: None });
        assert!(!shown.contains(one.split(':').next_back().unwrap()), "{shown}");
    }
}

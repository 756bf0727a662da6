//! Whether a webhook is HighLevel's: signatures over the exact bytes of its body.
//!
//! `X-GHL-Signature` is Ed25519 and final: where it is there, the older RSA one is not asked, however
//! good it is. `X-WH-Signature` (RSA PKCS#1 v1.5 with SHA-256, 4,096 bits) ended on 2026-09-01 and
//! counts only where the config says so. The literal `N/A` stands for no signature. Source:
//! HighLevel's Webhook Integration Guide and `docs/oauth/WebhookAuthentication.md`, which publish
//! the keys in `keys/`; a new one is announced by mail, so the config can add to them.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::DecodePublicKey;
use ed25519_dalek::{Signature, VerifyingKey};

use crate::config::highlevel::pem_blocks;
use crate::upstream::{Post, Unverified};

const PUBLISHED: &str = include_str!("keys/ed25519.pem");
const LEGACY: &str = include_str!("keys/rsa_legacy.pem");
/// What stands in the header of a body that was not signed.
const NOT_SIGNED: &str = "N/A";

/// The keys whose signatures count.
#[derive(Debug)]
pub(super) struct Verifier {
    keys: Vec<VerifyingKey>,
    /// An RSA public key in DER form, if the older signatures count.
    legacy: Option<Vec<u8>>,
}

impl Verifier {
    /// The published key, those in `added` (PEM, one after the other), and the published RSA key
    /// if `legacy`.
    pub(super) fn new(added: &str, legacy: bool) -> Self {
        Self::by([PUBLISHED, added], legacy.then_some(LEGACY))
    }

    fn by<'a>(keys: impl IntoIterator<Item = &'a str>, legacy: Option<&str>) -> Self {
        let blocks = keys.into_iter().flat_map(pem_blocks);
        let keys = blocks.filter_map(|pem| VerifyingKey::from_public_key_pem(&pem).ok());
        Self { keys: keys.collect(), legacy: legacy.and_then(der) }
    }

    pub(super) fn verify(&self, post: Post<'_>) -> Result<(), Unverified> {
        let given = |header: Option<&'_ str>| {
            header.map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned)
        };
        if let Some(signature) = given(post.signature) {
            if signature == NOT_SIGNED {
                return Err(Unverified::Unsigned);
            }
            return good(self.is_ed25519(&signature, post.body));
        }
        match (given(post.legacy_signature), &self.legacy) {
            (Some(signature), Some(key)) if signature != NOT_SIGNED => {
                good(is_rsa(key, &signature, post.body))
            }
            (Some(_) | None, _) => Err(Unverified::Unsigned),
        }
    }

    fn is_ed25519(&self, signature: &str, body: &[u8]) -> bool {
        let Ok(bytes) = STANDARD.decode(signature) else { return false };
        let Ok(signature) = Signature::from_slice(&bytes) else { return false };
        self.keys.iter().any(|key| key.verify_strict(body, &signature).is_ok())
    }
}

fn good(is_good: bool) -> Result<(), Unverified> {
    if is_good { Ok(()) } else { Err(Unverified::Forged) }
}

fn is_rsa(key: &[u8], signature: &str, body: &[u8]) -> bool {
    let Ok(signature) = STANDARD.decode(signature) else { return false };
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
    key.verify(body, &signature).is_ok()
}

fn der(pem: &str) -> Option<Vec<u8>> {
    let lines = pem.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const VECTORS: &str = include_str!("../../tests/fixtures/highlevel/signature-vectors.json");

    #[test]
    fn every_published_vector_is_judged_as_it_says() {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (ed25519, rsa) =
            (text(&vectors["ed25519PublicKeyPem"]), text(&vectors["rsaPublicKeyPem"]));
        let strict = Verifier::by([ed25519.as_str()], None);
        let lenient = Verifier::by([ed25519.as_str()], Some(&rsa));
        let cases = vectors["cases"].as_array().unwrap();
        assert!(cases.len() >= 12);
        for case in cases {
            let body = match case["body"].as_str().unwrap() {
                "raw" => text(&vectors["rawBody"]),
                other => other.to_owned(),
            };
            let post = Post {
                signature: case["headers"]["x-ghl-signature"].as_str(),
                legacy_signature: case["headers"]["x-wh-signature"].as_str(),
                body: body.as_bytes(),
            };
            let valid = case["valid"].as_bool().unwrap();
            let legacy = case["legacy"].as_bool().unwrap_or_default();
            assert_eq!(lenient.verify(post).is_ok(), valid, "{case}");
            assert_eq!(strict.verify(post).is_ok(), valid && !legacy, "{case}");
        }
    }

    #[test]
    fn the_published_keys_are_known_and_others_can_be_added() {
        let published = Verifier::new("", false);
        assert_eq!((published.keys.len(), published.legacy.is_some()), (1, false));
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let added = vectors["ed25519PublicKeyPem"].as_str().unwrap();
        let more = Verifier::new(&format!("{added}\n{PUBLISHED}"), true);
        assert_eq!((more.keys.len(), more.legacy.map(|key| key.len() > 500)), (3, Some(true)));
    }

    #[test]
    fn what_is_not_signed_is_told_from_what_is_forged() {
        let verifier = Verifier::new("", true);
        let post = |signature, legacy_signature| Post { signature, legacy_signature, body: b"{}" };
        for unsigned in [post(None, None), post(Some("N/A"), Some("x")), post(Some(" "), None)] {
            assert_eq!(verifier.verify(unsigned), Err(Unverified::Unsigned));
        }
        for forged in [post(Some("n/a"), None), post(None, Some("eA==")), post(Some("eA=="), None)]
        {
            assert_eq!(verifier.verify(forged), Err(Unverified::Forged));
        }
    }
}

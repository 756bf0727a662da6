//! The keys that signatures are checked with, each tied to one algorithm: what a token says of its
//! own algorithm chooses among keys and never how a key is used.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use serde::Deserialize;
use serde_json::Value;

/// An issuer has a few; each may cost a signature's check for a token that names none.
const MOST: usize = 32;

/// A set of keys.
#[derive(Default)]
pub(super) struct Keys(Vec<Key>);

pub(super) struct Key {
    id: Option<String>,
    pub algorithm: Algorithm,
    pub key: DecodingKey,
}

/// RFC 7517, section 5. Keys are read one by one: one of a kind that nobody here knows is no reason
/// to do without the others.
#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl Keys {
    /// A shared secret, for HS256.
    pub fn secret(secret: &[u8]) -> Self {
        let key = DecodingKey::from_secret(secret);
        Self(vec![Key { id: None, algorithm: Algorithm::HS256, key }])
    }

    /// The public keys of a JWK set that can check signatures; `None`: it is no such set.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let set: Set = serde_json::from_slice(text).ok()?;
        let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        Some(Self(keys.filter_map(|key| public(&key)).take(MOST).collect()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that a token with this header may be signed with.
    pub fn for_header<'a>(&'a self, header: &'a Header) -> impl Iterator<Item = &'a Key> {
        self.0.iter().filter(|key| {
            let named = match (&header.kid, &key.id) {
                (Some(wanted), Some(id)) => wanted == id,
                (None, _) | (_, None) => true,
            };
            named && key.algorithm == header.alg
        })
    }
}

/// A key that signatures may be checked with by anybody. A symmetric one in a public set would let
/// everybody sign.
#[expect(clippy::wildcard_enum_match_arm, reason = "only these are known to be safe")]
fn public(jwk: &Jwk) -> Option<Key> {
    if matches!(jwk.common.public_key_use, Some(PublicKeyUse::Encryption)) {
        return None;
    }
    let usual = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P384 => {
            Algorithm::ES384
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        _ => return None,
    };
    let algorithm = match jwk.common.key_algorithm {
        None => usual,
        Some(named) => algorithm(named)?,
    };
    let key = DecodingKey::from_jwk(jwk).ok()?;
    // What the key says of its algorithm must be possible for a key of its kind.
    key.family().algorithms().contains(&algorithm).then(|| Key {
        id: jwk.common.key_id.clone(),
        algorithm,
        key,
    })
}

fn algorithm(named: KeyAlgorithm) -> Option<Algorithm> {
    named.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 8037, appendix A.2.
    fn edwards() -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "ed",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    }

    fn found(keys: &Keys, algorithm: Algorithm, id: Option<&str>) -> usize {
        let header = Header { kid: id.map(str::to_owned), ..Header::new(algorithm) };
        keys.for_header(&header).count()
    }

    #[test]
    fn a_key_serves_its_own_algorithm_and_name() {
        let text = json!({"keys": [edwards(), {"kty": "new"}, {"kty": "oct", "k": "c2VjcmV0"},
            {"kty": "OKP", "crv": "Ed25519", "use": "enc", "x": edwards()["x"]},
            {"kty": "OKP", "crv": "Ed25519", "alg": "RS256", "x": edwards()["x"]}]});
        let keys = Keys::parse(text.to_string().as_bytes()).unwrap();
        assert_eq!(keys.0.len(), 1);
        assert_eq!(found(&keys, Algorithm::EdDSA, Some("ed")), 1);
        assert_eq!(found(&keys, Algorithm::EdDSA, None), 1);
        assert_eq!(found(&keys, Algorithm::EdDSA, Some("other")), 0);
        for confused in [Algorithm::HS256, Algorithm::RS256, Algorithm::ES256] {
            assert_eq!(found(&keys, confused, Some("ed")), 0, "{confused:?}");
        }
    }

    #[test]
    fn a_set_is_told_from_something_else() {
        assert!(Keys::parse(b"<html>").is_none());
        assert!(Keys::parse(b"{}").is_none());
        assert!(Keys::parse(b"{\"keys\": []}").unwrap().is_empty());
        let secret = Keys::secret(b"a secret that is long enough");
        assert_eq!(found(&secret, Algorithm::HS256, Some("any")), 1);
        assert_eq!(found(&secret, Algorithm::HS512, None), 0);
    }
}

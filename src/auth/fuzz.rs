//! For `tests/fuzz`: tokens of clients, what they claim, and sets of keys.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::jwt::{Rules, verify};
use super::keys::Keys;
use super::{TokenDraft, sign};

const SECRET: &str = "a secret of the fuzz targets alone";
/// The key and the token of RFC 7515, appendix A.3: ES256.
pub(crate) const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#; // typos: ignore
const SIGNED: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"; // typos: ignore

struct Ground {
    now: DateTime<Utc>,
    rules: Rules,
    secret: Keys,
    public: Keys,
    tokens: Vec<String>,
}

static GROUND: LazyLock<Ground> = LazyLock::new(|| {
    // Before the RFC's token expires.
    let now = DateTime::UNIX_EPOCH + TimeDelta::seconds(1_300_000_000);
    let rules = Rules {
        issuer: None,
        audience: None,
        workspace_claim: "workspace".to_owned(),
        skew: Duration::from_secs(60),
    };
    let scopes = ["contacts.readonly".to_owned(), "sync.manage".to_owned()];
    let token = |hours| {
        let draft = TokenDraft {
            subject: "fuzz",
            scopes: &scopes,
            workspace: ("workspace", "default"),
            issuer: None,
            audience: None,
            issued: now,
            expires: now + TimeDelta::hours(hours),
        };
        sign(&draft, &SecretString::from(SECRET)).unwrap_or_default()
    };
    let tokens = vec![token(1), token(100)];
    let public = Keys::parse(KEYS.as_bytes()).unwrap_or_default();
    Ground { now, rules, secret: Keys::secret(SECRET.as_bytes()), public, tokens }
});

/// Tokens that count, and one that is signed well and names no workspace.
pub(crate) fn tokens() -> Vec<String> {
    let mut tokens = GROUND.tokens.clone();
    tokens.push(SIGNED.to_owned());
    tokens
}

/// Takes the bytes for a token, for claims that are signed, and for a set of keys.
pub(crate) fn token(bytes: &[u8]) {
    let Ground { now, rules, secret, public, tokens } = &*GROUND;
    if let Ok(text) = std::str::from_utf8(bytes) {
        let counts = verify(text, secret, rules, *now).is_ok();
        let is_ours = tokens.iter().any(|token| token == text);
        assert!(counts == is_ours, "a forged token counts, or a good one does not");
        assert!(verify(text, public, rules, *now).is_err(), "nobody signed such a token");
    }
    if let Ok(claims) = serde_json::from_slice::<Map<String, Value>>(bytes) {
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let signed = encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap_or_default();
        if let Ok(admitted) = verify(&signed, secret, rules, *now) {
            let lasts = admitted.until.is_some_and(|until| until > *now);
            let named = claims.get("workspace").and_then(Value::as_str);
            let ours = named == Some(admitted.requester.workspace.as_str());
            assert!(lasts && ours, "it counts against the rules: {admitted:?}");
        }
    }
    if let Some(keys) = Keys::parse(bytes) {
        for token in tokens {
            let counts = verify(token, &keys, rules, *now).is_ok();
            assert!(!counts, "a public set checks what a secret signed");
        }
        let _ = verify(SIGNED, &keys, rules, *now);
    }
}

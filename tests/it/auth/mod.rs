//! Who may ask what: tokens of every kind, good and hostile, on every transport.

mod documents;
mod hostile;
mod issuer;
mod lasting;
mod rights;
mod shares;
mod transport;
mod unusual;

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tandem::clock::Clock;

use crate::world::{Builder, World};

pub const SECRET: &str = "a secret of more than thirty-two bytes, for tests";
pub const ISSUER: &str = "https://id.example.com/";
pub const AUDIENCE: &str = "tandem";
pub const EVERYTHING: &str =
    "contacts.readonly contacts.write sync.readonly sync.manage workspace.manage metrics.readonly";
pub const ASK: &str = "{ contact(by: {email: \"ana.paz@example.com\"}) { email } }";

/// A gateway that takes tokens signed with [`SECRET`].
pub fn guarded() -> Builder {
    World::builder()
        .set("auth.mode", "jwt")
        .set("auth.hs256_secret", SECRET)
        .set("auth.issuer", ISSUER)
        .set("auth.audience", AUDIENCE)
}

/// What a good token says.
pub fn claims(clock: &Clock, scope: &str) -> Value {
    let now = clock.now().timestamp();
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "front end", "workspace": "default",
        "iat": now, "nbf": now, "exp": now + 600, "scope": scope})
}

/// The claims with one of them changed, or taken away by `null`.
pub fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    let members = claims.as_object_mut().unwrap();
    let value = value.into();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    claims
}

pub fn signed(claims: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

/// A token that is good now, for these scopes.
pub fn good(world: &World, scope: &str) -> String {
    signed(&claims(&world.clock, scope))
}

/// The status and answer of a document asked with a token.
pub async fn ask(world: &World, token: Option<&str>, query: &str) -> (u16, Value) {
    let mut request = world.http().post(world.url("/graphql"));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.json(&json!({"query": query})).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// The code of an answer's first error.
pub fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}

const MINUTE: Duration = Duration::from_secs(60);

//! Tokens that are not to be believed, on every transport; none of them reaches a system.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::issuer::{self, Issuer, Key};
use super::transport::{Transport, events};
use super::{ASK, EVERYTHING, SECRET, ask, claims, code, good, guarded, signed, with};
use crate::http::client::Socket;
use crate::world::World;

/// A token put together by hand, with a signature of nothing.
fn by_hand(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(header), part(claims))
}

fn by(secret: &str, algorithm: Algorithm, claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

/// What is wrong with a token, the token, the status and the code.
type Row = (&'static str, String, u16, &'static str);

/// Tokens that look like those of a gateway with a secret.
fn hostile(world: &World) -> Vec<Row> {
    let good = claims(&world.clock, EVERYTHING);
    let now = world.clock.now().timestamp();
    let unauthenticated = |what, token| (what, token, 401, "UNAUTHENTICATED");
    let forbidden = |what, token| (what, token, 403, "FORBIDDEN");
    let changed = |name, value: Value| signed(&with(good.clone(), name, value));
    let mut flipped = signed(&good);
    flipped.replace_range(flipped.len() - 6..flipped.len() - 5, "_");
    let mut critical = Header::new(Algorithm::HS256);
    critical.crit = Some(vec!["b64".to_owned()]);
    let critical = encode(&critical, &good, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
    let stripped = format!("{}.", signed(&good).rsplit_once('.').unwrap().0);
    vec![
        unauthenticated("no token at all", "nonsense".to_owned()),
        unauthenticated("alg none", by_hand(&json!({"alg": "none"}), &good)),
        unauthenticated("alg none, typed", by_hand(&json!({"alg": "None", "typ": "JWT"}), &good)),
        unauthenticated("an empty signature", stripped),
        unauthenticated(
            "another key",
            by("another secret of thirty-two bytes!", Algorithm::HS256, &good),
        ),
        unauthenticated("another algorithm of the same key", by(SECRET, Algorithm::HS512, &good)),
        unauthenticated("a changed signature", flipped),
        unauthenticated("critical extensions", critical),
        unauthenticated("expired", changed("exp", json!(now - 3600))),
        unauthenticated("without an end", changed("exp", Value::Null)),
        unauthenticated("an end that is no number", changed("exp", json!("never"))),
        unauthenticated("an end beyond all time", changed("exp", json!(1e300))),
        unauthenticated("not valid yet", changed("nbf", json!(now + 3600))),
        unauthenticated("a beginning that is no number", changed("nbf", json!([]))),
        unauthenticated("another audience", changed("aud", json!("somebody else"))),
        unauthenticated("no audience", changed("aud", Value::Null)),
        unauthenticated("another issuer", changed("iss", json!("https://evil.example/"))),
        unauthenticated("no issuer", changed("iss", Value::Null)),
        unauthenticated("oversized", changed("sub", json!("x".repeat(9_000)))),
        forbidden("another workspace", changed("workspace", json!("other"))),
        forbidden("no workspace", changed("workspace", Value::Null)),
        forbidden("a workspace that is no text", changed("workspace", json!(["default"]))),
    ]
}

/// Tokens of an issuer's public key, which is known to everybody, used as a secret.
fn confused(public: &Value, claims: &Value) -> Vec<Row> {
    let modulus = public["n"].as_str().unwrap();
    let id = public["kid"].as_str();
    let of = |secret: &[u8], id: Option<&str>, algorithm| {
        let header = Header { kid: id.map(str::to_owned), ..Header::new(algorithm) };
        encode(&header, claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let bytes = URL_SAFE_NO_PAD.decode(modulus).unwrap();
    [
        ("the public key as a secret", of(public.to_string().as_bytes(), id, Algorithm::HS256)),
        ("the modulus as a secret", of(modulus.as_bytes(), id, Algorithm::HS256)),
        ("its bytes as a secret", of(&bytes, id, Algorithm::HS512)),
        ("a secret without a name", of(public.to_string().as_bytes(), None, Algorithm::HS256)),
    ]
    .map(|(what, token)| (what, token, 401, "UNAUTHENTICATED"))
    .into()
}

/// By each transport, before anything is run.
async fn refused_on_every_transport(world: &World, rows: Vec<Row>) {
    for (what, token, status, expected) in rows {
        let answered = ask(world, Some(&token), ASK).await;
        assert_eq!((answered.0, code(&answered.1)), (status, expected), "{what}: {answered:?}");
        assert!(answered.1.get("data").is_none(), "{what}");

        let (answered, text) = events(world, &token, "subscription { syncStatus { state } }").await;
        assert_eq!(answered, status, "{what}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(code(&answer), expected, "{what}: {text}");

        let mut socket = Socket::connect(world).await;
        socket.begin(&token).await;
        // What is longer than a message may be is not read at all.
        let closed = socket.closed().await;
        assert_eq!(closed, 4403, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_key_is_no_secret_on_any_transport() {
    let (issuer, clock, key) = (Issuer::default(), issuer::clock(), Key::rsa("rsa"));
    issuer.publish(&[&key]);
    let world = issuer::gateway(&issuer.serve().await, &clock).await;
    let claims = claims(&clock, EVERYTHING);
    assert_eq!(ask(&world, Some(&key.sign(&claims)), ASK).await.0, 200);
    world.forget_calls().await;
    refused_on_every_transport(&world, confused(&key.public(), &claims)).await;
    assert_eq!(world.calls().await.len(), 0, "none of them led to a call");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_scope_is_refused_on_every_transport() {
    let world = guarded().start().await;
    let reader = good(&world, "contacts.readonly");
    for (query, scope) in [
        ("{ syncStatus { state } }", "sync.readonly"),
        ("subscription { syncStatus { state } }", "sync.readonly"),
        ("mutation { pauseSync(input: {}) { userErrors { code } } }", "sync.manage"),
        (
            "mutation { createWorkspace(input: {name: \"x\"}) { userErrors { code } } }",
            "workspace.manage",
        ),
    ] {
        for transport in Transport::ALL {
            if query.starts_with("subscription") && matches!(transport, Transport::Http) {
                continue;
            }
            let answer = transport.ask(&world, &reader, query).await;
            assert_eq!(code(&answer), "FORBIDDEN", "{transport:?} {query}: {answer:#}");
            let extensions = &answer["errors"][0]["extensions"];
            assert_eq!(extensions["scope"], scope, "{transport:?} {query}: {answer:#}");
        }
    }
    assert_eq!(world.calls().await.len(), 0, "none of them led to a call");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_tokens_are_refused_on_every_transport() {
    let world = guarded().start().await;
    let (status, answer) = ask(&world, Some(&good(&world, EVERYTHING)), ASK).await;
    assert_eq!((status, &answer["data"]["contact"]["email"]), (200, &json!("ana.paz@example.com")));
    world.forget_calls().await;

    refused_on_every_transport(&world, hostile(&world)).await;
    let (status, answer) = ask(&world, None, ASK).await;
    assert_eq!((status, code(&answer)), (401, "UNAUTHENTICATED"));
    let mut socket = Socket::connect(&world).await;
    socket.send(&json!({"type": "connection_init"})).await;
    assert_eq!(socket.closed().await, 4403);
    assert_eq!(world.calls().await.len(), 0, "none of them led to a call");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_why_and_never_what_was_shown() {
    let world = guarded().start().await;
    let expired = with(claims(&world.clock, EVERYTHING), "exp", 1);
    let token = signed(&with(expired, "sub", "secret-subject"));
    let request = world.http().post(world.url("/graphql")).bearer_auth(&token);
    let answer = request.json(&json!({"query": ASK})).send().await.unwrap();
    assert_eq!(answer.headers()["www-authenticate"], "Bearer error=\"invalid_token\"");
    let text = answer.text().await.unwrap();
    assert!(text.contains("the token has expired"), "{text}");
    assert!(!text.contains("secret-subject") && !text.contains(&token), "{text}");
    let request = world.http().post(world.url("/graphql"));
    let answer = request.json(&json!({"query": ASK})).send().await.unwrap();
    assert_eq!(answer.headers()["www-authenticate"], "Bearer");
    world.end().await;
}

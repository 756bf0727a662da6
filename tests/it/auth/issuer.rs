//! Keys that an issuer publishes: of several kinds, changed at any time, and not always there.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tandem::clock::Clock;

use super::{ASK, AUDIENCE, EVERYTHING, ask, claims, code};
use crate::process::{Gateway, NOWHERE};
use crate::world::World;

/// One of an issuer's keys.
pub struct Key {
    /// Empty: it has no name.
    id: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
}

impl Key {
    fn edwards(id: &'static str) -> Self {
        let rng = aws_lc_rs::rand::SystemRandom::new();
        let der = Ed25519KeyPair::generate_pkcs8v1(&rng).unwrap();
        Self { id, algorithm: Algorithm::EdDSA, key: EncodingKey::from_ed_der(der.as_ref()) }
    }

    fn curve(id: &'static str) -> Self {
        let rng = aws_lc_rs::rand::SystemRandom::new();
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng).unwrap();
        Self { id, algorithm: Algorithm::ES256, key: EncodingKey::from_ec_der(der.as_ref()) }
    }

    pub fn rsa(id: &'static str) -> Self {
        /// What PKCS #8 puts before the key of this size.
        const WRAPPING: usize = 26;
        let der = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
        let key = EncodingKey::from_rsa_der(&der.as_ref()[WRAPPING..]);
        Self { id, algorithm: Algorithm::RS256, key }
    }

    fn name(&self) -> Option<String> {
        (!self.id.is_empty()).then(|| self.id.to_owned())
    }

    pub fn public(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = self.name();
        serde_json::to_value(jwk).unwrap()
    }

    pub fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: self.name(), ..Header::new(self.algorithm) };
        encode(&header, claims, &self.key).unwrap()
    }
}

/// What an issuer publishes now, and how often it was asked.
#[derive(Clone, Default)]
pub struct Issuer(Arc<Mutex<(String, usize)>>);

impl Issuer {
    pub fn publish(&self, keys: &[&Key]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.public()).collect();
        self.say(&json!({"keys": keys}).to_string());
    }

    fn say(&self, text: &str) {
        text.clone_into(&mut self.0.lock().unwrap().0);
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().1
    }

    /// Answers on an address of its own.
    pub async fn serve(&self) -> String {
        let route = get(|State(issuer): State<Self>| async move {
            let mut state = issuer.0.lock().unwrap();
            state.1 += 1;
            state.0.clone()
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let router = Router::new().route("/jwks.json", route).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }
}

pub async fn gateway(url: &str, clock: &Clock) -> World {
    World::builder()
        .limited(clock.clone())
        .alone()
        .set("auth.mode", "jwt")
        .set("auth.jwks_url", url)
        .set("auth.audience", AUDIENCE)
        .start()
        .await
}

pub fn clock() -> Clock {
    Clock::manual("2026-11-24T12:00:00Z".parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_key_is_taken_for_what_it_is() {
    let (issuer, clock) = (Issuer::default(), clock());
    let keys = [Key::edwards("ed"), Key::curve("ec"), Key::rsa("rsa")];
    issuer.publish(&[&keys[0], &keys[1], &keys[2]]);
    let world = gateway(&issuer.serve().await, &clock).await;
    let good = claims(&clock, EVERYTHING);
    for key in &keys {
        let (status, answer) = ask(&world, Some(&key.sign(&good)), ASK).await;
        assert_eq!(status, 200, "{}: {answer}", key.id);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_without_a_refusal_and_the_old_ones_stop_to_count() {
    let (issuer, clock) = (Issuer::default(), clock());
    let (old, new) = (Key::edwards("old"), Key::edwards("new"));
    issuer.publish(&[&old]);
    let world = gateway(&issuer.serve().await, &clock).await;
    let good = claims(&clock, EVERYTHING);
    assert_eq!(ask(&world, Some(&old.sign(&good)), ASK).await.0, 200);
    issuer.publish(&[&new]);
    clock.advance(Duration::from_secs(31));
    assert_eq!(ask(&world, Some(&new.sign(&good)), ASK).await.0, 200, "asked for at once");
    assert_eq!(ask(&world, Some(&old.sign(&good)), ASK).await.0, 401);

    // However many name keys that nobody has, the issuer is left alone.
    let asked = issuer.asked();
    let nobodys = Key::edwards("nobody's");
    for _ in 0..20 {
        assert_eq!(ask(&world, Some(&nobodys.sign(&good)), ASK).await.0, 401);
    }
    assert_eq!(issuer.asked(), asked);

    // An issuer that says nonsense takes nobody's rights away.
    issuer.say("<html>maintenance</html>");
    clock.advance(Duration::from_secs(31));
    assert_eq!(ask(&world, Some(&nobodys.sign(&good)), ASK).await.0, 401);
    assert_eq!(issuer.asked(), asked + 1);
    assert_eq!(ask(&world, Some(&new.sign(&good)), ASK).await.0, 200);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_was_never_reached_is_no_fault_of_the_client() {
    let (issuer, clock) = (Issuer::default(), clock());
    let key = Key::edwards("ed");
    issuer.say("soon");
    let world = gateway(&issuer.serve().await, &clock).await;
    let good = claims(&clock, EVERYTHING);
    let (status, answer) = ask(&world, Some(&key.sign(&good)), ASK).await;
    assert_eq!((status, code(&answer)), (503, "UPSTREAM_UNAVAILABLE"));
    issuer.publish(&[&key]);
    clock.advance(Duration::from_secs(31));
    assert_eq!(ask(&world, Some(&key.sign(&good)), ASK).await.0, 200);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_without_a_new_name_are_asked_for_at_once_too() {
    for id in ["", "the same"] {
        let (issuer, clock) = (Issuer::default(), clock());
        let (old, new) = (Key::edwards(id), Key::edwards(id));
        issuer.publish(&[&old]);
        let world = gateway(&issuer.serve().await, &clock).await;
        let good = claims(&clock, EVERYTHING);
        assert_eq!(ask(&world, Some(&old.sign(&good)), ASK).await.0, 200, "{id:?}");
        issuer.publish(&[&new]);
        clock.advance(Duration::from_secs(31));
        assert_eq!(ask(&world, Some(&new.sign(&good)), ASK).await.0, 200, "{id:?}");
        assert_eq!(ask(&world, Some(&old.sign(&good)), ASK).await.0, 401, "{id:?}");

        // However many are signed by somebody else, the issuer is asked once in a while.
        let (asked, nobodys) = (issuer.asked(), Key::edwards(id));
        for pause in [0, 31] {
            clock.advance(Duration::from_secs(pause));
            for _ in 0..20 {
                let (status, answer) = ask(&world, Some(&nobodys.sign(&good)), ASK).await;
                assert_eq!((status, code(&answer)), (401, "UNAUTHENTICATED"), "{id:?}");
            }
            assert_eq!(issuer.asked(), asked + usize::from(pause > 0), "{id:?}");
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_fetched_without_a_proxy_of_the_environment() {
    let (issuer, key) = (Issuer::default(), Key::edwards("ed"));
    issuer.publish(&[&key]);
    let folder = tempfile::tempdir().unwrap();
    let settings = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = \"sqlite://tandem.db\"\n\
         [auth]\nmode = \"jwt\"\naudience = \"{AUDIENCE}\"\njwks_url = \"{}\"\n{NOWHERE}",
        issuer.serve().await
    );
    std::fs::write(folder.path().join("tandem.toml"), settings).unwrap();
    // Nobody listens there.
    let proxies = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
    let mut gateway =
        Gateway::start(folder.path(), &proxies.map(|name| (name, "http://127.0.0.1:9")));
    gateway.token = key.sign(&claims(&Clock::system(), EVERYTHING));
    let answer = gateway.ask("{ viewer { subject } }", json!({})).await;
    assert!(answer.contains("front end"), "{answer}{}", gateway.log());
}

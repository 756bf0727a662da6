//! Webhooks of HighLevel: whose they are, what is kept, and what the gateway does after them.

mod hearing;
mod logging;
mod receiving;
mod waiting;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::EncodePublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use tandem::sandbox::credentials::{HIGHLEVEL_LOCATION, OAUTH_CLIENT_ID};

use crate::world::{Builder, World};

/// A key that the config adds to the published one.
fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// The half of [`key`] that gateways are told.
pub fn pem() -> String {
    key().verifying_key().to_public_key_pem(LineEnding::LF).unwrap()
}

/// A world whose gateway believes in [`key`].
fn trusting() -> Builder {
    World::builder().set("highlevel.webhook_public_key", pem())
}

/// A world whose sandbox sends its webhooks to the gateway.
async fn connected(builder: Builder) -> World {
    let world = builder.hearing().start().await;
    world.control("/webhooks", json!({"url": world.url("/webhooks/highlevel")})).await;
    world
}

fn signed(body: &str) -> String {
    STANDARD.encode(key().sign(body.as_bytes()).to_bytes())
}

/// An event about a contact, sent now by the world's clock.
pub fn event(world: &World, id: &str, contact: &str) -> Value {
    json!({
        "type": "ContactUpdate", "locationId": HIGHLEVEL_LOCATION, "id": contact,
        "webhookId": id, "timestamp": world.clock.now().to_rfc3339(),
    })
}

/// An event that says that our app was taken off the location just now.
pub fn taken_off(world: &World, id: &str) -> Value {
    let mut event = event(world, id, "nobody");
    event["type"] = json!("UNINSTALL");
    // The client's id up to the dash; what befell another app is nothing to us.
    event["appId"] = json!(OAUTH_CLIENT_ID.split_once('-').unwrap().0);
    event
}

/// Posts a body with a signature; the status and what the answer says.
async fn post(world: &World, body: &str, signature: Option<&str>) -> (u16, Value) {
    let mut request = world.http().post(world.url("/webhooks/highlevel")).body(body.to_owned());
    if let Some(signature) = signature {
        request = request.header("x-ghl-signature", signature);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

/// Posts an event as HighLevel would; the status and what became of it.
pub async fn send(world: &World, event: &Value) -> (u16, String) {
    let body = event.to_string();
    let (status, answer) = post(world, &body, Some(&signed(&body))).await;
    (status, answer["status"].as_str().unwrap_or_default().to_owned())
}

/// A counter of webhooks by what became of them.
async fn counted(world: &World, outcome: &str) -> u64 {
    let text = world.http().get(world.url("/metrics")).send().await.unwrap().text().await.unwrap();
    let ours = text.lines().filter(|line| {
        line.starts_with("tandem_webhooks_total{")
            && line.contains(&format!("outcome=\"{outcome}\""))
    });
    ours.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

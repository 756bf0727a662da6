//! Connecting the systems: consent, installations, keys, and what becomes of a credential.

pub mod agency;
mod client_secrets;
mod consent;
mod ending;
mod keys;
mod losing;
mod secrets;

use std::sync::Mutex;

use reqwest::Response;
use serde_json::{Value, json};
use tandem::sandbox::credentials::{OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET, OAUTH_VERSION_ID};

use crate::world::{Builder, World};

/// Thirty-two bytes in base64.
pub const KEY: &str = "one:QkFEQ0FGRUJBRENBRkVCQURDQUZFQkFEQ0FGRUJBREM=";
pub const ANA: &str = "ana.paz@example.com";
const UPSTREAM: &str =
    "{ upstreams { system state scopes credential { kind expiresAt rotatedAt } } }";

/// A gateway with a vault and an app.
pub fn with_app() -> Builder {
    World::builder()
        .set("vault.keys", KEY)
        .set("highlevel.client_id", OAUTH_CLIENT_ID)
        .set("highlevel.client_secret", OAUTH_CLIENT_SECRET)
        .set("highlevel.version_id", OAUTH_VERSION_ID)
}

/// A person's browser: it follows nothing by itself and keeps one cookie.
pub struct Browser {
    http: reqwest::Client,
    cookie: Mutex<Option<String>>,
    /// Where the proxy before the gateway says that it is.
    address: Option<&'static str>,
}

impl Browser {
    pub fn new() -> Self {
        let policy = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().redirect(policy).build().unwrap();
        Self { http, cookie: Mutex::default(), address: None }
    }

    /// One whose requests come through a proxy.
    pub fn at(address: &'static str) -> Self {
        Self { address: Some(address), ..Self::new() }
    }

    async fn get(&self, url: &str) -> Response {
        let mut request = self.http.get(url);
        let cookie = self.cookie.lock().unwrap().clone();
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(address) = self.address {
            request = request.header("x-forwarded-for", address);
        }
        let answer = request.send().await.unwrap();
        if let Some(set) = answer.headers().get("set-cookie") {
            let set = set.to_str().unwrap();
            assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
            *self.cookie.lock().unwrap() = set.split(';').next().map(str::to_owned);
        }
        answer
    }

    /// Opens a link of the gateway; where HighLevel asks.
    pub async fn open(&self, link: &str) -> String {
        let answer = self.get(link).await;
        assert_eq!(answer.status(), 303);
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Approves; the way back.
    pub async fn approve(&self, page: &str, choices: &[(&str, &str)]) -> String {
        let shown = self.get(page).await.text().await.unwrap();
        assert!(shown.contains("id=\"approve\""), "{shown}");
        let answer = self.http.post(page).form(choices).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Comes back; what the gateway says.
    pub async fn come_back(&self, url: &str) -> (u16, String) {
        let answer = self.get(url).await;
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// A link with which a person grants access.
pub async fn link(world: &World, scopes: Value) -> String {
    let connect = "mutation($s: [String!]) { connectHighLevel(input: {scopes: $s}) { \
        authorizationUrl upstream { state } userErrors { code message } } }";
    let data = world.data(connect, json!({"s": scopes})).await["connectHighLevel"].clone();
    assert_eq!(data["userErrors"], json!([]), "{data:#}");
    data["authorizationUrl"].as_str().unwrap().to_owned()
}

/// Grants access from the first link to the last.
pub async fn grant(world: &World, scopes: Value, choices: &[(&str, &str)]) -> (u16, String) {
    let browser = Browser::new();
    let page = browser.open(&link(world, scopes).await).await;
    let back = browser.approve(&page, choices).await;
    browser.come_back(&back).await
}

/// How the connection to a system is.
pub async fn upstream(world: &World, system: &str) -> Value {
    let data = world.data(UPSTREAM, json!({})).await;
    let all = data["upstreams"].as_array().unwrap().clone();
    all.into_iter().find(|one| one["system"] == system).unwrap()
}

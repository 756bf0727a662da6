//! Many workspaces in one process: each sees and changes its own, whatever is asked of it.

mod agencies;
mod connecting;
mod fairness;
mod hearing;
mod isolation;
mod making;
mod ways;

use std::time::Duration;

use serde_json::{Value, json};
use tandem::sandbox::credentials::{
    ACCOUNTS, Account, OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET, OAUTH_VERSION_ID,
};

use crate::auth::{EVERYTHING, claims, guarded, signed, with};
use crate::connecting::KEY;
use crate::world::{Builder, World};

const CREATE: &str = "mutation($n: String!) { createWorkspace(input: {name: $n}) { \
    workspace { id key name createdAt } userErrors { code field } } }";
const DOPPLER: &str = "mutation($a: String!, $k: String!) { connectDoppler(input: {account: $a, \
    apiKey: $k}) { upstream { state account } userErrors { code field message } } }";
const HIGHLEVEL: &str = "mutation($l: String, $t: String!) { connectHighLevel(input: \
    {locationId: $l, privateIntegrationToken: $t}) { upstream { state account } \
    userErrors { code field message } } }";
const DISCONNECT: &str = "mutation($s: System!) { disconnect(input: {system: $s}) { \
    upstream { state } userErrors { code } } }";
const STATES: &str = "{ upstreams { system state account } }";

/// A gateway with a vault, an app, tokens of clients, and so many accounts to connect to.
fn with_accounts(accounts: usize) -> Builder {
    guarded()
        .contacts(20)
        .accounts(accounts)
        .set("vault.keys", KEY)
        .set("highlevel.client_id", OAUTH_CLIENT_ID)
        .set("highlevel.client_secret", OAUTH_CLIENT_SECRET)
        .set("highlevel.version_id", OAUTH_VERSION_ID)
}

/// A client of one workspace.
#[derive(Clone)]
struct Client<'a> {
    world: &'a World,
    /// What its tokens name.
    key: String,
    scopes: &'static str,
}

impl<'a> Client<'a> {
    /// Of the operator's own workspace.
    fn operator(world: &'a World) -> Self {
        Self::of(world, "default")
    }

    fn of(world: &'a World, key: &str) -> Self {
        Self { world, key: key.to_owned(), scopes: EVERYTHING }
    }

    fn token(&self) -> String {
        signed(&with(claims(&self.world.clock, self.scopes), "workspace", self.key.as_str()))
    }

    async fn ask(&self, query: &str, variables: Value) -> Value {
        let token = format!("Bearer {}", self.token());
        self.world.ask_with(query, variables, &[("authorization", token.as_str())]).await
    }

    async fn data(&self, query: &str, variables: Value) -> Value {
        let answer = self.ask(query, variables).await;
        assert!(answer.get("errors").is_none(), "{}: {answer:#}", self.key);
        answer["data"].clone()
    }

    /// Makes another workspace; its client.
    async fn create(&self, name: &str) -> Self {
        // They are listed by age, in milliseconds.
        self.world.clock.advance(Duration::from_millis(1));
        let made = self.data(CREATE, json!({"n": name})).await["createWorkspace"].clone();
        assert_eq!(made["userErrors"], json!([]), "{made:#}");
        Self::of(self.world, made["workspace"]["key"].as_str().unwrap())
    }

    /// Connects to both systems, as all gateways know afterwards.
    async fn connect(&self, account: &Account) {
        let doppler = json!({"a": account.doppler, "k": account.api_key});
        let made = self.data(DOPPLER, doppler).await["connectDoppler"].clone();
        assert_eq!(made["userErrors"], json!([]), "{made:#}");
        let highlevel = json!({"l": account.location, "t": account.token});
        let made = self.data(HIGHLEVEL, highlevel).await["connectHighLevel"].clone();
        assert_eq!(made["userErrors"], json!([]), "{made:#}");
        let connected = || async {
            let states = self.data(STATES, json!({})).await["upstreams"].to_string();
            !states.contains("NOT_CONNECTED")
        };
        self.world.shows("both are connected", connected).await;
    }

    /// Who is there, by HighLevel's own listing.
    async fn people(&self) -> Vec<Value> {
        let query = "{ contacts(first: 100, source: HIGHLEVEL) { nodes { id email } } }";
        let data = self.data(query, json!({})).await;
        data["contacts"]["nodes"].as_array().unwrap().clone()
    }
}

/// A second workspace, connected to the second accounts.
async fn second<'a>(world: &'a World, name: &str) -> Client<'a> {
    let client = Client::operator(world).create(name).await;
    client.connect(&ACCOUNTS[1]).await;
    client
}

/// The calls that were made with the credentials of an account.
async fn calls_of(world: &World, account: &Account) -> Vec<String> {
    let calls = world.calls().await.into_iter();
    let own = calls.filter(|call| {
        call.account.as_deref().is_some_and(|it| [account.doppler, account.location].contains(&it))
    });
    own.map(|call| format!("{} {}", call.method, call.path)).collect()
}

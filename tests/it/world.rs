//! A running gateway over a running sandbox, on free ports, with one clock; in some places two
//! gateways on one store, which are asked in turn.
//!
//! Dropping a [`World`] without [`World::end`] is fine for a test that failed; one that passes ends
//! it, which fails if a task is left over.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tandem::app::{App, AppOptions};
use tandem::clock::Clock;
use tandem::config::Loader;
use tandem::sandbox::{Options, Sandbox, credentials};
use tandem::tasks::Tasks;

use crate::place::{Ground, Place};
use crate::time::{Outlasting, PATIENCE};

/// Says what a world is like.
pub struct Builder {
    options: Options,
    settings: Vec<(&'static str, Value)>,
    hearing: bool,
    is_still: bool,
    place: Place,
    gateways: usize,
}

pub struct World {
    pub sandbox: Sandbox,
    pub clock: Clock,
    /// Gateways on the same store.
    apps: Vec<App>,
    /// How often one was asked.
    turns: AtomicUsize,
    tasks: Tasks,
    http: reqwest::Client,
    settings: Vec<(&'static str, Value)>,
    pub ground: Ground,
    is_still: bool,
    /// Whether HighLevel's webhooks count here.
    pub is_hearing: bool,
    pub outlasting: Outlasting,
}

/// A call as the journal shows it.
#[derive(Clone, Debug)]
pub struct Call {
    pub system: String,
    pub method: String,
    pub route: Option<String>,
    /// Whose credential it was made with.
    pub account: Option<String>,
    pub path: String,
}

impl Call {
    pub fn route_ends_with(&self, end: &str) -> bool {
        self.route.as_ref().is_some_and(|route| route.ends_with(end))
    }
}

impl World {
    pub fn builder() -> Builder {
        let options = Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            contacts: 60,
            rate_limit: false,
            index_delay: Duration::ZERO,
            ..Options::default()
        };
        let place = Place::chosen();
        let gateways = place.gateways();
        let (settings, hearing, is_still) = (Vec::new(), false, false);
        Builder { options, settings, hearing, is_still, place, gateways }
    }

    /// A small one with everything as it comes.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// One gateway in every place: see [`Builder::alone`].
    pub async fn alone() -> Self {
        Self::builder().alone().start().await
    }

    /// One gateway whose clock stands still: see [`Builder::still`].
    pub async fn still() -> Self {
        Self::builder().alone().still().start().await
    }

    /// An address of the gateway whose turn it is.
    pub fn url(&self, path: &str) -> String {
        if self.is_still {
            // No two questions come within one millisecond: what the first read is older than the second.
            self.clock.advance(Duration::from_millis(1));
        }
        let turn = self.turns.fetch_add(1, Ordering::Relaxed) % self.apps.len();
        format!("http://{}{path}", self.apps[turn].addr())
    }

    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// How many tasks the gateways have.
    pub fn running_tasks(&self) -> usize {
        self.apps.iter().map(App::running_tasks).sum()
    }

    /// Where the gateways' store is.
    pub fn store_url(&self) -> String {
        self.ground.store_url()
    }

    /// Changes something in the store beside the gateways.
    pub async fn run(&self, statement: &str) {
        self.ground.run(statement.to_owned()).await;
    }

    /// Where a text stands in the store.
    pub async fn find_stored(&self, text: &str) -> Vec<String> {
        self.ground.find(text).await
    }

    /// Stops the gateways and starts as many on the same store.
    pub async fn restart(&mut self) {
        let gateways = self.apps.len();
        for app in self.apps.drain(..) {
            app.shutdown().await;
        }
        for _ in 0..gateways {
            self.apps
                .push(start_app(&self.sandbox, &self.clock, &self.ground, &self.settings).await);
        }
    }

    /// What the gateway answers to a document, errors included.
    pub async fn ask(&self, query: &str, variables: Value) -> Value {
        self.ask_with(query, variables, &[]).await
    }

    /// The same with request headers.
    pub async fn ask_with(&self, query: &str, variables: Value, headers: &[(&str, &str)]) -> Value {
        let mut request = self.http.post(self.url("/graphql"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = json!({"query": query, "variables": variables});
        request.json(&body).send().await.unwrap().json().await.unwrap()
    }

    /// The data of an answer without errors.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let answer = self.ask(query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].clone()
    }

    /// Every call that the sandbox has received since [`World::forget_calls`].
    pub async fn calls(&self) -> Vec<Call> {
        let journal: Value = self.control_get("/journal").await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let calls = journal["calls"].as_array().unwrap().iter();
        calls
            .map(|call| Call {
                system: text(&call["system"]),
                method: text(&call["method"]),
                route: call["route"].as_str().map(str::to_owned),
                account: call["account"].as_str().map(str::to_owned),
                path: text(&call["path"]),
            })
            .collect()
    }

    /// How many calls one system has received.
    pub async fn count(&self, system: &str) -> usize {
        self.calls().await.iter().filter(|call| call.system == system).count()
    }

    pub async fn forget_calls(&self) {
        let url = format!("{}/journal", self.sandbox.control_url());
        self.http.delete(url).send().await.unwrap().error_for_status().unwrap();
    }

    /// Makes a system misbehave.
    pub async fn fault(&self, fault: Value) {
        self.control("/faults", fault).await;
    }

    pub async fn clear_faults(&self) {
        let url = format!("{}/faults", self.sandbox.control_url());
        self.http.delete(url).send().await.unwrap().error_for_status().unwrap();
    }

    pub async fn control(&self, route: &str, body: Value) -> Value {
        let url = format!("{}{route}", self.sandbox.control_url());
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{route}: {status}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// The same, for what may be refused; whether it was not.
    pub async fn try_control(&self, route: &str, body: Value) -> bool {
        let url = format!("{}{route}", self.sandbox.control_url());
        self.http.post(url).json(&body).send().await.unwrap().status().is_success()
    }

    /// Makes a first run: previews it, approves it and waits until it is over.
    pub async fn run_sync(&self) {
        let start = "mutation { startSync(input: {kind: BACKFILL}) { run { id } \
            userErrors { message } } }";
        let begun = self.data(start, json!({})).await["startSync"].clone();
        let id = begun["run"]["id"].clone();
        assert!(id.is_string(), "{begun:#}");
        let reach = async |wanted: &str| {
            let query = "query($id: ID!) { node(id: $id) { ... on SyncRun { state } } }";
            let is_there =
                || async { self.data(query, json!({"id": id})).await["node"]["state"] == wanted };
            self.until(wanted, is_there).await;
        };
        reach("AWAITING_APPROVAL").await;
        let approve = "mutation($id: ID!) { approveSync(input: {run: $id}) { \
            userErrors { message } } }";
        let approved = self.data(approve, json!({"id": id})).await;
        assert_eq!(approved["approveSync"]["userErrors"], json!([]));
        reach("FINISHED").await;
    }

    /// Switches sync on without a first run, for a queue that holds only what a test puts there.
    pub async fn switch_sync_on(&self) {
        let body = json!({"state": "RUNNING", "paused_to_doppler": false,
            "paused_to_highlevel": false, "paused_fields": [], "changed_at": null});
        let statement = format!(
            "INSERT INTO sync_settings (workspace, state, body) SELECT id, 'RUNNING', '{body}'
             FROM workspace WHERE true
             ON CONFLICT (workspace) DO UPDATE SET state = excluded.state, body = excluded.body"
        );
        self.ground.run(statement).await;
    }

    /// Everything that both systems hold.
    pub async fn state(&self) -> Value {
        self.control_get("/state").await
    }

    /// How many calls since [`World::forget_calls`] may have changed something.
    pub async fn writes(&self) -> usize {
        let reads = |call: &Call| {
            let searches = call.route.as_ref().is_some_and(|route| route.ends_with("/search"));
            call.method == "GET" || searches
        };
        self.calls().await.iter().filter(|call| !reads(call)).count()
    }

    pub async fn control_get(&self, route: &str) -> Value {
        let url = format!("{}{route}", self.sandbox.control_url());
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// Waits until `condition` holds.
    pub async fn until<F: Future<Output = bool>>(&self, what: &str, condition: impl Fn() -> F) {
        let waiting = async {
            while !condition().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "never: {what}");
    }

    /// Asserts what one question shows: at once, or where two gateways are asked in turn, as soon as
    /// the news of a write has reached both. `condition` asks once.
    pub async fn shows<F: Future<Output = bool>>(&self, what: &str, condition: impl Fn() -> F) {
        if self.apps.len() == 1 {
            assert!(condition().await, "not at once: {what}");
            return;
        }
        let both = || async { condition().await && condition().await };
        self.until(what, both).await;
    }

    /// Ends the world; nothing may be left running.
    pub async fn end(mut self) {
        for app in self.apps.drain(..) {
            let ended = tokio::time::timeout(PATIENCE, app.shutdown()).await;
            assert!(ended.is_ok(), "the gateway did not stop");
        }
        self.tasks.stop();
        self.ground.remove().await;
    }
}

impl Builder {
    /// How many Doppler accounts and HighLevel locations there are.
    pub fn accounts(mut self, accounts: usize) -> Self {
        self.options.accounts = accounts;
        self
    }

    /// How many people there are.
    pub fn contacts(mut self, contacts: usize) -> Self {
        self.options.contacts = contacts;
        self
    }

    /// What the sandbox draws its chances from.
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = seed;
        self
    }

    /// The gateway believes the sandbox's webhooks.
    pub fn hearing(mut self) -> Self {
        self.hearing = true;
        self
    }

    /// With the systems' rate limits, on a clock of the test's own.
    pub fn limited(mut self, clock: Clock) -> Self {
        (self.options.rate_limit, self.options.clock) = (true, clock);
        self
    }

    /// On a clock that stands still until the test moves it, for what is kept or counted for a while: how
    /// long a test takes is then no part of it.
    pub fn still(mut self) -> Self {
        self.options.clock = Clock::manual("2026-11-24T12:00:00Z".parse().unwrap());
        self.is_still = true;
        self
    }

    /// Sets a key of the gateway's config.
    pub fn set(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.settings.push((key, value.into()));
        self
    }

    /// One gateway in every place: for what one gateway keeps, counts or learns for itself. Each use
    /// says which.
    pub fn alone(mut self) -> Self {
        self.gateways = 1;
        self
    }

    /// Another place than that of the run.
    pub fn place(mut self, place: Place) -> Self {
        (self.place, self.gateways) = (place, place.gateways());
        self
    }

    pub async fn start(self) -> World {
        let tasks = Tasks::new();
        let clock = self.options.clock.clone();
        let sandbox = Sandbox::start(self.options, &tasks).await.unwrap();
        let ground = Ground::new(self.place).await;
        let (mut settings, mut apps) = (self.settings, Vec::new());
        if self.hearing {
            let key = sandbox.highlevel().webhook_public_key_pem();
            settings.push(("highlevel.webhook_public_key", key.into()));
        }
        for _ in 0..self.gateways {
            apps.push(start_app(&sandbox, &clock, &ground, &settings).await);
        }
        let http = reqwest::Client::builder().build().unwrap();
        let outlasting = Outlasting::default();
        let (is_still, is_hearing) = (self.is_still, self.hearing);
        let turns = AtomicUsize::new(0);
        let world = World {
            sandbox,
            clock,
            apps,
            turns,
            tasks,
            http,
            settings,
            ground,
            is_still,
            is_hearing,
            outlasting,
        };
        world.forget_calls().await;
        world
    }
}

async fn start_app(
    sandbox: &Sandbox,
    clock: &Clock,
    ground: &Ground,
    settings: &[(&'static str, Value)],
) -> App {
    let mut loader = Loader::new()
        .set("server.listen", "127.0.0.1:0", "test")
        // What nobody asks about is no matter of a busy machine.
        .set("server.request_timeout", "1m", "test")
        .set("server.drain_timeout", "1m", "test")
        .set("sync.mutation_deadline", "30s", "test")
        .set("store.connections", 8, "test")
        .set("doppler.base_url", sandbox.doppler_url(), "test")
        .set("doppler.account", credentials::DOPPLER_ACCOUNT, "test")
        .set("doppler.api_key", credentials::DOPPLER_API_KEY, "test")
        .set("doppler.rate", 0.0, "test")
        .set("highlevel.base_url", sandbox.highlevel_url(), "test")
        .set(
            "highlevel.authorize_url",
            format!("{}/v2/oauth/chooselocation", sandbox.highlevel_url()),
            "test",
        )
        .set("highlevel.location_id", credentials::HIGHLEVEL_LOCATION, "test")
        .set("highlevel.token", credentials::HIGHLEVEL_TOKEN, "test")
        .set("highlevel.burst", 0, "test")
        // Outside of runs nobody knows whether more people come.
        .set("sync.import_wait", "100ms", "test")
        .set("telemetry.filter", "off", "test");
    for (key, value) in ground.settings() {
        loader = loader.set(key, value, "test");
    }
    for (key, value) in settings {
        let value = figment::value::Value::serialize(value).unwrap();
        loader = loader.set(key, value, "test");
    }
    let config = loader.load().unwrap_or_else(|faults| panic!("{faults}"));
    App::start(config, AppOptions { clock: clock.clone() }).await.unwrap()
}

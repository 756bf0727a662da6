//! Both systems, the store, and what the parent does with them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::{App, AppOptions, DEFAULT_WORKSPACE};
use crate::clock::Clock;
use crate::config::{Config, Loader};
use crate::sandbox::journal::Row;
use crate::sandbox::{Options, Sandbox, credentials};
use crate::store::CONTACT;
use crate::tasks::Tasks;
use crate::unified::WorkspaceId;

use super::cases::Case;

/// How long anything is waited for before the test gives up on it.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// Longer than a lease.
const LEASES_LAPSE: Duration = Duration::from_secs(61);

/// What a gateway is to work on.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Order {
    store: String,
    channel: String,
    doppler: String,
    highlevel: String,
    /// How far the world's clock is ahead of the machine's.
    ahead_ms: u64,
}

impl Order {
    /// The world's clock, in another process.
    pub fn clock(&self) -> Clock {
        let clock = Clock::system();
        clock.advance(Duration::from_millis(self.ahead_ms));
        clock
    }

    /// The config of a gateway that may make anybody in Doppler.
    pub fn config(&self) -> Config {
        let rule = json!([{"system": "DOPPLER", "list": credentials::DOPPLER_FIRST_LIST}]);
        let rule = figment::value::Value::serialize(rule).unwrap();
        Loader::new()
            .set("server.listen", "127.0.0.1:0", "test")
            .set("store.url", self.store.as_str(), "test")
            .set("store.connections", 4, "test")
            .set("bus.channel", self.channel.as_str(), "test")
            .set("doppler.base_url", self.doppler.as_str(), "test")
            .set("doppler.account", credentials::DOPPLER_ACCOUNT, "test")
            .set("doppler.api_key", credentials::DOPPLER_API_KEY, "test")
            .set("doppler.rate", 0.0, "test")
            .set("highlevel.base_url", self.highlevel.as_str(), "test")
            .set("highlevel.location_id", credentials::HIGHLEVEL_LOCATION, "test")
            .set("highlevel.token", credentials::HIGHLEVEL_TOKEN, "test")
            .set("highlevel.burst", 0, "test")
            .set("mapping.create_in", rule, "test")
            .set("telemetry.filter", "off", "test")
            .load()
            .unwrap()
    }
}

/// Both systems and one store.
pub struct Ground {
    order: Order,
    sandbox: Sandbox,
    clock: Clock,
    tasks: Tasks,
    http: reqwest::Client,
}

impl Ground {
    /// Two systems with a few people, and nothing in the store.
    pub async fn new(store: String) -> Self {
        Self::with(store, 5).await
    }

    /// The same with so many people.
    pub async fn with(store: String, contacts: usize) -> Self {
        let (tasks, clock) = (Tasks::new(), Clock::system());
        let options = Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            contacts,
            rate_limit: false,
            index_delay: Duration::ZERO,
            clock: clock.clone(),
            ..Options::default()
        };
        let sandbox = Sandbox::start(options, &tasks).await.unwrap();
        let order = Order {
            store,
            channel: format!("killed_{:x}", rand::random::<u64>()),
            doppler: sandbox.doppler_url(),
            highlevel: sandbox.highlevel_url(),
            ahead_ms: 0,
        };
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        Self { order, sandbox, clock, tasks, http }
    }

    pub fn end(self) {
        self.tasks.stop();
    }

    /// What a gateway is to work on now.
    pub fn order(&self) -> Order {
        let ahead = self.clock.now() - Clock::system().now();
        let ahead_ms = u64::try_from(ahead.num_milliseconds()).unwrap_or_default();
        Order { ahead_ms, ..self.order.clone() }
    }

    /// Lets the leases of a dead gateway run out.
    pub fn leases_lapse(&self) {
        self.clock.advance(LEASES_LAPSE);
    }

    /// Starts a gateway when the leases of the dead one have run out.
    pub async fn go_on(&self) -> App {
        self.leases_lapse();
        App::start(self.order.config(), AppOptions { clock: self.clock.clone() }).await.unwrap()
    }

    /// Waits until the gateway has no work any more and nothing that was asked for of the person is
    /// undone. No client asks meanwhile.
    pub async fn is_finished(&self, app: &App, person: &Person<'_>) {
        let (store, workspace) = (&app.store, WorkspaceId::from(DEFAULT_WORKSPACE));
        until("all is done", async || {
            let backlog = store.backlog(&workspace, CONTACT).await.unwrap();
            assert_eq!(backlog.dead, 0);
            if backlog.open > 0 {
                // What waits for its next attempt is due by and by.
                self.clock.advance(Duration::from_secs(1));
                return None;
            }
            for id in store.contacts_by_email(&workspace, &person.email).await.unwrap() {
                let sheet = store.sheet(&workspace, id).await.unwrap().unwrap();
                assert_eq!((sheet.edits, sheet.pending), (Vec::new(), Vec::new()));
                assert_eq!(sheet.failures, Vec::new());
            }
            Some(())
        })
        .await;
    }

    /// Calls that may have changed something, since they were forgotten.
    pub fn writes(&self) -> Vec<Row> {
        let mut calls = self.sandbox.shared().journal.page(0, true).calls;
        let search = |call: &Row| call.route.as_ref().is_some_and(|it| it.ends_with("/search"));
        calls.retain(|call| call.method != "GET" && !search(call));
        calls
    }

    /// Everything that both systems hold.
    pub async fn state(&self) -> Value {
        let url = format!("{}/state", self.sandbox.control_url());
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// Every call since they were forgotten.
    pub fn calls(&self) -> Vec<Row> {
        self.sandbox.shared().journal.page(0, false).calls
    }

    /// What a gateway answers to a document without errors.
    pub async fn query(
        &self,
        at: SocketAddr,
        query: &str,
        variables: Value,
    ) -> Result<Value, reqwest::Error> {
        let body = json!({"query": query, "variables": variables});
        let request = self.http.post(format!("http://{at}/graphql")).json(&body);
        let answer: Value = request.send().await?.json().await?;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        Ok(answer["data"].clone())
    }

    pub fn forget_calls(&self) {
        self.sandbox.shared().journal.clear();
    }

    /// A write may have been made again, but only with the same effect: what makes something new was
    /// successful once.
    pub fn nothing_was_written_twice(&self, step: &str) {
        let writes = self.writes();
        for (place, write) in writes.iter().enumerate() {
            let same = |other: &&Row| {
                (&other.method, &other.path, other.system)
                    == (&write.method, &write.path, write.system)
            };
            let others = || writes[place + 1..].iter().filter(same);
            let what = format!("{step}: {} {}", write.method, write.path);
            assert!(others().all(|other| other.request_body == write.request_body), "{what}");
            let makes = write.method == "POST"
                && write.path.starts_with("/contacts/")
                && !write.path.ends_with("/tags");
            let took = |call: &Row| call.status.is_some_and(|status| status < 300);
            if makes && took(write) {
                assert!(!others().any(took), "{what}: made twice");
            }
        }
    }

    pub fn person<'a>(&'a self, email: &str) -> Person<'a> {
        Person { ground: self, email: email.to_owned() }
    }

    /// Does something inside the systems.
    pub async fn control(&self, route: &str, body: Value) {
        let url = format!("{}{route}", self.sandbox.control_url());
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{route}: {}", answer.text().await.unwrap());
    }
}

/// Somebody whom an edit is about.
pub struct Person<'a> {
    ground: &'a Ground,
    pub email: String,
}

/// A person as the systems hold them.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub subscriber: Option<Value>,
    pub contact: Option<Value>,
}

impl Person<'_> {
    /// Makes them in both systems, alike.
    pub async fn is_in_both(&self) {
        let names = json!({"FIRSTNAME": "Ada", "LASTNAME": "Old"});
        let edit = json!({"system": "DOPPLER", "op": "upsert", "email": self.email,
            "fields": names, "list": "Newsletter"});
        self.ground.control("/edit", edit).await;
        let names = json!({"firstName": "Ada", "lastName": "Old"});
        let edit = json!({"system": "HIGHLEVEL", "op": "upsert", "email": self.email,
            "fields": names});
        self.ground.control("/edit", edit).await;
    }

    /// How both systems hold them; in neither are they twice.
    pub async fn seen(&self) -> Seen {
        let state = self.ground.state().await;
        let only = |people: &Value| {
            let mut found = people.as_array().unwrap().iter().filter(|p| p["email"] == self.email);
            let first = found.next().cloned();
            assert_eq!(found.next(), None, "{} is there twice", self.email);
            first
        };
        Seen {
            subscriber: only(&state["doppler"]["subscribers"]),
            contact: only(&state["highlevel"]["contacts"]),
        }
    }

    /// Asks a gateway for the case's edit; always with the same key.
    pub async fn ask(&self, at: SocketAddr, case: &Case) -> Result<Value, reqwest::Error> {
        let (name, mut input) = (case.mutation, (case.input)(&self.email));
        input["idempotencyKey"] = json!(self.email);
        let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        let query = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{ \
             writes {{ system outcome reason }} userErrors {{ code message }} }} }}"
        );
        let answer = self.ground.query(at, &query, json!({"input": input})).await?;
        Ok(answer[name].clone())
    }

    /// By the gateway's own word there is nothing left to do: `state` is its word for it.
    pub async fn is_in_step(&self, at: SocketAddr, state: &str, step: &str) {
        let by = json!({"email": self.email});
        let sync = "mutation($by: ContactBy!) { syncContact(input: {contact: $by}) { \
            contact { differences { field } sync { state } } writes { outcome } } }";
        let data = self.ground.query(at, sync, json!({"by": by})).await.unwrap();
        let contact = &data["syncContact"]["contact"];
        assert_eq!(contact["sync"]["state"], state, "{step}: {data:#}");
        let differences = contact["differences"].as_array();
        assert!(differences.is_none_or(Vec::is_empty), "{step}: {data:#}");
    }
}

/// Waits until there is an answer.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    waited.unwrap_or_else(|_| panic!("never: {what}"))
}

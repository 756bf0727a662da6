//! The sandbox and the gateway, and asking both.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tandem::sandbox::credentials::{
    DOPPLER_ACCOUNT, DOPPLER_API_KEY, DOPPLER_FIRST_LIST, HIGHLEVEL_LOCATION, HIGHLEVEL_TOKEN,
};
use tempfile::TempDir;

use crate::client::{Connection, request};
use crate::process::Server;

/// The program under test, as it was built.
const TANDEM: &str = env!("CARGO_BIN_EXE_tandem");
/// How often it is looked whether all is done.
const LOOK: Duration = Duration::from_secs(1);

pub struct World {
    sandbox: Server,
    gateway: Option<Server>,
    lossy: f64,
    folder: TempDir,
    counted_from: u64,
}

/// What went over the wire.
pub struct Traffic {
    reads: usize,
    writes: usize,
    refused: usize,
}

impl World {
    pub async fn start(contacts: usize, seed: u64, lossy: f64) -> anyhow::Result<Self> {
        let arguments = |addr: SocketAddr| {
            let text = format!(
                "sandbox --listen {addr} --contacts {contacts} --seed {seed} --journal 1000000"
            );
            text.split_whitespace().map(str::to_owned).collect()
        };
        let sandbox =
            Server::start(None, Path::new(TANDEM), arguments, "/control/settings").await?;
        let mut world =
            Self { sandbox, gateway: None, lossy, folder: TempDir::new()?, counted_from: 0 };
        world.configure().await?;
        world.start_gateway().await?;
        Ok(world)
    }

    async fn configure(&self) -> anyhow::Result<()> {
        let key = self.get("/control/webhook-key").await?;
        let upstream = self.sandbox.addr;
        let store = self.folder.path().join("tandem.db");
        let text = format!(
            r#"
            [store]
            url = "sqlite://{}"
            [doppler]
            base_url = "http://{upstream}/doppler"
            account = "{DOPPLER_ACCOUNT}"
            api_key = "{DOPPLER_API_KEY}"
            rate = 10.0
            burst = 20
            poll_interval = "20s"
            [highlevel]
            base_url = "http://{upstream}/highlevel"
            location_id = "{HIGHLEVEL_LOCATION}"
            token = "{HIGHLEVEL_TOKEN}"
            poll_interval = "10s"
            index_delay = "3s"
            webhook_public_key = '''{key}'''
            [sync]
            first_run = "auto"
            [[mapping.create_in]]
            system = "DOPPLER"
            list = "{DOPPLER_FIRST_LIST}"
            "#,
            store.display()
        );
        fs::write(self.config(), text)?;
        Ok(())
    }

    fn config(&self) -> std::path::PathBuf {
        self.folder.path().join("tandem.toml")
    }

    async fn start_gateway(&mut self) -> anyhow::Result<()> {
        let config = self.config();
        let arguments = |addr: SocketAddr| {
            let text = format!("serve --config {} --listen {addr}", config.display());
            text.split_whitespace().map(str::to_owned).collect()
        };
        let gateway = Server::start(None, Path::new(TANDEM), arguments, "/health/ready").await?;
        let settings = json!({"url": format!("http://{}/webhooks/highlevel", gateway.addr),
            "lose": self.lossy, "duplicate": self.lossy, "reorder": self.lossy,
            "delay": self.lossy, "delayMs": 15_000});
        self.gateway = Some(gateway);
        self.control("/webhooks", &settings).await?;
        Ok(())
    }

    /// Kills the gateway and starts it again over what it left.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.gateway = None;
        self.start_gateway().await
    }

    /// Waits until nothing is left to be done and two polls of each system have found nothing; how
    /// long it took.
    pub async fn rest(&mut self, patience: Duration) -> anyhow::Result<Duration> {
        let (begun, mut since) = (Instant::now(), self.calls(0).await?.1);
        loop {
            ensure!(begun.elapsed() < patience, "it does not come to rest");
            tokio::time::sleep(LOOK).await;
            let (calls, next) = self.calls(since).await?;
            let times = |system: &str, route: &str| {
                let is_one = |call: &&Value| {
                    let called = call["route"].as_str().unwrap_or_default();
                    call["system"] == system && called.ends_with(route) && is_read(call)
                };
                calls.iter().filter(is_one).count()
            };
            if times("HIGHLEVEL", "/contacts/search") < 2 || times("DOPPLER", "/unsubscribed") < 2 {
                continue;
            }
            since = next;
            let query = "{ syncStatus { pending } failures(first: 100) { nodes { dead } } }";
            let open = self.ask(query, json!({})).await?;
            let failures = open["failures"]["nodes"].as_array().context("no failures")?;
            let over = open["syncStatus"]["pending"] == 0
                && failures.iter().all(|failure| failure["dead"] == true);
            if over && calls.iter().all(is_read) {
                return Ok(begun.elapsed());
            }
        }
    }

    /// The data of an answer.
    pub async fn ask(&self, query: &str, variables: Value) -> anyhow::Result<Value> {
        let gateway = self.gateway.as_ref().context("no gateway")?;
        Connection::open(gateway.addr).await?.ask(query, &variables).await
    }

    pub async fn control(&self, route: &str, body: &Value) -> anyhow::Result<()> {
        let path = format!("/control{route}");
        let asked = request("POST", &path, &[], &body.to_string());
        Connection::open(self.sandbox.addr).await?.exchange(&asked).await?;
        Ok(())
    }

    async fn get(&self, path: &str) -> anyhow::Result<String> {
        let mut connection = Connection::open(self.sandbox.addr).await?;
        let text = connection.exchange(&request("GET", path, &[], "")).await?;
        Ok(String::from_utf8(text.to_vec())?)
    }

    /// Everything that both systems hold.
    pub async fn state(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.get("/control/state").await?)?)
    }

    /// The calls since a number, and the number to ask with next.
    pub async fn calls(&self, since: u64) -> anyhow::Result<(Vec<Value>, u64)> {
        let text = self.get(&format!("/control/journal?since={since}")).await?;
        let journal: Value = serde_json::from_str(&text)?;
        let calls = journal["calls"].as_array().context("no calls")?.clone();
        Ok((calls, journal["next"].as_u64().context("no number")?))
    }

    /// Counts calls from now on.
    pub async fn forget_calls(&mut self) -> anyhow::Result<()> {
        self.counted_from = self.calls(0).await?.1;
        Ok(())
    }

    /// The calls that count.
    pub async fn counted(&self) -> anyhow::Result<Vec<Value>> {
        Ok(self.calls(self.counted_from).await?.0)
    }

    pub async fn traffic(&self) -> anyhow::Result<Traffic> {
        let calls = self.counted().await?;
        let refused = calls.iter().filter(|call| call["status"] == 429).count();
        let reads = calls.iter().filter(|call| is_read(call)).count();
        Ok(Traffic { reads, writes: calls.len() - reads, refused })
    }
}

impl Traffic {
    pub fn print(&self, edits: usize, killed: u32) {
        println!("{:<44} {killed:>8}", "kills of the gateway");
        println!("{:<44} {:>8}", "calls that read", self.reads);
        println!("{:<44} {:>8}", "calls that write", self.writes);
        println!("{:<44} {:>8}", "calls refused for their rate", self.refused);
        println!("{:<44} {edits:>8}", "edits");
    }
}

/// Whether a call changes nothing.
pub fn is_read(call: &Value) -> bool {
    let searches = call["route"].as_str().is_some_and(|route| route.ends_with("/search"));
    call["method"] == "GET" || searches
}

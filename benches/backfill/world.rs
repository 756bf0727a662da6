//! The sandbox and the gateway, and asking both.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::Value;
use tandem::sandbox::credentials::{
    DOPPLER_ACCOUNT, DOPPLER_API_KEY, DOPPLER_FIRST_LIST, HIGHLEVEL_LOCATION, HIGHLEVEL_TOKEN,
};
use tempfile::TempDir;

use crate::Args;
use crate::calls::Calls;
use crate::client::{Connection, request};
use crate::memory::resident_mib;
use crate::process::Server;

/// The program under test, as it was built.
const TANDEM: &str = env!("CARGO_BIN_EXE_tandem");
/// Above so many people the sandbox is not compared, and keeps no journal.
const SMALL: usize = 200_000;

pub struct World {
    sandbox: Server,
    gateway: Option<Server>,
    folder: TempDir,
    small: bool,
    counted_from: u64,
}

/// How often each address is there, in each system.
pub struct Addresses([BTreeMap<String, usize>; 2]);

impl World {
    pub async fn start(args: &Args) -> anyhow::Result<Self> {
        let small = args.contacts <= SMALL;
        let arguments = |addr: SocketAddr| {
            let text = format!(
                "sandbox --listen {addr} --contacts {} --seed {} --rate-limit {} --journal {}",
                args.contacts,
                args.seed,
                args.rate_limit,
                if small { 2_000_000 } else { 0 }
            );
            text.split_whitespace().map(str::to_owned).collect()
        };
        let sandbox =
            Server::start(None, Path::new(TANDEM), arguments, "/control/settings").await?;
        let folder = TempDir::new()?;
        let mut world = Self { sandbox, gateway: None, folder, small, counted_from: 0 };
        world.configure(args)?;
        world.start_gateway().await?;
        Ok(world)
    }

    fn configure(&self, args: &Args) -> anyhow::Result<()> {
        let upstream = self.sandbox.addr;
        let file = format!("sqlite://{}", self.folder.path().join("tandem.db").display());
        let store = args.store.as_ref().unwrap_or(&file);
        let (rate, burst) =
            if args.rate_limit == "off" { ("rate = 0.0", "burst = 0") } else { ("", "") };
        let text = format!(
            r#"
            [store]
            url = "{store}"
            [doppler]
            base_url = "http://{upstream}/doppler"
            account = "{DOPPLER_ACCOUNT}"
            api_key = "{DOPPLER_API_KEY}"
            {rate}
            [highlevel]
            base_url = "http://{upstream}/highlevel"
            location_id = "{HIGHLEVEL_LOCATION}"
            token = "{HIGHLEVEL_TOKEN}"
            {burst}
            [sync]
            first_run = "manual"
            [[mapping.create_in]]
            system = "DOPPLER"
            list = "{DOPPLER_FIRST_LIST}"
            "#
        );
        fs::write(self.config(), text)?;
        Ok(())
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("tandem.toml")
    }

    async fn start_gateway(&mut self) -> anyhow::Result<()> {
        let config = self.config();
        let arguments = |addr: SocketAddr| {
            let text = format!("serve --config {} --listen {addr}", config.display());
            text.split_whitespace().map(str::to_owned).collect()
        };
        let gateway = Server::start(None, Path::new(TANDEM), arguments, "/health/ready").await?;
        self.gateway = Some(gateway);
        Ok(())
    }

    /// Kills the gateway and starts it again over what it left.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.gateway = None;
        self.start_gateway().await
    }

    /// The gateway's memory now.
    pub fn resident_mib(&self) -> f64 {
        resident_mib(self.gateway.as_ref().map_or(0, Server::pid))
    }

    /// The data of an answer.
    pub async fn ask(&self, query: &str, variables: Value) -> anyhow::Result<Value> {
        let gateway = self.gateway.as_ref().context("no gateway")?;
        Connection::open(gateway.addr).await?.ask(query, &variables).await
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let mut connection = Connection::open(self.sandbox.addr).await?;
        let text = connection.exchange(&request("GET", path, &[], "")).await?;
        Ok(serde_json::from_slice(text)?)
    }

    /// The calls since the last time.
    pub async fn forget_calls(&mut self) -> anyhow::Result<Calls> {
        let journal = self.get(&format!("/control/journal?since={}", self.counted_from)).await?;
        self.counted_from = journal["next"].as_u64().context("no number")?;
        Ok(Calls::of(journal["calls"].as_array().context("no calls")?))
    }

    /// Who is there; nobody where they are too many to look at.
    pub async fn addresses(&self) -> anyhow::Result<Addresses> {
        let mut found = [BTreeMap::new(), BTreeMap::new()];
        if self.small {
            let state = self.get("/control/state").await?;
            let sides = [&state["doppler"]["subscribers"], &state["highlevel"]["contacts"]];
            for (side, found) in sides.into_iter().zip(&mut found) {
                for person in side.as_array().context("nothing is there")? {
                    if let Some(email) = person["email"].as_str() {
                        *found.entry(email.to_lowercase()).or_default() += 1;
                    }
                }
            }
        }
        Ok(Addresses(found))
    }
}

impl Addresses {
    /// Fails if somebody is there more often than before.
    pub fn nobody_twice(&self, before: &Self) -> anyhow::Result<()> {
        for (now, was) in self.0.iter().zip(&before.0) {
            for (email, count) in now {
                let allowed = was.get(email).copied().unwrap_or(1);
                ensure!(*count == allowed, "{email} is there {count} times");
            }
        }
        Ok(())
    }
}
